"""The database: one metadata, honest column types, safe engines, and the only `commit()`.

SQLite (WAL, synchronous=FULL, BEGIN IMMEDIATE) is the embedded default, PostgreSQL serves a county. Data keys live in
a schema of their own, `vault`: a second file beside the SQLite database, a schema on PostgreSQL, so that records and
keys can be backed up apart (docs/adr/0004).
"""

import datetime as dt
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from select import POLLIN, poll
from typing import Any

import orjson
from psycopg import Error as PsycopgError
from psycopg.errors import ReadOnlySqlTransaction
from sqlalchemy import DateTime, Dialect, Engine, Executable, MetaData, String, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.orm import DeclarativeBase, Session, sessionmaker
from sqlalchemy.types import JSON, TypeDecorator

from server.terms import Term

UTC = dt.UTC
VAULT = "vault"


class UtcInstant(TypeDecorator[dt.datetime]):
    """An instant, UTC in the database; a naive value is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            msg = "a naive instant never reaches the database"
            raise ValueError(msg)
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: dt.datetime | None, _dialect: Dialect) -> dt.datetime | None:
        if value is None or value.tzinfo is not None:
            return value
        return value.replace(tzinfo=UTC)


class Word(TypeDecorator[Term]):
    """A member of a vocabulary, stored as its wire value."""

    impl = String(32)
    cache_ok = True

    def __init__(self, vocabulary: type[Term]) -> None:
        super().__init__()
        self.vocabulary = vocabulary
        self._members = {member.value: member for member in vocabulary}
        read: dict[str | None, Term | None] = {member.value: member for member in vocabulary}
        read[None] = None
        self.read = read.__getitem__
        """Gives the member of a stored value; what reads many rows calls it without a detour."""

    def process_bind_param(self, value: Term | str | None, _dialect: Dialect) -> str | None:
        return None if value is None else self._members[value].value

    def process_result_value(self, value: str | None, _dialect: Dialect) -> Term | None:
        return self.read(value)


class Base(DeclarativeBase):
    """Every table of the house."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012  (SQLAlchemy reads it)
        dt.datetime: UtcInstant,
        dict[str, Any]: JSON,
        list[Any]: JSON,
    }


class UnsafeDatabaseError(Exception):
    """The database would lose acknowledged records; the message tells the administrator which setting."""


def vault_file(url: str) -> str:
    """Name the SQLite file that holds the data keys of the database at `url`."""
    database = make_url(url).database or ""
    stem, dot, suffix = database.rpartition(".")
    return f"{stem}-vault.{suffix}" if dot else f"{database}-vault"


def sqlite_folder(url: str) -> Path | None:
    """Name the folder of a SQLite database; None for PostgreSQL, whose disk is not ours to look after."""
    made = make_url(url)
    is_file = made.get_backend_name() == "sqlite" and made.database
    return Path(made.database or "").resolve().parent if is_file else None


def is_disk_full(error: BaseException) -> bool:
    """Say whether a database's error tells that its disk is full."""
    told = str(getattr(error, "orig", "")).lower()
    return any(words in told for words in ("disk is full", "no space left", "could not extend file"))


def engine_options(url: str, *, pool_size: int = 8) -> dict[str, Any]:
    """Give the engine options for a database URL; SQLite and PostgreSQL are known."""
    backend = make_url(url).get_backend_name()
    json_columns = {"json_serializer": _written, "json_deserializer": _read}
    if backend == "sqlite":
        if make_url(url).database in {None, "", ":memory:"}:
            raise UnsafeDatabaseError(
                "SQLite in memory keeps nothing; name a file: sqlite:////folder/app.sqlite"
            )
        return json_columns | {
            "connect_args": {"timeout": 15, "check_same_thread": False},
            "pool_size": pool_size,
            "max_overflow": 4 * pool_size,
        }
    if backend == "postgresql":
        return json_columns | {
            "pool_size": pool_size,
            "max_overflow": pool_size,
            "pool_pre_ping": False,
            "pool_timeout": 5,
            "pool_recycle": 1800,
            "connect_args": {
                "connect_timeout": 3,
                # A database machine that vanishes without a word is noticed in ten seconds, not in hours.
                "keepalives_idle": 4,
                "keepalives_interval": 2,
                "keepalives_count": 3,
                "tcp_user_timeout": 10_000,
                # jit: translating a statement takes seconds where a summary takes tenths of one.
                "options": "-c timezone=UTC -c jit=off -c lock_timeout=8000"
                " -c idle_in_transaction_session_timeout=60000",
            },
        }
    msg = f"unknown database {backend!r}; use sqlite:/// or postgresql+psycopg://"
    raise UnsafeDatabaseError(msg)


def _written(value: Any) -> str:
    return orjson.dumps(value).decode()


def _read(value: Any) -> Any:
    """Read a column of JSON; SQLite gives what is a number as a number."""
    return orjson.loads(value) if isinstance(value, (str, bytes)) else value


def prepare_engine(engine: Engine) -> None:
    """Make each new connection of an engine safe before its first use."""
    if engine.dialect.name != "sqlite":
        _leave_dead_connections(engine)
        return
    vault = vault_file(str(engine.url.render_as_string(hide_password=False)))

    @event.listens_for(engine, "connect")
    def on_connect(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("ATTACH DATABASE ? AS vault", (vault,))
        for schema in ("main", VAULT):
            cursor.execute(f"PRAGMA {schema}.journal_mode=WAL")
            cursor.execute(f"PRAGMA {schema}.synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def on_begin(connection: Any) -> None:
        # A deferred transaction that starts to write late fails under concurrency instead of waiting its turn.
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def _leave_dead_connections(engine: Engine) -> None:
    """Replace connections that died in the pool, and those to a leader that became a standby, before they are used.

    A database that ends says goodbye on each connection, so a socket that has something to read before anything was
    asked is dead. Looking costs a system call and nothing on the wire, other than `pool_pre_ping`.
    """

    @event.listens_for(engine, "checkout")
    def on_checkout(connection: Any, _record: object, _proxy: object) -> None:
        if connection.closed:
            raise InvalidatePoolError
        waiting = poll()  # select() knows no descriptors above 1023
        waiting.register(connection.fileno(), POLLIN)
        if waiting.poll(0):
            raise InvalidatePoolError

    is_disconnect = engine.dialect.is_disconnect

    def is_lost(error: Any, *about: Any) -> bool:
        return isinstance(error, ReadOnlySqlTransaction) or is_disconnect(error, *about)

    engine.dialect.is_disconnect = is_lost  # type: ignore[assignment,method-assign]


def refuse_unsafe(engine: Engine) -> None:
    """Refuse, at start, a database that could lose an acknowledged record at a power loss."""
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            for schema in ("main", VAULT):
                mode = connection.execute(text(f"PRAGMA {schema}.journal_mode")).scalar_one()
                level = connection.execute(text(f"PRAGMA {schema}.synchronous")).scalar_one()
                if str(mode).lower() != "wal" or int(level) < 2:  # noqa: PLR2004  (2 is FULL)
                    msg = (
                        f"SQLite {schema}: journal_mode={mode}, synchronous={level}; WAL and FULL are needed"
                    )
                    raise UnsafeDatabaseError(msg)
            return
        wanted = {
            "fsync": {"on"},
            "full_page_writes": {"on"},
            "synchronous_commit": {"on", "remote_apply", "remote_write", "local"},
        }
        for name, good in wanted.items():
            value = connection.execute(text("SELECT current_setting(:name)"), {"name": name}).scalar_one()
            if value not in good:
                msg = f"PostgreSQL {name}={value}; it must be one of {sorted(good)}"
                raise UnsafeDatabaseError(msg)


def rows_of(session: Session, statement: Executable, values: Mapping[str, Any] | None = None) -> int:
    """Carry out an insert, update or delete, and say how many rows it touched.

    Unasked, an insert on PostgreSQL counts -1, whether it inserted or met a conflict.
    """
    session.flush()
    result = session.connection().execute(statement, values, execution_options={"preserve_rowcount": True})
    return result.rowcount


Sessions = sessionmaker[Session]


@contextmanager
def unit_of_work(sessions: Sessions) -> Iterator[Session]:
    """Open one session with one transaction and one fate: it commits whole, or nothing of it happened."""
    with sessions() as session:
        try:
            yield session
            session.commit()
        except BaseException:
            session.rollback()
            raise


class NotOnlyALookError(Exception):
    """Something must be written that belongs together; what only looked begins again in a unit of work."""


def must_write(session: Session) -> None:
    """Say that several rows are about to be written: they need a transaction round them."""
    if session.info.get(LOOK):
        raise NotOnlyALookError


LOOK = "look"


@contextmanager
def look(sessions: Sessions) -> Iterator[Session]:
    """Open a session that only looks, with no transaction round its statements: on PostgreSQL two round trips less.

    Each statement sees what is committed when it begins, as in a unit of work. One that writes stands by itself, at
    once and for good. SQLite reads from the memory of this process, where a transaction costs next to nothing.
    """
    with unit_of_work(sessions) as session:
        session.info[LOOK] = True
        connection = session.connection()
        if connection.dialect.name != "postgresql":
            yield session
            return
        driver: Any = connection.connection.dbapi_connection
        # Nothing was sent yet: the driver opens a transaction with the first statement.
        driver.autocommit = True
        try:
            yield session
        finally:
            try:
                driver.autocommit = False
            except PsycopgError:
                connection.invalidate()  # gone, or cut short within a statement: never lent again as it is
