"""Taking feedback in exactly once, and showing it to administrators."""

import datetime as dt
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import and_, func, or_, select

from server.accounts.models import Worker
from server.feedback.models import Feedback
from server.feedback.rules import FeedbackConflict, TooMuchFeedback
from server.http import paging
from server.ledger.work import Work

MOST_A_DAY = 50
"""Pieces of feedback that one worker may send within a day; a bound against flooding, no policy."""


@dataclass(frozen=True, slots=True)
class NewFeedback:
    """What a worker wrote; the id is made on the phone."""

    id: UUID
    text: str
    contact: str | None = None


def give(work: Work, new: NewFeedback) -> tuple[Feedback, bool]:
    """Store feedback once; True when it is new. Another text, or another sender, under the same id is refused."""
    stored = work.session.get(Feedback, new.id)
    if stored is not None:
        if stored.worker_id != work.actor.worker_id or _opened(work, stored) != (new.text, new.contact):
            raise FeedbackConflict
        return stored, False
    _refuse_a_flood(work)
    made = Feedback(
        id=new.id,
        worker_id=work.actor.worker_id,
        text_sealed=_sealed(work, new.id, "text_sealed", new.text),
        contact_sealed=None if new.contact is None else _sealed(work, new.id, "contact_sealed", new.contact),
        received_at=work.now,
    )
    work.session.add(made)
    work.session.flush()
    work.tell("feedback.given", "feedback", new.id)
    return made, True


def feedback_page(work: Work, *, limit: int, cursor: str | None) -> dict[str, Any]:
    """List the feedback, the latest first; that it was read is written down."""
    after = paging.decode(cursor, (_instant, UUID))
    wanted = (
        select(Feedback, Worker.name)
        .join(Worker, Worker.id == Feedback.worker_id)
        .order_by(Feedback.received_at.desc(), Feedback.id.desc())
        .limit(limit + 1)
    )
    if after is not None:
        at, last_id = after
        same_second = and_(Feedback.received_at == at, Feedback.id < last_id)
        wanted = wanted.where(or_(Feedback.received_at < at, same_second))
    rows, next_cursor = paging.page(
        work.session.execute(wanted).all(), limit, lambda row: (row[0].received_at.isoformat(), row[0].id)
    )
    work.looked("feedback.read", "feedback", count=len(rows))
    return {"items": [_shown(work, row, name) for row, name in rows], "next_cursor": next_cursor}


def _refuse_a_flood(work: Work) -> None:
    sent = work.session.scalar(
        select(func.count())
        .select_from(Feedback)
        .where(
            Feedback.worker_id == work.actor.worker_id,
            Feedback.received_at > work.now - dt.timedelta(days=1),
        )
    )
    if (sent or 0) >= MOST_A_DAY:
        raise TooMuchFeedback


def _sealed(work: Work, row: UUID, column: str, text: str) -> str:
    return work.keys.house_key().seal(text, table="feedback", column=column, row=row)


def _opened(work: Work, feedback: Feedback) -> tuple[str, str | None]:
    key = work.keys.house_key()
    contact = feedback.contact_sealed
    return (
        key.open(feedback.text_sealed, table="feedback", column="text_sealed", row=feedback.id),
        None
        if contact is None
        else key.open(contact, table="feedback", column="contact_sealed", row=feedback.id),
    )


def _shown(work: Work, feedback: Feedback, name: str) -> dict[str, Any]:
    text, contact = _opened(work, feedback)
    return {
        "id": feedback.id,
        "worker": {"id": feedback.worker_id, "name": name},
        "text": text,
        "contact": contact,
        "received_at": feedback.received_at,
    }


def _instant(text: object) -> dt.datetime:
    made = dt.datetime.fromisoformat(str(text))
    if made.tzinfo is None:
        raise ValueError
    return made
