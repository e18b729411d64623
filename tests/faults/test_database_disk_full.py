"""PostgreSQL and the photos on one disk that fills up: uploads stop first; of what was acknowledged nothing is lost."""

from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import psycopg
import pytest

from tests.engines.disk import MB, SmallDisk, small_disk
from tests.engines.postgres import Postgres, alive, postgres
from tests.faults.full_disk import STORE_FULL, Clients, litter
from tests.faults.harness import call
from tests.faults.sizes import seen, size, until
from tests.faults.township import township

RECORDS = size("FAULT_DISK_VISITS", short=40, long=300)
MARK = 60
UNAVAILABLE = 503
LOG_FILES = 20
SMALL = {"max_wal_size": "64MB", "min_wal_size": "32MB", "restart_after_crash": "on"}

pytestmark = [pytest.mark.slow, pytest.mark.disk, pytest.mark.postgres]


@pytest.fixture
def together(tmp_path: Path) -> Iterator[tuple[Clients, SmallDisk, Postgres]]:
    """A cluster and the photos on one small disk."""
    with ExitStack() as stack:
        disk = stack.enter_context(small_disk(400 * MB))
        disk.folder.chmod(0o755)
        cluster = stack.enter_context(postgres(disk.folder, settings=SMALL))
        made = township(
            cluster.new_database(),
            f"file://{disk.folder}/uploads",
            tmp_path,
            server={"LOW_WATER_MB": str(MARK)},
        )
        yield Clients(stack.enter_context(made), (STORE_FULL, UNAVAILABLE)), disk, cluster


def test_a_full_disk_of_the_database_loses_nothing_and_needs_no_restart_of_the_service(
    together: tuple[Clients, SmallDisk, Postgres],
) -> None:
    clients, disk, cluster = together
    town, uploads = clients.town, disk.folder / "uploads"
    records = town.records(RECORDS + 200)
    first, rest, more = records[0], records[1:RECORDS], records[RECORDS:]
    assert (clients.visit(first), clients.photo(first)) == (201, 201)
    # Below the mark uploads stop, and the database works on in what they left.
    disk.fill(leave=(MARK - 5) * MB)
    assert {clients.visit(one) for one in rest} == {201}
    assert {clients.photo(one) for one in rest[:10]} == {507}
    assert (clients.read(first), clients.worklist(), clients.sign_in()) == (200, 200, 200)
    assert litter(uploads, 1) == []
    before = clients.answers.copy()
    # Somebody else takes the last byte, and takes it again whenever there is some: nothing but plain refusals.
    for one in more[:100]:
        disk.fill()
        clients.visit(one)
        clients.read(first)
    assert STORE_FULL in clients.answers - before
    # Then the log needs another file, and there is none to be had.
    _let_the_log_grow(cluster, disk)
    for one in more[100:]:
        disk.fill()
        clients.visit(one)
        clients.read(first)
    clients.sign_in()
    assert call(town.server.port, "GET", "/healthz").status == 200
    full = clients.answers - before
    pid = town.server.pid
    disk.make_room()
    ended = not alive(cluster.pid)
    if (
        ended
    ):  # PostgreSQL gives up when its log cannot be written; whoever makes room starts it, as its unit would
        cluster.stop()
        cluster.start()
    for _ in until(30, "a visit is taken again"):
        if clients.visit(first) in {200, 201}:
            break
    sent = [one for one in records if one.answer is not None]
    assert {clients.visit(one) for one in sent} <= {200, 201}
    assert {clients.photo(one) for one in sent} <= {200, 201}
    assert (clients.read(first), clients.worklist(), clients.sign_in()) == (200, 200, 200)
    assert town.server.pid == pid, "the same process went on"
    town.server.kill()
    town.holds_each_once(sent)
    town.holds_only_named_blobs()
    seen(
        "disk of photos and PostgreSQL full",
        f"uploads stopped below {MARK} MB, {len(rest)} visits after that; with no byte left answers {dict(full)}, "
        f"PostgreSQL {'ended and was started again' if ended else 'stayed'}; the service went on",
    )


def _let_the_log_grow(cluster: Postgres, disk: SmallDisk) -> None:
    """Let the log go on to its next file until none can be made, as a busy day would."""
    with (
        suppress(psycopg.Error),
        psycopg.connect(cluster.url.replace("+psycopg", ""), autocommit=True) as connection,
    ):
        for _ in range(LOG_FILES):
            disk.fill()
            connection.execute(
                "SELECT pg_logical_emit_message(false, 'filling', repeat('x', 1000000)), pg_switch_wal()"
            )
