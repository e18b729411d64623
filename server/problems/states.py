"""From which state a step leads a problem to which; the diagram in docs/states.md is drawn from this table."""

from collections.abc import Mapping

from server.errors import Conflict
from server.problems.terms import ProblemState, ProblemStep

TRANSITIONS: Mapping[tuple[ProblemState, ProblemStep], ProblemState] = {
    (ProblemState.OPEN, ProblemStep.START): ProblemState.IN_PROGRESS,
    (ProblemState.OPEN, ProblemStep.ANSWER): ProblemState.ANSWERED,
    (ProblemState.OPEN, ProblemStep.ASSIGN): ProblemState.OPEN,
    (ProblemState.OPEN, ProblemStep.WITHDRAW): ProblemState.WITHDRAWN,
    (ProblemState.IN_PROGRESS, ProblemStep.ANSWER): ProblemState.ANSWERED,
    (ProblemState.IN_PROGRESS, ProblemStep.ASSIGN): ProblemState.IN_PROGRESS,
    (ProblemState.IN_PROGRESS, ProblemStep.UNMENTIONED): ProblemState.IN_PROGRESS,
    (ProblemState.IN_PROGRESS, ProblemStep.WITHDRAW): ProblemState.WITHDRAWN,
    (ProblemState.ANSWERED, ProblemStep.CLOSE): ProblemState.CLOSED,
    (ProblemState.ANSWERED, ProblemStep.REOPEN): ProblemState.REOPENED,
    (ProblemState.ANSWERED, ProblemStep.UNMENTIONED): ProblemState.ANSWERED,
    (ProblemState.ANSWERED, ProblemStep.WITHDRAW): ProblemState.WITHDRAWN,
    (ProblemState.REOPENED, ProblemStep.START): ProblemState.IN_PROGRESS,
    (ProblemState.REOPENED, ProblemStep.ANSWER): ProblemState.ANSWERED,
    (ProblemState.REOPENED, ProblemStep.ASSIGN): ProblemState.REOPENED,
    (ProblemState.REOPENED, ProblemStep.UNMENTIONED): ProblemState.REOPENED,
    (ProblemState.REOPENED, ProblemStep.WITHDRAW): ProblemState.WITHDRAWN,
    (ProblemState.FIXED, ProblemStep.CLOSE): ProblemState.CLOSED,
    (ProblemState.FIXED, ProblemStep.REOPEN): ProblemState.REOPENED,
    (ProblemState.FIXED, ProblemStep.WITHDRAW): ProblemState.WITHDRAWN,
    (ProblemState.CLOSED, ProblemStep.REOPEN): ProblemState.REOPENED,
    (ProblemState.CLOSED, ProblemStep.UNMENTIONED): ProblemState.CLOSED,
    (ProblemState.CLOSED, ProblemStep.WITHDRAW): ProblemState.WITHDRAWN,
}

DONE_WITH = frozenset({ProblemState.CLOSED, ProblemState.WITHDRAWN})
"""Nothing has to be done any more."""
TO_CHECK = frozenset({ProblemState.ANSWERED, ProblemState.FIXED})
"""Somebody says that it is put right; somebody else has to look."""
NOT_BEGUN = frozenset({ProblemState.OPEN, ProblemState.FIXED})
"""Nobody but the finder has touched it: a correction of the visit may still take it back."""
BY_CHECKERS = frozenset({ProblemStep.CLOSE, ProblemStep.REOPEN, ProblemStep.ASSIGN})
"""Steps for those who check."""
BY_THE_HOUSE = frozenset({ProblemStep.UNMENTIONED, ProblemStep.WITHDRAW})
"""Steps that follow from what becomes of the visit; nobody takes them by hand."""
NEEDS_NOTE = frozenset({ProblemStep.ANSWER, ProblemStep.REOPEN, ProblemStep.ASSIGN})
"""Steps that say what was done, or why."""


class StepNotPossible(Conflict):
    """The problem's state does not allow this step (an answer is checked before the next, a withdrawn problem is over)."""

    title = "不能这样处理"
    detail = "这个问题目前的状态不能这样处理，请刷新后再看。"


def after(state: ProblemState, step: ProblemStep) -> ProblemState:
    """Give the state that a step leads to, or refuse it."""
    following = TRANSITIONS.get((state, step))
    if following is None:
        raise StepNotPossible
    return following
