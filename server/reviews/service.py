"""Deciding on visits: one decision a revision, never on one's own record (CONTRACT §6)."""

from typing import Any
from uuid import UUID

from sqlalchemy import select

from server.accounts.models import Worker
from server.accounts.signed_in import stay_in_post
from server.errors import Invalid, StaleRevision
from server.ledger.work import Work
from server.permissions import Can
from server.problems.service import withdraw_of_visit
from server.reviews import blind, states
from server.reviews.models import DecisionMade
from server.reviews.relations import relation_of
from server.reviews.rules import Relation, may_decide
from server.reviews.second_eyes import need_two
from server.reviews.terms import Decision, NewDecision, ReviewStage
from server.tools import SHANGHAI, business_day
from server.vault.fields import DataKey
from server.visits.duties import mark_corrections, settle_visit
from server.visits.models import Visit
from server.visits.showing import awaits_second
from server.visits.sight import stored_visit
from server.visits.terms import Outcome


def decide(work: Work, visit_id: UUID, new: NewDecision, *, pressed_twice: bool = False) -> Visit:
    """Decide on a visit; a void or withdrawn one leaves the duty count at once.

    Whoever decides on a revision that is no more hears who did what, and when. With `pressed_twice` the same decision
    by the same worker again is no refusal: it changes nothing, and gives what the first led to.
    """
    stay_in_post(work)
    visit, key = stored_visit(work, visit_id, lock=True)
    reason = (new.reason or "").strip()
    relation = relation_of(visit, work.actor.worker_id)
    reviews = work.actor.may(Can.DECIDE_ON_VISITS)
    if relation is not Relation.FIRST:
        may_decide(new.decision, relation, reviews=reviews)
    if new.revision != visit.revision:
        last = _last_decision(work, visit)
        if pressed_twice and last is not None and _is_repeat(work, last, new, reason, key):
            work.looked("visit.decision_repeated", "visit", visit.id, person_id=visit.person_id)
            return visit
        raise _somebody_was_faster(work, visit, last)
    may_decide(new.decision, relation, reviews=reviews)
    stage = states.stage_of(visit.state, awaits_second=awaits_second(visit))
    needs_two = (
        new.decision is Decision.ACCEPT and stage is ReviewStage.SUBMITTED and bool(need_two(work, [visit]))
    )
    following = states.after(stage, new.decision, needs_two=needs_two)
    if new.decision in states.NEEDS_REASON and not reason:
        raise Invalid(errors={"reason": ["请写明原因。"]})
    write_decision(work, visit, key, new.decision, following, reason)
    if following is ReviewStage.ACCEPTED and stage is ReviewStage.SUBMITTED:
        blind.draw(work, [visit])  # what two accepted has had its second look
    elif following is ReviewStage.VOID:
        visit.out_of_count_at = work.now
        withdraw_of_visit(work, visit.id)
        blind.close_of_void(work, visit.id)
        if visit.outcome is Outcome.DEAD:
            work.changed_people.add(visit.person_id)
    duties = settle_visit(work, visit.person_id, business_day(visit.occurred_at))
    mark_corrections(work, visit.person_id, duties)
    return visit


def write_decision(
    work: Work, visit: Visit, key: DataKey | None, decision: Decision, following: ReviewStage, reason: str
) -> None:
    """Put the record into the stage that follows: its row, the decision's own row, the ledger's line."""
    before = states.stage_of(visit.state, awaits_second=awaits_second(visit))
    first_by = visit.first_accepted_by if before is ReviewStage.AWAITING_SECOND else None
    decided_on = visit.revision
    visit.state = states.ON_THE_WIRE[following]
    visit.revision += 1
    waits = following is ReviewStage.AWAITING_SECOND
    visit.first_accepted_by = work.actor.worker_id if waits else None
    visit.first_accepted_revision = visit.revision if waits else None
    visit.state_reason_sealed = _sealed(key, reason, "visits", "state_reason_sealed", visit.id)
    decision_id = work.new_id()
    work.session.add(
        DecisionMade(
            id=decision_id,
            visit_id=visit.id,
            revision=decided_on,
            person_id=visit.person_id,
            decision=decision,
            state=visit.state,
            reason_sealed=_sealed(key, reason, "visit_decisions", "reason_sealed", decision_id),
            decided_by=work.actor.worker_id,
            decided_at=work.now,
        )
    )
    told: dict[str, Any] = {"from": before, "to": following, "revision": visit.revision, "reason": reason}
    if first_by is not None:
        told |= {"first_accepted_by": first_by, "agreed": decision is Decision.ACCEPT}
    work.tell(f"visit.{decision}", "visit", visit.id, person_id=visit.person_id, key=key, payload=told)


def _sealed(key: DataKey | None, text: str, table: str, column: str, row: UUID) -> str | None:
    return key.seal(text, table=table, column=column, row=row) if text and key else None


def _last_decision(work: Work, visit: Visit) -> DecisionMade | None:
    """Read the decision that made the revision which the visit has now; None when a correction made it."""
    return work.session.get(DecisionMade, (visit.id, visit.revision - 1))


def _is_repeat(work: Work, last: DecisionMade, new: NewDecision, reason: str, key: DataKey | None) -> bool:
    asked = (last.decided_by, last.revision, last.decision)
    if asked != (work.actor.worker_id, new.revision, new.decision):
        return False
    said = ""
    if last.reason_sealed is not None and key is not None:
        said = key.open(last.reason_sealed, table="visit_decisions", column="reason_sealed", row=last.id)
    return said == reason


def _somebody_was_faster(work: Work, visit: Visit, last: DecisionMade | None) -> StaleRevision:
    """Refuse, and tell who did what and when: the reader has to decide anew, and may want to ask them."""
    who = visit.recorder_id if last is None else last.decided_by
    at = visit.revised_at if last is None else last.decided_at
    name = work.session.scalar(select(Worker.name).where(Worker.id == who))
    what = "更正了记录" if last is None else f"处理为“{last.decision.label}”"
    when = at.astimezone(SHANGHAI)
    return StaleRevision(
        f"{'您' if who == work.actor.worker_id else name}已于{when:%m月%d日%H:%M}{what}，请刷新后再看。",
        extra={
            "revision": visit.revision,
            "changed": {
                "by": {"id": str(who), "name": name},
                "what": "correct" if last is None else last.decision.value,
                "at": when.isoformat(timespec="seconds"),
            },
        },
    )
