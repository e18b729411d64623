"""Every stage against every decision and every decider, and the diagrams that are drawn from the same tables."""

from itertools import product
from pathlib import Path

import pytest

from server.errors import NotAllowed
from server.problems.terms import ProblemState
from server.reviews.diagram import DUTY_MOVES, states_page
from server.reviews.rules import OwnRecord, Relation, SecondPairOfEyes, may_decide
from server.reviews.states import (
    NEEDS_REASON,
    ON_THE_WIRE,
    RESUBMITTED,
    DecisionNotPossible,
    ReviewStage,
    after,
    stage_of,
)
from server.reviews.terms import Decision
from server.schedule.terms import DutyState
from server.visits.service import OPEN_TO_CORRECTION
from server.visits.terms import VisitState

S, D, R = ReviewStage, Decision, Relation
TRUTH = {
    (S.SUBMITTED, D.ACCEPT): S.ACCEPTED,
    (S.SUBMITTED, D.RETURN): S.RETURNED,
    (S.SUBMITTED, D.VOID): S.VOID,
    (S.SUBMITTED, D.WITHDRAW): S.VOID,
    (S.AWAITING_SECOND, D.ACCEPT): S.ACCEPTED,
    (S.AWAITING_SECOND, D.RETURN): S.RETURNED,
    (S.AWAITING_SECOND, D.VOID): S.VOID,
    (S.AWAITING_SECOND, D.WITHDRAW): S.VOID,
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
NOBODY, MAY = NotAllowed, None
WHO = {
    (D.WITHDRAW, R.RECORDER, True): MAY,
    (D.WITHDRAW, R.RECORDER, False): MAY,
    **{(D.WITHDRAW, one, reviews): NOBODY for one in R if one is not R.RECORDER for reviews in (True, False)},
    **{(decision, one, False): NOBODY for decision in D if decision is not D.WITHDRAW for one in R},
    **{
        (decision, one, True): OwnRecord
        for decision in (D.ACCEPT, D.RETURN, D.VOID)
        for one in (R.RECORDER, R.NAMED)
    },
    (D.ACCEPT, R.FIRST, True): SecondPairOfEyes,
    (D.RETURN, R.FIRST, True): MAY,
    (D.VOID, R.FIRST, True): MAY,
    (D.ACCEPT, R.OTHER, True): MAY,
    (D.RETURN, R.OTHER, True): MAY,
    (D.VOID, R.OTHER, True): MAY,
}


def test_the_truth_tables_are_whole() -> None:
    assert set(TRUTH) == set(product(ReviewStage, Decision))
    assert set(WHO) == set(product(Decision, Relation, (True, False)))


@pytest.mark.parametrize("needs_two", [False, True])
@pytest.mark.parametrize(("stage", "decision"), TRUTH)
def test_a_decision_leads_where_the_table_says(
    stage: ReviewStage, decision: Decision, needs_two: bool
) -> None:
    expected = TRUTH[stage, decision]
    if needs_two and (stage, decision) == (S.SUBMITTED, D.ACCEPT):
        expected = S.AWAITING_SECOND
    if expected is None:
        with pytest.raises(DecisionNotPossible):
            after(stage, decision, needs_two=needs_two)
    else:
        assert after(stage, decision, needs_two=needs_two) is expected


@pytest.mark.parametrize(("decision", "relation", "reviews"), WHO)
def test_who_may_decide_is_what_the_table_says(decision: Decision, relation: Relation, reviews: bool) -> None:
    expected = WHO[decision, relation, reviews]
    if expected is None:
        may_decide(decision, relation, reviews=reviews)
        return
    with pytest.raises(NotAllowed) as refused:
        may_decide(decision, relation, reviews=reviews)
    assert type(refused.value) is expected


def test_who_undoes_somebodys_work_says_why() -> None:
    assert frozenset({D.RETURN, D.VOID}) == NEEDS_REASON


def test_the_wire_knows_four_states_and_each_has_its_stage() -> None:
    assert set(ON_THE_WIRE) == set(ReviewStage)
    assert set(ON_THE_WIRE.values()) == set(VisitState)
    for state in VisitState:
        assert ON_THE_WIRE[stage_of(state, awaits_second=False)] is state
    assert stage_of(VisitState.SUBMITTED, awaits_second=True) is S.AWAITING_SECOND


def test_what_may_be_corrected_is_what_the_recorder_may_send_again() -> None:
    assert {ON_THE_WIRE[stage] for stage in RESUBMITTED} == OPEN_TO_CORRECTION
    assert set(RESUBMITTED.values()) == {S.SUBMITTED}


def test_the_diagram_in_the_docs_is_drawn_from_the_code() -> None:
    page = Path(__file__).parents[2] / "docs" / "states.md"
    assert page.read_text(encoding="utf-8").startswith(states_page())


def test_the_diagram_names_every_state() -> None:
    drawn = {state for before, behind, _ in DUTY_MOVES for state in (before, behind) if state}
    assert drawn == set(DutyState)
    for state in (*ReviewStage, *DutyState, *ProblemState):
        assert f"    {state}: {state.label}" in states_page()
