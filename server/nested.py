"""Rows of several tables in one read, and rows about many ids in one statement that is always the same.

Each table's rows come as one column, written as JSON by the database.
A read costs its way to the database and back and the making of its result, whatever it finds; a file has a dozen tables
that mostly hold one row or none. The same select runs on SQLite and PostgreSQL; values come back as the types of their
columns, as from any other read.
"""

import datetime as dt
import json
from collections import namedtuple
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import (
    ARRAY,
    JSON,
    Boolean,
    ColumnElement,
    Date,
    Dialect,
    Label,
    LargeBinary,
    Numeric,
    Select,
    Text,
    Uuid,
    bindparam,
    select,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator, TypeEngine

from server.db import UTC, UtcInstant, Word


class Nested:
    """A select whose rows are read as one `column` of another statement; `rows` reads that column back.

    The select stands for itself: it names whom it is about by a bound parameter, and its order is kept. Sealed bytes
    and JSON columns cannot be nested. `plain`: columns of tables, neither ordered, cut nor counted; written shorter.
    """

    def __init__(self, name: str, wanted: Select[*tuple[Any, ...]], *, plain: bool = False) -> None:
        columns = list(wanted.selected_columns if plain else wanted.subquery(name).c)
        rows = _Gathered(_Array(*columns))
        self._row = namedtuple(f"{name}_row", [column.key for column in columns])  # type: ignore[misc]  # noqa: PYI024
        self._readers = [_reader(column.type) for column in columns]
        gathered = wanted.with_only_columns(rows, maintain_column_froms=True) if plain else select(rows)
        self.column: Label[str | None] = gathered.scalar_subquery().label(name)

    def rows(self, text: str | None) -> list[Any]:
        """Read the rows; each is a named tuple with the names of the select's columns."""
        if not text or text == "[]":
            return []
        return [
            self._row(
                *[
                    value if read is None or value is None else read(value)
                    for read, value in zip(self._readers, line, strict=True)
                ]
            )
            for line in orjson.loads(text)
        ]


class _Array(FunctionElement[str]):
    """One row as a JSON array."""

    name = "nested_array"
    inherit_cache = True
    type = Text()


class _Gathered(FunctionElement[str]):
    """All rows as a JSON array of theirs, as text."""

    name = "nested_rows"
    inherit_cache = True
    type = Text()


@compiles(_Array, "postgresql")
def _array_on_postgresql(element: _Array, compiler: SQLCompiler, **options: Any) -> str:
    return f"json_build_array({compiler.process(element.clauses, **options)})"


@compiles(_Array, "sqlite")
def _array_on_sqlite(element: _Array, compiler: SQLCompiler, **options: Any) -> str:
    return f"json_array({compiler.process(element.clauses, **options)})"


@compiles(_Gathered, "postgresql")
def _gathered_on_postgresql(element: _Gathered, compiler: SQLCompiler, **options: Any) -> str:
    return f"CAST(json_agg({compiler.process(element.clauses, **options)}) AS TEXT)"


@compiles(_Gathered, "sqlite")
def _gathered_on_sqlite(element: _Gathered, compiler: SQLCompiler, **options: Any) -> str:
    return f"json_group_array({compiler.process(element.clauses, **options)})"


def _reader(kind: TypeEngine[Any]) -> Callable[[Any], Any] | None:
    """Give what turns a value of JSON into one of the column's type; None where they are the same."""
    if isinstance(kind, (LargeBinary, JSON)):
        raise TypeError(f"{kind!r} cannot be nested")
    if isinstance(kind, Word):
        return {member.value: member for member in kind.vocabulary}.__getitem__
    if isinstance(kind, UtcInstant):
        return _instant
    if isinstance(kind, Numeric) and kind.asdecimal:
        places = Decimal(1).scaleb(-(kind.scale or 0))
        return lambda value: Decimal(str(value)).quantize(places)
    known: Sequence[tuple[type[TypeEngine[Any]], Callable[[Any], Any]]] = (
        (Uuid, UUID),
        (Date, dt.date.fromisoformat),
        (Boolean, bool),
        (Numeric, float),
    )
    return next((read for one, read in known if isinstance(kind, one)), None)


def _instant(text: str) -> dt.datetime:
    read = dt.datetime.fromisoformat(text)
    return read.replace(tzinfo=UTC) if read.tzinfo is None else read


class UuidList(TypeDecorator[Sequence[UUID]]):
    """Many ids as one parameter."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(ARRAY(Uuid()) if dialect.name == "postgresql" else Text())

    def bind_processor(self, dialect: Dialect) -> Callable[[Sequence[UUID] | None], str]:
        """Give what writes the ids, in the place of what an array's own type does with each of them."""
        return lambda value: self.process_bind_param(value, dialect)

    def process_bind_param(self, value: Sequence[UUID] | None, dialect: Dialect) -> str:
        ids = [one.hex for one in value or ()]
        # An array as its text: the driver would ask each id how it is written.
        return f"{{{','.join(ids)}}}" if dialect.name == "postgresql" else json.dumps(ids)


class _Among(FunctionElement[bool]):
    """Whether a column is one of a list's ids.

    It has no type: of a truth value SQLite would be asked whether it is 1, and then finds no row by an index.
    """

    name = "among"
    inherit_cache = True


def among(column: Any, name: str) -> ColumnElement[bool]:
    """Select rows whose id is among those of the bound list `:name`.

    However many they are, the statement is the same text: it is made, prepared and planned once.
    """
    return _Among(column, bindparam(name, type_=UuidList()))


@compiles(_Among, "postgresql")
def _among_on_postgresql(element: _Among, compiler: SQLCompiler, **options: Any) -> str:
    column, ids = element.clauses
    return f"{compiler.process(column, **options)} = ANY ({compiler.process(ids, **options)})"


@compiles(_Among, "sqlite")
def _among_on_sqlite(element: _Among, compiler: SQLCompiler, **options: Any) -> str:
    column, ids = element.clauses
    many = f"SELECT value FROM json_each({compiler.process(ids, **options)})"  # noqa: S608  (names of ours alone)
    return f"{compiler.process(column, **options)} IN ({many})"
