"""A full disk: 507 with a problem document, no litter; reading and sign-in go on; recovery without a restart (TRUST §1)."""

import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from tests.engines.disk import MB, SmallDisk, small_disk
from tests.faults.full_disk import Clients, litter
from tests.faults.harness import Picture, call
from tests.faults.sizes import seen, size
from tests.faults.township import township, unique
from tests.photos.builders import encoded, scene

RECORDS = size("FAULT_DISK_VISITS", short=40, long=300)

pytestmark = [pytest.mark.slow, pytest.mark.disk]


@pytest.fixture
def apart(tmp_path: Path) -> Iterator[tuple[Clients, SmallDisk]]:
    """Photos on a small disk of their own; the database on another."""
    with ExitStack() as stack:
        disk = stack.enter_context(small_disk(24 * MB))
        made = township(
            f"sqlite:///{tmp_path}/app.sqlite",
            f"file://{disk.folder}/uploads",
            tmp_path,
            server={"LOW_WATER_MB": "8"},
        )
        yield Clients(stack.enter_context(made)), disk


def test_a_full_disk_of_photos_stops_uploads_and_nothing_else(
    apart: tuple[Clients, SmallDisk],
) -> None:
    clients, disk = apart
    uploads = disk.folder / "uploads"
    records = clients.town.records(8)
    assert (clients.visit(records[0]), clients.photo(records[0])) == (201, 201)
    for number, leave in enumerate((7 * MB, 100_000, 0), start=1):
        disk.fill(leave=leave)
        one = records[number]
        assert (clients.visit(one), clients.read(one), clients.worklist(), clients.sign_in()) == (
            201,
            200,
            200,
            200,
        )
        assert clients.photo(one) == 507
        assert clients.photo(records[0]) == 200, "what is stored already is still acknowledged"
        assert litter(uploads, 1) == []
        assert call(clients.town.server.port, "GET", "/readyz").status == 503
    disk.make_room()
    assert call(clients.town.server.port, "GET", "/readyz").status == 200
    assert [clients.photo(one) for one in records[1:4]] == [201] * 3
    assert [clients.visit(one) for one in records[4:]] == [201] * 4
    assert [clients.photo(one) for one in records[4:]] == [201] * 4
    clients.town.server.kill()
    clients.town.holds_each_once(records)
    clients.town.holds_only_named_blobs()
    seen("disk of photos full", f"answers {dict(clients.answers)}, no litter, the same process went on")


@pytest.fixture
def together(tmp_path: Path) -> Iterator[tuple[Clients, SmallDisk]]:
    """Photos and SQLite's files on one small disk, with nothing kept free but what `LOW_WATER_MB` says."""
    with ExitStack() as stack:
        disk = stack.enter_context(small_disk((60 + RECORDS) * MB))
        made = township(
            f"sqlite:///{disk.folder}/app.sqlite",
            f"file://{disk.folder}/uploads",
            tmp_path,
            server={"LOW_WATER_MB": "30"},
        )
        yield Clients(stack.enter_context(made)), disk


def test_uploads_stop_before_the_database_starves_and_all_goes_on_when_there_is_room(
    together: tuple[Clients, SmallDisk],
) -> None:
    clients, disk = together
    town, uploads = clients.town, disk.folder / "uploads"
    records = town.records(RECORDS + 3, 1, picture=encoded(scene(1200, 900), "JPEG", quality=92))
    first, rest, last = records[0], records[1:-2], records[-2:]
    assert (clients.visit(first), clients.photo(first)) == (201, 201)
    disk.fill(leave=31 * MB)
    more = [Picture(unique(first.photos[0].data, f"more {number}")) for number in range(100)]
    stored = 1
    for picture in more:
        if clients.photo(first, picture) == 507:
            break
        stored += 1
    assert 1 < stored < 100, "uploads stop at the low-water mark"
    # Uploads stopped; the work goes on, in what they left.
    assert {clients.visit(one) for one in rest} == {201}
    assert {clients.photo(one) for one in rest[:20]} == {507}
    assert (clients.read(first), clients.worklist(), clients.sign_in()) == (200, 200, 200)
    assert litter(uploads, stored) == []
    left = disk.free()
    # Then somebody else takes the very last byte: what was held for this hour is given up, and the work goes on in it.
    held = disk.folder / "reserve"
    assert held.stat().st_size == 16 * MB
    disk.fill()
    went_on = 0
    while held.exists() and went_on < 3000:
        assert (clients.read(first), clients.worklist(), clients.sign_in()) == (200, 200, 200)
        went_on += 1
    assert not held.exists(), "the database needed no more room"
    assert (clients.read(first), clients.worklist(), clients.sign_in()) == (200, 200, 200)
    assert {clients.visit(one) for one in last[:1]} == {201}
    # And takes that too: whatever writes says 507, and nothing breaks.
    disk.fill()
    full = Counter(clients.visit(one) for one in last[1:] * 20)
    full.update([clients.photo(one) for one in rest[:10]])
    full.update([clients.read(first), clients.worklist(), clients.sign_in()])
    assert call(town.server.port, "GET", "/healthz").status == 200
    assert 507 in full
    assert litter(uploads, stored) == []
    disk.make_room()
    assert {clients.visit(one) for one in records} <= {200, 201}
    assert {clients.photo(one) for one in records} <= {200, 201}
    assert (clients.read(last[0]), clients.worklist(), clients.sign_in()) == (200, 200, 200)
    town.server.kill()
    for file in ("app.sqlite", "app-vault.sqlite"):
        with closing(sqlite3.connect(disk.folder / file)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    first.photos = [*first.photos, *(picture for picture in more if picture.answer == 201)]
    town.holds_each_once(records)
    town.holds_only_named_blobs()
    seen(
        "disk of photos and database full",
        f"uploads stopped after {stored} with 30 MB kept; {len(rest)} visits after that, {left / MB:.0f} MB left; "
        f"with no byte left answers {dict(full)}; all went on when there was room",
    )


def test_a_disk_that_fills_up_in_the_middle_of_an_upload_is_507_and_leaves_nothing(tmp_path: Path) -> None:
    with ExitStack() as stack:
        disk = stack.enter_context(small_disk(8 * MB))
        made = township(
            f"sqlite:///{tmp_path}/app.sqlite",
            f"file://{disk.folder}/uploads",
            tmp_path,
            server={"LOW_WATER_MB": "0"},
        )
        clients = Clients(stack.enter_context(made))
        records = clients.town.records(2, picture=encoded(scene(1200, 900), "JPEG", quality=95))
        assert len(records[0].photos[0].data) > 200_000
        assert {clients.visit(one) for one in records} == {201}
        disk.fill(leave=100_000)
        assert {clients.photo(one) for one in records} == {507}
        assert litter(disk.folder / "uploads", 0) == []
        disk.make_room()
        assert {clients.photo(one) for one in records} == {201}
        clients.town.server.kill()
        clients.town.holds_each_once(records)
