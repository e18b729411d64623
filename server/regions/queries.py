"""Questions about regions."""

import datetime as dt
import re
from typing import Any, cast

from sqlalchemy import ColumnElement, Integer, Select, String, and_, func, literal_column, or_, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import InstrumentedAttribute, Session
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from server.http import paging
from server.regions.models import Region
from server.regions.terms import CODE_LENGTH, Level, just_after


def in_force(day: dt.date) -> ColumnElement[bool]:
    """Select the regions that exist on a day."""
    return and_(Region.valid_from <= day, or_(Region.valid_to.is_(None), Region.valid_to >= day))


def inside(column: InstrumentedAttribute[str], area_code: str) -> ColumnElement[bool]:
    """Select rows whose region lies in an area (its own code included), as one indexed range."""
    return and_(column >= area_code, column < just_after(area_code))


TOWNSHIP_DIGITS = 9


def township_of(column: Any) -> ColumnElement[str]:
    """Give the township of a village's code, written as the indexes of lists have it."""
    first, digits = literal_column("1", Integer()), literal_column(str(TOWNSHIP_DIGITS), Integer())
    return func.substr(column, first, digits, type_=String())


def inside_shortest(column: Any, area_code: str) -> ColumnElement[bool]:
    """Select rows whose region lies in an area so that an index that begins with it also gives the rows' order.

    A village and a township are one value each; only a county is a range.
    """
    if len(area_code) == CODE_LENGTH[Level.VILLAGE]:
        return cast("ColumnElement[bool]", column == area_code)
    if len(area_code) == TOWNSHIP_DIGITS:
        return township_of(column) == area_code
    whole = _InPlace(column)
    return and_(whole >= _written(area_code), whole < _written(just_after(area_code)))


def _written(code: str) -> ColumnElement[str] | str:
    """Write a code into the statement: for an unknown range the database hopes for few rows, and plans anew each time."""
    return literal_column(f"'{code}'", String()) if code.isascii() and code.isdigit() else code


class _InPlace(FunctionElement[str]):
    """A column that no index shall be chosen for: nearly every row fits, and an index of the order is walked along."""

    name = "in_place"
    inherit_cache = True
    type = String()


@compiles(_InPlace)
def _in_place(element: _InPlace, compiler: SQLCompiler, **options: Any) -> str:
    return str(compiler.process(element.clauses, **options))


@compiles(_InPlace, "sqlite")
def _in_place_on_sqlite(element: _InPlace, compiler: SQLCompiler, **options: Any) -> str:
    # PostgreSQL weighs indexes by its statistics; SQLite takes any that fits unless the plus forbids it.
    return f"+{compiler.process(element.clauses, **options)}"


def narrower(one: str, other: str | None) -> str | None:
    """Choose of two areas the one that lies in the other; None when neither does."""
    if other is None or one.startswith(other):
        return one
    return other if other.startswith(one) else None


def villages(area_code: str, day: dt.date) -> Select[Region]:
    """Select the regions inside an area on a day, by code."""
    return select(Region).where(inside(Region.code, area_code), in_force(day)).order_by(Region.code)


def regions_page(
    session: Session, area_code: str, day: dt.date, *, limit: int, cursor: str | None
) -> dict[str, Any]:
    """List the regions inside an area on a day, by code."""
    after = paging.decode(cursor, (_code,))
    wanted = villages(area_code, day).limit(limit + 1)
    if after is not None:
        wanted = wanted.where(Region.code > after[0])
    kept, next_cursor = paging.page(session.scalars(wanted).all(), limit, lambda region: (region.code,))
    return {"items": [shown(region) for region in kept], "next_cursor": next_cursor}


def shown(region: Region) -> dict[str, Any]:
    """Write a region as the wire shows it."""
    return {
        name: getattr(region, name)
        for name in ("code", "name", "level", "parent_code", "valid_from", "valid_to", "successor_code")
    }


def _code(text: str) -> str:
    if not re.fullmatch("[0-9]{6,12}", text, re.ASCII):
        raise ValueError(text)
    return text
