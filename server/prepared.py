"""Statements of the paths that every request takes, compiled once and run on the driver's own cursor.

What SQLAlchemy does round a statement (its key, its context, its result) costs four times what the driver needs for
it. A `Prepared` keeps SQLAlchemy's words and types and leaves that out: same session, same transaction, same errors.
It is for statements without lists (`IN`) and without entities; everything else goes the usual way.
"""

from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple, cast

from sqlalchemy import Connection, Dialect, Float, Insert, Select, Table, Update
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.sql import compiler
from sqlalchemy.types import TypeEngine

from server.db import UtcInstant, Word

Row = Any
"""A named tuple of one row, its values as the columns' types give them."""
Words = Select[*tuple[Any, ...]] | Insert | Update
Convert = Callable[[Any], Any]


def insert_once(table: type[DeclarativeBase]) -> Callable[[str], Insert]:
    """Insert into a table unless its key is there already; rows that are there are left alone and not counted."""

    def words(dialect: str) -> Insert:
        there = cast("Table", table.__table__)
        if dialect == "postgresql":
            return insert_postgresql(there).on_conflict_do_nothing()
        return insert_sqlite(there).on_conflict_do_nothing()

    return words


class _Compiled(NamedTuple):
    text: str
    fixed: Mapping[str, Any]
    bound: Sequence[tuple[str, Convert | None]]
    positions: Sequence[str] | None
    row: Callable[[Sequence[Any]], Row]


class Prepared:
    """One statement; `words` says what it is, or gives it for a dialect's name where the two speak differently.

    An insert or update names the `columns` that it is handed values for. Values are handed over by name.
    `for_its_values`: PostgreSQL makes a plan for the values each time. Unasked, it goes over to one for unknown values
    after five times, which is right for most statements and ruinous where a value says that hardly a row fits.
    """

    def __init__(
        self,
        words: Words | Callable[[str], Words],
        columns: Iterable[str] | None = None,
        *,
        for_its_values: bool = False,
    ) -> None:
        self._words = words
        self._for_its_values = for_its_values
        self._columns = None if columns is None else list(columns)
        self._compiled: dict[str, _Compiled] = {}

    def all(self, session: Session, values: Mapping[str, Any]) -> list[Row]:
        """Give every row that it finds."""
        compiled, cursor = self._run(session, values)
        rows = [compiled.row(row) for row in cursor.fetchall()]
        cursor.close()
        return rows

    def first(self, session: Session, values: Mapping[str, Any]) -> Row | None:
        """Give the first row that it finds, or None."""
        compiled, cursor = self._run(session, values)
        row = cursor.fetchone()
        cursor.close()
        return None if row is None else compiled.row(row)

    def write(self, session: Session, values: Mapping[str, Any]) -> int:
        """Insert or update; returns how many rows it touched."""
        _, cursor = self._run(session, values)
        touched: int = cursor.rowcount
        cursor.close()
        return touched

    def write_all(self, session: Session, rows: Iterable[Mapping[str, Any]]) -> int:
        """Insert or update once for each row, all sent in one go; returns how many rows that touched."""
        _, cursor = self._run(session, *rows)
        touched: int = cursor.rowcount
        cursor.close()
        return touched

    def _run(self, session: Session, *rows: Mapping[str, Any]) -> tuple[_Compiled, Any]:
        session.flush()
        connection = _connection_of(session)
        dialect = connection.dialect
        compiled = self._compiled.get(dialect.name)
        if compiled is None:
            compiled = self._compiled[dialect.name] = self._compile(dialect)
        sent = [_sent(compiled, values) for values in rows]
        driver: Any = connection.connection.dbapi_connection
        cursor = driver.cursor()
        try:
            if len(sent) == 1 and self._for_its_values and dialect.name == "postgresql":
                cursor.execute(compiled.text, sent[0], prepare=False)
            elif len(sent) == 1:
                cursor.execute(compiled.text, sent[0])
            else:
                cursor.executemany(compiled.text, sent)
        except dialect.loaded_dbapi.Error as error:
            raise _as_sqlalchemy_tells(error, connection, compiled.text, cursor) from error
        return compiled, cursor

    def _compile(self, dialect: Dialect) -> _Compiled:
        words = self._words(dialect.name) if callable(self._words) else self._words
        made = words.compile(dialect=dialect, column_keys=self._columns)
        assert isinstance(made, compiler.SQLCompiler)
        assert not made.post_compile_params, "a list has no fixed number of places"
        fixed, bound = {}, []
        for name, parameter in made.binds.items():
            convert = parameter.type.dialect_impl(dialect).bind_processor(dialect)
            if parameter.required:
                bound.append((name, convert))
            else:
                value = parameter.effective_value
                fixed[name] = value if convert is None else convert(value)
        return _Compiled(
            made.string,
            fixed,
            bound,
            list(made.positiontup or ()) if made.positional else None,
            _rows(words, dialect),
        )


def _connection_of(session: Session) -> Connection:
    """Give the connection of a session's transaction; finding it anew for each statement costs a tenth of the statement."""
    kept: Connection | None = session.info.get(_KEPT)
    if kept is None or kept.closed or not kept.in_transaction():
        kept = session.info[_KEPT] = session.connection()
    return kept


_KEPT = "connection of prepared statements"


def _sent(compiled: _Compiled, values: Mapping[str, Any]) -> Any:
    named = dict(compiled.fixed)
    for name, convert in compiled.bound:
        value = values[name]
        named[name] = value if convert is None else convert(value)
    return named if compiled.positions is None else [named[name] for name in compiled.positions]


def _rows(words: Words, dialect: Dialect) -> Callable[[Sequence[Any]], Row]:
    """Give what turns a driver's row into ours."""
    if not isinstance(words, Select):
        return tuple
    columns = words.selected_columns
    names = [column.name for column in columns]
    assert len(set(names)) == len(names), "two columns of one name: label one of them"
    row = namedtuple("Row", names)  # type: ignore[misc]  # noqa: PYI024  (its names come from the statement)
    converts = [
        (place, convert)
        for place, convert in enumerate(_convert(column.type, dialect) for column in columns)
        if convert is not None
    ]
    return partial(_converted, row._make, converts) if converts else row._make


def _convert(kind: TypeEngine[Any], dialect: Dialect) -> Convert | None:
    if isinstance(kind, Word):
        return kind.read
    if isinstance(kind, UtcInstant) and dialect.name == "postgresql":
        return None  # the driver gives aware instants
    if isinstance(kind, Float) and not kind.asdecimal:
        return (
            None  # the drivers give floats; SQLAlchemy asks which kind the answer has, and there is none yet
        )
    return kind.dialect_impl(dialect).result_processor(dialect, None)


def _converted(
    make: Callable[[Iterable[Any]], Row], converts: Sequence[tuple[int, Convert]], row: Sequence[Any]
) -> Row:
    """Convert what needs it, a few of many columns; a row is made thousands of times in a sync."""
    values = list(row)
    for place, convert in converts:
        values[place] = convert(values[place])
    return make(values)


def _as_sqlalchemy_tells(error: Exception, connection: Connection, text: str, cursor: Any) -> BaseException:
    """Give a driver's error as SQLAlchemy raises it; a connection that is gone is left to the pool to replace."""
    dialect = connection.dialect
    lost = dialect.is_disconnect(error, connection.connection.dbapi_connection, cursor)  # type: ignore[arg-type]
    told = DBAPIError.instance(
        text,
        None,
        error,
        dialect.loaded_dbapi.Error,
        hide_parameters=True,
        connection_invalidated=lost,
        dialect=dialect,
    )
    if lost:
        connection.invalidate(error)
    return told
