"""Enrolment histories as properties: whatever is asked, no category holds twice on one day, and death ends all."""

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from server.people.rules import DAY, EnrolmentOverlaps, Span, cut_at_death, refuse_overlap
from server.people.terms import Category, ExitReason

DAYS = st.dates(dt.date(2024, 1, 1), dt.date(2024, 3, 31))
SPANS = st.builds(
    lambda category, start, length: Span(category, start, None if length is None else start + length * DAY),
    st.sampled_from([Category.TEKUN_DISPERSED, Category.DIBAO_RURAL]),
    DAYS,
    st.none() | st.integers(0, 40),
)


def history(spans: list[Span]) -> list[Span]:
    kept: list[Span] = []
    for one in spans:
        try:
            refuse_overlap(kept, one)
        except EnrolmentOverlaps:
            continue
        kept.append(one)
    return kept


def holds(span: Span, day: dt.date) -> bool:
    return span.valid_from <= day and (span.valid_to is None or day <= span.valid_to)


@given(st.lists(SPANS, max_size=8), DAYS)
def test_on_no_day_does_a_category_hold_twice(spans: list[Span], day: dt.date) -> None:
    held = [one.category for one in history(spans) if holds(one, day)]
    assert len(held) == len(set(held))


@given(st.lists(SPANS, max_size=8))
def test_a_span_is_refused_only_when_it_meets_one_that_is_there(spans: list[Span]) -> None:
    kept = history(spans)
    calendar = [dt.date(2024, 1, 1) + number * DAY for number in range(140)]
    for one in set(spans) - set(kept):
        assert any(
            other.category is one.category and any(holds(one, day) and holds(other, day) for day in calendar)
            for other in kept
        )


@given(SPANS, DAYS)
def test_death_leaves_nothing_after_its_day_and_changes_nothing_before_it(span: Span, died: dt.date) -> None:
    left = cut_at_death(span, died)
    for number in range(-100, 100):
        day = died + number * DAY
        after = left is not None and holds(left, day)
        assert after == (holds(span, day) and day <= died)
    if left is not None and left != span:
        assert left.reason is ExitReason.DEATH
