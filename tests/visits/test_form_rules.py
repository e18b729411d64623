"""The rules of the form: each is kept by one record and broken by another."""

import datetime as dt
from typing import Any

import pytest

from api_schemas.visits import VisitIn
from server.errors import Invalid
from server.people.terms import Category
from server.problems.terms import Severity
from server.visits import answers, rules
from server.visits.form import VisitRecord
from server.visits.rules import FormPolicy, VisitInTheFuture
from server.visits.terms import ATTEMPTS, COUNTING, Outcome
from tests.builders.visits import (
    COLLEAGUE,
    PHOTO,
    WORKER,
    a_hazard,
    a_photo,
    a_visit_body,
    accept,
    an_absence,
    an_attempt_body,
    usual_answers,
)

SCHEMA = VisitIn()
BOTH = [WORKER, COLLEAGUE]
NOT_THERE: dict[str, Any] = {"outcome": "not_met", "identity_checked_by": None, "answers": {}}


def load(body: dict[str, Any]) -> VisitRecord:
    record = SCHEMA.load(body)
    assert isinstance(record, VisitRecord)
    return record


def visit(**changes: Any) -> VisitRecord:
    return load(a_visit_body(**changes))


def remote(**changes: Any) -> dict[str, Any]:
    return {"method": "phone", "outcome": "remote_met", "location": None} | changes


def without(*names: str) -> dict[str, Any]:
    return {name: answer for name, answer in usual_answers().items() if name not in names}


def errors_of(record: VisitRecord, **circumstances: Any) -> dict[str, Any]:
    with pytest.raises(Invalid) as refused:
        accept(record, **circumstances)
    return dict(refused.value.errors)


KEPT: dict[str, dict[str, Any]] = {
    "a routine visit at home": {},
    "a call": remote(no_location_reason="not_required"),
    "a call says nothing of a location": remote(),
    "a video call": remote(method="video"),
    "a visit by a third party": {"method": "third_party"},
    "met elsewhere needs no answers about the home": {
        "outcome": "met_elsewhere",
        "answers": without("water", "hygiene_room", "housing_safety", "electric", "fire"),
    },
    "a call asks only what can be heard": remote(
        answers=without(
            *("water", "hygiene_room", "housing_safety", "electric", "fire"),
            *("clothing_bedding", "hygiene_person"),
        )
    ),
    "nothing was asked": {"answers": dict.fromkeys(usual_answers(), "not_asked")},
    "nobody there": NOT_THERE | {"absence": an_absence()},
    "nobody to be asked": NOT_THERE | {"absence": an_absence(informants=[])},
    "an attempt by phone": NOT_THERE | {"method": "phone", "absence": an_absence(), "location": None},
    "a death": NOT_THERE | {"outcome": "dead"},
    "a death of which neighbours told": NOT_THERE | {"outcome": "dead", "absence": an_absence()},
    "seen on the day": NOT_THERE | {"absence": an_absence(last_seen_on="2026-03-05")},
    "next try on the day": NOT_THERE | {"absence": an_absence(next_try_on="2026-03-05")},
    "next try on the third day": NOT_THERE | {"absence": an_absence(next_try_on="2026-03-08")},
    "ended when it began": {"ended_at": "2026-03-05T09:12:00+08:00"},
    "no end": {"ended_at": None},
    "a day long": {"occurred_at": "2026-03-04T09:31:00+08:00"},
    "a minute ahead": {"occurred_at": "2026-03-05T10:01:00+08:00", "ended_at": None},
    "ten minutes ahead": {
        "occurred_at": "2026-03-05T10:10:00+08:00",
        "ended_at": "2026-03-05T10:10:00+08:00",
    },
    "years late": {"occurred_at": "2019-03-05T10:10:00+08:00", "ended_at": None},
    "a phone a year ahead": {"client_created_at": "2027-03-05T10:10:00+08:00"},
    "two surveyors": {"purposes": ["review"], "visitors": BOTH, "no_photo_reason": "本人不愿"},
    "no location, with a reason": {"location": None, "no_location_reason": "indoor"},
    "a warning with a photo": {"purposes": ["warning"], "visitors": BOTH, "photos": [a_photo()]},
    "a review by phone needs no photo": remote(purposes=["review"], visitors=BOTH),
    "a new application needs no photo": {"purposes": ["new_apply"], "visitors": BOTH},
    "a paper record with its form": {"recorded_for": WORKER, "photos": [a_photo(kind="signed_form")]},
    "a paper record without": {"recorded_for": WORKER, "no_photo_reason": "表单已归档"},
    "a hazard with its photo": {"problems": [a_hazard()], "photos": [a_photo()]},
    "a hazard with a photo of a hazard": {"problems": [a_hazard(photo_ids=[])], "photos": [a_photo()]},
    "a hazard with a reason": {"problems": [a_hazard(photo_ids=[])], "no_photo_reason": "手机没电"},
    "a small problem needs no photo": {"problems": [a_hazard(photo_ids=[], severity="medium")]},
    "a recipient who cannot sign, with a witness": {
        "signatures": [
            {"signer": "recipient", "manner": "unable", "reason": "手部残疾"},
            {"signer": "witness", "manner": "sign", "photo_id": PHOTO},
        ],
        "photos": [a_photo(kind="signed_form")],
    },
    "a day that has passed": {"answers": usual_answers() | {"caregiver_last_came_on": "2026-03-05"}},
    "a day that was not asked": {"answers": usual_answers() | {"caregiver_last_came_on": "not_asked"}},
}

BROKEN: dict[str, tuple[dict[str, Any], set[str]]] = {
    "remote at home": ({"outcome": "remote_met"}, {"outcome"}),
    "met by phone": ({"method": "phone"}, {"outcome"}),
    "met elsewhere by video": ({"method": "video", "outcome": "met_elsewhere"}, {"outcome"}),
    "met, not identified": ({"identity_checked_by": None}, {"identity_checked_by"}),
    "called, not identified": (remote(identity_checked_by=None), {"identity_checked_by"}),
    "identified, not met": (
        NOT_THERE | {"absence": an_absence(), "identity_checked_by": "known"},
        {"identity_checked_by"},
    ),
    "dead and identified": (
        NOT_THERE | {"outcome": "dead", "identity_checked_by": "known"},
        {"identity_checked_by"},
    ),
    "met and absent": ({"absence": an_absence()}, {"absence"}),
    "last seen tomorrow": (
        NOT_THERE | {"absence": an_absence(last_seen_on="2026-03-06")},
        {"absence.last_seen_on"},
    ),
    "next try yesterday": (
        NOT_THERE | {"absence": an_absence(next_try_on="2026-03-04")},
        {"absence.next_try_on"},
    ),
    "next try on the fourth day": (
        NOT_THERE | {"absence": an_absence(next_try_on="2026-03-09")},
        {"absence.next_try_on"},
    ),
    "ended before": ({"ended_at": "2026-03-05T09:11:59+08:00"}, {"ended_at"}),
    "longer than a day": ({"occurred_at": "2026-03-04T09:30:59+08:00"}, {"ended_at"}),
    "ends in the future": ({"ended_at": "2026-03-05T10:10:01+08:00"}, {"ended_at"}),
    "one surveyor reviews": ({"purposes": ["routine", "review"], "no_photo_reason": "无"}, {"visitors"}),
    "one surveyor of a warning": ({"purposes": ["warning"], "no_photo_reason": "无"}, {"visitors"}),
    "one surveyor of an application": ({"purposes": ["new_apply"]}, {"visitors"}),
    "no location, no reason": ({"location": None}, {"no_location_reason"}),
    "a location and a reason": ({"no_location_reason": "indoor"}, {"no_location_reason"}),
    "ten photos": (
        {"photos": [a_photo(id=f"00000000-0000-4000-8000-00000000000{i}") for i in range(10)]},
        {"photos"},
    ),
    "a review without a photo": ({"purposes": ["review"], "visitors": BOTH}, {"photos"}),
    "a paper record with another photo": ({"recorded_for": WORKER, "photos": [a_photo()]}, {"photos"}),
    "a hazard without a photo": ({"problems": [a_hazard(photo_ids=[])]}, {"problems.0.photo_ids"}),
    "an urgent hazard, fixed, without a photo": (
        {"problems": [a_hazard(photo_ids=[], severity="urgent", fixed_on_site=True)]},
        {"problems.0.photo_ids"},
    ),
    "an undeclared photo": ({"problems": [a_hazard()]}, {"problems.0.photo_ids"}),
    "an undeclared photo of a signature": (
        {"signatures": [{"signer": "recipient", "manner": "sign", "photo_id": PHOTO}]},
        {"signatures.0.photo_id"},
    ),
    "one photo twice": ({"photos": [a_photo(), a_photo(kind="room")]}, {"photos.1.id"}),
    "a photo of a person who did not agree": ({"photos": [a_photo(kind="person")]}, {"photos.0.kind"}),
    "cannot sign, no witness": (
        {"signatures": [{"signer": "recipient", "manner": "unable", "reason": "残疾"}]},
        {"signatures"},
    ),
    "would not sign, no reason": (
        {"signatures": [{"signer": "recipient", "manner": "refused"}]},
        {"signatures.0.reason"},
    ),
    "an answer is missing": ({"answers": without("food")}, {"answers.food"}),
    "a call without health": (remote(answers=without("health_overall")), {"answers.health_overall"}),
    "nobody asked about care": (
        {"answers": without("caregiver_performing", "satisfaction", "care_fee_known")},
        {"answers.caregiver_performing", "answers.satisfaction", "answers.care_fee_known"},
    ),
    "a day that has not come": (
        {"answers": usual_answers() | {"caregiver_last_came_on": "2026-03-06"}},
        {"answers.caregiver_last_came_on"},
    ),
} | {
    f"no account of an absence: {outcome.value}": (NOT_THERE | {"outcome": outcome.value}, {"absence"})
    for outcome in sorted(ATTEMPTS)
}


@pytest.mark.parametrize("changes", KEPT.values(), ids=KEPT.keys())
def test_a_record_that_keeps_the_rules_is_accepted(changes: dict[str, Any]) -> None:
    accept(visit(**changes))


@pytest.mark.parametrize(("changes", "paths"), BROKEN.values(), ids=BROKEN.keys())
def test_a_record_that_breaks_a_rule_names_the_field_in_chinese(
    changes: dict[str, Any], paths: set[str]
) -> None:
    errors = errors_of(visit(**changes))
    assert set(errors) == paths
    assert all(
        sentence.endswith("。") and not sentence.isascii()
        for sentences in errors.values()
        for sentence in sentences
    )
    assert not any("{" in sentence for sentences in errors.values() for sentence in sentences)


def test_every_condition_is_broken_by_some_test() -> None:
    paths = set().union(*(paths for _, paths in BROKEN.values()))
    assert {condition.path for condition in rules.CONDITIONS} <= paths


def test_everything_wrong_is_named_at_once() -> None:
    wrong = visit(identity_checked_by=None, location=None, answers=without("food", "fire"))
    assert set(errors_of(wrong)) == {
        "identity_checked_by",
        "no_location_reason",
        "answers.food",
        "answers.fire",
    }


def test_a_visit_more_than_ten_minutes_ahead_has_its_own_code_and_names_the_rest_too() -> None:
    ahead = visit(occurred_at="2026-03-05T10:10:01+08:00", ended_at=None, identity_checked_by=None)
    with pytest.raises(VisitInTheFuture) as refused:
        accept(ahead)
    assert refused.value.code() == "visit_in_the_future"
    assert set(refused.value.errors) == {"occurred_at", "identity_checked_by"}


def test_the_numbers_are_the_policys() -> None:
    tight = FormPolicy(
        future_tolerance=dt.timedelta(0),
        next_try_within=dt.timedelta(days=1),
        most_photos=0,
        longest_visit=dt.timedelta(minutes=5),
    )
    assert set(errors_of(visit(photos=[a_photo()]), policy=tight)) == {"ended_at", "photos"}
    later = load(an_attempt_body(absence=an_absence(next_try_on="2026-03-07")))
    assert errors_of(later, policy=tight)["absence.next_try_on"][-1] == "下次走访须在1天之内。"
    accept(visit(answers={}), policy=FormPolicy(missing_answers_refused=False))


def test_a_person_who_agreed_may_be_photographed() -> None:
    accept(visit(photos=[a_photo(kind="person")]), photo_consent=True)


def test_only_dispersed_people_are_asked_about_their_caregiver() -> None:
    record = visit(answers=without("caregiver_performing", "satisfaction", "care_fee_known"))
    for category in (Category.DIBAO_RURAL, Category.TEKUN_CENTRAL, None):
        accept(record, category=category)


def test_the_business_day_is_shanghais() -> None:
    after_midnight = visit(
        occurred_at="2026-03-04T16:30:00+00:00",
        ended_at=None,
        answers=usual_answers() | {"caregiver_last_came_on": "2026-03-05"},
    )
    accept(after_midnight)


@pytest.mark.parametrize(
    ("changes", "urgent"),
    [
        ({"last_seen_on": "2026-03-02"}, False),
        ({"last_seen_on": "2026-03-01"}, True),
        ({"last_seen_on": "2026-03-01", "informants": []}, True),
        ({"last_seen_on": "2026-03-04", "informants": []}, False),
    ],
)
@pytest.mark.parametrize("outcome", ["not_met", "refused", "moved", "missing"])
def test_nobody_saw_the_person_for_more_than_three_days(
    changes: dict[str, Any], urgent: bool, outcome: str
) -> None:
    record = load(an_attempt_body(outcome=outcome, absence=an_absence(**changes)))
    assert rules.urgent_absence(record, FormPolicy()) is urgent
    raised = [(one.code, one.severity) for one in rules.problems_of(record, FormPolicy())]
    assert raised == ([("not_seen_for_days", Severity.URGENT)] if urgent else [])


@pytest.mark.parametrize("outcome", ["hospital", "in_institution"])
def test_an_informant_vouches_for_who_is_looked_after_elsewhere(outcome: str) -> None:
    ago = {"last_seen_on": "2026-01-01"}
    vouched = load(an_attempt_body(outcome=outcome, absence=an_absence(**ago)))
    alone = load(an_attempt_body(outcome=outcome, absence=an_absence(**ago, informants=[])))
    assert not rules.urgent_absence(vouched, FormPolicy())
    assert rules.urgent_absence(alone, FormPolicy())


def test_a_death_is_no_urgent_absence() -> None:
    dead = load(an_attempt_body(outcome="dead", absence=an_absence(last_seen_on="2026-01-01")))
    assert not rules.urgent_absence(dead, FormPolicy())


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"abuse_suspected": True}, ("abuse_suspected", Severity.URGENT, True)),
        ({"caregiver_performing": "no"}, ("caregiver_not_performing", Severity.HIGH, False)),
        ({"caregiver_performing": "partial"}, ("caregiver_partly_performing", Severity.MEDIUM, False)),
        ({"card_held_by": "cadre"}, ("card_held_by_cadre", Severity.HIGH, False)),
        ({"card_held_by": "other"}, ("card_held_by_other", Severity.HIGH, False)),
        ({"money_received": "no"}, ("money_not_received", Severity.MEDIUM, False)),
    ],
)
def test_an_answer_raises_its_problem(answer: dict[str, Any], expected: tuple[str, Severity, bool]) -> None:
    (found,) = rules.problems_of(visit(answers=usual_answers() | answer), FormPolicy())
    assert (found.code, found.severity, found.restricted) == expected


def test_usual_answers_raise_nothing_and_named_problems_come_first() -> None:
    assert rules.problems_of(visit(), FormPolicy()) == []
    both = visit(problems=[a_hazard()], answers=usual_answers() | {"money_received": "no"})
    assert [one.code for one in rules.problems_of(both, FormPolicy())] == ["old_wiring", "money_not_received"]
    named = visit(problems=[a_hazard(code="abuse_suspected")])
    assert rules.problems_of(named, FormPolicy())[0].restricted


def test_completeness_counts_what_was_really_asked() -> None:
    dispersed = Category.TEKUN_DISPERSED
    assert rules.completeness(visit(), dispersed) == (17, 18)
    assert rules.completeness(visit(answers=dict.fromkeys(usual_answers(), "not_asked")), dispersed) == (
        0,
        18,
    )
    assert rules.completeness(visit(), None) == (14, 15)
    assert rules.completeness(load(an_attempt_body()), dispersed) == (0, 0)


def test_only_face_to_face_is_in_person() -> None:
    assert rules.is_in_person(visit())
    assert rules.is_in_person(visit(outcome="met_elsewhere", method="third_party"))
    assert not rules.is_in_person(visit(**remote()))
    assert not rules.is_in_person(load(an_attempt_body()))


def test_outcomes_are_parted_without_gap_or_overlap() -> None:
    assert COUNTING | ATTEMPTS | {Outcome.DEAD} == set(Outcome)
    assert not COUNTING & ATTEMPTS


def test_every_question_is_required_somewhere_or_optional_and_knows_its_words() -> None:
    for name, question in answers.QUESTIONS.items():
        assert name == question.name
        asks_for_words = question.kind in {answers.AnswerKind.WORD, answers.AnswerKind.WORDS}
        assert asks_for_words == (question.vocabulary is not None)
        assert question.vocabulary is None or answers.NOT_ASKED not in set(question.vocabulary)
    assert set(rules.ASKED_WHEN) == set(answers.REQUIRED)
