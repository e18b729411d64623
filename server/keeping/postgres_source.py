"""Backs up PostgreSQL: a copy of every table at one instant, then each committed row (logical decoding).

Records and data keys are told apart by their schema and go to different archives, which a copy of the cluster's files
could not do (docs/adr/0008).
"""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, suppress
from typing import Any, BinaryIO, LiteralString, cast

import psycopg
from psycopg import sql
from sqlalchemy.engine import make_url

from server.db import VAULT
from server.keeping import postgres_changes as changes
from server.keeping.source import Changed, LostTrackError, PutBase
from server.keeping.terms import KeepingRefused

PUBLICATION = "visits_backup"
SLOTS = "visits_backup_"
IN_MEMORY = 8 << 20
AT_ONCE = 200_000
"""Changes of one tick; a transaction is never divided."""
_FETCH = 2000
_SCHEMAS = ("public", VAULT)
_REVISIONS = "alembic_version"


def address(url: str) -> str:
    """Give what psycopg calls a database by."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def connected(url: str) -> psycopg.Connection[Any]:
    """Connect, each statement a transaction of its own; a server that is away is told in a sentence."""
    try:
        return psycopg.connect(address(url), autocommit=True, connect_timeout=5, application_name="backup")
    except psycopg.OperationalError:
        raise KeepingRefused("数据库现在连接不上，请检查 DATABASE_URL 和数据库服务。") from None


class PostgresSource:
    """A database whose committed rows are followed through a replication slot of its own."""

    def __init__(self, url: str, mark: str) -> None:
        self._url = url
        self._slot = SLOTS + mark
        self._photos: changes.Relation | None = None
        self._told_until: str | None = None
        self._revision = ""
        self._connection = connected(url)
        try:
            self._refuse_unfit()
            self._claim_slot()
        except BaseException:
            self._connection.close()
            raise

    def base(self, put: PutBase) -> Mapping[str, Any]:
        with closing(self._replication()) as replication:
            snapshot = self._make_slot(replication)
            with closing(connected(self._url)) as reader:
                reader.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
                reader.execute(sql.SQL("SET TRANSACTION SNAPSHOT {}").format(sql.Literal(snapshot)))
                self._revision = self._revision_now(reader)
                tables: dict[str, Any] = {}
                # The order does not matter here: all of them are read as of one instant.
                for schema, table in tables_of(reader):
                    role = f"{'keys' if schema == VAULT else 'records'}:{schema}.{table}"
                    columns = _columns(reader, schema, table)
                    content = _Copied(reader, schema, table, columns)
                    put(role, cast("BinaryIO", content))
                    tables[role] = {"columns": columns, "rows": content.rows}
        return {"engine": "postgresql", "revision": self._revision, "tables": tables}

    def tick(self) -> Changed | None:
        records, keys = _spool(), _spool()
        try:
            changed = self._gather(records, keys)
        except BaseException:
            records.close()
            keys.close()
            raise
        if changed is None or changed.records is None:
            records.close()
        if changed is None or changed.keys is None:
            keys.close()
        if changed is None:
            self.kept()  # nothing of ours was told, so the log may be let go of
        return changed

    def _gather(self, records: BinaryIO, keys: BinaryIO) -> Changed | None:
        until = self._connection.execute("SELECT pg_current_wal_flush_lsn()::text").fetchone()
        self._told_until = None if until is None else str(until[0])
        counts = {"records": 0, "keys": 0}
        photos: list[str] = []
        of_keys: set[int] = set()
        committed = 0
        for message in self._peek():
            kind = chr(message[0])
            if kind == "C":
                committed = changes.committed_until(message)
            elif kind == "T":
                raise LostTrackError  # nothing of ours empties a table: somebody works by hand
            elif kind in "RIUD":
                if kind == "R" and self._is_of_keys(message):
                    of_keys.add(changes.relation_of(message))
                role = "keys" if changes.relation_of(message) in of_keys else "records"
                changes.write(keys if role == "keys" else records, message)
                counts[role] += 1
                photos += self._photo(message)
        if not committed:
            return None
        self._told_until = f"{committed >> 32:X}/{committed & 0xFFFFFFFF:X}"
        records.seek(0)
        keys.seek(0)
        return Changed(
            records if counts["records"] else None, keys if counts["keys"] else None, dict(counts), photos
        )

    def kept(self) -> None:
        if self._told_until is not None:
            self._connection.execute(
                "SELECT pg_replication_slot_advance(slot_name, %s::pg_lsn) FROM pg_replication_slots"
                " WHERE slot_name = %s AND confirmed_flush_lsn < %s::pg_lsn",
                (self._told_until, self._slot, self._told_until),
            )

    def is_outdated(self) -> bool:
        return self._revision_now(self._connection) != self._revision

    def destroyed(self) -> Mapping[str, str]:
        rows = self._connection.execute(
            "SELECT id::text, destroyed_at::text FROM vault.data_keys WHERE destroyed_at IS NOT NULL"
        ).fetchall()
        return {str(key_id): str(at) for key_id, at in rows}

    def close(self) -> None:
        with suppress(psycopg.Error):
            _drop(self._connection, self._slot)
        self._connection.close()

    def _refuse_unfit(self) -> None:
        """Refuse what cannot be followed, with the sentence that helps; let go of slots that nobody follows any more."""
        level = self._connection.execute("SHOW wal_level").fetchone()
        if level != ("logical",):
            raise KeepingRefused(
                "PostgreSQL 的 wal_level 不是 logical，无法连续备份。请由数据库管理员执行 "
                "ALTER SYSTEM SET wal_level = logical 并重启 PostgreSQL。"
            )
        may = self._connection.execute(
            "SELECT rolreplication OR rolsuper FROM pg_roles WHERE rolname = current_user"
        ).fetchone()
        if may != (True,):
            raise KeepingRefused(
                "数据库账户没有复制权限，无法连续备份。请由数据库管理员执行 ALTER ROLE 账户名 REPLICATION。"
            )
        left = self._connection.execute(
            "SELECT slot_name FROM pg_replication_slots WHERE database = current_database() AND NOT active"
            " AND starts_with(slot_name, %s)",
            (SLOTS,),
        ).fetchall()
        for (slot,) in left:
            free = self._connection.execute("SELECT pg_try_advisory_lock(hashtext(%s))", (slot,)).fetchone()
            if free == (True,):
                _drop(self._connection, slot)
                self._connection.execute("SELECT pg_advisory_unlock(hashtext(%s))", (slot,))

    def _claim_slot(self) -> None:
        # Held for as long as we live: a slot whose lock is free belongs to nobody.
        self._connection.execute("SELECT pg_advisory_lock(hashtext(%s))", (self._slot,))
        names = sql.SQL(", ").join(sql.Identifier(*name) for name in tables_of(self._connection))
        there = self._connection.execute(
            "SELECT 1 FROM pg_publication WHERE pubname = %s", (PUBLICATION,)
        ).fetchone()
        how: LiteralString = "CREATE PUBLICATION {} FOR TABLE {}"
        if there:
            how = "ALTER PUBLICATION {} SET TABLE {}"
        self._connection.execute(sql.SQL(how).format(sql.Identifier(PUBLICATION), names))

    def _replication(self) -> psycopg.Connection[Any]:
        try:
            return psycopg.connect(
                address(self._url), autocommit=True, connect_timeout=5, replication="database"
            )
        except psycopg.OperationalError:
            raise KeepingRefused(
                "PostgreSQL 不接受复制连接，请检查 pg_hba.conf 和 max_wal_senders。"
            ) from None

    def _make_slot(self, replication: psycopg.Connection[Any]) -> str:
        asked = f'CREATE_REPLICATION_SLOT "{self._slot}" LOGICAL pgoutput EXPORT_SNAPSHOT'
        result = replication.pgconn.exec_(asked.encode())
        name = result.get_value(0, 2) if result.ntuples == 1 else None
        if name is None:
            raise KeepingRefused("PostgreSQL 没有给出复制槽，请检查 max_replication_slots。")
        return name.decode()

    def _peek(self) -> Iterator[bytes]:
        with (
            self._connection.transaction(),
            self._connection.cursor("told", binary=True) as cursor,
        ):
            cursor.itersize = _FETCH
            cursor.execute(
                "SELECT data FROM pg_logical_slot_peek_binary_changes(%s, NULL, %s,"
                " 'proto_version', '1', 'publication_names', %s)",
                (self._slot, AT_ONCE, PUBLICATION),
            )
            for (data,) in cursor:
                yield data

    def _is_of_keys(self, message: bytes) -> bool:
        told = changes.relation(message)
        if (told.schema, told.table) == ("public", "photos"):
            self._photos = told
        return told.schema == VAULT

    def _photo(self, message: bytes) -> Sequence[str]:
        """Give the blob key that a row of `photos` names."""
        if message[0] == ord("R") or self._photos is None or changes.relation_of(message) != self._photos.oid:
            return ()
        new = changes.row_change(message).new
        blob_key = None if new is None else new[self._photos.columns.index("blob_key")]
        return (blob_key,) if isinstance(blob_key, str) else ()

    def _revision_now(self, connection: psycopg.Connection[Any]) -> str:
        row = connection.execute("SELECT version_num FROM public.alembic_version").fetchone()
        return "" if row is None else str(row[0])


def _spool() -> BinaryIO:
    return cast("BinaryIO", tempfile.SpooledTemporaryFile(IN_MEMORY))


class _Copied:
    """The rows of a table as a file, and how many they were."""

    def __init__(
        self, connection: psycopg.Connection[Any], schema: str, table: str, columns: Sequence[str]
    ) -> None:
        self.rows = 0
        self._rest = b""
        self._chunks = self._copied(connection, schema, table, columns)

    def read(self, size: int = -1) -> bytes:
        while len(self._rest) < size and (chunk := next(self._chunks, b"")):
            self._rest += chunk
        given, self._rest = self._rest[:size], self._rest[size:]
        return given

    def _copied(
        self, connection: psycopg.Connection[Any], schema: str, table: str, columns: Sequence[str]
    ) -> Iterator[bytes]:
        question = sql.SQL("COPY {} ({}) TO STDOUT").format(
            sql.Identifier(schema, table), sql.SQL(", ").join(map(sql.Identifier, columns))
        )
        gathered, size = [], 0
        with connection.cursor() as cursor, cursor.copy(question) as copy:
            for row in copy:
                gathered.append(bytes(row))
                size += len(row)
                self.rows += 1  # the server sends a row at a time
                if size > 1 << 18:
                    yield b"".join(gathered)
                    gathered, size = [], 0
        yield b"".join(gathered)


def tables_of(connection: psycopg.Connection[Any]) -> list[tuple[str, str]]:
    """Give the tables of records and keys by schema and name; the schema's revision is told apart."""
    rows = connection.execute(
        "SELECT schemaname, tablename FROM pg_tables WHERE schemaname = ANY(%s) AND tablename <> %s ORDER BY 1, 2",
        (list(_SCHEMAS), _REVISIONS),
    ).fetchall()
    return [(str(schema), str(table)) for schema, table in rows]


def _columns(connection: psycopg.Connection[Any], schema: str, table: str) -> list[str]:
    rows = connection.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = format('%%I.%%I', %s::text, %s::text)::regclass"
        " AND attnum > 0 AND NOT attisdropped AND attgenerated = '' ORDER BY attnum",
        (schema, table),
    ).fetchall()
    return [str(name) for (name,) in rows]


def _drop(connection: psycopg.Connection[Any], slot: str) -> None:
    connection.execute(
        "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = %s", (slot,)
    )
