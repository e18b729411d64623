"""What became of a visit record, and how it compares with the visit before: for the reviewer beside it."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select, tuple_

from server.accounts.models import Worker
from server.ledger.work import Work
from server.people.models import Person
from server.reviews.differences import changes
from server.reviews.models import DecisionMade
from server.vault.fields import DataKey
from server.visits import body as bodies
from server.visits.models import PastRevision, Visit
from server.visits.service import body_of
from server.visits.sight import stored_visit, visit_in_sight

COMPARED = frozenset({"outcome", "method", "answers", "needs", "conclusion", "identity_checked_by"})
"""What is compared with the visit before; times and places differ always."""
CORRECTED, RECORDED, DECIDED = "corrected", "recorded", "decided"


def history(work: Work, visit_id: UUID) -> dict[str, Any]:
    """Tell the story of a record: recorded, corrected (with what changed), decided on; who and when, the oldest first."""
    visit, key = stored_visit(work, visit_id)
    past = work.session.scalars(
        select(PastRevision).where(PastRevision.visit_id == visit_id).order_by(PastRevision.revision)
    ).all()
    decisions = work.session.scalars(
        select(DecisionMade).where(DecisionMade.visit_id == visit_id).order_by(DecisionMade.revision)
    ).all()
    told = [*_bodies(visit, past, key), *(_decision(one, key) for one in decisions)]
    told.sort(key=lambda one: one["revision"])
    names = _names(work, {one["by"] for one in told})
    work.looked("visit.history_read", "visit", visit.id, person_id=visit.person_id)
    return {
        "visit_id": visit.id,
        "items": [one | {"by": {"id": one["by"], "name": names.get(one["by"])}} for one in told],
    }


def compared(work: Work, visit_id: UUID) -> dict[str, Any]:
    """Compare a record with the person's visit before it: what is answered otherwise now.

    The visit before is the latest earlier one that counts; where there is none, the latest attempt. Void ones never, nor
    one that the actor may not see: a record of their own stays theirs when the person moves away, others' do not.
    """
    visit, key = stored_visit(work, visit_id)
    actor = work.actor
    earlier = (
        select(Visit)
        .join(Person, Person.id == Visit.person_id)
        .where(
            visit_in_sight(actor.role, actor.area_code),
            Visit.person_id == visit.person_id,
            Visit.out_of_count_at.is_(None),
            tuple_(Visit.occurred_at, Visit.id) < tuple_(visit.occurred_at, visit.id),
        )
        .order_by(Visit.occurred_at.desc(), Visit.id.desc())
        .limit(1)
    )
    asked = {"worker_id": actor.worker_id}
    before = (
        work.session.scalars(earlier.where(Visit.counts), asked).first()
        or work.session.scalars(earlier, asked).first()
    )
    work.looked("visit.compared", "visit", visit.id, person_id=visit.person_id)
    if before is None:
        return {"visit_id": visit.id, "previous": None, "changes": []}
    names = _names(work, {before.recorder_id})
    return {
        "visit_id": visit.id,
        "previous": {
            "visit_id": before.id,
            "occurred_at": before.occurred_at,
            "outcome": before.outcome,
            "method": before.method,
            "state": before.state,
            "recorder": {"id": before.recorder_id, "name": names.get(before.recorder_id)},
        },
        "changes": changes(body_of(before, key), body_of(visit, key), only=COMPARED),
    }


def _bodies(visit: Visit, past: Iterable[PastRevision], key: DataKey | None) -> list[dict[str, Any]]:
    """Tell of each body: the first was recorded, every other one corrected the one before it."""
    kept = [(one.revision, one.recorded_at, _body(one, key)) for one in past]
    kept.append((visit.body_revision, visit.revised_at, body_of(visit, key)))
    told = []
    for number, (revision, at, body) in enumerate(kept):
        told.append(
            {
                "kind": CORRECTED if number else RECORDED,
                "revision": revision,
                "at": visit.received_at if number == 0 else at,
                "by": visit.recorder_id,
                "changes": changes(kept[number - 1][2], body) if number else [],
            }
        )
    return told


def _decision(made: DecisionMade, key: DataKey | None) -> dict[str, Any]:
    reason = None
    if made.reason_sealed is not None and key is not None:
        reason = key.open(made.reason_sealed, table="visit_decisions", column="reason_sealed", row=made.id)
    return {
        "kind": DECIDED,
        "revision": made.revision + 1,
        "at": made.decided_at,
        "by": made.decided_by,
        "decision": made.decision,
        "state": made.state,
        "reason": reason,
        "changes": [],
    }


def _body(past: PastRevision, key: DataKey | None) -> dict[str, Any]:
    private: Mapping[str, Any] = {}
    if past.private_sealed and key is not None:
        private = bodies.read_private(
            key.open(past.private_sealed, table="visits", column="private_sealed", row=past.visit_id)
        )
    return bodies.join(past.open_body, private)


def _names(work: Work, workers: set[UUID]) -> dict[UUID, str]:
    rows = work.session.execute(select(Worker.id, Worker.name).where(Worker.id.in_(workers)))
    return {row.id: row.name for row in rows}
