"""Tables of rectification (整改): what must be put right, each step towards it, and that it is late."""

import datetime as dt
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, Text, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from server.db import Base, Word
from server.spotchecks.terms import RectificationState, RectificationStep

OWED = "state IN ('notified', 'answered', 'reopened')"


class Rectification(Base):
    """Something that a spot check found and that must be put right. `due_on` is the day by which the next step is owed."""

    __tablename__ = "rectifications"
    __table_args__ = (
        Index("ix_rectifications_owner", "owner_id", "id"),
        Index("ix_rectifications_person", "person_id"),
        Index("ix_rectifications_village", "village_code", "id"),
        Index("ix_rectifications_due", "due_on", "id", postgresql_where=text(OWED), sqlite_where=text(OWED)),
        Index("uq_rectifications_check", "check_id", unique=True),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    check_id: Mapped[UUID] = mapped_column(ForeignKey("spot_checks.id"))
    plan_id: Mapped[UUID] = mapped_column(Uuid)
    visit_id: Mapped[UUID] = mapped_column(Uuid)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("persons.id"))
    village_code: Mapped[str] = mapped_column(String(12))
    owner_id: Mapped[UUID | None] = mapped_column(ForeignKey("workers.id"))
    state: Mapped[RectificationState] = mapped_column(Word(RectificationState))
    revision: Mapped[int] = mapped_column(default=1)
    round: Mapped[int] = mapped_column(default=1)
    what_sealed: Mapped[str | None] = mapped_column(Text)
    opened_at: Mapped[dt.datetime]
    due_on: Mapped[dt.date | None]
    answered_by: Mapped[UUID | None] = mapped_column(Uuid)
    rechecked_by: Mapped[UUID | None] = mapped_column(Uuid)
    closed_at: Mapped[dt.datetime | None]


class RectificationTaken(Base):
    """One step of a rectification, by whom and with which evidence; what was written is sealed."""

    __tablename__ = "rectification_steps"
    __table_args__ = (Index("ix_rectification_steps_person", "person_id"),)

    rectification_id: Mapped[UUID] = mapped_column(ForeignKey("rectifications.id"), primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(Uuid)
    step: Mapped[RectificationStep] = mapped_column(Word(RectificationStep))
    state: Mapped[RectificationState] = mapped_column(Word(RectificationState))
    text_sealed: Mapped[str | None] = mapped_column(Text)
    photo_ids: Mapped[list[Any]]
    taken_by: Mapped[UUID] = mapped_column(ForeignKey("workers.id"))
    taken_at: Mapped[dt.datetime]


class RectificationLate(Base):
    """That what was owed on a day was late by so many days; told once a step."""

    __tablename__ = "rectification_escalations"

    rectification_id: Mapped[UUID] = mapped_column(ForeignKey("rectifications.id"), primary_key=True)
    due_on: Mapped[dt.date] = mapped_column(primary_key=True)
    step: Mapped[int] = mapped_column(primary_key=True)
    village_code: Mapped[str] = mapped_column(String(12))
    days_late: Mapped[int]
    escalated_at: Mapped[dt.datetime]
