"""Every state against every step, and the diagrams that are drawn from the same tables."""

from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from server.reviews.diagram import states_page
from server.spotchecks.diagram import spot_check_states
from server.spotchecks.states import (
    CheckStepNotPossible,
    PlanStepNotPossible,
    RectificationStepNotPossible,
    after_check,
    after_plan,
    after_rectification,
)
from server.spotchecks.terms import (
    RectificationState,
    RectificationStep,
    SpotCheckPlanState,
    SpotCheckPlanStep,
    SpotCheckState,
    SpotCheckStep,
)

P, PS = SpotCheckPlanState, SpotCheckPlanStep
C, CS = SpotCheckState, SpotCheckStep
R, RS = RectificationState, RectificationStep
POSSIBLE: dict[tuple[Any, Any], Any] = {
    (P.PLANNED, PS.COMMIT): P.COMMITTED,
    (P.PLANNED, PS.ANNUL): P.ANNULLED,
    (P.COMMITTED, PS.FREEZE): P.FROZEN,
    (P.COMMITTED, PS.ANNUL): P.ANNULLED,
    (P.FROZEN, PS.DRAW): P.DRAWN,
    (P.FROZEN, PS.ANNUL): P.ANNULLED,
    (C.DRAWN, CS.ASSIGN): C.ASSIGNED,
    (C.ASSIGNED, CS.ASSIGN): C.ASSIGNED,
    (C.ASSIGNED, CS.TRY): C.ASSIGNED,
    (C.ASSIGNED, CS.SUBMIT): C.CHECKED,
    (C.ASSIGNED, CS.GIVE_UP): C.NOT_POSSIBLE,
    (C.NOT_POSSIBLE, CS.ASSIGN): C.ASSIGNED,
    (C.CHECKED, CS.JUDGE): C.JUDGED,
    (C.CHECKED, CS.SEND_TO_INQUIRY): C.INQUIRY,
    (C.INQUIRY, CS.JUDGE): C.JUDGED,
    (R.OPEN, RS.NOTIFY): R.NOTIFIED,
    (R.OPEN, RS.WITHDRAW): R.WITHDRAWN,
    (R.NOTIFIED, RS.NOTIFY): R.NOTIFIED,
    (R.NOTIFIED, RS.ANSWER): R.ANSWERED,
    (R.NOTIFIED, RS.WITHDRAW): R.WITHDRAWN,
    (R.ANSWERED, RS.RECHECK): R.RECHECKED,
    (R.RECHECKED, RS.CLOSE): R.CLOSED,
    (R.RECHECKED, RS.REOPEN): R.REOPENED,
    (R.CLOSED, RS.REOPEN): R.REOPENED,
    (R.REOPENED, RS.NOTIFY): R.REOPENED,
    (R.REOPENED, RS.ANSWER): R.ANSWERED,
    (R.REOPENED, RS.WITHDRAW): R.WITHDRAWN,
}
TABLES: tuple[tuple[Any, Any, Callable[..., Any], type[Exception]], ...] = (
    (P, PS, after_plan, PlanStepNotPossible),
    (C, CS, after_check, CheckStepNotPossible),
    (R, RS, after_rectification, RectificationStepNotPossible),
)
CASES = [
    (after, refusal, state, step)
    for states, steps, after, refusal in TABLES
    for state, step in product(states, steps)
]


@pytest.mark.parametrize(("after", "refusal", "state", "step"), CASES)
def test_a_step_leads_where_the_table_says(
    after: Callable[..., Any], refusal: type[Exception], state: Any, step: Any
) -> None:
    expected = POSSIBLE.get((state, step))
    if expected is None:
        with pytest.raises(refusal):
            after(state, step)
    else:
        assert after(state, step) is expected


def test_every_state_but_the_first_is_reached() -> None:
    for states, first in ((P, P.PLANNED), (C, C.DRAWN), (R, R.OPEN)):
        assert {state for state in POSSIBLE.values() if isinstance(state, states)} == set(states) - {first}


def test_the_diagrams_in_the_docs_are_drawn_from_the_code() -> None:
    page = Path(__file__).parents[2] / "docs" / "states.md"
    assert page.read_text(encoding="utf-8") == states_page() + spot_check_states()
    for state in (*P, *C, *R):
        assert f"    {state}: {state.label}" in spot_check_states()
