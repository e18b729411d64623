"""Visits on the wire: what is taken, what is refused and where, what OpenAPI says of it."""

import copy
import datetime as dt
import json
import math
from decimal import Decimal
from typing import Any

import pytest
from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from hypothesis import given, settings
from hypothesis import strategies as st
from marshmallow import ValidationError

from api_schemas import wire
from api_schemas.answers import CHECKS, answers_schema
from api_schemas.visits import VisitIn, VisitOut
from server.http.body import flat
from server.visits import rules
from server.visits.answers import NOT_ASKED, QUESTIONS
from server.visits.form import VOCABULARIES, VisitRecord
from server.visits.terms import Outcome
from tests.builders.visits import (
    PERSON,
    PHOTO,
    WORKER,
    a_hazard,
    a_photo,
    a_visit_body,
    an_absence,
    an_attempt_body,
    visit_bodies,
)

SCHEMA = VisitIn()
ABSENT: Any = object()


def errors_of(body: Any) -> dict[str, list[str]]:
    with pytest.raises(ValidationError) as refused:
        SCHEMA.load(body)
    return flat(refused.value.messages)


def with_value(path: str, value: Any) -> dict[str, Any]:
    """Give a body that holds something of everything, with one place changed or taken out."""
    body: Any = copy.deepcopy(
        a_visit_body(
            absence=an_absence(contact_tried=["phone"]),
            needs=[{"kind": "medical", "detail": "药"}],
            problems=[a_hazard()],
            photos=[a_photo()],
            signatures=[{"signer": "witness", "manner": "sign", "name": "李某"}],
        )
    )
    place = body
    *steps, last = path.split(".")
    for step in steps:
        place = place[int(step)] if step.isdigit() else place[step]
    if value is ABSENT:
        del place[last]
    elif last.isdigit():
        place[int(last)] = value
    else:
        place[last] = value
    assert isinstance(body, dict)
    return body


def test_the_example_of_the_contract_is_taken() -> None:
    record = SCHEMA.load(
        {
            "person_id": PERSON,
            "method": "home",
            "purposes": ["routine"],
            "outcome": "met",
            "identity_checked_by": "known",
            "occurred_at": "2026-03-05T09:12:00+08:00",
            "ended_at": "2026-03-05T09:31:00+08:00",
            "client_created_at": "2026-03-05T09:12:04+08:00",
            "visitors": [WORKER],
            "location": {
                "latitude": 30.8931,
                "longitude": 119.4172,
                "accuracy_m": 25,
                "datum": "gcj02",
                "taken_at": "2026-03-05T09:12:00+08:00",
            },
            "no_location_reason": None,
            "answers": {"food": "adequate", "housing_safety": "risk", "medicine_have": "not_asked"},
            "needs": [{"kind": "medical", "detail": "慢性病用药"}],
            "problems": [
                {
                    "code": "old_wiring",
                    "severity": "high",
                    "description": "线路老化",
                    "fixed_on_site": False,
                    "photo_ids": [PHOTO],
                }
            ],
            "absence": None,
            "conclusion": "attention",
            "notes": "无",
            "signatures": [],
            "photos": [
                {"id": PHOTO, "kind": "hazard", "taken_at": "2026-03-05T09:15:00+08:00", "sha256": "0a" * 32}
            ],
            "no_photo_reason": None,
        }
    )
    assert isinstance(record, VisitRecord)
    assert record.outcome is Outcome.MET
    assert record.occurred_at == dt.datetime(2026, 3, 5, 1, 12, tzinfo=dt.UTC)


BAD: list[tuple[str, Any]] = [
    ("person_id", ABSENT),
    ("person_id", None),
    ("person_id", 5),
    ("person_id", PERSON.replace("-", "")),
    ("person_id", "{" + PERSON + "}"),
    ("person_id", PERSON + "\n"),
    ("method", "elsewhere"),
    ("method", ["home"]),
    ("method", {}),
    ("purposes", []),
    ("purposes", "routine"),
    ("purposes", ["routine", "routine"]),
    ("purposes.0", None),
    ("outcome", "MET"),
    ("outcome", ABSENT),
    ("identity_checked_by", "not_asked"),
    ("occurred_at", ABSENT),
    ("occurred_at", "2026-03-05T09:12:00"),
    ("occurred_at", "2026-03-05 09:12:00+08:00"),
    ("occurred_at", "2026-03-05T09:12:00.5+08:00"),
    ("occurred_at", "2026-03-05T09:12+08:00"),
    ("occurred_at", "2026-02-30T09:12:00+08:00"),
    ("occurred_at", "2026-03-05T24:12:00+08:00"),
    ("occurred_at", "1970-01-01T00:00:00+08:00"),
    ("occurred_at", "0001-01-01T00:00:00+08:00"),
    ("occurred_at", "9999-12-31T23:59:59-08:00"),
    ("occurred_at", "2026-03-05T09:12:00+99:00"),
    ("occurred_at", "２０２６-03-05T09:12:00+08:00"),
    ("occurred_at", 1772673120),
    ("client_created_at", ABSENT),
    ("visitors", []),
    ("visitors", [WORKER, WORKER]),
    ("visitors", [WORKER, WORKER.upper()]),
    ("visitors.0", "张三"),
    ("location", []),
    ("location.latitude", 90.1),
    ("location.latitude", "30.9"),
    ("location.latitude", True),
    ("location.latitude", math.nan),
    ("location.longitude", -180.5),
    ("location.longitude", math.inf),
    ("location.longitude", 10**400),
    ("location.latitude", None),
    ("location.datum", ABSENT),
    ("location.datum", "bd09"),
    ("location.accuracy_m", -2),
    ("location.altitude", 12),
    ("no_location_reason", "lazy"),
    ("answers", []),
    ("answers.food", "ADEQUATE"),
    ("answers.food", ["adequate"]),
    ("answers.food", {}),
    ("answers.foods", "adequate"),
    ("answers.leak", 1),
    ("answers.leak", "true"),
    ("answers.satisfaction", 6),
    ("answers.satisfaction", True),
    ("answers.satisfaction", 4.5),
    ("answers.satisfaction", math.nan),
    ("answers.satisfaction", math.inf),
    ("answers.food_stock_days", -1),
    ("answers.chronic", "diabetes"),
    ("answers.chronic", ["diabetes", "diabetes"]),
    ("answers.chronic", ["flu"]),
    ("answers.chronic", [["diabetes"]]),
    ("answers.caregiver_last_came_on", "2026-2-1"),
    ("answers.caregiver_last_came_on", "2026-02-30"),
    ("answers.appeals", ""),
    ("answers.appeals", "字" * 501),
    ("answers.appeals", "\x00"),
    ("needs", {}),
    ("needs", [{"kind": "medical"}] * 51),
    ("needs.0", "medical"),
    ("needs.0.kind", "money"),
    ("problems.0.code", "Old wiring"),
    ("problems.0.code", "a" * 61),
    ("problems.0.severity", "worst"),
    ("problems.0.fixed_on_site", "no"),
    ("problems.0.photo_ids", [PHOTO, PHOTO]),
    ("problems.0.fixed", True),
    ("absence.informants", ABSENT),
    ("absence.informants", None),
    ("absence.informants.0.name", ""),
    ("absence.informants.0.said", ABSENT),
    ("absence.last_seen_on", ABSENT),
    ("absence.last_seen_on", "2026-03-04T00:00:00+08:00"),
    ("absence.whereabouts", ABSENT),
    ("absence.absence_reason", ABSENT),
    ("absence.next_try_on", ABSENT),
    ("absence.contact_tried", ["pigeon"]),
    ("conclusion", "fine"),
    ("notes", "字" * 4001),
    ("notes", "\ud800"),
    ("notes", "a\x00b"),
    ("notes", 5),
    ("signatures.0.manner", "stamp"),
    ("photos.0.id", ABSENT),
    ("photos.0.kind", "selfie"),
    ("photos.0.sha256", "AB" * 32),
    ("photos.0.sha256", "ab"),
    ("no_photo_reason", "字" * 501),
    ("Notes", "x"),
]


@pytest.mark.parametrize(
    ("path", "value"),
    BAD,
    ids=[f"{path}={'absent' if value is ABSENT else str(value)[:30]!r}" for path, value in BAD],
)
def test_what_is_not_as_promised_is_refused_at_its_path_in_chinese(path: str, value: Any) -> None:
    errors = errors_of(with_value(path, value))
    assert all(found == path or found.startswith(f"{path}.") for found in errors)
    assert all(
        sentence.endswith("。") and not sentence.isascii()
        for sentences in errors.values()
        for sentence in sentences
    )


@pytest.mark.parametrize("body", [None, [], "x", 5, True, [a_visit_body()]])
def test_what_is_no_object_is_refused(body: Any) -> None:
    assert errors_of(body)


GOOD: list[tuple[str, Any, Any]] = [
    ("notes", "𠮷𫞩 阿卜杜热合曼·买买提 ", "𠮷𫞩 阿卜杜热合曼·买买提 "),
    ("notes", "e\u0301", "e\u0301"),
    ("notes", " ", " "),
    ("person_id", PERSON.upper(), PERSON),
    ("occurred_at", "2026-03-05T01:12:00Z", "2026-03-05T09:12:00+08:00"),
    ("occurred_at", "2026-03-05T01:12:00-00:00", "2026-03-05T09:12:00+08:00"),
    ("location.latitude", 30, 30.0),
    ("location.longitude", -180, -180.0),
    ("location.accuracy_m", -1, -1.0),
    ("location.accuracy_m", None, None),
    ("answers.satisfaction", 4.0, 4),
    ("answers.satisfaction", NOT_ASKED, NOT_ASKED),
    ("answers.leak", False, False),
    ("answers.leak", NOT_ASKED, NOT_ASKED),
    ("answers.chronic", [], []),
    ("answers.chronic", ["heart", "diabetes"], ["heart", "diabetes"]),
    ("answers.caregiver_last_came_on", "2024-02-29", "2024-02-29"),
    ("absence.informants", [], []),
    ("needs.0.detail", None, None),
]


@pytest.mark.parametrize(("path", "value", "stored"), GOOD, ids=[str(good[:2])[:40] for good in GOOD])
def test_what_is_as_promised_comes_back_exactly(path: str, value: Any, stored: Any) -> None:
    found: Any = rules.body(SCHEMA.load(with_value(path, value)))
    for step in path.split("."):
        found = found[int(step)] if step.isdigit() else found[step]
    assert (found, type(found)) == (stored, type(stored))


def test_an_answer_of_null_counts_as_left_out() -> None:
    assert "gas" not in SCHEMA.load(with_value("answers.gas", None)).answers


def test_minus_zero_is_zero() -> None:
    plain, minus = (SCHEMA.load(with_value("location.latitude", value)) for value in (0, -0.0))
    assert rules.fingerprint(plain) == rules.fingerprint(minus)


@pytest.mark.parametrize("name", QUESTIONS)
def test_every_answer_takes_not_asked(name: str) -> None:
    assert SCHEMA.load(a_visit_body(answers={name: NOT_ASKED})).answers == {name: NOT_ASKED}


@settings(max_examples=60, deadline=None)
@given(visit_bodies())
def test_a_stored_visit_is_shown_as_it_was_sent(body: dict[str, Any]) -> None:
    written = rules.body(SCHEMA.load(body))
    shown = VisitOut().dump(stored(written))
    assert {name: shown[name] for name in written} == written
    assert shown["received_at"] == "2026-03-05T10:00:00+08:00"
    assert json.loads(json.dumps(shown)) == shown


def stored(written: dict[str, Any]) -> dict[str, Any]:
    return written | {
        "id": PHOTO,
        "recorder": WORKER,
        "received_at": dt.datetime(2026, 3, 5, 2, tzinfo=dt.UTC),
        "revised_at": dt.datetime(2026, 3, 5, 2, tzinfo=dt.UTC),
        "filed_late": False,
        "clock_skew_s": -4,
        "state": "submitted",
        "state_reason": None,
        "completeness": {"answered": 3, "required": 18},
        "photo_debt": [PHOTO],
        "duty": None,
        "revision": 1,
    }


def test_a_visit_whose_texts_were_erased_can_still_be_shown() -> None:
    open_body, _ = rules.split(SCHEMA.load(an_attempt_body(notes="私")))
    shown = VisitOut().dump(stored(rules.join(open_body, {})))
    assert shown["notes"] is None
    assert shown["absence"]["whereabouts"] is None
    assert "findings" not in shown


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["home", "met", NOT_ASKED, PHOTO, "2026-03-05T09:12:00+08:00", 10**400, "\ud800"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*SCHEMA.fields, *QUESTIONS, "id", "kind", "latitude"]), inner)
        | st.dictionaries(st.text(max_size=4), inner, max_size=2)
    ),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(JSON)
def test_no_json_whatever_gets_anything_but_a_refusal(body: Any) -> None:
    try:
        SCHEMA.load(body)
    except ValidationError as refused:
        json.dumps(flat(refused.messages))


PLACES = sorted(
    [
        *(name for name in SCHEMA.fields if name not in {"needs", "problems"}),
        *(f"answers.{name}" for name in QUESTIONS),
        *("location.latitude", "location.taken_at", "problems.0.photo_ids", "photos.0.id", "needs.0"),
        *("absence.informants.0.name", "absence.last_seen_on", "purposes.0", "signatures.0.photo_id"),
    ]
)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(PLACES), JSON)
def test_a_good_body_with_anything_in_one_place_is_a_record_or_a_refusal(path: str, value: Any) -> None:
    try:
        record = SCHEMA.load(with_value(path, value))
    except ValidationError:
        return
    assert rules.from_body(rules.body(record)) == record
    assert len(rules.fingerprint(record)) == 32


def openapi() -> dict[str, Any]:
    spec = APISpec("t", "1", "3.1.0", plugins=[MarshmallowPlugin()])
    spec.components.schema("VisitIn", schema=VisitIn)
    spec.components.schema("VisitOut", schema=VisitOut)
    schemas = spec.to_dict()["components"]["schemas"]
    assert isinstance(schemas, dict)
    return schemas


def test_openapi_describes_every_field_with_its_words() -> None:
    schemas = openapi()
    visit = schemas["VisitIn"]["properties"]
    assert all(field.get("description") for field in visit.values())
    assert visit["method"]["enum"] == ["home", "phone", "video", "third_party"]
    assert visit["method"]["x-labels"]["home"] == "上门"
    assert set(visit["conclusion"]["type"]) == {"string", "null"}
    assert None in visit["conclusion"]["enum"]
    assert visit["visitors"] | {"description": ""} == {
        "type": "array",
        "items": {"type": "string", "format": "uuid", "pattern": wire.UUID_PATTERN},
        "minItems": 1,
        "maxItems": 50,
        "uniqueItems": True,
        "description": "",
        "example": [WORKER],
    }
    assert {"person_id", "method", "purposes", "outcome", "occurred_at", "visitors"} <= set(
        schemas["VisitIn"]["required"]
    )
    assert visit["answers"]["properties"] == answers_schema()["properties"]
    assert visit["answers"]["additionalProperties"] is False
    assert schemas["VisitIn"]["additionalProperties"] is False
    json.dumps(schemas)


def test_questions_checks_and_openapi_are_one_list() -> None:
    assert set(QUESTIONS) == set(CHECKS) == set(answers_schema()["properties"])
    food = answers_schema()["properties"]["food"]
    assert food["enum"] == ["adequate", "poor", "lacking", NOT_ASKED, None]
    assert food["x-labels"][NOT_ASKED] == "未询问"
    assert food["x-source"] == "DOMAIN §3.3"


def test_every_word_of_the_form_has_a_label_a_source_and_is_lower_snake() -> None:
    assert len({vocabulary.__name__ for vocabulary in VOCABULARIES}) == len(VOCABULARIES)
    for vocabulary in VOCABULARIES:
        for word in vocabulary:
            assert word.label
            assert word.source
            assert word.value == word.value.lower()
            assert word.value.replace("_", "").isalnum()


def test_money_months_and_dates_are_exact() -> None:
    money, month, day = wire.MoneyField(), wire.Month(), wire.DateField()
    assert money.deserialize("755.00") == Decimal("755.00")
    assert money._serialize(Decimal(755), None, None) == "755.00"
    assert month.deserialize("2026-03") == dt.date(2026, 3, 1)
    assert month._serialize(dt.date(2026, 3, 1), None, None) == "2026-03"
    assert day.deserialize("2024-02-29") == dt.date(2024, 2, 29)
    for field, bad in (
        (money, ["755", "755.0", "-.50", "1e3", "0755.00", 755, "٧٥٥.00", "1234567890123.00"]),
        (month, ["2026-13", "2026-3", "1800-01", 202603]),
        (day, ["2023-02-29", "20260305", "1899-12-31", None, "2026-03-05 "]),
    ):
        for value in bad:
            with pytest.raises(ValidationError):
                field.deserialize(value)
