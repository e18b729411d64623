"""From histories to duties: newcomers, changes of category and care level, tags, rule versions, go-live, emergencies."""

from dataclasses import replace
from datetime import date

import pytest

from server.people.terms import CareLevel, Category, Tag
from server.schedule.derive import derive_duties
from server.schedule.rules import state
from server.schedule.seed import SEED_RULES
from server.schedule.terms import (
    DutyKind,
    DutyState,
    Emergency,
    EmergencyKind,
    Enrolment,
    OwedDuty,
    PeriodUnit,
    TagHeld,
)
from tests.schedule.duty_builders import at, pause, visit

DISPERSED = Category.TEKUN_DISPERSED
GO_LIVE = date(2024, 1, 1)
RULE = {rule.key: rule for rule in SEED_RULES}


def day(text: str) -> date:
    return date.fromisoformat(text)


def enrolled(since: str, until: str | None = None, *, exit_on: str | None = None, category: Category = DISPERSED,
             care_level: CareLevel | None = CareLevel.FULL_SELF, is_head: bool = True) -> Enrolment:  # fmt: skip
    return Enrolment(
        category,
        care_level,
        day(since),
        day(until) if until else None,
        day(exit_on) if exit_on else None,
        is_head,
    )


def owed(*history: Enrolment, as_of: str, begin_on: date = GO_LIVE, rules=SEED_RULES, pauses=(), emergencies=(), tags=(),
         ending_from: date | None = None) -> list[OwedDuty]:  # fmt: skip
    return derive_duties(
        history,
        rules,
        pauses,
        emergencies,
        begin_on=begin_on,
        as_of=day(as_of),
        tags=tags,
        ending_from=ending_from,
    )


def names(duties: list[OwedDuty]) -> list[tuple[str, str]]:
    return [(duty.trigger, f"{duty.period.start}") for duty in duties]


def months(duties: list[OwedDuty]) -> list[str]:
    return [f"{duty.period.start:%Y-%m}" for duty in duties]


def test_a_person_enrolled_in_january_owes_each_month_from_then_on():
    # DOMAIN §12.2, example 2, from the enrolment to the list.
    duties = owed(enrolled("2024-01-05"), as_of="2024-03-31")
    seen = [visit("2024-01-31"), visit("2024-03-01")]
    assert months(duties) == ["2024-01", "2024-02", "2024-03"]
    assert [state(duty.facts, seen, day("2024-03-31")) for duty in duties] == [
        DutyState.MET,
        DutyState.MISSED,
        DutyState.MET,
    ]


@pytest.mark.parametrize(
    ("since", "first"),
    [
        ("2024-02-01", "2024-02"),
        ("2024-02-20", "2024-02"),
        ("2024-02-21", "2024-03"),
        ("2024-02-29", "2024-03"),
    ],
)
def test_who_comes_after_the_cutoff_day_owes_from_the_next_month(since: str, first: str):
    assert months(owed(enrolled(since), as_of="2024-04-30"))[0] == first


def test_the_cutoff_day_is_a_setting():
    rules = [replace(rule, cutoff_day=10) for rule in SEED_RULES]
    assert months(owed(enrolled("2024-02-11"), as_of="2024-03-31", rules=rules)) == ["2024-03"]


def test_the_month_of_today_is_owed_and_the_next_is_not_yet():
    assert months(owed(enrolled("2023-05-01"), as_of="2024-02-01"))[-1] == "2024-02"
    assert months(owed(enrolled("2023-05-01"), as_of="2024-01-31"))[-1] == "2024-01"


def test_an_enrolment_of_a_coming_day_owes_nothing_yet():
    assert owed(enrolled("2024-02-10"), as_of="2024-02-09") == []


def test_nothing_is_owed_from_before_the_area_went_live():
    old = enrolled("2019-01-01")
    assert months(owed(old, as_of="2024-03-31", begin_on=day("2024-02-01"))) == ["2024-02", "2024-03"]
    assert months(owed(old, as_of="2024-03-31", begin_on=day("2024-02-20"))) == ["2024-02", "2024-03"]
    assert months(owed(old, as_of="2024-03-31", begin_on=day("2024-02-21"))) == ["2024-03"]


def test_who_left_before_the_area_went_live_owes_nothing():
    assert owed(enrolled("2019-01-01", exit_on="2023-12-31"), as_of="2024-03-31") == []
    assert owed(enrolled("2019-01-01", "2023-12-31"), as_of="2024-03-31") == []


def test_an_exit_is_on_the_duty_of_its_month_and_ends_the_list():
    duties = owed(enrolled("2023-01-01", exit_on="2024-02-10"), as_of="2024-06-30")
    assert months(duties) == ["2024-01", "2024-02"]
    assert {duty.facts.exit_on for duty in duties} == {day("2024-02-10")}
    assert [state(duty.facts, [], day("2024-02-10")) for duty in duties] == [
        DutyState.MISSED,
        DutyState.CANCELLED,
    ]


def test_an_enrolment_that_ends_without_a_word_ends_on_the_day_after_its_last():
    duties = owed(enrolled("2023-01-01", "2024-02-10"), as_of="2024-06-30")
    assert [duty.facts.exit_on for duty in duties] == [day("2024-02-11")] * 2


def test_the_care_level_at_the_start_of_a_month_speaks_for_all_of_it():
    duties = owed(
        enrolled("2023-01-01", "2024-02-09", care_level=CareLevel.FULL_SELF),
        enrolled("2024-02-10", care_level=CareLevel.HALF_CARE),
        as_of="2024-03-31",
    )
    assert names(duties) == [
        ("tekun_dispersed_full_self", "2024-01-01"),
        ("tekun_dispersed_full_self", "2024-02-01"),
        ("tekun_dispersed_half_care", "2024-03-01"),
    ]
    assert {duty.facts.exit_on for duty in duties} == {None}


def test_a_later_exit_reaches_the_duties_of_an_earlier_care_level():
    duties = owed(
        enrolled("2023-01-01", "2024-02-09"),
        enrolled("2024-02-10", exit_on="2024-02-20", care_level=CareLevel.HALF_CARE),
        as_of="2024-03-31",
    )
    assert months(duties) == ["2024-01", "2024-02"]
    assert {duty.facts.exit_on for duty in duties} == {day("2024-02-20")}


def test_who_is_not_assessed_yet_owes_the_month_of_the_category():
    assert names(owed(enrolled("2024-01-01", care_level=None), as_of="2024-01-31")) == [
        ("tekun_dispersed", "2024-01-01")
    ]


def test_moving_into_an_institution_cancels_the_month_and_owes_the_quarter():
    duties = owed(
        enrolled("2023-01-01", "2024-02-09", exit_on="2024-02-10"),
        enrolled("2024-02-10", category=Category.TEKUN_CENTRAL),
        as_of="2024-03-31",
    )
    assert names(duties) == [
        ("tekun_dispersed_full_self", "2024-01-01"),
        ("tekun_central", "2024-01-01"),
        ("tekun_dispersed_full_self", "2024-02-01"),
    ]
    assert [duty.facts.exit_on for duty in duties] == [day("2024-02-10"), None, day("2024-02-10")]


@pytest.mark.parametrize(
    ("back", "exit_on"), [("2024-02-12", None), ("2024-02-20", None), ("2024-02-21", "2024-02-10")]
)
def test_who_leaves_and_comes_back_within_a_month_owes_it_once_if_in_time(back: str, exit_on: str | None):
    duties = owed(enrolled("2023-01-01", exit_on="2024-02-10"), enrolled(back), as_of="2024-02-29")
    assert months(duties) == ["2024-01", "2024-02"]
    assert duties[1].facts.exit_on == (day(exit_on) if exit_on else None)


def test_a_gap_between_two_enrolments_owes_nothing():
    duties = owed(enrolled("2023-01-01", exit_on="2024-01-10"), enrolled("2024-04-01"), as_of="2024-05-31")
    assert months(duties) == ["2024-01", "2024-04", "2024-05"]


def test_a_household_owes_its_review_once_in_the_name_of_its_head():
    head = enrolled("2023-01-01", category=Category.DIBAO_RURAL, care_level=None)
    assert names(owed(head, as_of="2024-05-31")) == [("dibao_rural_review", "2024-01-01")]
    assert owed(replace(head, is_head=False), as_of="2024-05-31") == []


def test_everybody_else_owes_a_general_visit_a_quarter():
    child = enrolled("2023-01-01", category=Category.ORPHAN, care_level=None)
    assert names(owed(child, as_of="2024-05-31")) == [("general", "2024-01-01"), ("general", "2024-04-01")]


def test_two_categories_under_one_rule_owe_one_duty_and_leaving_one_cancels_nothing():
    duties = owed(
        enrolled("2023-01-01", exit_on="2024-02-10", category=Category.ORPHAN, care_level=None),
        enrolled("2023-01-01", category=Category.ANTI_RETURN, care_level=None),
        as_of="2024-03-31",
    )
    assert names(duties) == [("general", "2024-01-01")]
    assert duties[0].facts.exit_on is None


def test_a_tag_asks_for_visits_on_top_and_from_thursday_on_for_the_next_week():
    tags = [TagHeld(Tag.HIGH_RISK_ELDER, day("2024-02-08"), day("2024-02-20"))]  # a Thursday, a Tuesday
    duties = owed(enrolled("2023-01-01"), as_of="2024-02-29", begin_on=day("2024-02-01"), tags=tags)
    assert names(duties) == [
        ("tekun_dispersed_full_self", "2024-02-01"),
        ("high_risk_elder", "2024-02-05"),
        ("high_risk_elder", "2024-02-12"),
        ("high_risk_elder", "2024-02-19"),
    ]
    assert duties[-1].facts.exit_on == day("2024-02-21")
    friday = [replace(tags[0], valid_from=day("2024-02-09"))]
    assert len(owed(enrolled("2023-01-01"), as_of="2024-02-29", begin_on=day("2024-02-01"), tags=friday)) == 3


def test_a_tag_asks_for_nothing_where_nobody_is_enrolled():
    tags = [TagHeld(Tag.KEY_OBJECT, day("2023-01-01"))]
    assert owed(as_of="2024-03-31", tags=tags) == []
    duties = owed(enrolled("2023-01-01", exit_on="2024-01-31"), as_of="2024-03-31", tags=tags)
    assert months(duties) == ["2024-01", "2024-01"]
    assert {duty.facts.exit_on for duty in duties} == {day("2024-01-31")}


def test_a_period_keeps_the_version_of_the_rule_that_was_in_force_on_its_first_day():
    old = replace(RULE["tekun_dispersed_full_self"], effective_to=day("2024-02-14"))
    new = replace(old, required=2, effective_from=day("2024-02-15"), effective_to=None)
    duties = owed(enrolled("2023-01-01"), as_of="2024-03-31", rules=[old, new])
    assert [duty.facts.required for duty in duties] == [1, 1, 2]


def test_of_two_versions_in_force_the_newer_speaks():
    old = RULE["tekun_dispersed_full_self"]
    new = replace(old, required=2, effective_from=day("2024-02-01"))
    for rules in ([old, new], [new, old]):
        duties = owed(enrolled("2023-01-01"), as_of="2024-02-29", rules=rules)
        assert [duty.facts.required for duty in duties] == [1, 2]


def test_the_last_day_of_a_version_still_has_it():
    rule = replace(RULE["tekun_dispersed_full_self"], effective_to=day("2024-02-01"))
    assert months(owed(enrolled("2023-01-01"), as_of="2024-03-31", rules=[rule])) == ["2024-01", "2024-02"]


def test_a_care_level_that_asks_for_weeks_begins_with_the_next_week():
    weekly = replace(RULE["tekun_dispersed_full_care"], unit=PeriodUnit.ISO_WEEK)
    duties = owed(
        enrolled("2023-01-01", "2024-02-12"),
        enrolled("2024-02-13", care_level=CareLevel.FULL_CARE),  # a Tuesday
        as_of="2024-03-04",
        ending_from=day("2024-02-01"),
        rules=[RULE["tekun_dispersed_full_self"], weekly],
    )
    assert [f"{duty.period.start}" for duty in duties] == [
        "2024-02-01",
        "2024-02-19",
        "2024-02-26",
        "2024-03-04",
    ]


def test_an_assessment_that_was_never_closed_gives_way_to_the_newer_one():
    duties = owed(
        enrolled("2023-01-01"), enrolled("2024-01-15", care_level=CareLevel.HALF_CARE), as_of="2024-02-29"
    )
    assert names(duties) == [
        ("tekun_dispersed_full_self", "2024-01-01"),
        ("tekun_dispersed_half_care", "2024-02-01"),
    ]


def test_coming_back_on_a_coming_day_does_not_undo_the_exit_yet():
    history = enrolled("2023-01-01", exit_on="2024-02-10"), enrolled("2024-02-12")
    assert owed(*history, as_of="2024-02-11")[-1].facts.exit_on == day("2024-02-10")
    assert owed(*history, as_of="2024-02-12")[-1].facts.exit_on is None


def test_a_change_of_care_level_does_not_end_what_an_emergency_asks():
    duties = owed(
        enrolled("2023-01-01", "2024-02-10"),
        enrolled("2024-02-11", care_level=CareLevel.HALF_CARE),
        as_of="2024-02-29",
        emergencies=[heat(1, "2024-02-10 14:00:00")],
    )
    assert [duty.facts.exit_on for duty in duties if duty.emergency] == [None]


def test_a_rule_that_moves_from_months_to_weeks_owes_each_day_once():
    old = replace(RULE["tekun_dispersed_full_self"], effective_to=day("2024-03-31"))
    new = replace(
        old, unit=PeriodUnit.ISO_WEEK, effective_from=day("2024-04-01"), effective_to=None
    )  # a Monday
    duties = owed(enrolled("2023-01-01"), as_of="2024-04-14", rules=[old, new])
    assert [f"{duty.period.start}" for duty in duties] == [
        "2024-01-01",
        "2024-02-01",
        "2024-03-01",
        "2024-04-01",
        "2024-04-08",
    ]


def test_two_rules_that_are_equally_specific_are_both_owed():
    township = replace(RULE["tekun_dispersed_full_self"], key="township", unit=PeriodUnit.QUARTER)
    duties = owed(enrolled("2023-01-01"), as_of="2024-01-31", rules=[*SEED_RULES, township])
    assert names(duties) == [("tekun_dispersed_full_self", "2024-01-01"), ("township", "2024-01-01")]


def test_the_alert_begins_with_the_earliest_of_its_days():
    for level, expected in [(CareLevel.FULL_SELF, 20), (CareLevel.HALF_CARE, 10), (CareLevel.FULL_CARE, 7)]:
        [duty] = owed(enrolled("2024-04-01", care_level=level), as_of="2024-04-30")
        assert duty.facts.due_soon_on == date(2024, 4, expected)


def test_a_duty_carries_the_pauses_that_touch_it():
    rest = pause("2024-01-30", "2024-02-03")
    duties = owed(
        enrolled("2023-01-01"), as_of="2024-03-31", pauses=[rest, pause("2023-01-01", "2023-12-31")]
    )
    assert [duty.facts.pauses for duty in duties] == [(rest,), (rest,), ()]


def heat(number: int, when: str) -> Emergency:
    return Emergency(f"{number}", EmergencyKind.EXTREME_WEATHER, at(when), 24)


def test_each_emergency_of_a_month_is_a_duty_of_its_own():
    duties = owed(
        enrolled("2023-01-01", exit_on="2024-02-20"),
        as_of="2024-02-29",
        ending_from=day("2024-02-01"),
        emergencies=[
            heat(2, "2024-02-10 14:00:00"),
            heat(1, "2024-02-10 08:00:00"),
            heat(3, "2024-02-20 14:00:00"),
        ],
    )
    assert names(duties) == [
        ("tekun_dispersed_full_self", "2024-02-01"),
        ("emergency:1", "2024-02-10"),
        ("emergency:2", "2024-02-10"),
    ]
    assert [duty.facts.kind for duty in duties[1:]] == [DutyKind.EMERGENCY] * 2
    assert {duty.facts.exit_on for duty in duties} == {day("2024-02-20")}
    assert [state(duty.facts, [visit("2024-02-11 09:00:00")], day("2024-02-11")) for duty in duties] == [
        DutyState.MET,
        DutyState.MISSED,
        DutyState.MET,
    ]


@pytest.mark.parametrize("when", ["2023-12-31 23:59:59", "2024-02-08 00:00:00", "2024-03-01 00:00:00"])
def test_an_emergency_outside_enrolment_go_live_or_today_owes_nothing(when: str):
    person = enrolled("2023-01-01", "2024-02-07"), enrolled("2024-02-09")
    duties = owed(*person, as_of="2024-02-29", emergencies=[heat(1, when)])
    assert {duty.facts.kind for duty in duties} == {DutyKind.ROUTINE}


def test_the_monthly_opening_asks_only_for_what_is_not_over_yet():
    whole = owed(enrolled("2010-01-01"), as_of="2024-06-01", begin_on=day("2020-01-01"))
    late = owed(
        enrolled("2010-01-01"), as_of="2024-06-01", begin_on=day("2020-01-01"), ending_from=day("2024-05-31")
    )
    assert months(late) == ["2024-05", "2024-06"]
    assert late == whole[-2:]
