"""Gathers what is known about one visit, for the rules of evidence (docs/adr/0013-findings.md)."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import Uuid, bindparam, select

from server.db import UtcInstant
from server.evidence import storing
from server.evidence.likeness import answers_mark, normal, sketch, text_mark
from server.evidence.models import PhotoTwin
from server.evidence.rules.nearness import is_same_spot
from server.evidence.rules.place import is_of_the_visit
from server.evidence.terms import Marks, PhotoMatch, PhotoSeen, Place, Thresholds, VisitFacts
from server.ledger.work import Work
from server.nested import among
from server.people.models import Home, Person
from server.photos.models import Photo
from server.photos.terms import PhotoKind
from server.places.datums import place_of
from server.places.terms import Datum, Fix, Point
from server.prepared import Prepared, Row
from server.tools import SHANGHAI
from server.vault.blind_index import likeness_key
from server.vault.models import StoredKey
from server.visits import body as bodies
from server.visits.answers import NOT_ASKED, QUESTIONS, AnswerKind
from server.visits.models import Visit
from server.visits.policy import thresholds
from server.visits.terms import IN_PERSON_METHODS, Method, Outcome

PAPER = frozenset({PhotoKind.DOCUMENT, PhotoKind.SIGNED_FORM})
"""Kinds of photos that show paper; paper is photographed before and after, and the same sheet for several."""

_VISITS, _PERSONS, _KEYS = Visit.__table__, Person.__table__, StoredKey.__table__
_HOMES, _PHOTOS = Home.__table__, Photo.__table__
_VISIT = Prepared(
    select(
        *_VISITS.c,
        _PERSONS.c.died_on,
        _PERSONS.c.household_id,
        _PERSONS.c.village_code.label("lives_in"),
        _PERSONS.c.data_key_id,
        _KEYS.c.wrapped,
    )
    .join_from(_VISITS, _PERSONS, _PERSONS.c.id == _VISITS.c.person_id)
    .outerjoin(_KEYS, _KEYS.c.id == _PERSONS.c.data_key_id)
    .where(_VISITS.c.id == bindparam("visit_id", type_=Uuid()))
)
_HOMES_OF = Prepared(
    select(
        *(_HOMES.c[name] for name in ("person_id", "wgs_latitude", "wgs_longitude")),
        _PERSONS.c.household_id,
    )
    .outerjoin_from(_PERSONS, _HOMES, _HOMES.c.person_id == _PERSONS.c.id)
    .add_columns(_PERSONS.c.id.label("whose"))
    .where(among(_PERSONS.c.id, "people"))
    .order_by(_HOMES.c.set_at, _HOMES.c.id)
)
_PHOTOS_OF = Prepared(
    select(
        *(
            _PHOTOS.c[name]
            for name in (
                "id",
                "kind",
                "claimed_taken_at",
                "received_at",
                "sha256",
                "exif",
                "blob_key",
                "ordinal",
            )
        )
    )
    .where(_PHOTOS.c.visit_id == bindparam("visit_id", type_=Uuid()))
    .order_by(_PHOTOS.c.ordinal, _PHOTOS.c.id)
)
_DIED_IN = Prepared(
    select(_VISITS.c.id, _VISITS.c.occurred_at)
    .where(
        _VISITS.c.person_id == bindparam("person_id", type_=Uuid()),
        _VISITS.c.occurred_at < bindparam("at", type_=UtcInstant()),
        _VISITS.c.outcome == Outcome.DEAD,
        _VISITS.c.out_of_count_at.is_(None),
        _VISITS.c.id != bindparam("visit_id", type_=Uuid()),
    )
    .order_by(_VISITS.c.occurred_at.desc(), _VISITS.c.id.desc())
    .limit(1)
)
_DATUMS = {one.value: one for one in Datum}
MOST_MATCHES = 64
"""Photos with the same bytes that one visit's are compared with at most."""
_OTHERS = Photo.__table__.alias("other")
_SAME_BYTES = Prepared(
    select(
        _PHOTOS.c.id,
        _PHOTOS.c.kind,
        _OTHERS.c.id.label("other_id"),
        _OTHERS.c.kind.label("other_kind"),
        _OTHERS.c.visit_id,
        _OTHERS.c.person_id,
        _VISITS.c.occurred_at,
        _VISITS.c.out_of_count_at,
        _PERSONS.c.household_id,
    )
    .join_from(_PHOTOS, _OTHERS, _OTHERS.c.sha256 == _PHOTOS.c.sha256)
    .join(_VISITS, _VISITS.c.id == _OTHERS.c.visit_id)
    .join(_PERSONS, _PERSONS.c.id == _OTHERS.c.person_id)
    .where(
        _PHOTOS.c.visit_id == bindparam("visit_id", type_=Uuid()),
        _PHOTOS.c.blob_key.is_not(None),
        _OTHERS.c.blob_key.is_not(None),
        _OTHERS.c.visit_id != bindparam("visit_id", type_=Uuid()),
    )
    .order_by(_VISITS.c.occurred_at, _OTHERS.c.id)
    .limit(MOST_MATCHES)
)
_TWINS = PhotoTwin.__table__
_NEAR = Prepared(
    select(
        _PHOTOS.c.id,
        _PHOTOS.c.kind,
        _OTHERS.c.id.label("other_id"),
        _OTHERS.c.kind.label("other_kind"),
        _OTHERS.c.visit_id,
        _OTHERS.c.person_id,
        _VISITS.c.occurred_at,
        _VISITS.c.out_of_count_at,
        _PERSONS.c.household_id,
        _TWINS.c.alike,
    )
    .join_from(_PHOTOS, _TWINS, _TWINS.c.photo_id == _PHOTOS.c.id)
    .join(_OTHERS, _OTHERS.c.id == _TWINS.c.other_id)
    .join(_VISITS, _VISITS.c.id == _OTHERS.c.visit_id)
    .join(_PERSONS, _PERSONS.c.id == _OTHERS.c.person_id)
    .where(
        _PHOTOS.c.visit_id == bindparam("visit_id", type_=Uuid()), _OTHERS.c.visit_id != _PHOTOS.c.visit_id
    )
    .order_by(_VISITS.c.occurred_at, _OTHERS.c.id)
    .limit(MOST_MATCHES)
)


@dataclass(frozen=True, slots=True)
class Gathered:
    """The facts of a visit, and the thresholds of its day and area.

    `beside` are all the visits that it was compared with, those that were voided among them.
    """

    facts: VisitFacts
    thresholds: Thresholds
    beside: tuple[Marks, ...] = ()
    same_text: tuple[Marks, ...] = ()


@dataclass(frozen=True, slots=True)
class Homes:
    """Every place that was registered as somebody's home, the latest last, and their households."""

    places: Mapping[UUID, tuple[Point, ...]]
    households: Mapping[UUID, UUID]


def gather(work: Work, visit_id: UUID) -> Gathered | None:
    """Read everything that a visit is judged by; None when it is not there."""
    row = _VISIT.first(work.session, {"visit_id": visit_id})
    if row is None:
        return None
    body = _opened(work, row)
    t = thresholds(work, row.lives_in, row.occurred_at)
    mine = homes_of(work, [row.person_id])
    at_home = row.outcome is Outcome.MET and row.method is Method.HOME
    facts = VisitFacts(
        marks=Marks(
            visit_id=row.id,
            worker_id=row.recorded_for_id or row.recorder_id,
            person_id=row.person_id,
            began_at=row.occurred_at,
            ended_at=_instant(body["ended_at"]),
            made_at=None if row.recorded_for_id else _instant(body["client_created_at"]),
            goes_there=row.method in IN_PERSON_METHODS,
            is_death=row.outcome is Outcome.DEAD,
            is_void=row.out_of_count_at is not None,
            **_words(work, body),
        ),
        received_at=row.received_at,
        is_met=row.counts,
        in_person=row.in_person,
        at_home=at_home,
        is_paper=row.recorded_for_id is not None,
        clock_skew_s=row.clock_skew_s,
        fix=_fix(body["location"]),
        homes=mine.places.get(row.person_id, ()),
        household_id=row.household_id,
        died_on=row.died_on,
        **_death(work, row),
        **_photos(work, row.id, row.household_id),
    )
    facts = replace(facts, marks=replace(facts.marks, place=_place(facts, t)))
    return _compared(work, facts, t)


def _compared(work: Work, facts: VisitFacts, t: Thresholds) -> Gathered:
    marks = facts.marks
    around = storing.around(work.session, marks, t.compared_within)
    same_text = (
        storing.same_text(work.session, marks, t.compared_within) if marks.text_length >= t.text_least else ()
    )
    near = {one.person_id for one in around if _is_of_interest(marks, one, t)} - {marks.person_id}
    theirs = homes_of(work, sorted(near, key=str)) if near else Homes({}, {})
    whole = replace(
        facts,
        around=tuple(one for one in around if not one.is_void),
        same_text=tuple(one for one in same_text if not one.is_void),
        homes_of=theirs.places,
        household_of=theirs.households,
    )
    return Gathered(whole, t, around, same_text)


def _is_of_interest(mine: Marks, other: Marks, t: Thresholds) -> bool:
    """Say whether the home of the other's person matters: they were met at one spot, or at one time."""
    if is_same_spot(mine, other, t):
        return True
    ends = (mine.ended_at or mine.began_at, other.ended_at or other.began_at)
    return min(ends) > max(mine.began_at, other.began_at)


def homes_of(work: Work, people: Iterable[UUID]) -> Homes:
    """Read the homes and households of people."""
    places: dict[UUID, tuple[Point, ...]] = {}
    households: dict[UUID, UUID] = {}
    for row in _HOMES_OF.all(work.session, {"people": list(people)}):
        households[row.whose] = row.household_id
        if row.person_id is not None:
            places[row.whose] = (*places.get(row.whose, ()), Point(row.wgs_latitude, row.wgs_longitude))
    return Homes(places, households)


def _opened(work: Work, row: Row) -> Mapping[str, Any]:
    key = work.keys.unwrap(row.data_key_id, row.wrapped) if row.data_key_id else None
    if row.private_sealed is None or key is None:
        opened: Mapping[str, Any] = row.open_body
        return opened
    text = key.open(row.private_sealed, table="visits", column="private_sealed", row=row.id)
    return bodies.fill(row.open_body, bodies.read_private(text))


def _words(work: Work, body: Mapping[str, Any]) -> dict[str, Any]:
    key = likeness_key(work.keys.keyring)
    told = {
        name: value for name, value in body["answers"].items() if value != NOT_ASKED and value is not None
    }
    marks: dict[str, Any] = {
        "answers": len(told),
        "telling": sum(_is_telling(name, value) for name, value in told.items()),
        "answers_mark": answers_mark(key, told) if told else None,
    }
    text = normal(body["notes"] or "")
    if text:
        marks |= {"text_length": len(text), "text_mark": text_mark(key, text), "sketch": sketch(key, text)}
    return marks


def _is_telling(name: str, value: Any) -> bool:
    """Say whether an answer is out of the ordinary: not the first of its words, which is how most things are."""
    question = QUESTIONS[name]
    if question.kind is AnswerKind.WORD and question.vocabulary is not None:
        return bool(value != next(iter(question.vocabulary)).value)
    if question.kind is AnswerKind.NUMBER:
        return bool(value != question.most)
    return question.kind in {AnswerKind.TEXT, AnswerKind.DAY} or (
        question.kind is AnswerKind.WORDS and bool(value)
    )


def _place(facts: VisitFacts, t: Thresholds) -> Place | None:
    """Say where the visit was: by its own fix, else in the home where the person is said to have been met."""
    fix = facts.fix
    if not facts.marks.goes_there or facts.is_paper:
        return None
    if (
        fix is not None
        and not fix.is_blank
        and fix.known_accuracy_m is not None
        and is_of_the_visit(fix, facts, t)
    ):
        return Place(point=place_of(fix), accuracy_m=fix.known_accuracy_m, is_fix=True)
    if facts.at_home and facts.homes:
        return Place(point=facts.homes[-1], accuracy_m=t.fence.radius_m, is_fix=False)
    return None


def _death(work: Work, row: Row) -> dict[str, Any]:
    if not row.counts:
        return {}
    asked = {"person_id": row.person_id, "at": row.occurred_at, "visit_id": row.id}
    found = _DIED_IN.first(work.session, asked)
    return {} if found is None else {"died_in": found.id, "died_at": found.occurred_at}


def _photos(work: Work, visit_id: UUID, household: UUID) -> dict[str, Any]:
    rows = _PHOTOS_OF.all(work.session, {"visit_id": visit_id})
    arrived = [row for row in rows if row.blob_key is not None]
    mine = {"visit_id": visit_id}
    return {
        "same_bytes": tuple(_match(row, household) for row in _SAME_BYTES.all(work.session, mine))
        if arrived
        else (),
        "near": tuple(_match(row, household, row.alike) for row in _NEAR.all(work.session, mine))
        if arrived
        else (),
        "photos": tuple(_photo(row) for row in arrived),
        "owed": tuple(row.id for row in rows if row.blob_key is None),
    }


def _match(row: Row, household: UUID, alike: int = 100) -> PhotoMatch:
    return PhotoMatch(
        photo_id=row.id,
        other_photo_id=row.other_id,
        other_visit_id=row.visit_id,
        other_person_id=row.person_id,
        other_began_at=row.occurred_at,
        alike=alike,
        is_own=row.household_id == household,
        other_is_void=row.out_of_count_at is not None,
        is_paper=bool({row.kind, row.other_kind} & PAPER),
    )


def _photo(row: Row) -> PhotoSeen:
    exif: Mapping[str, Any] = row.exif or {}
    latitude, longitude = exif.get("latitude"), exif.get("longitude")
    place = None
    if latitude is not None and longitude is not None and (latitude, longitude) != (0, 0):
        place = Point(latitude, longitude)
    return PhotoSeen(
        photo_id=row.id,
        is_paper=row.kind in PAPER,
        taken_at=_taken_at(exif),
        claimed_at=row.claimed_taken_at,
        received_at=row.received_at,
        place=place,
        has_facts=bool(exif.get("taken_at") or place),
    )


def _taken_at(exif: Mapping[str, Any]) -> dt.datetime | None:
    """Read when a camera says that it took a photo; without an offset it speaks of the time where the work is done."""
    if not exif.get("taken_at"):
        return None
    taken = dt.datetime.fromisoformat(exif["taken_at"])
    if taken.tzinfo is None:
        taken = taken.replace(tzinfo=SHANGHAI)
        if exif.get("offset"):
            taken = _with_offset(taken, exif["offset"])
    return taken.astimezone(dt.UTC)


def _with_offset(taken: dt.datetime, offset: str) -> dt.datetime:
    try:
        return dt.datetime.fromisoformat(f"{taken.replace(tzinfo=None).isoformat()}{offset}")
    except ValueError:
        return taken


def _fix(location: Mapping[str, Any] | None) -> Fix | None:
    if location is None:
        return None
    return Fix(
        location["latitude"],
        location["longitude"],
        _DATUMS[location["datum"]],
        location["accuracy_m"],
        _instant(location["taken_at"]),
    )


def _instant(text: str | None) -> dt.datetime | None:
    return None if text is None else dt.datetime.fromisoformat(text).astimezone(dt.UTC)
