"""Calendar periods and business days: one visit in each month, not one every thirty days (DOMAIN §1.4).

Days are business days of Asia/Shanghai; instants are aware and come back in UTC.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

from server.schedule.terms import Period, PeriodUnit

SHANGHAI = ZoneInfo("Asia/Shanghai")
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
DAYS_OF_A_WEEK = 7
MONTHS_OF_A_YEAR = 12
THURSDAY = timedelta(days=3)
"""How far the day lies from Monday that decides to which year, and here to which newcomers, an ISO week belongs."""

MONTHS: Mapping[PeriodUnit, int] = MappingProxyType(
    {PeriodUnit.MONTH: 1, PeriodUnit.QUARTER: 3, PeriodUnit.HALF_YEAR: 6, PeriodUnit.YEAR: 12}
)


def business_day(instant: datetime) -> date:
    """Give the day in Shanghai on which an instant fell; a naive instant is a `ValueError`."""
    if instant.tzinfo is None:
        raise ValueError("a naive instant has no business day")
    return instant.astimezone(SHANGHAI).date()


def first_second(day: date) -> datetime:
    """Give the instant at which a business day begins, in UTC."""
    return datetime.combine(day, time(0, 0, 0), SHANGHAI).astimezone(UTC)


def last_second(day: date) -> datetime:
    """Give 23:59:59 of a business day, in UTC; whatever falls within that second still belongs to the day."""
    return datetime.combine(day, time(23, 59, 59), SHANGHAI).astimezone(UTC)


def period_of(unit: PeriodUnit, day: date) -> Period:
    """Give the period that a day lies in; every day lies in exactly one of each unit."""
    if unit is PeriodUnit.ISO_WEEK:
        monday = day - timedelta(days=day.weekday())
        # The last week of the calendar itself has no Sunday: the year 10000 cannot be written.
        sunday = min(monday.toordinal() + DAYS_OF_A_WEEK - 1, date.max.toordinal())
        return Period(monday, date.fromordinal(sunday))
    months = MONTHS[unit]
    first = (day.month - 1) // months * months + 1
    return Period(date(day.year, first, 1), _last_of_month(day.year, first + months - 1))


def next_period(unit: PeriodUnit, period: Period) -> Period:
    """Give the period that begins on the day after; `OverflowError` after the year 9999."""
    return period_of(unit, period.end + DAY)


def periods_between(unit: PeriodUnit, first: date, last: date) -> Iterator[Period]:
    """Give every period that has a day from `first` to `last`, in order; none when `last` lies before `first`."""
    if last < first:
        return
    period = period_of(unit, first)
    while True:
        yield period
        if period.end >= last:
            return
        period = next_period(unit, period)


def join_until(unit: PeriodUnit, period: Period, month_cutoff_day: int) -> date:
    """Give the last day on which a newcomer still owes the period that they come into.

    Of a week it is Thursday; of longer periods the day `month_cutoff_day` of the last month, or that month's last day
    where it is shorter.
    """
    if unit is PeriodUnit.ISO_WEEK:
        return period.start + THURSDAY
    return period.end.replace(day=min(month_cutoff_day, period.end.day))


def _last_of_month(year: int, month: int) -> date:
    if month == MONTHS_OF_A_YEAR:
        return date(year, 12, 31)
    return date(year, month + 1, 1) - DAY
