"""By when a problem must be put right, whose it is, and how far it has escalated."""

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from server.problems.rules import days_overdue, escalation, owned_by
from server.problems.terms import Deadlines, OwnerKind, Severity

days = st.dates(dt.date(2020, 1, 1), dt.date(2035, 1, 1))
DEADLINES = Deadlines({Severity.LOW: 30, Severity.MEDIUM: 15, Severity.HIGH: 7, Severity.URGENT: 1}, 5)


@given(days, st.sampled_from(Severity), st.none() | days)
def test_a_finder_may_ask_for_an_earlier_day_and_never_a_later_one(
    found_on: dt.date, severity: Severity, asked: dt.date | None
) -> None:
    due_on = DEADLINES.first(severity, found_on, asked)
    assert found_on <= due_on <= found_on + dt.timedelta(days=DEADLINES.by_severity[severity])
    if asked is not None and found_on <= asked <= DEADLINES.first(severity, found_on):
        assert due_on == asked


@given(days, days, st.booleans())
def test_nothing_is_overdue_on_its_due_day_or_once_it_is_done_with(
    due_on: dt.date, today: dt.date, done_with: bool
) -> None:
    overdue = days_overdue(due_on, today, done_with=done_with)
    assert overdue >= 0
    assert (overdue > 0) is (today > due_on and not done_with)


@given(st.integers(0, 400), st.lists(st.integers(1, 90), min_size=1, max_size=3))
def test_escalation_never_falls_as_days_go_by(overdue: int, steps: list[int]) -> None:
    level = escalation(overdue, steps)
    assert escalation(overdue + 1, steps) >= level
    assert level == 0 or overdue >= steps[level - 1]
    assert all(overdue < days for days in steps[level:])


def test_what_the_village_cannot_settle_is_the_townships() -> None:
    assert owned_by(restricted=True, for_township=False) is OwnerKind.CHIEF
    assert owned_by(restricted=False, for_township=True) is OwnerKind.CHIEF
    assert owned_by(restricted=False, for_township=False) is OwnerKind.RESPONSIBLE
