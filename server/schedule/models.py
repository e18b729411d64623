"""The schedule (走访计划): rules with versions, opened periods, and duties as rows (docs/adr/0003)."""

import datetime as dt
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from server.db import Base, Word
from server.people.terms import CareLevel, Category, Tag
from server.schedule.terms import DutyKind, EmergencyKind, PeriodUnit

UNMET = "met_on IS NULL AND closed_on IS NULL"

MISSED = "met_on IS NULL AND closed_on IS NOT NULL"


class RuleVersion(Base):
    """How often whom: one version of a visit rule, with its source and where and when it holds.

    `area_code` "" holds everywhere. A version is never changed; a new one supersedes it from a day on.
    """

    __tablename__ = "visit_rules"
    __table_args__ = (Index("ix_visit_rules_key", "key", "effective_from"),)

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    key: Mapped[str] = mapped_column(String(60))
    area_code: Mapped[str] = mapped_column(String(12))
    category: Mapped[Category | None] = mapped_column(Word(Category))
    care_level: Mapped[CareLevel | None] = mapped_column(Word(CareLevel))
    tag: Mapped[Tag | None] = mapped_column(Word(Tag))
    unit: Mapped[PeriodUnit] = mapped_column(Word(PeriodUnit))
    required: Mapped[int]
    in_person: Mapped[int]
    alert_days: Mapped[list[Any]]
    cutoff_day: Mapped[int]
    heads_only: Mapped[bool]
    effective_from: Mapped[dt.date]
    effective_to: Mapped[dt.date | None]
    source_doc_no: Mapped[str] = mapped_column(String(100))
    source_url: Mapped[str] = mapped_column(String(300))
    needs_confirmation: Mapped[bool]
    recorded_at: Mapped[dt.datetime]
    recorded_by: Mapped[UUID | None] = mapped_column(Uuid)
    superseded_at: Mapped[dt.datetime | None]


class OpenedPeriod(Base):
    """A period whose duties have been opened for everybody who owes them."""

    __tablename__ = "opened_periods"

    unit: Mapped[PeriodUnit] = mapped_column(Word(PeriodUnit), primary_key=True)
    period_start: Mapped[dt.date] = mapped_column(primary_key=True)
    opened_at: Mapped[dt.datetime]
    duties: Mapped[int]


class Emergency(Base):
    """Something that happened after which people must be seen at once (24 hours by default).

    `area_code` "" means the people whom `EmergencyPerson` names. `note_sealed` has a data key of its own.
    """

    __tablename__ = "emergencies"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    kind: Mapped[EmergencyKind] = mapped_column(Word(EmergencyKind))
    area_code: Mapped[str] = mapped_column(String(12))
    happened_at: Mapped[dt.datetime]
    hours: Mapped[int]
    note_sealed: Mapped[str | None] = mapped_column(Text)
    declared_at: Mapped[dt.datetime]
    declared_by: Mapped[UUID | None] = mapped_column(Uuid)


class EmergencyPerson(Base):
    """A person whom an emergency names; it then reaches these people, not an area."""

    __tablename__ = "emergency_people"
    __table_args__ = (Index("ix_emergency_people_person", "person_id"),)

    emergency_id: Mapped[UUID] = mapped_column(ForeignKey("emergencies.id"), primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("persons.id"), primary_key=True)


class Escalation(Base):
    """A duty that has been overdue for so long that somebody above was told; once a step."""

    __tablename__ = "escalations"

    duty_id: Mapped[UUID] = mapped_column(ForeignKey("duties.id"), primary_key=True)
    step: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(Uuid)
    village_code: Mapped[str] = mapped_column(String(12))
    days_overdue: Mapped[int]
    escalated_at: Mapped[dt.datetime]


class Duty(Base):
    """A visit owed to one person in one window; the tally columns are kept by the visits' own transactions.

    `met_on`: day of the contact that completed it; `met_received_at`: when the server first knew; `closed_on`: day of
    the first counting contact after the window; `exit_on`: day on which the person left the category.
    `lane` names for what it is owed: `<tag, category or rule>.<unit>` or `emergency:<id>`; a change of care level
    inside a period changes what the lane asks from the next period on, never the number of its duties.
    """

    __tablename__ = "duties"
    __table_args__ = (
        Index("uq_duties_window", "person_id", "lane", "period_start", unique=True),
        Index(
            "ix_duties_unmet",
            "category",
            "due_on",
            "person_id",
            postgresql_where=text(UNMET),
            sqlite_where=text(UNMET),
        ),
        Index(
            "ix_duties_unmet_township",
            "category",
            text("substr(village_code, 1, 9)"),
            "due_on",
            "person_id",
            postgresql_include=["village_code", "exit_on"],  # what is counted by village
            postgresql_where=text(UNMET),
            sqlite_where=text(UNMET),
        ),
        Index(
            "ix_duties_missed",
            "category",
            "closed_on",
            postgresql_include=["village_code", "due_on", "exit_on"],
            postgresql_where=text(MISSED),
            sqlite_where=text(MISSED),
        ),
        # Duties are written month by month: ranges of pages are enough to find a month's, and cost next to nothing.
        Index("ix_duties_due", "due_on", postgresql_using="brin"),
        CheckConstraint("required >= 0 AND done >= 0 AND attempts >= 0", name="counts"),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("persons.id"))
    lane: Mapped[str] = mapped_column(String(60))
    kind: Mapped[DutyKind] = mapped_column(Word(DutyKind))
    category: Mapped[Category] = mapped_column(Word(Category))
    village_code: Mapped[str] = mapped_column(String(12))
    period_start: Mapped[dt.date]
    due_on: Mapped[dt.date]
    opens_at: Mapped[dt.datetime]
    due_at: Mapped[dt.datetime]
    required: Mapped[int]
    in_person: Mapped[int]
    due_soon_on: Mapped[dt.date]
    done: Mapped[int] = mapped_column(default=0)
    done_in_person: Mapped[int] = mapped_column(default=0)
    attempts: Mapped[int] = mapped_column(default=0)
    met_on: Mapped[dt.date | None]
    met_received_at: Mapped[dt.datetime | None]
    closed_on: Mapped[dt.date | None]
    exit_on: Mapped[dt.date | None]
    in_correction: Mapped[bool] = mapped_column(default=False)
    opened_at: Mapped[dt.datetime]
    revision: Mapped[int] = mapped_column(default=1)
