"""What must be true of the duties of any history, however its stretches lie."""

from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from server.people.terms import CareLevel, Category, Tag
from server.schedule.derive import derive_duties
from server.schedule.periods import periods_between
from server.schedule.seed import SEED_RULES
from server.schedule.terms import Enrolment, OwedDuty, PeriodUnit, TagHeld

DISPERSED = Category.TEKUN_DISPERSED


def names(duties: list[OwedDuty]) -> list[tuple[str, date]]:
    return [(duty.trigger, duty.period.start) for duty in duties]


starts = st.integers(0, 400).map(lambda offset: date(2023, 6, 1) + timedelta(days=offset))


@st.composite
def stretches(draw: st.DrawFn) -> Enrolment:
    since = draw(starts)
    until = draw(st.none() | st.integers(0, 200).map(lambda length: since + timedelta(days=length)))
    exit_on = draw(st.none() | st.integers(1, 200).map(lambda length: since + timedelta(days=length)))
    category = draw(
        st.sampled_from([DISPERSED, DISPERSED, Category.TEKUN_CENTRAL, Category.ORPHAN, Category.MARGIN])
    )
    return Enrolment(
        category, draw(st.sampled_from([None, *CareLevel])), since, until, exit_on, draw(st.booleans())
    )


histories = st.lists(stretches(), max_size=4)
carried = st.lists(
    st.builds(TagHeld, st.sampled_from([Tag.KEY_OBJECT, Tag.HIGH_RISK_ELDER]), starts, st.none() | starts),
    max_size=2,
)


@settings(max_examples=100, deadline=None)
@given(histories, carried, starts, starts)
def test_any_history_owes_each_rule_and_period_once_and_none_outside_its_time(
    history, tags, begin_on: date, as_of: date
):
    duties = derive_duties(history, SEED_RULES, [], [], begin_on=begin_on, as_of=as_of, tags=tags)
    assert len(set(names(duties))) == len(duties)
    for duty in duties:
        assert duty.facts.due_on == duty.period.end >= begin_on
        assert duty.period.start <= as_of
        assert duty.facts.exit_on is None or duty.facts.exit_on > duty.period.start
        assert any(
            stretch.valid_from <= min(duty.period.end, as_of)
            and duty.rule.category in {None, stretch.category}
            for stretch in history
        )


@settings(max_examples=100, deadline=None)
@given(histories, carried, starts, starts, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(history, tags, begin_on: date, as_of: date, chance):
    shuffled, rules = list(history), list(SEED_RULES)
    chance.shuffle(shuffled)
    chance.shuffle(rules)
    assert names(derive_duties(shuffled, rules, [], [], begin_on=begin_on, as_of=as_of, tags=tags)) == names(
        derive_duties(history, SEED_RULES, [], [], begin_on=begin_on, as_of=as_of, tags=tags)
    )


@settings(max_examples=100, deadline=None)
@given(
    starts,
    st.lists(st.integers(1, 90), max_size=4),
    st.lists(st.sampled_from([None, *CareLevel]), min_size=5, max_size=5),
)
def test_no_change_of_care_level_loses_or_doubles_a_month(since: date, lengths: list[int], levels):
    history, joined = [], since
    for length, level in zip(lengths, levels, strict=False):
        history.append(Enrolment(DISPERSED, level, joined, joined + timedelta(days=length - 1)))
        joined += timedelta(days=length)
    history.append(Enrolment(DISPERSED, levels[-1], joined))
    as_of = joined + timedelta(days=40)
    duties = derive_duties(history, SEED_RULES, [], [], begin_on=date(2020, 1, 1), as_of=as_of)
    everyday = list(periods_between(PeriodUnit.MONTH, since, as_of))
    expected = everyday if since.day <= 20 else everyday[1:]
    assert [duty.period for duty in duties] == expected
    assert {duty.facts.exit_on for duty in duties} == {None}
