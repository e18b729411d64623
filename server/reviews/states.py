"""From which state a decision leads to which; the whole truth table is a test."""

from collections.abc import Mapping

from server.errors import Conflict
from server.reviews.terms import Decision
from server.visits.terms import VisitState

TRANSITIONS: Mapping[tuple[VisitState, Decision], VisitState] = {
    (VisitState.SUBMITTED, Decision.ACCEPT): VisitState.ACCEPTED,
    (VisitState.SUBMITTED, Decision.RETURN): VisitState.RETURNED,
    (VisitState.SUBMITTED, Decision.VOID): VisitState.VOID,
    (VisitState.SUBMITTED, Decision.WITHDRAW): VisitState.VOID,
    (VisitState.RETURNED, Decision.VOID): VisitState.VOID,
    (VisitState.ACCEPTED, Decision.VOID): VisitState.VOID,
}
NEEDS_REASON = frozenset({Decision.RETURN, Decision.VOID})


class DecisionNotPossible(Conflict):
    """The record's state does not allow this decision (an accepted record can only be voided, a void one nothing)."""

    title = "不能这样处理"
    detail = "这条记录目前的状态不能这样处理，请刷新后再看。"


def after(state: VisitState, decision: Decision) -> VisitState:
    """Give the state that a decision leads to, or refuse it."""
    following = TRANSITIONS.get((state, decision))
    if following is None:
        raise DecisionNotPossible
    return following
