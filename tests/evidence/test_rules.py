"""Rules are symmetrical, know their limits, and say the same for the same facts."""

import datetime as dt
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.evidence.likeness import alike, normal, sketch, text_mark
from server.evidence.rules import findings
from server.evidence.rules.nearness import is_related
from server.evidence.rules.sentences import sentence
from server.evidence.terms import (
    ABOVE_INFO,
    Finding,
    FindingCode,
    FindingSeverity,
    Marks,
    PhotoMatch,
    PhotoSeen,
    Place,
    Thresholds,
    VisitFacts,
)
from server.places.terms import Datum, FencePolicy, Fix, Point
from server.policies.terms import NUMBERS

NINE = dt.datetime(2026, 3, 5, 1, 0, tzinfo=dt.UTC)
HOME = Point(30.89, 119.41)
MINUTE = dt.timedelta(minutes=1)
KEY = bytes(range(32))


def number(name: str) -> int:
    return int(NUMBERS[f"evidence.{name}"].default)


def minutes(name: str) -> dt.timedelta:
    return number(name) * MINUTE


T = Thresholds(
    fence=FencePolicy(),
    fix_apart=minutes("fix_apart"),
    spot_radius_m=number("spot_radius"),
    spot_homes=number("spot_homes"),
    spot_within=dt.timedelta(days=number("spot_days")),
    same_fix_apart=minutes("same_fix_apart"),
    photo_before=minutes("photo_before"),
    photo_after=minutes("photo_after"),
    photo_far_m=number("photo_far"),
    photo_alike=number("photo_alike"),
    photo_alike_own=number("photo_alike_own"),
    speed_kmh=number("travel_speed"),
    travel_least_m=number("travel_least"),
    travel_slack=minutes("travel_slack"),
    overlap_least=minutes("overlap_least"),
    seconds_per_answer=number("seconds_per_answer"),
    answers_timed=number("answers_timed"),
    clock_ahead=minutes("clock_ahead"),
    recorded_after=dt.timedelta(hours=number("recorded_after")),
    series_visits=number("series_visits"),
    series_within=minutes("series_within"),
    night_from=number("night_from"),
    night_until=number("night_until"),
    compared_within=dt.timedelta(days=number("compared_days")),
    notes_least=number("notes_least"),
    notes_alike=number("notes_alike") / 100,
    text_least=number("text_least"),
    text_people=number("text_people"),
    answers_least=number("answers_least"),
    answers_telling=number("answers_telling"),
    answers_people=number("answers_people"),
)


def marks(number: int = 1, **more: Any) -> Marks:
    plain: dict[str, Any] = {
        "visit_id": UUID(int=number),
        "worker_id": UUID(int=900),
        "person_id": UUID(int=100 + number),
        "began_at": NINE,
        "ended_at": NINE + 20 * MINUTE,
        "made_at": NINE + 21 * MINUTE,
    }
    return Marks(**plain | more)


def facts(**more: Any) -> VisitFacts:
    plain: dict[str, Any] = {
        "marks": marks(),
        "received_at": NINE + 22 * MINUTE,
        "is_met": True,
        "in_person": True,
        "at_home": True,
        "homes": (HOME,),
    }
    return VisitFacts(**plain | more)


def found(**more: Any) -> dict[FindingCode, Finding]:
    return {one.code: one for one in findings(facts(**more), T)}


def fix(latitude: float, longitude: float, accuracy: float | None = 20, **more: Any) -> Fix:
    return Fix(latitude, longitude, more.pop("datum", Datum.WGS84), accuracy, **more)


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (fix(30.8901, 119.4101), FindingCode.FENCE_INSIDE),
        (fix(30.94, 119.41), FindingCode.FENCE_OUTSIDE),
        (fix(30.94, 119.41, 9000), FindingCode.FENCE_UNCLEAR),
        (fix(30.94, 119.41, None), FindingCode.FENCE_UNCLEAR),
        (fix(0, 0), FindingCode.FENCE_UNCLEAR),
        (None, FindingCode.FENCE_UNCLEAR),
        (fix(30.8919, 119.41), FindingCode.FENCE_UNCLEAR),
    ],
    ids=["at home", "far", "coarse", "no accuracy", "nowhere", "no fix", "on the edge"],
)
def test_the_fence_says_inside_outside_or_that_it_cannot_tell(sent: Fix | None, code: FindingCode) -> None:
    fences = [one for one in found(fix=sent) if one.startswith("fence_")]
    assert fences == [code]


def test_a_wrong_datum_never_makes_somebody_absent() -> None:
    from server.places.datums import to_gcj02

    latitude, longitude = to_gcj02(HOME)
    said = found(fix=fix(latitude, longitude, datum=Datum.WGS84))
    assert said[FindingCode.FENCE_UNCLEAR].evidence["doubt"] == "datum"
    assert FindingCode.FENCE_OUTSIDE not in said


def test_a_fix_of_another_time_says_nothing_of_the_visit() -> None:
    evening = NINE + dt.timedelta(hours=9)
    at_the_office = fix(30.94, 119.41)
    for sent, made_at in (
        (replace(at_the_office, taken_at=evening), NINE + 21 * MINUTE),
        (at_the_office, evening),
    ):
        said = found(fix=sent, marks=marks(made_at=made_at))
        assert said[FindingCode.FENCE_UNCLEAR].evidence == {"doubt": "fix_at_another_time"}
        assert FindingCode.FENCE_OUTSIDE not in said


def test_any_home_that_was_ever_registered_will_do() -> None:
    assert FindingCode.FENCE_INSIDE in found(fix=fix(30.95, 119.5), homes=(HOME, Point(30.95, 119.5)))


def test_what_is_absent_or_unknown_is_never_more_than_information() -> None:
    said = found(
        marks=marks(ended_at=None, made_at=None),
        photos=(PhotoSeen(photo_id=UUID(int=5)), PhotoSeen(photo_id=UUID(int=6))),
        homes=(),
    )
    assert said[FindingCode.PHOTO_FACTS_ABSENT].severity is FindingSeverity.INFO
    assert not [one for one in said.values() if one.severity in ABOVE_INFO]


def test_a_photo_of_three_days_before_is_a_warning_and_a_phone_s_word_a_notice() -> None:
    before = NINE - dt.timedelta(days=3)
    by_camera = found(photos=(PhotoSeen(photo_id=UUID(int=5), taken_at=before, has_facts=True),))
    by_phone = found(photos=(PhotoSeen(photo_id=UUID(int=5), claimed_at=before),))
    assert by_camera[FindingCode.PHOTO_TIME].severity is FindingSeverity.WARNING
    assert by_phone[FindingCode.PHOTO_TIME].severity is FindingSeverity.NOTICE


def test_an_own_room_seen_again_needs_to_be_more_alike_and_is_a_notice() -> None:
    def match(alike: int, *, is_own: bool) -> PhotoMatch:
        return PhotoMatch(
            photo_id=UUID(int=5),
            other_photo_id=UUID(int=6),
            other_visit_id=UUID(int=7),
            other_person_id=UUID(int=8),
            other_began_at=NINE - dt.timedelta(days=30),
            alike=alike,
            is_own=is_own,
        )

    code = FindingCode.PHOTO_NEAR_DUPLICATE
    assert code not in found(near=(match(T.photo_alike, is_own=True),))
    assert found(near=(match(T.photo_alike_own, is_own=True),))[code].severity is FindingSeverity.NOTICE
    assert found(near=(match(T.photo_alike, is_own=False),))[code].severity is FindingSeverity.WARNING
    assert code not in found(near=(match(T.photo_alike - 1, is_own=False),))
    void = replace(match(100, is_own=False), other_is_void=True)
    assert code not in found(near=(void,))


def test_homes_at_the_spot_are_no_sign_and_homes_elsewhere_are() -> None:
    spot = Place(point=HOME, accuracy_m=20, is_fix=True)
    around = tuple(marks(n, place=spot, began_at=NINE + n * 40 * MINUTE, ended_at=None) for n in range(2, 7))
    elsewhere = {one.person_id: (Point(30.95, 119.41),) for one in around}
    there = {one.person_id: (HOME,) for one in around}
    mine = {"marks": marks(place=spot), "around": around, "homes": (Point(30.93, 119.41),)}
    assert found(**mine, homes_of=elsewhere)[FindingCode.ONE_SPOT].severity is FindingSeverity.WARNING
    assert found(**mine)[FindingCode.ONE_SPOT].severity is FindingSeverity.NOTICE
    assert FindingCode.ONE_SPOT not in found(**mine, homes_of=there)
    assert FindingCode.ONE_SPOT not in found(**mine | {"homes": (HOME,)}, homes_of=elsewhere)


def test_a_couple_seen_at_once_is_no_overlap() -> None:
    other = marks(2)
    household = UUID(int=77)
    assert FindingCode.VISITS_OVERLAP in found(around=(other,))
    together = {"around": (other,), "household_id": household, "household_of": {other.person_id: household}}
    assert FindingCode.VISITS_OVERLAP not in found(**together)


def test_seconds_for_many_answers_are_noticed_only_with_an_end() -> None:
    quick = marks(ended_at=NINE + dt.timedelta(seconds=20), answers=30)
    assert found(marks=quick)[FindingCode.TOO_SHORT].severity is FindingSeverity.WARNING
    assert FindingCode.TOO_SHORT not in found(marks=replace(quick, ended_at=None))
    assert FindingCode.TOO_SHORT not in found(marks=replace(quick, answers=T.answers_timed - 1))


def test_a_phone_that_is_behind_looks_like_a_late_one_and_one_ahead_does_not() -> None:
    assert FindingCode.CLOCK_OFF not in found(clock_skew_s=-86_400)
    assert FindingCode.CLOCK_OFF in found(clock_skew_s=86_400)


def test_short_notes_are_nobody_s_copies() -> None:
    usual = marks(text_mark=1, text_length=4, sketch=b"abcd")
    other = marks(2, text_mark=1, text_length=4, sketch=b"abcd")
    assert FindingCode.NOTES_COPIED not in found(marks=usual, around=(other,))


def test_notes_with_small_edits_are_alike_and_others_are_not() -> None:
    one = "老人精神尚可，被褥已换洗，提醒注意用火用电安全，午后去村卫生室取药"
    edited = "大爷精神尚可，被褥已换洗，提醒注意用火用电安全，下午去卫生室取药。"
    other = "院里晒着玉米，和邻居在门口聊天，说儿子春节要回来，冰箱里有肉和鸡蛋"
    sketches = [sketch(KEY, normal(text)) for text in (one, edited, other)]
    assert alike(sketches[0], sketches[1]) > 0.5
    assert alike(sketches[0], sketches[2]) < 0.1
    assert text_mark(KEY, normal("一切 正常！")) == text_mark(KEY, normal("一切正常"))
    assert text_mark(KEY, normal("一切正常")) != text_mark(bytes(32), normal("一切正常"))


somewhere = st.builds(
    lambda north, east, accuracy, is_fix: Place(
        point=Point(30.8 + north / 1000, 119.4 + east / 1000), accuracy_m=accuracy, is_fix=is_fix
    ),
    st.integers(0, 300),
    st.integers(0, 300),
    st.sampled_from([10.0, 50.0, 500.0]),
    st.booleans(),
)
any_marks = st.builds(
    lambda number, person, after, lasts, place, text, answers: marks(
        number,
        person_id=UUID(int=person),
        began_at=NINE + after * MINUTE,
        ended_at=None if lasts is None else NINE + (after + lasts) * MINUTE,
        made_at=NINE + (after + 30) * MINUTE,
        place=place,
        text_mark=text,
        text_length=30,
        answers_mark=answers,
        answers=20,
        telling=5,
    ),
    st.integers(1, 10**6),
    st.integers(1, 5),
    st.integers(0, 3000),
    st.none() | st.integers(0, 90),
    st.none() | somewhere,
    st.integers(1, 3),
    st.integers(1, 3),
)


@given(any_marks, any_marks)
def test_what_one_visit_is_to_another_the_other_is_to_it(one: Marks, other: Marks) -> None:
    assert is_related(one, other, T) is is_related(other, one, T)


@given(st.lists(any_marks, max_size=8, unique_by=lambda one: one.visit_id), any_marks)
def test_findings_rest_only_on_visits_that_are_related_and_not_on_their_order(
    around: list[Marks], mine: Marks
) -> None:
    others = [one for one in around if one.visit_id != mine.visit_id]
    whole = findings(facts(marks=mine, around=tuple(others)), T)
    backwards = findings(facts(marks=mine, around=tuple(reversed(others))), T)
    related = tuple(one for one in others if is_related(mine, one, T))
    assert whole == backwards == findings(facts(marks=mine, around=related), T)
    for one in whole:
        assert sentence(one.code, one.evidence) != one.code.label
        assert sentence(one.code, {}) in {one.code.label, sentence(one.code, one.evidence)}


def test_no_rule_names_a_worker_s_total() -> None:
    """Nothing in what a finding tells counts a worker's findings or compares workers (docs/domain.md §0.3)."""
    quick = marks(ended_at=NINE + dt.timedelta(seconds=20), answers=30)
    told = {key for one in findings(facts(marks=quick), T) for key in one.evidence}
    assert not {key for key in told if "score" in key or "rank" in key or "worker_id" in key}
