"""A visit as its recorder sends it (DOMAIN §3, CONTRACT §4), frozen.

Instants are aware UTC datetimes in whole seconds, texts are kept byte for byte. A field made by `_personal` holds
free text or somebody's name: it is sealed under the person's key, all others stay computable.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from server.photos.terms import PhotoKind
from server.places.terms import Datum, NoLocationReason
from server.problems.terms import Severity
from server.terms import Term
from server.visits.answers import (
    LONGEST_ANSWER,
    NOT_ASKED,
    QUESTIONS,
    Answer,
    AnswerKind,
    Question,
    Section,
)
from server.visits.terms import (
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
    VisitState,
)

LONGEST_NOTES = 4000  # characters
LONGEST_TEXT = 500  # characters
LONGEST_NAME = 100  # characters
LONGEST_PHONE = 40  # characters
LONGEST_CODE = 60  # characters; the width of problems.code
MOST_ROWS = 50  # rows of one list; a bound against flooding, the policy says how many photos

PERSONAL = "personal"


def _personal(**options: Any) -> Any:
    return field(metadata={PERSONAL: True}, **options)


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """One fix as the phone sent it, in degrees of its own datum; `accuracy_m` in metres, None when it did not say."""

    latitude: float
    longitude: float
    datum: Datum
    accuracy_m: float | None = None
    taken_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Informant:
    """Somebody who was asked about a person who was not met."""

    relation: InformantRelation
    name: str
    said: str
    phone: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Absence:
    """What was found out when the person was not met; no informants means that nobody could be asked."""

    informants: tuple[Informant, ...] = _personal()
    last_seen_on: dt.date
    whereabouts: str = _personal()
    absence_reason: AbsenceReason
    contact_tried: tuple[ContactWay, ...] = ()
    next_try_on: dt.date


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """Something that the person needs."""

    kind: NeedKind
    detail: str | None = _personal(default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemFound:
    """Something wrong that the visitor saw; `photo_ids` name declared photos, `due_on` when it should be put right."""

    code: str
    severity: Severity
    description: str | None = _personal(default=None)
    fixed_on_site: bool = False
    photo_ids: tuple[UUID, ...] = ()
    owner: str | None = _personal(default=None)
    due_on: dt.date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """How one party signed; `photo_id` names a declared photo of the signature."""

    signer: Signer
    manner: SigningManner
    name: str | None = None
    reason: str | None = None
    photo_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PhotoDeclared:
    """A photo that will follow; `sha256` is lower-case hex of the phone's file."""

    id: UUID
    kind: PhotoKind
    taken_at: dt.datetime | None = None
    sha256: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitRecord:
    """The whole record of one visit or attempt.

    `occurred_at` is the claimed time, `client_created_at` the phone's clock when the record was made. `recorded_for`
    names the visitor whose paper record a reviewer enters. `answers` holds wire values by question name.
    """

    person_id: UUID
    method: Method
    purposes: tuple[Purpose, ...]
    outcome: Outcome
    identity_checked_by: IdentityCheck | None = None
    occurred_at: dt.datetime
    ended_at: dt.datetime | None = None
    client_created_at: dt.datetime
    visitors: tuple[UUID, ...]
    recorded_for: UUID | None = None
    village_assistant: str | None = _personal(default=None)
    location: Location | None = None
    no_location_reason: NoLocationReason | None = None
    answers: Mapping[str, Answer] = field(default_factory=dict)
    needs: tuple[Need, ...] = ()
    problems: tuple[ProblemFound, ...] = ()
    absence: Absence | None = None
    conclusion: Conclusion | None = None
    notes: str | None = _personal(default=None)
    signatures: tuple[Signature, ...] = _personal(default=())
    photos: tuple[PhotoDeclared, ...] = ()
    no_photo_reason: str | None = _personal(default=None)


@dataclass(frozen=True, slots=True)
class RaisedProblem:
    """A problem that a record raises; `restricted` is for reviewers' eyes only, `for_township` for what it must settle."""

    code: str
    severity: Severity
    description: str | None = None
    fixed_on_site: bool = False
    restricted: bool = False
    for_township: bool = False
    due_on: dt.date | None = None


def _vocabularies() -> tuple[type[Term], ...]:
    header: tuple[type[Term], ...] = (
        Method,
        Purpose,
        Outcome,
        IdentityCheck,
        AbsenceReason,
        InformantRelation,
        ContactWay,
        NoLocationReason,
        Datum,
        NeedKind,
        Severity,
        Conclusion,
        Signer,
        SigningManner,
        PhotoKind,
        VisitState,
        Section,
    )
    of_answers = (question.vocabulary for question in QUESTIONS.values() if question.vocabulary)
    return tuple(dict.fromkeys((*header, *of_answers)))


VOCABULARIES = _vocabularies()
"""Every vocabulary that a visit record uses, for `GET /terms`."""

__all__ = [
    "LONGEST_ANSWER",
    "LONGEST_CODE",
    "LONGEST_NAME",
    "LONGEST_NOTES",
    "LONGEST_PHONE",
    "LONGEST_TEXT",
    "MOST_ROWS",
    "NOT_ASKED",
    "PERSONAL",
    "QUESTIONS",
    "VOCABULARIES",
    "Absence",
    "Answer",
    "AnswerKind",
    "Informant",
    "Location",
    "Need",
    "PhotoDeclared",
    "ProblemFound",
    "Question",
    "RaisedProblem",
    "Signature",
    "VisitRecord",
]
