"""Comparing a back-check with the record, and what may be said from few: pure rules."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.spotchecks.comparing import KINDS, Compared, Tolerances, compare, interval, propose
from server.spotchecks.terms import QuestionKind, Recall, SpotCheckResult
from server.visits.answers import NOT_ASKED, QUESTIONS, SEALED, AnswerKind

USUAL = Tolerances(number=1, days=3, minor_from=1, major_from=3)


def differing(one: dict[str, Any], other: dict[str, Any], tolerances: Tolerances = USUAL) -> dict[str, bool]:
    return {found.question: found.differs for found in compare(one, other, tolerances)}


def test_only_what_both_answered_is_compared() -> None:
    recorded = {"water": "tap", "food": NOT_ASKED, "living_with": "alone"}
    checked = {"water": "well", "food": "poor", "living_with": NOT_ASKED, "gas": "ok"}
    assert differing(recorded, checked) == {"water": True}


def test_words_in_any_order_and_numbers_within_the_tolerance_are_the_same() -> None:
    recorded: dict[str, Any] = {
        "chronic": ["heart", "lung"], "satisfaction": 4, "food_stock_days": 10, "care_fee_known": True,
    }  # fmt: skip
    checked = {
        "chronic": ("lung", "heart"), "satisfaction": 5, "food_stock_days": 12, "care_fee_known": False,
    }  # fmt: skip
    assert differing(recorded, checked) == {
        "chronic": False, "satisfaction": False, "food_stock_days": True, "care_fee_known": True,
    }  # fmt: skip
    assert differing(recorded, checked, Tolerances(2, 3, 1, 3))["food_stock_days"] is False


def test_the_questions_asked_again_have_answers_that_can_be_compared() -> None:
    assert not set(KINDS) & SEALED
    assert {QUESTIONS[name].kind for name in KINDS} <= set(AnswerKind) - {AnswerKind.TEXT, AnswerKind.DAY}
    assert {KINDS[name] for name in KINDS} == set(QuestionKind)


def found(*kinds: QuestionKind) -> list[Compared]:
    return [Compared(str(number), kind, differs=True) for number, kind in enumerate(kinds)]


ONE, TWO, THREE = QuestionKind


@pytest.mark.parametrize(
    ("recall", "differences", "day", "expected"),
    [
        (Recall.CONFIRMED, found(), None, "pass"),
        (Recall.CONFIRMED, found(), True, "pass"),
        (Recall.CONFIRMED, found(), False, "minor"),
        (Recall.CONFIRMED, found(TWO, TWO, THREE, THREE, THREE), None, "pass"),
        (Recall.CONFIRMED, found(ONE), None, "minor"),
        (Recall.CONFIRMED, found(ONE, ONE), None, "minor"),
        (Recall.CONFIRMED, found(ONE, ONE, ONE), None, "major"),
        (Recall.CANNOT_REMEMBER, found(), None, "pass"),
        (Recall.DENIED, found(), None, "needs_inquiry"),
        (Recall.DENIED, found(ONE, ONE, ONE), None, "needs_inquiry"),
        (Recall.UNREACHABLE, found(), None, None),
    ],
)
def test_what_is_proposed(
    recall: Recall, differences: list[Compared], day: bool | None, expected: str | None
) -> None:
    assert propose(recall, differences, USUAL, day=day) == expected


@given(
    st.sampled_from(list(Recall)), st.lists(st.sampled_from(list(QuestionKind))), st.none() | st.booleans()
)
def test_a_proposal_never_says_that_a_visit_was_invented(
    recall: Recall, kinds: list[QuestionKind], day: bool | None
) -> None:
    """Who denies a visit may be confused; that leads to people asking, whatever else differs."""
    proposed = propose(recall, found(*kinds), USUAL, day=day)
    assert (proposed is SpotCheckResult.NEEDS_INQUIRY) == (recall is Recall.DENIED)


@given(st.integers(1, 500), st.data())
def test_the_interval_holds_the_share_and_narrows_as_more_is_compared(
    compared: int, data: st.DataObject
) -> None:
    differing_count = data.draw(st.integers(0, compared))
    span = interval(differing_count, compared)
    wider = interval(differing_count * 4, compared * 4)
    assert span is not None
    assert wider is not None
    assert 0 <= span.low <= differing_count / compared <= span.high <= 1
    assert wider.high - wider.low < span.high - span.low


def test_the_interval_is_wilsons() -> None:
    assert interval(0, 0) is None
    span = interval(1, 10)
    assert span is not None
    assert (round(span.low, 4), round(span.high, 4)) == (0.0179, 0.4042)
