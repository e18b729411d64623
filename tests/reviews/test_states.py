"""Every state against every decision, and the diagram that is drawn from the same table."""

from pathlib import Path

import pytest

from server.reviews.diagram import DUTY_MOVES, states_page
from server.reviews.states import NEEDS_REASON, DecisionNotPossible, after
from server.reviews.terms import Decision
from server.schedule.terms import DutyState
from server.visits.terms import VisitState

S, D = VisitState, Decision
TRUTH = {
    (S.SUBMITTED, D.ACCEPT): S.ACCEPTED,
    (S.SUBMITTED, D.RETURN): S.RETURNED,
    (S.SUBMITTED, D.VOID): S.VOID,
    (S.SUBMITTED, D.WITHDRAW): S.VOID,
    (S.RETURNED, D.ACCEPT): None,
    (S.RETURNED, D.RETURN): None,
    (S.RETURNED, D.VOID): S.VOID,
    (S.RETURNED, D.WITHDRAW): None,
    (S.ACCEPTED, D.ACCEPT): None,
    (S.ACCEPTED, D.RETURN): None,
    (S.ACCEPTED, D.VOID): S.VOID,
    (S.ACCEPTED, D.WITHDRAW): None,
    (S.VOID, D.ACCEPT): None,
    (S.VOID, D.RETURN): None,
    (S.VOID, D.VOID): None,
    (S.VOID, D.WITHDRAW): None,
}


def test_the_truth_table_is_whole() -> None:
    assert set(TRUTH) == {(state, decision) for state in VisitState for decision in Decision}


@pytest.mark.parametrize(("state", "decision"), TRUTH)
def test_a_decision_leads_where_the_table_says(state: VisitState, decision: Decision) -> None:
    expected = TRUTH[state, decision]
    if expected is None:
        with pytest.raises(DecisionNotPossible):
            after(state, decision)
    else:
        assert after(state, decision) is expected


def test_who_undoes_somebodys_work_says_why() -> None:
    assert frozenset({D.RETURN, D.VOID}) == NEEDS_REASON


def test_the_diagram_in_the_docs_is_drawn_from_the_code() -> None:
    page = Path(__file__).parents[2] / "docs" / "states.md"
    assert page.read_text(encoding="utf-8").startswith(states_page())


def test_the_diagram_names_every_state() -> None:
    drawn = {state for before, behind, _ in DUTY_MOVES for state in (before, behind) if state}
    assert drawn == set(DutyState)
    for state in (*VisitState, *DutyState):
        assert f"    {state}: {state.label}" in states_page()
