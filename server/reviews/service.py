"""Deciding on visits: one decision a revision, never on one's own record (CONTRACT §6)."""

from uuid import UUID

from server.errors import Invalid, NotAllowed, StaleRevision
from server.ledger.work import Work
from server.people.models import Person
from server.permissions import Can
from server.problems.service import withdraw_of_visit
from server.reviews import states
from server.reviews.models import DecisionMade
from server.reviews.terms import Decision, NewDecision
from server.tools import business_day
from server.visits.duties import mark_corrections, settle_visit
from server.visits.models import Visit
from server.visits.sight import stored_visit
from server.visits.terms import Outcome, VisitState


class OwnRecord(NotAllowed):
    """Nobody decides on a record that they made themselves."""

    title = "不能审核自己的记录"
    detail = "不能审核自己填报的走访记录，请由其他审核人员处理。"


def decide(work: Work, visit_id: UUID, new: NewDecision) -> Visit:
    """Decide on a visit; a void or withdrawn one leaves the duty count at once."""
    visit, key = stored_visit(work, visit_id, lock=True)
    _may_decide(work, visit, new.decision)
    if new.revision != visit.revision:
        raise StaleRevision(extra={"revision": visit.revision})
    following = states.after(visit.state, new.decision)
    reason = (new.reason or "").strip()
    if new.decision in states.NEEDS_REASON and not reason:
        raise Invalid(errors={"reason": ["请写明原因。"]})
    before = visit.state
    visit.state = following
    visit.revision += 1
    visit.state_reason_sealed = (
        key.seal(reason, table="visits", column="state_reason_sealed", row=visit.id)
        if reason and key
        else None
    )
    decision_id = work.new_id()
    work.session.add(
        DecisionMade(
            id=decision_id,
            visit_id=visit.id,
            revision=new.revision,
            person_id=visit.person_id,
            decision=new.decision,
            state=following,
            reason_sealed=key.seal(reason, table="visit_decisions", column="reason_sealed", row=decision_id)
            if reason and key
            else None,
            decided_by=work.actor.worker_id,
            decided_at=work.now,
        )
    )
    person = work.session.get_one(Person, visit.person_id)
    if following is VisitState.VOID:
        visit.out_of_count_at = work.now
        withdraw_of_visit(work, visit.id)
        if visit.outcome is Outcome.DEAD:
            work.changed_people.add(person.id)
    mark_corrections(work, person.id, settle_visit(work, person.id, business_day(visit.occurred_at)))
    work.tell(
        f"visit.{new.decision}",
        "visit",
        visit.id,
        person_id=visit.person_id,
        key=key,
        payload={"from": before, "to": following, "revision": visit.revision, "reason": reason},
    )
    return visit


def _may_decide(work: Work, visit: Visit, decision: Decision) -> None:
    actor = work.actor
    if decision is Decision.WITHDRAW:
        if visit.recorder_id != actor.worker_id:
            raise NotAllowed("只有填报人本人可以撤回。")
        return
    if not actor.may(Can.DECIDE_ON_VISITS):
        raise NotAllowed
    if visit.recorder_id == actor.worker_id:
        raise OwnRecord
