"""Decisions on visit records, one a revision, kept for ever; and second looks at accepted ones."""

import datetime as dt
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, String, Text, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from server.db import Base, Word
from server.reviews.rules import SEED_BYTES
from server.reviews.terms import Decision
from server.visits.terms import VisitState

OPEN: dict[str, Any] = {
    "postgresql_where": text("closed_at IS NULL"),
    "sqlite_where": text("closed_at IS NULL"),
}


class DecisionMade(Base):
    """What somebody decided on a revision of a visit, and the state that followed; the reason is sealed.

    An acceptance whose state is `submitted` was the first of two.
    """

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


class BlindReview(Base):
    """A second look at an accepted record by somebody who is not shown that it was accepted, or by whom.

    `agreed` is None until somebody looked. Closed when they agreed, when a disagreement was settled (the record voided,
    or upheld with a reason), or when the record was voided before anybody looked.
    """

    __tablename__ = "blind_reviews"
    __table_args__ = (
        Index("ix_blind_reviews_open", "drawn_at", "visit_id", **OPEN),
        Index("ix_blind_reviews_month", "month"),
    )

    visit_id: Mapped[UUID] = mapped_column(ForeignKey("visits.id"), primary_key=True)
    person_id: Mapped[UUID] = mapped_column(Uuid)
    month: Mapped[str] = mapped_column(String(7))
    percent: Mapped[int]
    drawn_at: Mapped[dt.datetime]
    first_by: Mapped[UUID] = mapped_column(Uuid)
    decision: Mapped[Decision | None] = mapped_column(Word(Decision))
    reason_sealed: Mapped[str | None] = mapped_column(Text)
    decided_by: Mapped[UUID | None] = mapped_column(Uuid)
    decided_at: Mapped[dt.datetime | None]
    agreed: Mapped[bool | None]
    settled_by: Mapped[UUID | None] = mapped_column(Uuid)
    settled_reason_sealed: Mapped[str | None] = mapped_column(Text)
    closed_at: Mapped[dt.datetime | None]


class BlindSeed(Base):
    """The seed by which a month's second looks are drawn; made at its first acceptance, shown when it is over."""

    __tablename__ = "blind_seeds"

    month: Mapped[str] = mapped_column(String(7), primary_key=True)
    seed: Mapped[bytes] = mapped_column(LargeBinary(SEED_BYTES))
    made_at: Mapped[dt.datetime]
