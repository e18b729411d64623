"""How a duty stands: the whole truth table, the examples of DOMAIN §12.2, and midnight in Shanghai."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from server.schedule.rules import (
    VisitRuleWrong,
    check_rule,
    days_overdue,
    emergency_window,
    overdue_on,
    pause_on,
    state,
    tally,
)
from server.schedule.seed import SEED_RULES
from server.schedule.terms import Contact, DutyFacts, DutyState, PauseReason
from tests.schedule.duty_builders import at, attempt, emergency, monthly, pause, visit

FEBRUARY = monthly("2024-02")
OPEN, DUE_SOON, MET, MET_LATE, OVERDUE, MISSED, PAUSED, CANCELLED = DutyState


def stands(facts: DutyFacts, contacts: list[Contact], day: str) -> DutyState:
    return state(facts, contacts, date.fromisoformat(day))


MARCH_LATE = [visit("2024-02-20", received="2024-03-01 00:00:00")]
JUST_IN_TIME = [visit("2024-02-29 23:59:59", received="2024-02-29 23:59:59")]
RESTING = monthly("2024-02", pauses=(pause("2024-02-05", "2024-02-25"),))
RESTING_OVER_THE_END = monthly("2024-02", pauses=(pause("2024-02-05", "2024-03-25"),))
LEFT_INSIDE = monthly("2024-02", exit_on="2024-02-15")
LEFT_ON_THE_DUE_DATE = monthly("2024-02", exit_on="2024-02-29")
LEFT_ON_THE_DAY_AFTER = monthly("2024-02", exit_on="2024-03-01")
LEFT_LATER = monthly("2024-02", exit_on="2024-03-15")
LEFT_BEFORE = monthly("2024-02", exit_on="2024-01-15")
FOUND_DEAD_INSIDE = [visit("2024-02-12", counts=False, dead=True)]
FOUND_DEAD_LATER = [visit("2024-03-12", counts=False, dead=True)]
FOUND_DEAD_BEFORE = [visit("2024-01-12", counts=False, dead=True)]
TWICE = monthly("2024-02", required=2)
FACE_TO_FACE = monthly("2024-02", in_person=1)
CALL = visit("2024-02-10", in_person=False)
CALL_IN_THE_PAUSE = visit("2024-02-25 23:59:59", in_person=False)
CALL_AFTER_THE_PAUSE = visit("2024-02-26 00:00:00", in_person=False)
ALARM = emergency("2024-02-10 14:00:00")

TABLE: list[tuple[str, DutyFacts, list[Contact], str, DutyState]] = [
    ("nobody came, long before", FEBRUARY, [], "2024-01-15", OPEN),
    ("nobody came, first day", FEBRUARY, [], "2024-02-01", OPEN),
    ("nobody came, day before the alert", FEBRUARY, [], "2024-02-18", OPEN),
    ("nobody came, day of the alert", FEBRUARY, [], "2024-02-19", DUE_SOON),
    ("nobody came, due date", FEBRUARY, [], "2024-02-29", DUE_SOON),
    ("nobody came, day after", FEBRUARY, [], "2024-03-01", OVERDUE),
    ("nobody came, a year after", FEBRUARY, [], "2025-03-01", OVERDUE),
    ("seen, on the day before it", FEBRUARY, [visit("2024-02-20")], "2024-02-18", OPEN),
    ("seen, on the day", FEBRUARY, [visit("2024-02-20")], "2024-02-20", MET),
    ("seen, for ever after", FEBRUARY, [visit("2024-02-20")], "2030-01-01", MET),
    ("seen twice where once is owed", FEBRUARY, [visit("2024-02-02"), visit("2024-02-20")], "2024-03-05", MET),
    ("seen in the first second", FEBRUARY, [visit("2024-02-01 00:00:00")], "2024-03-05", MET),
    ("seen in the last second", FEBRUARY, JUST_IN_TIME, "2024-03-05", MET),
    ("seen in the second before", FEBRUARY, [visit("2024-01-31 23:59:59")], "2024-03-05", OVERDUE),
    ("seen in the second after, due date", FEBRUARY, [visit("2024-03-01 00:00:00")], "2024-02-29", DUE_SOON),
    ("seen in the second after", FEBRUARY, [visit("2024-03-01 00:00:00")], "2024-03-01", MISSED),
    ("received one second late", FEBRUARY, MARCH_LATE, "2024-03-05", MET_LATE),
    ("received late, inside the period", FEBRUARY, MARCH_LATE, "2024-02-25", MET_LATE),
    ("one received late, one in time", FEBRUARY, [*MARCH_LATE, visit("2024-02-25")], "2024-03-05", MET),
    ("tried only", FEBRUARY, [attempt("2024-02-20")], "2024-03-01", OVERDUE),
    ("tried after the end", FEBRUARY, [attempt("2024-03-02")], "2024-03-05", OVERDUE),
    ("tried, then seen after the end", FEBRUARY, [attempt("2024-02-20"), visit("2024-03-04")], "2024-03-03", OVERDUE),
    ("tried, then seen after the end, that day", FEBRUARY, [visit("2024-03-04")], "2024-03-04", MISSED),
    ("seen inside and after", FEBRUARY, [visit("2024-02-20"), visit("2024-03-04")], "2024-03-04", MET),
    ("one of two", TWICE, [visit("2024-02-20")], "2024-02-25", DUE_SOON),
    ("one of two, after", TWICE, [visit("2024-02-20")], "2024-03-01", OVERDUE),
    ("two of two", TWICE, [visit("2024-02-20"), visit("2024-02-20")], "2024-03-01", MET),
    ("two of two, the second late", TWICE, [*MARCH_LATE, visit("2024-02-21")], "2024-03-05", MET_LATE),
    ("one inside, one after", TWICE, [visit("2024-02-20"), visit("2024-03-02")], "2024-03-05", MISSED),
    ("called where a face is owed", FACE_TO_FACE, [CALL], "2024-03-01", OVERDUE),
    ("called, then seen", FACE_TO_FACE, [CALL, visit("2024-02-28")], "2024-03-01", MET),
    ("called, closed by another call", FACE_TO_FACE, [CALL, visit("2024-03-02", in_person=False)], "2024-03-02", MISSED),
    ("before the pause", RESTING, [], "2024-02-04", OPEN),
    ("first day of the pause", RESTING, [], "2024-02-05", PAUSED),
    ("last day of the pause, past the alert", RESTING, [], "2024-02-25", PAUSED),
    ("after the pause", RESTING, [], "2024-02-26", DUE_SOON),
    ("paused and never called", RESTING, [], "2024-03-01", OVERDUE),
    ("pause over the end, due date", RESTING_OVER_THE_END, [], "2024-02-29", PAUSED),
    ("pause over the end, day after", RESTING_OVER_THE_END, [], "2024-03-01", OVERDUE),
    ("called in the pause", RESTING, [CALL], "2024-02-10", MET),
    ("a pause waives the face", replace(RESTING, in_person=1), [CALL_AFTER_THE_PAUSE], "2024-02-26", MET),
    ("one call in the pause is enough", replace(RESTING, required=3), [CALL_IN_THE_PAUSE], "2024-02-25", MET),
    ("one call after it is not", replace(RESTING, required=3), [CALL_AFTER_THE_PAUSE], "2024-03-01", OVERDUE),
    ("a pause elsewhere waives nothing", replace(FACE_TO_FACE, pauses=(pause("2024-03-01", "2024-03-09"),)), [CALL],
     "2024-03-01", OVERDUE),
    ("one of two in the last second", TWICE, JUST_IN_TIME, "2024-03-01", OVERDUE),
    ("a pause from the due date on waives the face", replace(FACE_TO_FACE, pauses=(pause("2024-02-29", "2024-03-09"),)),
     [CALL], "2024-02-10", MET),
    ("a pause until the first day waives the face", replace(FACE_TO_FACE, pauses=(pause("2024-01-02", "2024-02-01"),)),
     [CALL], "2024-02-10", MET),
    ("a pause before waives nothing", replace(FACE_TO_FACE, pauses=(pause("2024-01-02", "2024-01-31"),)), [CALL],
     "2024-03-01", OVERDUE),
    ("left before the period", LEFT_BEFORE, [], "2024-02-10", CANCELLED),
    ("left inside, the day before", LEFT_INSIDE, [], "2024-02-14", OPEN),
    ("left inside, that day", LEFT_INSIDE, [], "2024-02-15", CANCELLED),
    ("left inside, later", LEFT_INSIDE, [], "2024-05-01", CANCELLED),
    ("seen, then left", LEFT_INSIDE, [visit("2024-02-10")], "2024-03-01", MET),
    ("left, then seen inside", LEFT_INSIDE, [visit("2024-02-20")], "2024-02-20", MET),
    ("left, then seen after", LEFT_INSIDE, [visit("2024-03-20")], "2024-03-20", CANCELLED),
    ("left on the due date", LEFT_ON_THE_DUE_DATE, [], "2024-03-01", CANCELLED),
    ("left on the day after", LEFT_ON_THE_DAY_AFTER, [], "2024-03-01", MISSED),
    ("left later, overdue until then", LEFT_LATER, [], "2024-03-14", OVERDUE),
    ("left later", LEFT_LATER, [], "2024-03-15", MISSED),
    ("left later, closed before", LEFT_LATER, [visit("2024-03-10")], "2024-03-20", MISSED),
    ("paused and left", replace(RESTING, exit_on=date(2024, 2, 10)), [], "2024-02-12", CANCELLED),
    ("found dead inside, the day before", FEBRUARY, FOUND_DEAD_INSIDE, "2024-02-11", OPEN),
    ("found dead inside", FEBRUARY, FOUND_DEAD_INSIDE, "2024-02-12", CANCELLED),
    ("found dead inside, after the end", FEBRUARY, FOUND_DEAD_INSIDE, "2024-03-12", CANCELLED),
    ("found dead after the end, the day before", FEBRUARY, FOUND_DEAD_LATER, "2024-03-11", OVERDUE),
    ("found dead after the end", FEBRUARY, FOUND_DEAD_LATER, "2024-03-12", MISSED),
    ("found dead before the period, not registered", FEBRUARY, FOUND_DEAD_BEFORE, "2024-03-01", OVERDUE),
    ("found dead after leaving", LEFT_INSIDE, FOUND_DEAD_LATER, "2024-03-12", CANCELLED),
    ("alarm, that day", ALARM, [], "2024-02-10", DUE_SOON),
    ("alarm, due date", ALARM, [], "2024-02-11", DUE_SOON),
    ("alarm, day after", ALARM, [], "2024-02-12", OVERDUE),
    ("alarm, seen in the last second", ALARM, [visit("2024-02-11 14:00:00")], "2024-02-11", MET),
    ("alarm, seen a second too late", ALARM, [visit("2024-02-11 14:00:01")], "2024-02-11", MISSED),
    ("alarm, seen just before it", ALARM, [visit("2024-02-10 13:59:59")], "2024-02-12", OVERDUE),
    ("alarm, seen in time, received too late", ALARM, [visit("2024-02-11", received="2024-02-11 15:00:00")], "2024-02-11",
     MET_LATE),
    ("alarm, in hospital", replace(ALARM, pauses=(pause("2024-02-01", "2024-02-28"),)), [], "2024-02-11", DUE_SOON),
]  # fmt: skip


@pytest.mark.parametrize(
    ("facts", "contacts", "day", "expected"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE]
)
def test_a_duty_stands_as_the_table_says(
    facts: DutyFacts, contacts: list[Contact], day: str, expected: DutyState
):
    assert stands(facts, contacts, day) is expected
    assert overdue_on(facts, tally(facts, contacts), date.fromisoformat(day)) is (expected is OVERDUE)


def test_the_table_shows_every_state():
    assert {row[-1] for row in TABLE} == set(DutyState)


def test_visits_on_31_january_and_1_march_meet_their_months_and_miss_february():
    # DOMAIN §12.2, example 2; the first period of the person is in test_derive.py.
    seen = [visit("2024-01-31"), visit("2024-03-01")]
    assert stands(monthly("2024-01"), seen, "2024-03-31") is MET
    assert stands(monthly("2024-03"), seen, "2024-03-31") is MET
    assert stands(FEBRUARY, seen[:1], "2024-03-01") is OVERDUE  # before anybody knew of the visit of that day
    assert stands(FEBRUARY, seen, "2024-02-29") is DUE_SOON
    assert stands(FEBRUARY, seen, "2024-03-01") is MISSED
    assert tally(FEBRUARY, seen).closed_by == seen[1].visit_id


def test_an_attempt_leaves_february_overdue_and_is_counted():
    # DOMAIN §12.2, example 3.
    done = tally(FEBRUARY, [attempt("2024-02-20")])
    assert (done.attempts, done.done) == (1, 0)
    assert overdue_on(FEBRUARY, done, date(2024, 3, 1))


def test_a_phone_call_counts_but_does_not_fill_the_minimum_in_person():
    # DOMAIN §12.2, example 4.
    call = visit("2024-02-20", in_person=False)
    assert stands(FEBRUARY, [call], "2024-03-01") is MET
    assert stands(FACE_TO_FACE, [call], "2024-03-01") is OVERDUE
    assert (tally(FACE_TO_FACE, [call]).done, tally(FACE_TO_FACE, [call]).done_in_person) == (1, 0)


def test_the_first_and_the_last_day_of_a_month_meet_the_same_month():
    seen = [visit("2024-03-01"), visit("2024-03-31")]
    assert tally(monthly("2024-03"), seen).done == 2
    assert tally(monthly("2024-04"), seen).done == 0


@pytest.mark.parametrize(
    ("instant", "month"),
    [
        (datetime(2024, 2, 29, 15, 59, 59, tzinfo=UTC), "2024-02"),
        (datetime(2024, 2, 29, 16, 0, 0, tzinfo=UTC), "2024-03"),
        (datetime(2024, 12, 31, 15, 59, 59, tzinfo=UTC), "2024-12"),
        (datetime(2024, 12, 31, 16, 0, 0, tzinfo=UTC), "2025-01"),
        (datetime(2024, 2, 29, 15, 59, 59, 999_999, tzinfo=UTC), "2024-02"),
    ],
)
def test_a_visit_belongs_to_the_month_that_it_is_in_shanghai(instant: datetime, month: str):
    seen = Contact("visit", instant, instant, counts=True, in_person=True)
    met = [
        each for each in ("2024-02", "2024-03", "2024-12", "2025-01") if tally(monthly(each), [seen]).met_on
    ]
    assert met == [month]


def test_one_visit_meets_the_month_and_the_emergency():
    seen = [visit("2024-02-10 20:00:00")]
    assert stands(FEBRUARY, seen, "2024-02-10") is MET
    assert stands(ALARM, seen, "2024-02-10") is MET


def test_an_emergency_is_due_after_its_hours_and_on_the_day_of_shanghai():
    opens_at, due_at, due_on = emergency_window(at("2024-02-28 23:30:00"), 24)
    assert opens_at == at("2024-02-28 23:30:00")
    assert due_at - opens_at == timedelta(hours=24)
    assert due_on == date(2024, 2, 29)


def test_the_tally_names_the_visit_that_completed_the_duty_and_when_enough_had_arrived():
    first = visit("2024-02-05", received="2024-03-03")
    second = visit("2024-02-10", received="2024-02-10")
    third = visit("2024-02-12", received="2024-02-20")
    done = tally(TWICE, [third, first, second])
    assert (done.met_on, done.met_by) == (date(2024, 2, 10), second.visit_id)
    assert done.met_received_at == at("2024-02-20")
    assert done.done == done.done_in_person == 3


def test_days_overdue_count_from_the_due_date_and_only_while_overdue():
    for standing in DutyState:
        expected = 5 if standing is OVERDUE else 0
        assert days_overdue(standing, date(2024, 2, 29), date(2024, 3, 5)) == expected


def test_of_two_pauses_the_one_that_ends_last_is_told():
    trial = pause("2024-02-10", "2024-02-28", PauseReason.INSTITUTION_TRIAL)
    facts = monthly("2024-02", pauses=(pause("2024-02-05", "2024-02-12"), trial))
    assert pause_on(facts, date(2024, 2, 11)) == trial
    assert pause_on(facts, date(2024, 2, 4)) is None


def test_a_duty_does_not_rest_after_its_due_date():
    assert pause_on(RESTING_OVER_THE_END, date(2024, 2, 29)) is not None
    assert pause_on(RESTING_OVER_THE_END, date(2024, 3, 1)) is None


@pytest.mark.parametrize("rule", SEED_RULES, ids=lambda rule: rule.key)
def test_every_seeded_rule_is_in_order_unconfirmed_and_requires_no_face(rule):
    check_rule(rule)
    assert not rule.confirmed
    assert rule.in_person == 0
    assert rule.source


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("key", {"key": " "}),
        ("required", {"required": 0}),
        ("in_person", {"in_person": 2}),
        ("in_person", {"in_person": -1}),
        ("cutoff_day", {"cutoff_day": 0}),
        ("cutoff_day", {"cutoff_day": 32}),
        ("alert_days", {"alert_days": (5, -1)}),
        ("care_level", {"category": None}),
        ("effective_to", {"effective_to": date(2021, 12, 31)}),
    ],
)
def test_a_rule_that_contradicts_itself_is_refused_by_field(field: str, change: dict[str, object]):
    half_care = next(rule for rule in SEED_RULES if rule.key == "tekun_dispersed_half_care")
    with pytest.raises(VisitRuleWrong) as refused:
        check_rule(replace(half_care, **change))
    assert list(refused.value.errors) == [field]
