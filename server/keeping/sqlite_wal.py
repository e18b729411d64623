"""Follows the write-ahead log of one SQLite file, so that no committed frame escapes (docs/adr/0008).

SQLite appends committed pages ("frames") to the log and begins it anew, with new salts, once all of them are in the
database file and nobody reads them any more. A read transaction that is held prevents just that: one that began at a
frame keeps the log from beginning anew; one that began when the log was empty or done with keeps later frames from
being taken over, so that the log begins anew at most once, before anything is appended. Whoever always opens the next
read transaction and copies up to the log's end before ending the last one therefore misses nothing.

Formats: https://sqlite.org/walformat.html (log and index), both documented and stable since 2010.
"""

import os
import sqlite3
import struct
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from server.keeping.source import LostTrackError
from server.keeping.terms import KeepingRefused

HEADER_BYTES = 32
FRAME_HEADER_BYTES = 24
LONG = 2000
"""Frames in the log from which on it is let begin anew (8 MB at 4 kB a page)."""
_INDEX = struct.Struct(
    "=IIIBBHIIII8sII"
)  # iVersion, unused, iChange, isInit, bigEndCksum, szPage, mxFrame, nPage, …
_BUSY_SECONDS = 5.0
_LOOKS = 1000


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a log: which log (its salts), how many committed frames, and the checksum at the last of them."""

    salt: bytes
    frames: int
    checksum: bytes = b""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Frames `first` to `last` of a log, to be appended to those before; `header` begins the log's file."""

    header: bytes
    page_bytes: int
    first: int
    last: int

    @property
    def size(self) -> int:
        """How many bytes the frames have."""
        return (self.last - self.first + 1) * (FRAME_HEADER_BYTES + self.page_bytes)


class FollowedFile:
    """One database file whose log is followed.

    Not for a process that serves: see `_index`.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._log = path.with_name(path.name + "-wal")
        self._held = _connected(path)
        self._next = _connected(path)
        self._hold(self._held)
        self._index = _index(path.with_name(path.name + "-shm"))
        self._shipped: Place | None = None

    def close(self) -> None:
        """Let the log go."""
        self._held.close()
        self._next.close()

    def base(self, target: Path) -> None:
        """Copy the database as it is now into a new file, without hindering anybody; the log is followed from here."""
        self._turn()
        copy = sqlite3.connect(target, isolation_level=None)
        try:
            self._held.backup(copy)
        finally:
            copy.close()
        self._shipped = None

    def advance(self, take: Callable[[Stretch, Iterator[bytes]], None]) -> bool:
        """Hand what was committed since the last time to `take`; False when there is nothing.

        After a base copy the log is handed out from its beginning: it holds what led to the copy, which does no harm,
        and SQLite can check a log only from there. What `take` does not finish is handed out again next time.
        """
        self._hold(self._next)
        try:
            taken = self._ship(take)
        except BaseException:
            _end(self._next)
            raise
        _end(self._held)
        self._held, self._next = self._next, self._held
        return taken

    def begin_anew(self, take: Callable[[Stretch, Iterator[bytes]], None]) -> bool:
        """Let the log begin anew if it has grown long; writers wait for the last few frames. False when it was short."""
        if self.place().frames < LONG:
            return False
        # What is long is taken over now, so that little is left to do while writers wait.
        self._next.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        gate = _connected(self._path)
        try:
            gate.execute("BEGIN IMMEDIATE")
            self._ship(take)
            _end(self._held)
            self._next.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
            self._hold(self._held)
            _end(gate)
        except sqlite3.OperationalError:
            # Somebody writes for long: next time. We hold a transaction in any case.
            if not self._held.in_transaction:
                self._hold(self._held)
                raise LostTrackError from None
            return False
        finally:
            gate.close()
        return True

    def place(self) -> Place:
        """Read where the log's committed end is."""
        for _ in range(_LOOKS):
            first, second = os.pread(self._index, 48, 0), os.pread(self._index, 48, 48)
            if first == second and len(first) == _INDEX.size:
                said = _INDEX.unpack(first)
                return Place(salt=said[10], frames=said[6], checksum=first[24:32])
        raise KeepingRefused("数据库的日志索引读不稳，请检查数据库所在的磁盘。")

    def _turn(self) -> None:
        self._hold(self._next)
        _end(self._held)
        self._held, self._next = self._next, self._held

    def _ship(self, take: Callable[[Stretch, Iterator[bytes]], None]) -> bool:
        before = self._shipped
        for _ in range(_LOOKS):
            end = self.place()
            if end == before or end.frames == 0:  # with no frames the log has begun anew, or is about to
                return False
            with self._log.open("rb") as log:
                header = log.read(HEADER_BYTES)
                if header[16:24] == end.salt:
                    self._take(log, header, before, end, take)
                    self._shipped = end
                    return True
        raise LostTrackError

    def _take(
        self,
        log: BinaryIO,
        header: bytes,
        before: Place | None,
        end: Place,
        take: Callable[[Stretch, Iterator[bytes]], None],
    ) -> None:
        page_bytes = int.from_bytes(header[8:12], "big")
        # Another log holds all that came after: a transaction of ours keeps what is in a log from being taken over into
        # the database, and a log that holds frames begins anew only after that. Its salts say nothing about the order.
        first = 1
        if before is not None and before.salt == end.salt:
            first = before.frames + 1
            _same_frame(log, before, page_bytes)
        if first > end.frames:
            raise LostTrackError
        stretch = Stretch(header, page_bytes, first, end.frames)
        log.seek(_offset(first, page_bytes))
        take(stretch, _frames(log, stretch.size))

    def _hold(self, connection: sqlite3.Connection) -> None:
        connection.execute("BEGIN")
        connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()


def _same_frame(log: BinaryIO, before: Place, page_bytes: int) -> None:
    """Make sure that the last frame we took is still the one in the log; a failed write may have been overwritten."""
    log.seek(_offset(before.frames, page_bytes) + 16)
    # The index keeps checksums in the machine's order, the log in big-endian.
    there = b"".join(int.from_bytes(log.read(4), "big").to_bytes(4, sys.byteorder) for _ in range(2))
    if there != before.checksum:
        raise LostTrackError


_OPEN: dict[tuple[int, int], int] = {}


def _index(path: Path) -> int:
    """Open an index file, once for the life of the process.

    Closing any descriptor of it would end the locks that this process's own connections have on it (POSIX).
    """
    facts = path.stat()
    mark = (facts.st_dev, facts.st_ino)
    if mark not in _OPEN:
        _OPEN[mark] = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    return _OPEN[mark]


def _offset(frame: int, page_bytes: int) -> int:
    return HEADER_BYTES + (frame - 1) * (FRAME_HEADER_BYTES + page_bytes)


def _frames(log: BinaryIO, size: int) -> Iterator[bytes]:
    left = size
    while left:
        chunk = log.read(min(left, 1 << 18))
        if not chunk:
            raise LostTrackError
        left -= len(chunk)
        yield chunk


def _connected(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, timeout=_BUSY_SECONDS, check_same_thread=False)
    connection.execute("PRAGMA wal_autocheckpoint=0")
    return connection


def _end(connection: sqlite3.Connection) -> None:
    connection.execute("ROLLBACK")
