"""Every state of a problem against every step: what leads where, and what is never possible."""

from itertools import product

import pytest

from server.problems.models import state_of
from server.problems.states import (
    BY_CHECKERS,
    BY_THE_HOUSE,
    DONE_WITH,
    NEEDS_NOTE,
    NOT_BEGUN,
    TO_CHECK,
    StepNotPossible,
    after,
)
from server.problems.terms import ProblemState, ProblemStep

S, T = ProblemState, ProblemStep
POSSIBLE = {
    S.OPEN: {T.START: S.IN_PROGRESS, T.ANSWER: S.ANSWERED, T.ASSIGN: S.OPEN, T.WITHDRAW: S.WITHDRAWN},
    S.IN_PROGRESS: {
        T.ANSWER: S.ANSWERED,
        T.ASSIGN: S.IN_PROGRESS,
        T.UNMENTIONED: S.IN_PROGRESS,
        T.WITHDRAW: S.WITHDRAWN,
    },
    S.ANSWERED: {
        T.CLOSE: S.CLOSED,
        T.REOPEN: S.REOPENED,
        T.UNMENTIONED: S.ANSWERED,
        T.WITHDRAW: S.WITHDRAWN,
    },
    S.REOPENED: {
        T.START: S.IN_PROGRESS,
        T.ANSWER: S.ANSWERED,
        T.ASSIGN: S.REOPENED,
        T.UNMENTIONED: S.REOPENED,
        T.WITHDRAW: S.WITHDRAWN,
    },
    S.FIXED: {T.CLOSE: S.CLOSED, T.REOPEN: S.REOPENED, T.WITHDRAW: S.WITHDRAWN},
    S.CLOSED: {T.REOPEN: S.REOPENED, T.UNMENTIONED: S.CLOSED, T.WITHDRAW: S.WITHDRAWN},
    S.WITHDRAWN: {},
}


@pytest.mark.parametrize(("state", "step"), list(product(ProblemState, ProblemStep)))
def test_a_step_leads_where_the_table_says(state: ProblemState, step: ProblemStep) -> None:
    expected = POSSIBLE[state].get(step)
    if expected is None:
        with pytest.raises(StepNotPossible):
            after(state, step)
    else:
        assert after(state, step) is expected


def test_only_a_check_closes_a_problem() -> None:
    to_closed = {(state, step) for state, step in product(S, T) if POSSIBLE[state].get(step) is S.CLOSED}
    assert to_closed == {(state, T.CLOSE) for state in TO_CHECK} | {(S.CLOSED, T.UNMENTIONED)}
    assert T.CLOSE in BY_CHECKERS


def test_the_sets_of_states_and_steps_do_not_overlap() -> None:
    assert not BY_CHECKERS & BY_THE_HOUSE
    assert not NEEDS_NOTE & BY_THE_HOUSE
    assert not DONE_WITH & (TO_CHECK | NOT_BEGUN)


@pytest.mark.parametrize(
    ("raised", "stage", "expected"),
    [
        ("open", "open", "open"),
        ("fixed", "open", "fixed"),  # written by the version before
        ("fixed", "fixed", "fixed"),
        ("fixed", "closed", "closed"),
        ("open", "in_progress", "in_progress"),
        ("withdrawn", "in_progress", "withdrawn"),  # withdrawn by the version before
        ("withdrawn", "withdrawn", "withdrawn"),
    ],
)
def test_what_two_versions_wrote_reads_as_one_state(raised: str, stage: str, expected: str) -> None:
    assert state_of(raised, ProblemState(stage)) is ProblemState(expected)  # type: ignore[call-arg]
