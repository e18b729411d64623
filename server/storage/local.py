"""Blobs in a folder of this machine: temporary file, fsync, name, fsync of the folder (TRUST, Blobs).

The temporary file has no name where the system can do that, and one in `.tmp` elsewhere.
"""

import datetime as dt
import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import BinaryIO, cast

from server.errors import StoreFull
from server.storage.base import (
    CHUNK,
    BlobDamaged,
    BlobExists,
    BlobMissing,
    BlobStat,
    Source,
    checked_key,
    checked_prefix,
    is_key,
)
from server.storage.disk import Disk
from server.storage.faults import disk_faults, full_disk
from server.storage.window import Window

_TEMPORARY = ".tmp"


class LocalStore:
    """Blobs under `root`, one file each at the path that its key spells; temporary files in `root/.tmp`.

    `low_water` is the free space in bytes below which nothing is put, so that the database keeps room.
    """

    def __init__(self, root: Path, *, low_water: int, disk: Disk | None = None) -> None:
        self._root = root
        self._temporary = root / _TEMPORARY
        self._low_water = low_water
        self._disk = disk or Disk()
        # Folders whose own name is known to be on the medium. Another process may have made a folder and not yet
        # synced it, so "it was there" does not count. Folders are never removed.
        self._durable: set[Path] = set()
        with disk_faults():
            root.mkdir(parents=True, exist_ok=True)
            self._disk.make_folder(self._temporary)

    def put(self, key: str, source: Source, *, size: int, sha256: bytes | None = None) -> None:
        target = self._root / checked_key(key)
        with disk_faults():
            if not target.is_file():
                self._check_room()
            if isinstance(source, Path):
                with source.open("rb") as file:
                    self._put(target, file, size, sha256)
            elif isinstance(source, bytes):
                self._put_bytes(target, source, size, sha256)
            else:
                self._put(target, source, size, sha256)

    def open(self, key: str, offset: int = 0, length: int | None = None) -> BinaryIO:
        if offset < 0 or (length is not None and length < 0):
            raise ValueError("offset and length count bytes")
        path = self._root / checked_key(key)
        with disk_faults():
            try:
                file = path.open("rb")
            except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
                raise BlobMissing from None
            file.seek(offset)
        return file if length is None else cast("BinaryIO", Window(file, length))

    def stat(self, key: str) -> BlobStat | None:
        with disk_faults():
            return _stat(self._root / checked_key(key), key)

    def delete(self, key: str) -> None:
        path = self._root / checked_key(key)
        with disk_faults(), suppress(NotADirectoryError):
            if path.is_file():
                self._disk.unlink(path)
                self._disk.fsync_folder(path.parent)

    def list(self, prefix: str = "", after: str | None = None, limit: int = 1000) -> Sequence[BlobStat]:
        with disk_faults():
            return tuple(islice(self._walk("", checked_prefix(prefix), after or ""), limit))

    def check_writable(self) -> None:
        with disk_faults():
            self._check_room()
            with self._lent() as file:
                self._disk.write(file, b"probe")
                self._disk.fsync_file(file)

    def free_bytes(self) -> int | None:
        with disk_faults():
            return self._disk.free_bytes(self._root)

    @contextmanager
    def spool(self) -> Iterator[BinaryIO]:
        with disk_faults():
            self._check_room()
        # Only a full disk is ours: other OSErrors of the block may be a sender that hung up.
        with full_disk(), self._lent() as file:
            yield file

    def sweep_temporary(self, older_than: dt.datetime) -> int:
        swept = 0
        with disk_faults(), os.scandir(self._temporary) as entries:
            for entry in entries:
                with suppress(FileNotFoundError):
                    if (
                        entry.is_file(follow_symlinks=False)
                        and entry.stat().st_mtime < older_than.timestamp()
                    ):
                        self._disk.unlink(Path(entry.path))
                        swept += 1
        return swept

    def _check_room(self) -> None:
        if self._disk.free_bytes(self._root) < self._low_water:
            raise StoreFull

    @contextmanager
    def _lent(self) -> Iterator[BinaryIO]:
        file = self._disk.create_temporary(self._temporary)
        try:
            yield file
        finally:
            self._disk.unlink(Path(file.name))
            # Closing flushes, which fails again on a full disk; the descriptor is closed all the same.
            with suppress(OSError):
                file.close()

    def _put_bytes(self, target: Path, content: bytes, size: int, sha256: bytes | None) -> None:
        seen = len(content), None if sha256 is None else hashlib.sha256(content).digest()
        _compare(seen, size, sha256)
        with self._lent() as file:
            self._disk.write(file, content)
            self._name(file, target, lambda: (size, sha256 or hashlib.sha256(content).digest()))

    def _put(self, target: Path, source: BinaryIO, size: int, sha256: bytes | None) -> None:
        name = getattr(source, "name", None)
        if isinstance(name, str) and Path(name).parent == self._temporary:
            if source.writable():
                source.flush()
            seen = os.fstat(source.fileno()).st_size, None
            _compare(seen if sha256 is None else _pass(source), size, sha256)
            self._name(source, target, lambda: _pass(source))
            return
        with self._lent() as file:
            source.seek(0)
            count, digest = self._copy(source, file, size)
            _compare((count, None if sha256 is None else digest), size, sha256)
            self._name(file, target, lambda: (count, digest))

    def _copy(self, source: BinaryIO, file: BinaryIO, size: int) -> tuple[int, bytes]:
        digest, count = hashlib.sha256(), 0
        while count <= size and (chunk := source.read(CHUNK)):
            self._disk.write(file, chunk)
            digest.update(chunk)
            count += len(chunk)
        return count, digest.digest()

    def _name(self, file: BinaryIO, target: Path, facts: Callable[[], tuple[int, bytes]]) -> None:
        self._disk.fsync_file(file)
        self._make_durable(target.parent)
        try:
            self._disk.link(file, target)
        except FileExistsError:
            if not target.is_file():
                raise BlobExists from None
            # The put before us may have died before its own syncs, so its work is finished here.
            with target.open("rb") as there:
                if _pass(there) != facts():
                    raise BlobExists from None
                self._disk.fsync_file(there)
        self._disk.fsync_folder(target.parent)

    def _make_durable(self, folder: Path) -> None:
        if folder == self._root or folder in self._durable:
            return
        self._make_durable(folder.parent)
        self._disk.make_folder(folder)
        self._disk.fsync_folder(folder.parent)
        self._durable.add(folder)

    def _walk(self, inside: str, prefix: str, after: str) -> Iterator[BlobStat]:
        try:
            with os.scandir(self._root / inside) as entries:
                found = sorted((entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries)
        except FileNotFoundError:
            return
        for name, is_folder in found:
            key = f"{inside}/{name}" if inside else name
            if not (key.startswith(prefix) or prefix.startswith(key)):
                continue
            if is_folder:
                # "0" is the character after "/": every key in the folder sorts before it.
                if name != _TEMPORARY and f"{key}0" > after:
                    yield from self._walk(key, prefix, after)
            elif key > after and key.startswith(prefix) and is_key(key):
                there = _stat(self._root / key, key)
                if there is not None:
                    yield there


def _stat(path: Path, key: str) -> BlobStat | None:
    try:
        facts = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    if not path.is_file():
        return None
    return BlobStat(key=key, size=facts.st_size, modified=dt.datetime.fromtimestamp(facts.st_mtime, dt.UTC))


def _pass(file: BinaryIO) -> tuple[int, bytes]:
    file.seek(0)
    digest, count = hashlib.sha256(), 0
    while chunk := file.read(CHUNK):
        digest.update(chunk)
        count += len(chunk)
    return count, digest.digest()


def _compare(seen: tuple[int, bytes | None], size: int, sha256: bytes | None) -> None:
    if seen != (size, sha256):
        raise BlobDamaged
