"""Calendar periods: every day in exactly one, no gap, no overlap; business days begin at midnight in Shanghai."""

import itertools
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.schedule.periods import (
    DAY,
    SECOND,
    business_day,
    first_second,
    join_until,
    last_second,
    next_period,
    period_of,
    periods_between,
)
from server.schedule.terms import Period, PeriodUnit

days = st.dates(date(1950, 1, 1), date(2150, 12, 31))
units = st.sampled_from(PeriodUnit)


@settings(deadline=None)
@given(units, days)
def test_a_period_holds_its_day_and_every_day_of_it_has_that_period(unit: PeriodUnit, day: date):
    period = period_of(unit, day)
    assert period.start <= day <= period.end
    assert period_of(unit, period.start) == period_of(unit, period.end) == period


@settings(deadline=None)
@given(units, days)
def test_the_next_period_begins_on_the_day_after_and_is_another(unit: PeriodUnit, day: date):
    period = period_of(unit, day)
    after = next_period(unit, period)
    assert after.start == period.end + DAY
    assert after == period_of(unit, after.start)


@settings(deadline=None)
@given(units, days, st.integers(0, 1500))
def test_periods_between_two_days_cover_them_without_gap_or_overlap(
    unit: PeriodUnit, first: date, length: int
):
    last = first + length * DAY
    periods = list(periods_between(unit, first, last))
    assert periods[0].start <= first <= periods[0].end
    assert periods[-1].start <= last <= periods[-1].end
    assert all(later.start == earlier.end + DAY for earlier, later in itertools.pairwise(periods))


@settings(deadline=None)
@given(units, days, st.integers(1, 31))
def test_the_last_day_to_join_lies_in_the_last_month_of_its_period(unit: PeriodUnit, day: date, cutoff: int):
    period = period_of(unit, day)
    until = join_until(unit, period, cutoff)
    assert period.start <= until <= period.end
    if unit is PeriodUnit.ISO_WEEK:
        assert until.isoweekday() == 4
    else:
        assert until.month == period.end.month
        assert until.day == min(cutoff, period.end.day)


@pytest.mark.parametrize(
    ("unit", "day", "start", "end"),
    [
        (PeriodUnit.MONTH, date(2024, 2, 29), date(2024, 2, 1), date(2024, 2, 29)),
        (PeriodUnit.MONTH, date(2023, 2, 28), date(2023, 2, 1), date(2023, 2, 28)),
        (PeriodUnit.MONTH, date(2100, 2, 28), date(2100, 2, 1), date(2100, 2, 28)),
        (PeriodUnit.MONTH, date(2025, 12, 31), date(2025, 12, 1), date(2025, 12, 31)),
        (PeriodUnit.QUARTER, date(2024, 3, 31), date(2024, 1, 1), date(2024, 3, 31)),
        (PeriodUnit.QUARTER, date(2024, 11, 1), date(2024, 10, 1), date(2024, 12, 31)),
        (PeriodUnit.HALF_YEAR, date(2024, 6, 30), date(2024, 1, 1), date(2024, 6, 30)),
        (PeriodUnit.HALF_YEAR, date(2024, 7, 1), date(2024, 7, 1), date(2024, 12, 31)),
        (PeriodUnit.YEAR, date(2024, 2, 29), date(2024, 1, 1), date(2024, 12, 31)),
        (PeriodUnit.ISO_WEEK, date(2021, 1, 3), date(2020, 12, 28), date(2021, 1, 3)),  # week 53 of 2020
        (PeriodUnit.ISO_WEEK, date(2024, 12, 30), date(2024, 12, 30), date(2025, 1, 5)),  # week 1 of 2025
        (PeriodUnit.ISO_WEEK, date.max, date(9999, 12, 27), date.max),
        (PeriodUnit.YEAR, date.max, date(9999, 1, 1), date.max),
        (PeriodUnit.ISO_WEEK, date.min, date.min, date(1, 1, 7)),
    ],
)
def test_periods_end_where_the_calendar_says(unit: PeriodUnit, day: date, start: date, end: date):
    assert period_of(unit, day) == Period(start, end)


def test_a_year_of_53_iso_weeks_has_53():
    weeks = list(periods_between(PeriodUnit.ISO_WEEK, date(2020, 1, 6), date(2020, 12, 31)))
    assert [week.start.isocalendar().week for week in weeks] == list(range(2, 54))


def test_no_periods_lie_between_a_day_and_the_one_before():
    assert list(periods_between(PeriodUnit.MONTH, date(2024, 2, 1), date(2024, 1, 31))) == []


@pytest.mark.parametrize("unit", list(PeriodUnit))
def test_the_end_of_the_calendar_ends_the_list_and_not_the_program(unit: PeriodUnit):
    assert list(periods_between(unit, date(9999, 12, 30), date.max))[-1].end == date.max


def test_a_cutoff_after_the_end_of_february_is_its_last_day():
    assert join_until(PeriodUnit.MONTH, period_of(PeriodUnit.MONTH, date(2023, 2, 1)), 31) == date(
        2023, 2, 28
    )


@settings(deadline=None)
@given(days)
def test_a_business_day_runs_from_midnight_to_the_last_second_in_shanghai(day: date):
    opens, ends = first_second(day), last_second(day)
    assert opens.tzinfo is UTC
    assert ends.tzinfo is UTC
    assert business_day(opens) == business_day(ends) == day
    assert business_day(opens - SECOND) == day - DAY
    assert business_day(ends + SECOND) == day + DAY
    assert business_day(ends + timedelta(microseconds=999_999)) == day


def test_a_new_month_begins_in_shanghai_while_it_is_still_the_old_one_in_utc():
    assert business_day(datetime(2024, 2, 29, 15, 59, 59, tzinfo=UTC)) == date(2024, 2, 29)
    assert business_day(datetime(2024, 2, 29, 16, 0, 0, tzinfo=UTC)) == date(2024, 3, 1)
    assert business_day(datetime(2024, 12, 31, 16, 0, 0, tzinfo=UTC)) == date(2025, 1, 1)


def test_a_naive_instant_has_no_business_day():
    with pytest.raises(ValueError, match="naive"):
        business_day(datetime(2024, 3, 1, 9, 0))  # noqa: DTZ001
