"""Questions about regions."""

import datetime as dt
import re
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from server.http import paging
from server.regions.models import Region
from server.regions.terms import just_after


def in_force(day: dt.date) -> ColumnElement[bool]:
    """Select the regions that exist on a day."""
    return and_(Region.valid_from <= day, or_(Region.valid_to.is_(None), Region.valid_to >= day))


def inside(column: InstrumentedAttribute[str], area_code: str) -> ColumnElement[bool]:
    """Select rows whose region lies in an area (its own code included), as one indexed range."""
    return and_(column >= area_code, column < just_after(area_code))


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
