"""Questions about regions."""

import datetime as dt

from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlalchemy.orm import InstrumentedAttribute

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
