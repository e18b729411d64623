"""What no row names is marked, waited for and deleted on record; what a row names is never touched."""

import datetime as dt
import hashlib
import io
import os
from pathlib import Path

import pytest
from sqlalchemy import select

from server.photos.models import Orphan, Photo
from server.photos.sweeping import GRACE, SETTLED_AFTER, sweep
from tests.builders.world import World
from tests.photos.sending import Scene, blobs, files, lines, picture

KEY = "ab/cd/0123456789012345678901234567890123456789"


def leave(world: World, key: str = KEY, content: bytes = b"sealed") -> str:
    """Put a blob that no row names, as an upload that died before its row does."""
    digest = hashlib.sha256(content).digest()
    world.house.store.put(key, io.BytesIO(content), size=len(content), sha256=digest)
    return key


def age(folder: Path, at: dt.datetime) -> None:
    """Make every file in a store as old as the clock of the test would have it."""
    for file in files(folder):
        os.utime(file, (at.timestamp(), at.timestamp()))


def swept(world: World) -> tuple[int, int]:
    with world.work() as work:
        return sweep(work, world.house.store)


def marked(world: World) -> list[str]:
    with world.work() as work:
        return list(work.session.scalars(select(Orphan.blob_key)))


@pytest.fixture
def uploads(tmp_path: Path) -> Path:
    return tmp_path / "uploads"


def test_a_blob_without_a_row_is_marked_then_deleted_after_the_grace_with_a_line(
    world: World, uploads: Path
) -> None:
    key = leave(world)
    age(uploads, world.clock())
    assert swept(world) == (0, 0)
    world.clock.move(seconds=SETTLED_AFTER.total_seconds() + 1)
    assert swept(world) == (1, 0)
    assert marked(world) == [key]
    assert swept(world) == (0, 0)
    world.clock.move(seconds=GRACE.total_seconds() - 1)
    assert swept(world) == (0, 0)
    assert blobs(world) == [key]
    world.clock.move(seconds=1)
    assert swept(world) == (0, 1)
    assert blobs(world) == marked(world) == []
    [line] = lines(world, "blob.swept")
    assert key in str(line.payload)
    assert swept(world) == (0, 0)


def test_photos_and_their_small_pictures_are_never_touched(scene: Scene, uploads: Path) -> None:
    photo = scene.stored(picture())
    assert scene.phone.get(f"/photos/{photo}", size="thumb").status_code == 200
    there = blobs(scene.world)
    assert len(there) == 3
    leave(scene.world)
    age(uploads, scene.world.clock())
    for _ in range(3):
        scene.world.clock.move(days=31)
        swept(scene.world)
    assert blobs(scene.world) == there
    assert scene.original(photo) == picture()


def test_a_blob_that_gets_its_row_after_all_is_no_orphan(scene: Scene, uploads: Path) -> None:
    key = leave(scene.world)
    age(uploads, scene.world.clock())
    scene.world.clock.move(hours=2)
    assert swept(scene.world) == (1, 0)
    photo = scene.stored(picture())
    with scene.world.work() as work:
        work.session.get_one(Photo, photo).blob_key = key
    scene.world.clock.move(days=31)
    swept(scene.world)
    assert key in blobs(scene.world)
    assert key not in marked(scene.world)


def test_more_orphans_than_fit_a_page_are_all_found(
    world: World, uploads: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.photos.sweeping.PAGE", 2)
    keys = [leave(world, f"ab/{number:02}/0123456789") for number in range(5)]
    age(uploads, world.clock())
    world.clock.move(hours=2)
    assert swept(world) == (5, 0)
    world.clock.move(days=30)
    assert swept(world) == (0, 5)
    assert len(lines(world, "blob.swept")) == len(keys)


def test_a_mark_whose_blob_is_gone_already_does_not_stay_for_ever(world: World, uploads: Path) -> None:
    key = leave(world)
    age(uploads, world.clock())
    world.clock.move(hours=2)
    assert swept(world) == (1, 0)
    world.house.store.delete(key)
    world.clock.move(days=31)
    assert swept(world) == (0, 0)
    assert marked(world) == []


def test_temporary_files_of_killed_processes_are_removed(world: World, uploads: Path) -> None:
    for name in ("old", "young"):
        (uploads / ".tmp" / name).write_bytes(b"half an upload")
    now = world.clock()
    for name, hours in (("old", 2), ("young", 0)):
        at = (now - dt.timedelta(hours=hours)).timestamp()
        os.utime(uploads / ".tmp" / name, (at, at))
    swept(world)
    assert [file.name for file in files(uploads)] == ["young"]
