"""Rebuilds the embedded database from a base copy and the frames that followed; SQLite itself checks each frame."""

import os
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, BinaryIO

from server.keeping.archive import Archive
from server.keeping.sqlite_source import row_counts
from server.keeping.sqlite_wal import FRAME_HEADER_BYTES
from server.keeping.terms import ArchiveDamaged, KeepingRefused, Tick


class SqliteTarget:
    """Two database files that are rebuilt beside their place and put there when they are whole."""

    def __init__(self, records: Path, keys: Path) -> None:
        self._places = {"records": records, "keys": keys}
        for path in self._places.values():
            _refuse_full(path)
        self._folder = tempfile.TemporaryDirectory(prefix=".restoring-", dir=records.parent)
        self._rebuilt = {role: _Rebuilt(Path(self._folder.name) / role) for role in self._places}

    def base(self, role: str, tick: Tick, archive: Archive) -> None:
        """Lay down a base copy."""
        rebuilt = self._rebuilt[role]
        rebuilt.write_base(archive.chunks(tick.pieces[role]))
        if row_counts(rebuilt.path) != tick.facts[role]["rows"]:
            raise ArchiveDamaged("备份的行数与清单不符，备份已损坏；请改用另一代备份。")

    def apply(self, role: str, tick: Tick, archive: Archive) -> None:
        """Add what changed until a tick."""
        if role in tick.pieces:
            self._rebuilt[role].add(tick.facts[role], archive.chunks(tick.pieces[role]))

    def finish(self) -> None:
        """Check the files and put them into their places."""
        for rebuilt in self._rebuilt.values():
            rebuilt.take_over()
            rebuilt.check()
        for role, rebuilt in self._rebuilt.items():
            place = self._places[role]
            for suffix in ("-wal", "-shm"):
                place.with_name(place.name + suffix).unlink(missing_ok=True)
            rebuilt.path.replace(place)
        _sync_folder(self._places["records"].parent)

    def close(self) -> None:
        """Remove what is unfinished."""
        for rebuilt in self._rebuilt.values():
            rebuilt.close()
        self._folder.cleanup()


class _Rebuilt:
    """A database file on its way, with the log that is being put together for it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._log_path = path.with_name(path.name + "-wal")
        self._log: BinaryIO | None = None
        self._header = ""
        self._frames = 0

    def write_base(self, chunks: Iterator[bytes]) -> None:
        with self.path.open("wb") as file:
            for chunk in chunks:
                file.write(chunk)

    def add(self, stretches: Sequence[dict[str, Any]], chunks: Iterator[bytes]) -> None:
        content = _Stream(chunks)
        for stretch in stretches:
            if stretch["header"] != self._header or self._log is None:
                self.take_over()
                self._header = stretch["header"]
                self._log = self._log_path.open("wb")
                self._log.write(bytes.fromhex(self._header))
            if stretch["first"] != self._frames + 1:
                raise ArchiveDamaged("备份的变更与前一个时点接不上，备份不完整；请改用另一代备份。")
            frames = stretch["last"] - self._frames
            content.copy(self._log, frames * (FRAME_HEADER_BYTES + stretch["page_bytes"]))
            self._frames = stretch["last"]
        content.finish()

    def take_over(self) -> None:
        """Let SQLite take the log's frames into the file; it stops at the first that is not genuine."""
        if self._log is None:
            return
        self._log.close()
        with closing(sqlite3.connect(self.path, isolation_level=None)) as connection:
            connection.execute("PRAGMA synchronous=OFF")  # synced once, at the end
            try:
                taken = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
            except sqlite3.DatabaseError:
                taken = None
            if taken != (0, self._frames, self._frames):
                raise ArchiveDamaged("备份的变更读不出来，备份已损坏；请改用另一代备份。")
        self._log, self._frames, self._header = None, 0, ""

    def close(self) -> None:
        if self._log is not None:
            self._log.close()

    def check(self) -> None:
        with closing(sqlite3.connect(self.path, isolation_level=None)) as connection:
            connection.execute("PRAGMA journal_mode=WAL")
            try:
                said = connection.execute("PRAGMA integrity_check").fetchone()
            except sqlite3.DatabaseError:
                said = None
        if said != ("ok",):
            raise ArchiveDamaged("恢复出的数据库没有通过 SQLite 的完整性检查；请改用另一代备份。")
        with self.path.open("rb+") as file:
            os.fsync(file.fileno())


class _Stream:
    """Chunks of any size, taken by the byte."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = b""

    def copy(self, target: BinaryIO, size: int) -> None:
        while size:
            if not self._rest:
                self._rest = next(self._chunks, b"")
                if not self._rest:
                    raise ArchiveDamaged("备份的变更比清单所列的短，备份不完整；请改用另一代备份。")
            target.write(self._rest[:size])
            taken = min(size, len(self._rest))
            self._rest = self._rest[taken:]
            size -= taken

    def finish(self) -> None:
        # Reading on to the end is what lets the digest be compared.
        if self._rest or next(self._chunks, b""):
            raise ArchiveDamaged("备份的变更比清单所列的长，备份已损坏；请改用另一代备份。")


def _refuse_full(path: Path) -> None:
    if not path.exists():
        return
    try:
        rows = row_counts(path)
    except sqlite3.DatabaseError:
        rows = {"?": 1}  # something else than a database of ours
    if any(count for name, count in rows.items() if name != "alembic_version"):
        raise KeepingRefused(
            "目标数据库不是空的，没有恢复任何内容。请先停下服务，把现有文件改名保存，或另设 DATABASE_URL。"
        )


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
