"""Regions (行政区划) with effective dates: codes are data, merged and renamed over the years."""

import datetime as dt

from sqlalchemy import CheckConstraint, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from server.db import Base, Word
from server.regions.terms import Level


class Region(Base):
    """A region under one name for a span of days; `successor_code` says what it was merged into."""

    __tablename__ = "regions"
    __table_args__ = (
        CheckConstraint("valid_to IS NULL OR valid_to >= valid_from", name="span"),
        Index("ix_regions_parent", "parent_code"),
    )

    code: Mapped[str] = mapped_column(String(12), primary_key=True)
    valid_from: Mapped[dt.date] = mapped_column(primary_key=True)
    valid_to: Mapped[dt.date | None]
    name: Mapped[str] = mapped_column(String(60))
    level: Mapped[Level] = mapped_column(Word(Level))
    parent_code: Mapped[str | None] = mapped_column(String(12))
    successor_code: Mapped[str | None] = mapped_column(String(12))
    source: Mapped[str] = mapped_column(String(200))
