"""A database that restarts or fails over: nothing acknowledged is lost, 503 meanwhile, and then everything goes on."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.engines.patroni import Cluster, patroni
from tests.engines.postgres import postgres
from tests.faults.harness import Phones
from tests.faults.killing import kill_postmaster
from tests.faults.sizes import seen, size, until
from tests.faults.township import Township, township

VISITS = size("FAULT_FAIL_OVER_VISITS", short=60, long=1_500)
BACK_WITHIN = 5.0

pytestmark = pytest.mark.slow


class Watch:
    """Notes when requests were last acknowledged, so that a gap can be measured."""

    def __init__(self, phones: Phones) -> None:
        self._phones = phones
        self._stop = threading.Event()
        self.moments: list[float] = []
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        before = 0
        while not self._stop.wait(0.02):
            now = sum(self._phones.statuses[status] for status in (200, 201))
            if now > before:
                self.moments.append(time.monotonic())
            before = now

    def first_after(self, moment: float) -> float | None:
        """Give how many seconds after a moment something was acknowledged again; None when nothing was."""
        return next((one - moment for one in list(self.moments) if one > moment), None)

    def end(self) -> None:
        """Look no more."""
        self._stop.set()
        self._thread.join()


def sent_while(town: Township, trouble: Callable[[Phones, Watch], str], name: str) -> None:
    """Let phones send while `trouble` happens; hold that all is acknowledged and there, and nothing was a 500."""
    records = town.records(VISITS)
    phones = Phones(town.server.port, records)
    watch = Watch(phones)
    phones.start()
    figures = trouble(phones, watch)
    phones.finish(seconds=60 + len(records) / 5)
    watch.end()
    assert set(phones.statuses) <= {200, 201, 429, 503}
    assert phones.unexpected == [], town.server.log()[-2000:]
    assert phones.cut == 0, "no request may be cut: the server stays"
    assert all(one.acknowledged for one in records)
    town.server.kill()
    town.holds_each_once(records)
    seen(name, f"{len(records)} visits and photos, answers {dict(phones.statuses)}; {figures}")


def under_way(phones: Phones, share: float) -> None:
    """Wait until a share of the records has been taken up."""
    for _ in until(120, "sending"):
        if phones.left <= VISITS * (1 - share):
            return


@pytest.mark.postgres
def test_a_restart_of_the_database_is_503_and_then_work_goes_on(tmp_path: Path) -> None:
    with ExitStack() as stack:
        database = stack.enter_context(postgres(durable=True))
        (tmp_path / "uploads").mkdir()
        town = stack.enter_context(township(database.new_database(), f"file://{tmp_path}/uploads", tmp_path))

        def trouble(phones: Phones, watch: Watch) -> str:
            gaps = []
            for share, restart in ((0.3, database.stop), (0.6, lambda: kill_postmaster(database))):
                under_way(phones, share)
                restart()
                if database._process is None:
                    database.start()
                back = time.monotonic()
                for _ in until(BACK_WITHIN, "an acknowledgement after the restart"):
                    if (gap := watch.first_after(back)) is not None:
                        break
                gaps.append(f"{gap:.2f} s")
            return f"acknowledged again {' and '.join(gaps)} after the database answered"

        sent_while(town, trouble, "restarts of PostgreSQL")


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with patroni() as running:
        yield running


@pytest.mark.long
@pytest.mark.patroni
@pytest.mark.parametrize("what", ["server", "machine"])
def test_a_leader_that_dies_loses_nothing_and_its_follower_serves(
    cluster: Cluster, tmp_path: Path, what: str
) -> None:
    (tmp_path / "uploads").mkdir()
    cluster.wait_until_settled()
    url = cluster.new_database(f"county_{what}")
    with township(url, f"file://{tmp_path}/uploads", tmp_path) as town:

        def trouble(phones: Phones, watch: Watch) -> str:
            under_way(phones, 0.3)
            old = cluster.leader()
            assert old is not None
            killed = time.monotonic()
            old.kill() if what == "machine" else old.kill_server()
            for _ in until(60, "a new leader"):
                if any(one.writable() for one in cluster.nodes if one is not old):
                    break
            leads = time.monotonic()
            for _ in until(BACK_WITHIN, "an acknowledgement after the new leader"):
                if (gap := watch.first_after(leads)) is not None:
                    break
            before = max((one for one in watch.moments if one < leads), default=killed)
            if what == "machine":
                old.start()
            return (
                f"new leader after {leads - killed:.1f} s, acknowledged again {gap:.2f} s after that; "
                f"{leads + gap - before:.1f} s without an acknowledgement"
            )

        sent_while(town, trouble, f"fail-over, killed {what}")


def test_gaps_are_measured_from_what_was_acknowledged() -> None:
    phones = Phones(9, [])
    watch = Watch(phones)
    began = time.monotonic()
    assert watch.first_after(began) is None
    phones.statuses = Counter({201: 1, 503: 3})
    for _ in until(5, "noticing"):
        if watch.first_after(began) is not None:
            break
    watch.end()
    assert len(watch.moments) == 1
