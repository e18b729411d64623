"""What must be true of any duty and any visits: no visit harms, no attempt helps, the row says what the visits say."""

from dataclasses import replace
from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from server.schedule.rules import days_overdue, overdue_on, state, state_from_tally, tally
from server.schedule.terms import Contact, DutyFacts, DutyState
from tests.schedule.duty_builders import contacts, days, duties, instants

SEEN = frozenset({DutyState.MET, DutyState.MET_LATE})
visits = st.lists(contacts(), max_size=6)
later_days = days | st.just(date(2030, 1, 1))


@settings(max_examples=300, deadline=None)
@given(st.lists(duties(), min_size=1, max_size=4), visits, contacts(), later_days)
def test_another_counting_visit_never_makes_anybody_more_overdue(
    owed: list[DutyFacts], filed: list[Contact], extra: Contact, as_of: date
):
    extra = replace(extra, counts=True, dead=False)
    for facts in owed:
        before, after = state(facts, filed, as_of), state(facts, [*filed, extra], as_of)
        assert days_overdue(after, facts.due_on, as_of) <= days_overdue(before, facts.due_on, as_of)
        if before in SEEN:
            assert after in SEEN
        if before is DutyState.MET:
            assert after is DutyState.MET


@settings(max_examples=300, deadline=None)
@given(duties(), visits, contacts(), later_days)
def test_an_attempt_changes_no_state(facts: DutyFacts, filed: list[Contact], extra: Contact, as_of: date):
    extra = replace(extra, counts=False, in_person=False, dead=False)
    assert state(facts, [*filed, extra], as_of) is state(facts, filed, as_of)
    before, after = tally(facts, filed), tally(facts, [*filed, extra])
    assert replace(after, attempts=before.attempts) == before
    assert before.attempts <= after.attempts <= before.attempts + 1


@settings(deadline=None)
@given(duties(), visits, st.randoms(use_true_random=False))
def test_the_order_of_arrival_does_not_matter(facts: DutyFacts, filed: list[Contact], chance):
    shuffled = list(filed)
    chance.shuffle(shuffled)
    assert tally(facts, shuffled) == tally(facts, filed)


@settings(max_examples=500, deadline=None)
@given(duties(), visits, days)
def test_the_row_alone_says_on_which_days_a_duty_was_overdue(
    facts: DutyFacts, filed: list[Contact], day: date
):
    assert overdue_on(facts, tally(facts, filed), day) is (state(facts, filed, day) is DutyState.OVERDUE)


@settings(max_examples=300, deadline=None)
@given(duties(), visits, st.integers(0, 40))
def test_from_the_latest_visit_on_the_row_gives_the_state(facts: DutyFacts, filed: list[Contact], later: int):
    latest = max((contact.occurred_at.date() for contact in filed), default=facts.due_on)
    as_of = latest + timedelta(days=1 + later)
    assert state_from_tally(facts, tally(facts, filed), as_of) is state(facts, filed, as_of)


@settings(deadline=None)
@given(duties(), visits, later_days, instants)
def test_a_late_receipt_only_turns_met_into_met_late(
    facts: DutyFacts, filed: list[Contact], as_of: date, instant
):
    late = [replace(contact, received_at=max(contact.received_at, instant)) for contact in filed]
    before, after = state(facts, filed, as_of), state(facts, late, as_of)
    assert after is before or (before, after) == (DutyState.MET, DutyState.MET_LATE)


@settings(max_examples=300, deadline=None)
@given(duties(), visits, days, st.integers(0, 30))
def test_what_is_settled_stays_settled_as_days_pass(
    facts: DutyFacts, filed: list[Contact], day: date, more: int
):
    before, after = state(facts, filed, day), state(facts, filed, day + timedelta(days=more))
    if before in SEEN:
        assert after in SEEN
    if before is DutyState.MISSED:
        assert after is DutyState.MISSED
    if before is DutyState.OVERDUE:
        assert after in {DutyState.OVERDUE, DutyState.MISSED}
    if before is DutyState.CANCELLED:
        assert after in {DutyState.CANCELLED, *SEEN}


@settings(max_examples=300, deadline=None)
@given(duties(), visits)
def test_the_tally_agrees_with_itself(facts: DutyFacts, filed: list[Contact]):
    done = tally(facts, filed)
    assert (done.met_on is None) == (done.met_by is None) == (done.met_received_at is None)
    assert (done.closed_on is None) == (done.closed_by is None)
    assert done.met_on is None or done.closed_on is None
    assert done.met_on is None or done.met_on <= facts.due_on
    assert done.closed_on is None or done.closed_on >= facts.due_on
    assert done.done_in_person <= done.done
    assert done.done + done.attempts <= len(filed)
    if done.met_received_at is not None:
        in_hand = [contact for contact in filed if contact.received_at <= done.met_received_at]
        sooner = [contact for contact in filed if contact.received_at < done.met_received_at]
        assert tally(facts, in_hand).met_on is not None
        assert tally(facts, sooner).met_on is None
