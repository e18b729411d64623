"""Visit records (走访记录): the current body, and every body that it replaced."""

import datetime as dt
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, String, Text, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from server.db import Base, Word
from server.visits.terms import Conclusion, Method, Outcome, VisitState


def _where(condition: str) -> dict[str, Any]:
    return {"postgresql_where": text(condition), "sqlite_where": text(condition)}


WAITING = _where("state = 'submitted'")


class Visit(Base):
    """One visit or one attempt, as its recorder filed it.

    `open_body` holds what stays computable (enumerated answers, times, coordinates), `private_sealed` every free
    text, under the person's key. `counts` says that the outcome counts towards a duty, `in_person` that somebody
    stood before the person; `counted_since` is when the server first had what the duty counts. `clock_skew_s` is the phone's clock minus the server's.
    `revision` counts corrections and decisions, `body_revision` is the one since which the body stands.
    `first_accepted_by` accepted a record that needs a second pair of eyes, which made revision `first_accepted_revision`;
    it stands while the body is older than that.
    """

    __tablename__ = "visits"
    __table_args__ = (
        Index("ix_visits_person", "person_id", "occurred_at"),
        Index("ix_visits_village", "village_code", "occurred_at", "id"),
        Index("ix_visits_recorder", "recorder_id", "occurred_at", "id"),
        # What lists walk along: everybody's visits, a township's, those in a state, those that wait for a decision.
        Index("ix_visits_listed", "occurred_at", "id"),
        Index("ix_visits_township", text("substr(village_code, 1, 9)"), "occurred_at", "id"),
        Index("ix_visits_state_listed", "state", "occurred_at", "id"),
        Index("ix_visits_waiting", "received_at", "id", **WAITING),
        # Visits come in in this order: ranges of pages are enough to find a month's, and cost next to nothing.
        Index("ix_visits_received", "received_at", postgresql_using="brin"),
        Index(
            "ix_visits_waiting_township", text("substr(village_code, 1, 9)"), "received_at", "id", **WAITING
        ),
        Index(
            "ix_visits_resubmitted",
            "received_at",
            "id",
            **_where("state = 'submitted' AND body_revision > 1"),
        ),
        Index("ix_visits_returned", "received_at", "id", **_where("state = 'returned'")),
        Index(
            "ix_visits_awaiting_second", "received_at", "id", **_where("first_accepted_revision IS NOT NULL")
        ),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("persons.id"))
    enrolment_id: Mapped[UUID | None] = mapped_column(ForeignKey("enrolments.id"))
    village_code: Mapped[str] = mapped_column(String(12))
    recorder_id: Mapped[UUID] = mapped_column(ForeignKey("workers.id"))
    recorded_for_id: Mapped[UUID | None] = mapped_column(ForeignKey("workers.id"))
    method: Mapped[Method] = mapped_column(Word(Method))
    outcome: Mapped[Outcome] = mapped_column(Word(Outcome))
    conclusion: Mapped[Conclusion | None] = mapped_column(Word(Conclusion))
    occurred_at: Mapped[dt.datetime]
    received_at: Mapped[dt.datetime]
    counted_since: Mapped[dt.datetime]
    clock_skew_s: Mapped[int]
    filed_late: Mapped[bool]
    counts: Mapped[bool]
    in_person: Mapped[bool]
    state: Mapped[VisitState] = mapped_column(Word(VisitState))
    state_reason_sealed: Mapped[str | None] = mapped_column(Text)
    out_of_count_at: Mapped[dt.datetime | None]
    revision: Mapped[int]
    body_revision: Mapped[int]
    first_accepted_by: Mapped[UUID | None] = mapped_column(Uuid)
    first_accepted_revision: Mapped[int | None]
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary(32))
    open_body: Mapped[dict[str, Any]]
    private_sealed: Mapped[str | None] = mapped_column(Text)
    answered: Mapped[int]
    answers_required: Mapped[int]
    revised_at: Mapped[dt.datetime]


class PastRevision(Base):
    """A body that a correction replaced; kept for ever, so that a late repeat of it is recognised."""

    __tablename__ = "visit_revisions"
    __table_args__ = (Index("ix_visit_revisions_person", "person_id", "occurred_at"),)

    visit_id: Mapped[UUID] = mapped_column(ForeignKey("visits.id"), primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(Uuid)
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary(32))
    occurred_at: Mapped[dt.datetime]
    counts: Mapped[bool]
    in_person: Mapped[bool]
    outcome: Mapped[Outcome] = mapped_column(Word(Outcome))
    open_body: Mapped[dict[str, Any]]
    private_sealed: Mapped[str | None] = mapped_column(Text)
    recorded_at: Mapped[dt.datetime]
    superseded_at: Mapped[dt.datetime]
    superseded_by: Mapped[UUID] = mapped_column(Uuid)
