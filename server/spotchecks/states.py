"""From which state a step leads to which: of a plan, of one visit of a sample, of a rectification."""

from collections.abc import Mapping
from typing import TypeVar

from server.errors import Conflict
from server.spotchecks.terms import (
    RectificationState,
    RectificationStep,
    SpotCheckPlanState,
    SpotCheckPlanStep,
    SpotCheckState,
    SpotCheckStep,
)
from server.terms import Term

State = TypeVar("State", bound=Term)
Step = TypeVar("Step", bound=Term)

_P, _PS = SpotCheckPlanState, SpotCheckPlanStep
PLANS: Mapping[tuple[SpotCheckPlanState, SpotCheckPlanStep], SpotCheckPlanState] = {
    (_P.PLANNED, _PS.COMMIT): _P.COMMITTED,
    (_P.COMMITTED, _PS.FREEZE): _P.FROZEN,
    (_P.FROZEN, _PS.DRAW): _P.DRAWN,
    (_P.PLANNED, _PS.ANNUL): _P.ANNULLED,
    (_P.COMMITTED, _PS.ANNUL): _P.ANNULLED,
    (_P.FROZEN, _PS.ANNUL): _P.ANNULLED,
}
"""A plan that was drawn is not annulled: whoever does not like a sample must not get another one."""

_C, _CS = SpotCheckState, SpotCheckStep
CHECKS: Mapping[tuple[SpotCheckState, SpotCheckStep], SpotCheckState] = {
    (_C.DRAWN, _CS.ASSIGN): _C.ASSIGNED,
    (_C.ASSIGNED, _CS.ASSIGN): _C.ASSIGNED,
    (_C.NOT_POSSIBLE, _CS.ASSIGN): _C.ASSIGNED,
    (_C.ASSIGNED, _CS.TRY): _C.ASSIGNED,
    (_C.ASSIGNED, _CS.SUBMIT): _C.CHECKED,
    (_C.ASSIGNED, _CS.GIVE_UP): _C.NOT_POSSIBLE,
    (_C.CHECKED, _CS.JUDGE): _C.JUDGED,
    (_C.CHECKED, _CS.SEND_TO_INQUIRY): _C.INQUIRY,
    (_C.INQUIRY, _CS.JUDGE): _C.JUDGED,
}

_R, _RS = RectificationState, RectificationStep
RECTIFICATIONS: Mapping[tuple[RectificationState, RectificationStep], RectificationState] = {
    (_R.OPEN, _RS.NOTIFY): _R.NOTIFIED,
    (_R.NOTIFIED, _RS.NOTIFY): _R.NOTIFIED,
    (_R.REOPENED, _RS.NOTIFY): _R.REOPENED,
    (_R.NOTIFIED, _RS.ANSWER): _R.ANSWERED,
    (_R.REOPENED, _RS.ANSWER): _R.ANSWERED,
    (_R.ANSWERED, _RS.RECHECK): _R.RECHECKED,
    (_R.RECHECKED, _RS.CLOSE): _R.CLOSED,
    (_R.RECHECKED, _RS.REOPEN): _R.REOPENED,
    (_R.CLOSED, _RS.REOPEN): _R.REOPENED,
    (_R.OPEN, _RS.WITHDRAW): _R.WITHDRAWN,
    (_R.NOTIFIED, _RS.WITHDRAW): _R.WITHDRAWN,
    (_R.REOPENED, _RS.WITHDRAW): _R.WITHDRAWN,
}
WAITS_FOR_OWNER = frozenset({_R.NOTIFIED, _R.REOPENED})
"""The owner owes an answer by `due_on`."""
WAITS_FOR_RECHECK = frozenset({_R.ANSWERED})
"""The township owes a look at what was answered by `due_on`."""


class PlanStepNotPossible(Conflict):
    """The plan's state does not allow this step: first the commitment, then the frame, then the draw, each once."""

    title = "抽查计划不能这样处理"
    detail = "抽查依次是：承诺种子、封存名单、公布种子并抽取，每步只做一次，抽取后不能作废。请刷新后再看。"


class CheckStepNotPossible(Conflict):
    """The state of this visit of the sample does not allow this step."""

    title = "抽查件不能这样处理"
    detail = "这件抽查目前的状态不能这样处理，请刷新后再看。"


class RectificationStepNotPossible(Conflict):
    """The rectification's state does not allow this step."""

    title = "整改不能这样处理"
    detail = "这件整改目前的状态不能这样处理，请刷新后再看。"


def after_plan(state: SpotCheckPlanState, step: SpotCheckPlanStep) -> SpotCheckPlanState:
    """Give the state that a step of a plan leads to, or refuse it."""
    return _after(PLANS, state, step, PlanStepNotPossible)


def after_check(state: SpotCheckState, step: SpotCheckStep) -> SpotCheckState:
    """Give the state that a step of a check leads to, or refuse it."""
    return _after(CHECKS, state, step, CheckStepNotPossible)


def after_rectification(state: RectificationState, step: RectificationStep) -> RectificationState:
    """Give the state that a step of a rectification leads to, or refuse it."""
    return _after(RECTIFICATIONS, state, step, RectificationStepNotPossible)


def _after(
    moves: Mapping[tuple[State, Step], State], state: State, step: Step, refusal: type[Conflict]
) -> State:
    following = moves.get((state, step))
    if following is None:
        raise refusal
    return following
