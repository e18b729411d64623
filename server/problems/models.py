"""Problems found on visits (问题), and what was done about them."""

import datetime as dt
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, Text, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from server.db import Base, Word
from server.problems.terms import OwnerKind, ProblemState, ProblemStep, Severity

UNRESOLVED: dict[str, Any] = {
    "postgresql_where": text("closed_at IS NULL"),
    "sqlite_where": text("closed_at IS NULL"),
}
RESOLVED: dict[str, Any] = {
    "postgresql_where": text("closed_at IS NOT NULL"),
    "sqlite_where": text("closed_at IS NOT NULL"),
}
_TOWNSHIP = text("substr(village_code, 1, 9)")
NOT_RECKONED = dt.date(1970, 1, 1)
"""The due date of a row that the version before wrote; it sorts first, and is reckoned when it is shown."""


class Raised:
    """What the version before knows of a problem's state; it reads and writes the column while an upgrade rolls."""

    OPEN = "open"
    FIXED = "fixed"
    WITHDRAWN = "withdrawn"


class Problem(Base):
    """Something that must be put right. `restricted`: seen by reviewers and above only (suspected abuse).

    `due_on` is the day by which whoever has it in hand must act: the owner, or, once it is answered, who checks it.
    `owner_id` is somebody named; else the owner follows from `owner_kind` and who is in post today. `fixed_by` says
    that it is put right, `checked_by` closed it or sent it back. `closed_at` is when it was closed or withdrawn.
    """

    __tablename__ = "problems"
    __table_args__ = (
        Index("ix_problems_person", "person_id"),
        Index("ix_problems_visit", "visit_id"),
        Index("ix_problems_due", "due_on", "id", **UNRESOLVED),
        Index("ix_problems_township_due", _TOWNSHIP, "due_on", "id", **UNRESOLVED),
        Index("ix_problems_village_due", "village_code", "due_on", "id", **UNRESOLVED),
        Index("ix_problems_closed", "closed_at", "id", **RESOLVED),
        Index("ix_problems_township_closed", _TOWNSHIP, "closed_at", "id", **RESOLVED),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("persons.id"))
    visit_id: Mapped[UUID] = mapped_column(Uuid)
    visit_revision: Mapped[int]
    village_code: Mapped[str] = mapped_column(String(12))
    code: Mapped[str] = mapped_column(String(60))
    severity: Mapped[Severity] = mapped_column(Word(Severity))
    description_sealed: Mapped[str | None] = mapped_column(Text)
    fixed_on_site: Mapped[bool]
    restricted: Mapped[bool]
    raised_state: Mapped[str] = mapped_column("state", String(32))
    stage: Mapped[ProblemState] = mapped_column(Word(ProblemState), server_default="open")
    owner_kind: Mapped[OwnerKind] = mapped_column(Word(OwnerKind), server_default="responsible")
    owner_id: Mapped[UUID | None] = mapped_column(Uuid)
    due_on: Mapped[dt.date] = mapped_column(server_default="1970-01-01")
    fixed_by: Mapped[UUID | None] = mapped_column(Uuid)
    checked_by: Mapped[UUID | None] = mapped_column(Uuid)
    revision: Mapped[int] = mapped_column(server_default="1")
    found_at: Mapped[dt.datetime]
    raised_at: Mapped[dt.datetime]
    closed_at: Mapped[dt.datetime | None]

    @property
    def state(self) -> ProblemState:
        """Where the problem stands."""
        return state_of(self.raised_state, self.stage)

    def put(self, state: ProblemState, now: dt.datetime) -> None:
        """Put the problem into a state, in the words of this version and of the one before."""
        self.stage, self.raised_state = state, _TOLD[state]
        self.closed_at = now if state in {ProblemState.CLOSED, ProblemState.WITHDRAWN} else None
        self.revision += 1


_TOLD = {
    ProblemState.OPEN: Raised.OPEN,
    ProblemState.IN_PROGRESS: Raised.OPEN,
    ProblemState.ANSWERED: Raised.OPEN,
    ProblemState.REOPENED: Raised.OPEN,
    ProblemState.FIXED: Raised.FIXED,
    ProblemState.CLOSED: Raised.FIXED,
    ProblemState.WITHDRAWN: Raised.WITHDRAWN,
}


def state_of(raised: str, stage: ProblemState) -> ProblemState:
    """Read the two columns as one state; what the version before wrote leaves `stage` behind."""
    if raised == Raised.WITHDRAWN:
        return ProblemState.WITHDRAWN
    if raised == Raised.FIXED and stage is ProblemState.OPEN:
        return ProblemState.FIXED
    return stage


class StepTaken(Base):
    """One step about a problem, the state and due date that followed; the note is sealed. Kept for ever."""

    __tablename__ = "problem_steps"
    __table_args__ = (Index("ix_problem_steps_person", "person_id", "taken_at"),)

    problem_id: Mapped[UUID] = mapped_column(ForeignKey("problems.id"), primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(Uuid, unique=True)
    person_id: Mapped[UUID] = mapped_column(Uuid)
    step: Mapped[ProblemStep] = mapped_column(Word(ProblemStep))
    state: Mapped[ProblemState] = mapped_column(Word(ProblemState))
    due_on: Mapped[dt.date]
    note_sealed: Mapped[str | None] = mapped_column(Text)
    visit_id: Mapped[UUID | None] = mapped_column(Uuid)
    photo_ids: Mapped[list[Any]]
    worker_id: Mapped[UUID | None] = mapped_column(Uuid)
    taken_by: Mapped[UUID | None] = mapped_column(Uuid)
    taken_at: Mapped[dt.datetime]


class ProblemEscalation(Base):
    """One level that an overdue problem has reached, once for each due date."""

    __tablename__ = "problem_escalations"
    __table_args__ = (Index("ix_problem_escalations_at", "escalated_at"),)

    problem_id: Mapped[UUID] = mapped_column(ForeignKey("problems.id"), primary_key=True)
    due_on: Mapped[dt.date] = mapped_column(primary_key=True)
    level: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(Uuid)
    village_code: Mapped[str] = mapped_column(String(12))
    days_overdue: Mapped[int]
    escalated_at: Mapped[dt.datetime]
