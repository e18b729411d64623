"""From which stage a decision leads to which; the whole truth table is a test, the diagram in the docs is drawn from it.

The wire knows four states. A record that needs a second pair of eyes is at a stage of its own between the first
reviewer's acceptance and the second one's: on the wire it is `submitted`, with `awaiting_second`.
"""

from collections.abc import Mapping

from server.errors import Conflict
from server.reviews.terms import Decision, ReviewStage
from server.visits.terms import VisitState

ON_THE_WIRE: Mapping[ReviewStage, VisitState] = {
    ReviewStage.SUBMITTED: VisitState.SUBMITTED,
    ReviewStage.AWAITING_SECOND: VisitState.SUBMITTED,
    ReviewStage.RETURNED: VisitState.RETURNED,
    ReviewStage.ACCEPTED: VisitState.ACCEPTED,
    ReviewStage.VOID: VisitState.VOID,
}
TRANSITIONS: Mapping[tuple[ReviewStage, Decision], ReviewStage] = {
    (ReviewStage.SUBMITTED, Decision.ACCEPT): ReviewStage.ACCEPTED,
    (ReviewStage.SUBMITTED, Decision.RETURN): ReviewStage.RETURNED,
    (ReviewStage.SUBMITTED, Decision.VOID): ReviewStage.VOID,
    (ReviewStage.SUBMITTED, Decision.WITHDRAW): ReviewStage.VOID,
    (ReviewStage.AWAITING_SECOND, Decision.ACCEPT): ReviewStage.ACCEPTED,
    (ReviewStage.AWAITING_SECOND, Decision.RETURN): ReviewStage.RETURNED,
    (ReviewStage.AWAITING_SECOND, Decision.VOID): ReviewStage.VOID,
    (ReviewStage.AWAITING_SECOND, Decision.WITHDRAW): ReviewStage.VOID,
    (ReviewStage.RETURNED, Decision.VOID): ReviewStage.VOID,
    (ReviewStage.ACCEPTED, Decision.VOID): ReviewStage.VOID,
}
FIRST_OF_TWO: Mapping[tuple[ReviewStage, Decision], ReviewStage] = {
    (ReviewStage.SUBMITTED, Decision.ACCEPT): ReviewStage.AWAITING_SECOND,
}
"""Where a decision leads instead while the record needs a second pair of eyes."""
RESUBMITTED: Mapping[ReviewStage, ReviewStage] = {
    ReviewStage.SUBMITTED: ReviewStage.SUBMITTED,
    ReviewStage.AWAITING_SECOND: ReviewStage.SUBMITTED,
    ReviewStage.RETURNED: ReviewStage.SUBMITTED,
}
"""Where a correction by the recorder (PUT ?revision=N) leads; both pairs of eyes then look anew."""
NEEDS_REASON = frozenset({Decision.RETURN, Decision.VOID})


class DecisionNotPossible(Conflict):
    """The record's state does not allow this decision (an accepted record can only be voided, a void one nothing)."""

    title = "不能这样处理"
    detail = "这条记录目前的状态不能这样处理，请刷新后再看。"


_STAGES = {state: stage for stage, state in ON_THE_WIRE.items() if stage is not ReviewStage.AWAITING_SECOND}


def stage_of(state: VisitState, *, awaits_second: bool) -> ReviewStage:
    """Give the stage of a record."""
    return ReviewStage.AWAITING_SECOND if awaits_second else _STAGES[state]


def after(stage: ReviewStage, decision: Decision, *, needs_two: bool = False) -> ReviewStage:
    """Give the stage that a decision leads to, or refuse it; `needs_two`: the record needs a second pair of eyes."""
    following = FIRST_OF_TWO.get((stage, decision)) if needs_two else None
    following = following or TRANSITIONS.get((stage, decision))
    if following is None:
        raise DecisionNotPossible
    return following
