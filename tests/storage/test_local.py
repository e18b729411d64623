"""What a folder promises when the power goes, the disk fills, or a process dies."""

import datetime as dt
import errno
import hashlib
import io
import os
from pathlib import Path
from typing import BinaryIO

import pytest

from server.errors import StoreFull, Unavailable
from server.storage import BlobMissing
from server.storage.disk import Disk
from server.storage.local import LocalStore

KEY = "ab/cd/ef0123456789"
BYTES = b"sealed" * 100_000
DIGEST = hashlib.sha256(BYTES).digest()


class WatchedDisk(Disk):
    """Takes note of each step, and knows what would be left if the power went now."""

    def __init__(self) -> None:
        self.steps: list[str] = []
        self.free = 10**12
        self.failing: dict[str, int] = {}
        self.unsynced_files: set[int] = set()
        self.unsynced_names: set[Path] = set()

    def note(self, step: str) -> None:
        self.steps.append(step)
        if step in self.failing:
            raise OSError(self.failing[step], "no")

    def free_bytes(self, folder: Path) -> int:
        return self.free

    def create_temporary(self, folder: Path) -> BinaryIO:
        self.note("create")
        file = super().create_temporary(folder)
        self.unsynced_files.add(os.fstat(file.fileno()).st_ino)
        return file

    def write(self, file: BinaryIO, data: bytes) -> None:
        self.note("write")
        super().write(file, data)
        self.unsynced_files.add(os.fstat(file.fileno()).st_ino)

    def fsync_file(self, file: BinaryIO) -> None:
        self.note("fsync file")
        super().fsync_file(file)
        self.unsynced_files.discard(os.fstat(file.fileno()).st_ino)

    def link(self, file: BinaryIO, target: Path) -> None:
        self.note("link")
        super().link(file, target)
        assert target.stat().st_ino not in self.unsynced_files, "a name for bytes that are not on the medium"
        self.unsynced_names.add(target)

    def make_folder(self, folder: Path) -> None:
        new = not folder.exists()
        super().make_folder(folder)
        if new:
            self.note("make folder")
            self.unsynced_names.add(folder)

    def fsync_folder(self, folder: Path) -> None:
        self.note("fsync folder")
        super().fsync_folder(folder)
        self.unsynced_names = {path for path in self.unsynced_names if path.parent != folder}

    def unlink(self, path: Path) -> None:
        self.steps.append("unlink")
        super().unlink(path)

    def survives_power_loss(self, path: Path) -> bool:
        return path.stat().st_ino not in self.unsynced_files and not self.unsynced_names & {
            path,
            *path.parents,
        }


@pytest.fixture
def disk() -> WatchedDisk:
    return WatchedDisk()


@pytest.fixture
def store(tmp_path: Path, disk: WatchedDisk) -> LocalStore:
    store = LocalStore(tmp_path, low_water=1000, disk=disk)
    disk.steps.clear()
    disk.unsynced_names.clear()
    return store


def put(store: LocalStore, key: str = KEY, data: bytes = BYTES) -> None:
    store.put(key, io.BytesIO(data), size=len(data), sha256=hashlib.sha256(data).digest())


def litter(store: LocalStore) -> list[Path]:
    return list((store._root / ".tmp").iterdir())


def test_a_blob_is_written_synced_named_and_its_folders_synced_in_this_order(
    store: LocalStore, disk: WatchedDisk
) -> None:
    put(store)
    assert disk.steps == [
        "create", "write", "write", "write", "fsync file",
        "make folder", "fsync folder", "make folder", "fsync folder",
        "link", "fsync folder", "unlink",
    ]  # fmt: skip


def test_a_blob_from_memory_takes_the_same_steps_in_one_write(store: LocalStore, disk: WatchedDisk) -> None:
    store.put(KEY, BYTES, size=len(BYTES))
    assert disk.steps == [
        "create", "write", "fsync file",
        "make folder", "fsync folder", "make folder", "fsync folder",
        "link", "fsync folder", "unlink",
    ]  # fmt: skip
    assert disk.survives_power_loss(store._root / KEY)
    assert (store._root / KEY).read_bytes() == BYTES


def test_a_killed_process_leaves_no_name_behind(store: LocalStore, disk: WatchedDisk) -> None:
    with store.spool() as file:
        file.write(BYTES)
        file.flush()
        assert litter(store) == []
    disk.failing = {"link": errno.EIO}
    with pytest.raises(Unavailable):
        store.put(KEY, BYTES, size=len(BYTES))
    assert litter(store) == []


def test_where_every_file_has_a_name_the_steps_are_the_same(
    store: LocalStore, disk: WatchedDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.storage.disk._nameless", lambda _folder: None)
    with store.spool() as file:
        file.write(BYTES)
        assert len(litter(store)) == 1
        store.put(KEY, file, size=len(BYTES))
    disk.steps.clear()
    put(store, "ab/cd/another", b"x")
    assert disk.steps == ["create", "write", "fsync file", "link", "fsync folder", "unlink"]
    assert disk.survives_power_loss(store._root / KEY)
    assert (store._root / KEY).read_bytes() == BYTES
    assert litter(store) == []


def test_the_second_blob_of_a_folder_syncs_only_that_folder(store: LocalStore, disk: WatchedDisk) -> None:
    put(store)
    disk.steps.clear()
    put(store, "ab/cd/another", b"x")
    assert disk.steps == ["create", "write", "fsync file", "link", "fsync folder", "unlink"]


def test_a_kept_blob_survives_a_power_loss(store: LocalStore, disk: WatchedDisk) -> None:
    put(store)
    assert disk.survives_power_loss(store._root / KEY)


def test_a_repeat_finishes_what_a_killed_process_left_unsynced(tmp_path: Path, disk: WatchedDisk) -> None:
    target = tmp_path / KEY
    target.parent.mkdir(parents=True)
    target.write_bytes(BYTES)
    disk.unsynced_files.add(target.stat().st_ino)
    disk.unsynced_names |= {target, tmp_path / "ab", tmp_path / "ab/cd"}
    put(LocalStore(tmp_path, low_water=0, disk=disk))
    assert disk.survives_power_loss(target)


def test_a_spooled_file_gets_its_name_without_a_copy(store: LocalStore, disk: WatchedDisk) -> None:
    with store.spool() as file:
        file.write(BYTES)
        store.put(KEY, file, size=len(BYTES), sha256=DIGEST)
    assert "write" not in disk.steps
    assert disk.survives_power_loss(store._root / KEY)
    assert (store._root / KEY).read_bytes() == BYTES
    assert litter(store) == []


@pytest.mark.parametrize("step", ["create", "write", "fsync file", "make folder", "link", "fsync folder"])
@pytest.mark.parametrize(
    ("number", "refusal"), [(errno.ENOSPC, StoreFull), (errno.EDQUOT, StoreFull), (errno.EIO, Unavailable)]
)
def test_a_fault_at_any_step_is_told_leaves_no_litter_and_a_repeat_succeeds(
    store: LocalStore, disk: WatchedDisk, step: str, number: int, refusal: type[Exception]
) -> None:
    disk.failing = {step: number}
    with pytest.raises(refusal):
        put(store)
    assert litter(store) == []
    disk.failing = {}
    put(store)
    assert disk.survives_power_loss(store._root / KEY)
    assert (store._root / KEY).read_bytes() == BYTES


def test_below_the_low_water_mark_nothing_is_begun(store: LocalStore, disk: WatchedDisk) -> None:
    disk.free = 999
    with pytest.raises(StoreFull):
        put(store)
    with pytest.raises(StoreFull), store.spool():
        pytest.fail("an upload must not begin")
    with pytest.raises(StoreFull):
        store.check_writable()
    assert disk.steps == []
    assert store.free_bytes() == 999


def test_what_is_kept_is_still_read_and_repeated_below_the_low_water_mark(
    store: LocalStore, disk: WatchedDisk
) -> None:
    put(store)
    disk.free = 0
    with store.open(KEY) as file:
        assert file.read() == BYTES
    put(store)


def test_a_disk_that_fills_while_spooling_is_told_as_full(store: LocalStore) -> None:
    with pytest.raises(StoreFull), store.spool():
        raise OSError(errno.ENOSPC, "no")
    with pytest.raises(ConnectionResetError), store.spool():
        raise ConnectionResetError
    assert litter(store) == []


def test_only_old_temporary_files_are_swept(store: LocalStore) -> None:
    old, new = store._root / ".tmp/old.part", store._root / ".tmp/new.part"
    for path in (old, new):
        path.write_bytes(b"x")
    os.utime(old, (1000, 1000))
    assert store.sweep_temporary(dt.datetime(2020, 1, 1, tzinfo=dt.UTC)) == 1
    assert litter(store) == [new]


def test_what_is_not_a_blob_is_not_listed(store: LocalStore) -> None:
    put(store)
    (store._root / "README.md").write_text("x")
    (store._root / ".gitignore").write_text("x")
    (store._root / "short").write_text("x")
    assert [stat.key for stat in store.list()] == [KEY]


def test_a_folder_is_not_a_blob(store: LocalStore) -> None:
    put(store, "abcdefgh/ijklmnop")
    assert store.stat("abcdefgh") is None
    with pytest.raises(BlobMissing):
        store.open("abcdefgh")
    store.delete("abcdefgh")
    assert store.stat("abcdefgh/ijklmnop") is not None


def test_only_this_user_reads_blobs(store: LocalStore) -> None:
    put(store)
    assert (store._root / KEY).stat().st_mode & 0o077 == 0


def test_a_folder_that_went_away_is_unavailable(store: LocalStore) -> None:
    (store._root / ".tmp").rmdir()
    with pytest.raises(Unavailable):
        put(store)
    with pytest.raises(Unavailable):
        store.check_writable()
