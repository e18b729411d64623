"""Backs up the embedded database: copies of its two files, then the frames of their logs."""

import sqlite3
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, BinaryIO, cast

from server.keeping.source import Changed, PutBase
from server.keeping.sqlite_wal import FollowedFile, Stretch

IN_MEMORY = 8 << 20
_PAGE = 500
TABLES = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"


class SqliteSource:
    """The records file and the keys file beside it (server/db.py)."""

    def __init__(self, records: Path, keys: Path) -> None:
        self._records_path, self._keys_path = records, keys
        self._records = FollowedFile(records)
        self._keys = FollowedFile(keys)
        self._last_event = 0
        self._schema = 0

    def base(self, put: PutBase) -> Mapping[str, Any]:
        facts: dict[str, Any] = {"engine": "sqlite"}
        self._last_event = self._ask("SELECT coalesce(max(id), 0) FROM ledger_events")[0][0]
        self._schema = self._schema_version()
        # Records first, keys after them: so no record is without its key.
        for role, followed, path in (
            ("records", self._records, self._records_path),
            ("keys", self._keys, self._keys_path),
        ):
            # Beside the database, where its content is already: nothing goes through /tmp in the clear.
            with tempfile.TemporaryDirectory(prefix=".backup-", dir=path.parent) as folder:
                copy = Path(folder) / "copy.sqlite"
                followed.base(copy)
                facts[role] = {"rows": row_counts(copy)}
                with copy.open("rb") as file:
                    put(role, file)
        return facts

    def tick(self) -> Changed | None:
        records, stretches = _gathered(self._records, self._records_path.parent)
        # The photos of everything that was gathered, and then the keys.
        photos = self._new_photos()
        keys, keys_stretches = _gathered(self._keys, self._keys_path.parent)
        if not stretches and not keys_stretches:
            return None
        return Changed(records, keys, {"records": stretches, "keys": keys_stretches}, photos)

    def kept(self) -> None:
        """Nothing waits for that here."""

    def is_outdated(self) -> bool:
        return self._schema_version() != self._schema

    def destroyed(self) -> Mapping[str, str]:
        with closing(sqlite3.connect(self._keys_path, isolation_level=None)) as connection:
            return dict(
                connection.execute(
                    "SELECT id, destroyed_at FROM data_keys WHERE destroyed_at IS NOT NULL"
                ).fetchall()
            )

    def close(self) -> None:
        self._records.close()
        self._keys.close()

    def _schema_version(self) -> int:
        return int(self._ask("PRAGMA schema_version")[0][0])

    def _new_photos(self) -> list[str]:
        """Give the photos that arrived since the last time; there is one writer, so events come in the order of ids."""
        found: list[str] = []
        while rows := self._ask(
            "SELECT e.id, p.blob_key FROM ledger_events e LEFT JOIN photos p ON p.id = e.subject_id"
            " AND e.subject_kind = 'photo' WHERE e.id > ? ORDER BY e.id LIMIT ?",
            self._last_event, _PAGE,
        ):  # fmt: skip
            found += [blob_key for _, blob_key in rows if blob_key]
            self._last_event = rows[-1][0]
        return found

    def _ask(self, question: str, *values: object) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self._records_path, isolation_level=None, timeout=15)) as connection:
            return connection.execute(question, values).fetchall()


def row_counts(path: Path) -> dict[str, int]:
    """Count the rows of each table of a file that nobody else uses."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        names = [name for (name,) in connection.execute(TABLES).fetchall()]
        return {
            name: connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]  # noqa: S608  (names of our own)
            for name in names
        }


def _gathered(followed: FollowedFile, folder: Path) -> tuple[BinaryIO | None, list[dict[str, Any]]]:
    # Beside the database: what is long goes to an unlinked file there, not to /tmp.
    spool = cast("BinaryIO", tempfile.SpooledTemporaryFile(IN_MEMORY, dir=str(folder)))  # noqa: SIM115  (closed by its reader)
    stretches: list[dict[str, Any]] = []

    def take(stretch: Stretch, frames: Iterator[bytes]) -> None:
        for chunk in frames:
            spool.write(chunk)
        stretches.append(
            {
                "header": stretch.header.hex(),
                "page_bytes": stretch.page_bytes,
                "first": stretch.first,
                "last": stretch.last,
            }
        )

    try:
        followed.advance(take)
        followed.begin_anew(take)
    except BaseException:
        spool.close()
        raise
    if not stretches:
        spool.close()
        return None, stretches
    spool.seek(0)
    return spool, stretches
