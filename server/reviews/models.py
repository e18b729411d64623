"""Decisions on visit records: one a revision, kept for ever."""

import datetime as dt
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Text, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from server.db import Base, Word
from server.reviews.terms import Decision
from server.visits.terms import VisitState


class DecisionMade(Base):
    """What somebody decided on a revision of a visit, and the state that followed; the reason is sealed."""

    __tablename__ = "visit_decisions"
    __table_args__ = (Index("ix_visit_decisions_person", "person_id", "decided_at"),)

    visit_id: Mapped[UUID] = mapped_column(ForeignKey("visits.id"), primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(Uuid, unique=True)
    person_id: Mapped[UUID] = mapped_column(Uuid)
    decision: Mapped[Decision] = mapped_column(Word(Decision))
    state: Mapped[VisitState] = mapped_column(Word(VisitState))
    reason_sealed: Mapped[str | None] = mapped_column(Text)
    decided_by: Mapped[UUID] = mapped_column(ForeignKey("workers.id"))
    decided_at: Mapped[dt.datetime]
