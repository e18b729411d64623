"""Visit bodies as phones send them: one plain routine visit, and a strategy for every valid shape."""

import datetime as dt
from typing import Any
from uuid import UUID

from hypothesis import strategies as st

from server.people.terms import Category
from server.photos.terms import PhotoKind
from server.places.terms import Datum, NoLocationReason
from server.problems.terms import Severity
from server.terms import Term
from server.visits.answers import NOT_ASKED, QUESTIONS, REQUIRED, AnswerKind, Question
from server.visits.form import VisitRecord
from server.visits.rules import FormPolicy, check
from server.visits.terms import (
    ATTEMPTS,
    COUNTING,
    FACE_TO_FACE,
    AbsenceReason,
    Conclusion,
    ContactWay,
    IdentityCheck,
    InformantRelation,
    Method,
    NeedKind,
    Outcome,
    Purpose,
    Signer,
    SigningManner,
)

PERSON = "5b0d9a77-6c1e-4d55-8a43-0f5e2c9b1d21"
WORKER = "3f1c8a52-7f0e-4f43-9d0f-2b6f3f6a9b10"
COLLEAGUE = "0c6d3a1e-94a7-4b7e-8a35-7d1b52f0c9aa"
PHOTO = "9a1e4c7d-22b5-4a0c-8f9e-5d0c4b1a7e33"
NOW = dt.datetime(2026, 3, 5, 2, 0, tzinfo=dt.UTC)  # 10:00 in Shanghai
SHANGHAI = dt.timezone(dt.timedelta(hours=8))

ALL_REQUIRED = [name for names in REQUIRED.values() for name in names]


def usual_answers() -> dict[str, Any]:
    """Answer every question that some circumstance requires, with nothing out of the ordinary."""
    return {
        "living_with": "alone",
        "food": "adequate",
        "clothing_bedding": "adequate",
        "water": "tap",
        "hygiene_person": "good",
        "hygiene_room": "fair",
        "money_received": "yes",
        "care_fee_known": True,
        "housing_safety": "safe",
        "electric": "ok",
        "fire": "ok",
        "health_overall": "frail",
        "mental_state": "stable",
        "medicine_have": NOT_ASKED,
        "medical_insurance": "insured",
        "self_care_change": "none",
        "caregiver_performing": "yes",
        "satisfaction": 5,
    }


def a_visit_body(person_id: str | UUID = PERSON, **changes: Any) -> dict[str, Any]:
    """Give a valid routine visit at home, with changes; answers=… replaces all answers."""
    return {
        "person_id": str(person_id),
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
        "answers": usual_answers(),
        "needs": [],
        "problems": [],
        "absence": None,
        "conclusion": "normal",
        "notes": None,
        "signatures": [],
        "photos": [],
        "no_photo_reason": None,
    } | changes


def an_absence(**changes: Any) -> dict[str, Any]:
    """Give the account of an absence: a neighbour saw the person yesterday."""
    return {
        "informants": [{"relation": "neighbour", "name": "王某", "said": "昨天还在地里干活"}],
        "last_seen_on": "2026-03-04",
        "whereabouts": "下地干活",
        "absence_reason": "field_work",
        "contact_tried": [],
        "next_try_on": "2026-03-06",
    } | changes


def an_attempt_body(person_id: str | UUID = PERSON, **changes: Any) -> dict[str, Any]:
    """Give a valid attempt at home: nobody was met."""
    attempt: dict[str, Any] = {
        "outcome": "not_met",
        "identity_checked_by": None,
        "answers": {},
        "absence": an_absence(),
    }
    return a_visit_body(person_id, **attempt | changes)


def a_hazard(**changes: Any) -> dict[str, Any]:
    """Give a severe problem with its photo's id."""
    return {
        "code": "old_wiring",
        "severity": "high",
        "description": "灶台上方电线老化",
        "fixed_on_site": False,
        "photo_ids": [PHOTO],
    } | changes


def a_photo(**changes: Any) -> dict[str, Any]:
    """Declare one photo of a hazard."""
    return {
        "id": PHOTO,
        "kind": "hazard",
        "taken_at": "2026-03-05T09:15:00+08:00",
        "sha256": "ab" * 32,
    } | changes


def accept(
    record: VisitRecord,
    *,
    category: Category | None = Category.TEKUN_DISPERSED,
    photo_consent: bool = False,
    now: dt.datetime = NOW,
    policy: FormPolicy | None = None,
) -> None:
    """Check a record as of NOW, for a dispersed extremely poor person who did not agree to photos."""
    check(record, category=category, photo_consent=photo_consent, now=now, policy=policy or FormPolicy())


def words(vocabulary: type[Term]) -> st.SearchStrategy[str]:
    """Draw the wire value of a vocabulary."""
    return st.sampled_from([member.value for member in vocabulary])


def texts(longest: int = 40) -> st.SearchStrategy[str]:
    """Draw what can be stored: anything but NUL and surrogates, often rare characters and names."""
    rare = st.sampled_from(["𠮷野", "阿卜杜热合曼·买买提", "é", "e\u0301", " 空 ", "🧓🏽", "\u200b", "\r\n"])
    free = st.text(
        st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=longest
    )
    return rare | free


def instants(first: dt.datetime, last: dt.datetime) -> st.SearchStrategy[str]:
    """Draw an instant as the wire writes it, in whole seconds and any of a few offsets."""
    naive = st.datetimes(first.replace(tzinfo=None), last.replace(tzinfo=None))
    offset = st.sampled_from([0, 8, -5, 5.5]).map(lambda hours: dt.timezone(dt.timedelta(hours=hours)))
    return st.builds(
        lambda utc, zone: utc.replace(microsecond=0, tzinfo=dt.UTC).astimezone(zone).isoformat(),
        naive,
        offset,
    )


def an_answer(question: Question) -> st.SearchStrategy[Any]:
    """Draw a valid answer to a question, in its wire form."""
    vocabulary = [member.value for member in question.vocabulary or ()]
    given_by_kind: dict[AnswerKind, st.SearchStrategy[Any]] = {
        AnswerKind.YES_NO: st.booleans(),
        AnswerKind.NUMBER: st.integers(question.least, question.most),
        AnswerKind.DAY: st.dates(dt.date(1990, 1, 1), dt.date(2020, 1, 1)).map(dt.date.isoformat),
        AnswerKind.TEXT: texts(),
    }
    if vocabulary:
        given_by_kind |= {
            AnswerKind.WORD: st.sampled_from(vocabulary),
            AnswerKind.WORDS: st.lists(st.sampled_from(vocabulary), unique=True),
        }
    return st.just(NOT_ASKED) | given_by_kind[question.kind]


def _row(**columns: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(columns)


_MAYBE_TEXT = st.none() | texts()
_UUIDS = st.uuids().map(str)


@st.composite
def _absences(draw: st.DrawFn, day: dt.date) -> dict[str, Any]:
    informant = _row(relation=words(InformantRelation), name=texts(), said=texts(), phone=_MAYBE_TEXT)
    return {
        "informants": draw(st.lists(informant, max_size=2)),
        "last_seen_on": (day - dt.timedelta(days=draw(st.integers(0, 400)))).isoformat(),
        "whereabouts": draw(texts()),
        "absence_reason": draw(words(AbsenceReason)),
        "contact_tried": draw(st.lists(words(ContactWay), unique=True)),
        "next_try_on": (day + dt.timedelta(days=draw(st.integers(0, 3)))).isoformat(),
    }


@st.composite
def visit_bodies(draw: st.DrawFn) -> dict[str, Any]:
    """Draw any valid body, as of NOW, of somebody who agreed to photos."""
    outcome = draw(st.sampled_from(list(Outcome)))
    if outcome in FACE_TO_FACE:
        method = draw(st.sampled_from([Method.HOME, Method.THIRD_PARTY]))
    elif outcome is Outcome.REMOTE_MET:
        method = draw(st.sampled_from([Method.PHONE, Method.VIDEO]))
    else:
        method = draw(st.sampled_from(list(Method)))
    occurred_at = draw(instants(NOW - dt.timedelta(days=4000), NOW))
    occurred = dt.datetime.fromisoformat(occurred_at)
    day = occurred.astimezone(SHANGHAI).date()
    photos = draw(
        st.lists(
            _row(
                id=_UUIDS,
                kind=words(PhotoKind),
                taken_at=st.none() | instants(NOW - dt.timedelta(days=9000), NOW),
                sha256=st.none() | st.binary(min_size=32, max_size=32).map(bytes.hex),
            ),
            max_size=4,
            unique_by=lambda photo: photo["id"],
        )
    )
    ids = [photo["id"] for photo in photos]
    some_ids = st.lists(st.sampled_from(ids), unique=True) if ids else st.just([])
    location = draw(
        st.none()
        | _row(
            latitude=st.floats(-90, 90),
            longitude=st.floats(-180, 180),
            accuracy_m=st.none() | st.floats(-1, 1e6),
            datum=words(Datum),
            taken_at=st.none() | st.just(occurred_at),
        )
    )
    required = dict.fromkeys(ALL_REQUIRED, NOT_ASKED) if outcome in COUNTING else {}
    answers = {
        name: draw(an_answer(QUESTIONS[name])) for name in draw(st.sets(st.sampled_from(sorted(QUESTIONS))))
    }
    signed = _row(
        signer=words(Signer),
        manner=words(SigningManner),
        name=_MAYBE_TEXT,
        reason=texts(),
        photo_id=st.none() | (st.sampled_from(ids) if ids else st.none()),
    )
    signatures = draw(st.lists(signed, max_size=2))
    if signatures:
        signatures.append({"signer": "witness", "manner": "sign", "name": draw(texts())})
    problem = _row(
        code=st.from_regex(r"[a-z][a-z0-9_]{0,20}", fullmatch=True),
        severity=words(Severity),
        description=_MAYBE_TEXT,
        fixed_on_site=st.booleans(),
        photo_ids=some_ids,
        owner=_MAYBE_TEXT,
        due_on=st.none() | st.dates(dt.date(2000, 1, 1), dt.date(2090, 1, 1)).map(dt.date.isoformat),
    )
    minutes = draw(st.none() | st.integers(0, 24 * 60))
    ended = None if minutes is None else min(occurred + dt.timedelta(minutes=minutes), NOW).isoformat()
    body: dict[str, Any] = {
        "person_id": draw(_UUIDS),
        "method": method.value,
        "purposes": draw(st.lists(words(Purpose), min_size=1, unique=True)),
        "outcome": outcome.value,
        "identity_checked_by": draw(words(IdentityCheck)) if outcome in COUNTING else None,
        "occurred_at": occurred_at,
        "ended_at": ended,
        "client_created_at": draw(instants(NOW - dt.timedelta(days=9000), NOW + dt.timedelta(days=9000))),
        "visitors": draw(st.lists(_UUIDS, min_size=2, max_size=4, unique=True)),
        "recorded_for": draw(st.none() | _UUIDS),
        "village_assistant": draw(_MAYBE_TEXT),
        "location": location,
        "no_location_reason": draw(words(NoLocationReason)) if location is None else None,
        "answers": required | answers,
        "needs": draw(st.lists(_row(kind=words(NeedKind), detail=_MAYBE_TEXT), max_size=3)),
        "problems": draw(st.lists(problem, max_size=3)),
        "absence": draw(_absences(day)) if outcome in ATTEMPTS else None,
        "conclusion": draw(st.none() | words(Conclusion)),
        "notes": draw(_MAYBE_TEXT),
        "signatures": signatures,
        "photos": photos,
        "no_photo_reason": draw(texts()),
    }
    left_out = {name for name, value in body.items() if value is None or value in ([], {})}
    for name in draw(st.sets(st.sampled_from(sorted(left_out)))) if left_out else ():
        del body[name]
    return body
