"""One person's whole file (一人一档): everything on file, histories and all, as far as the reader's role goes."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import and_, func, or_, select

from server.accounts.models import Worker
from server.ledger.work import Work
from server.people import showing
from server.people.models import (
    CareAgreement,
    CareAssessment,
    Caregiver,
    Enrolment,
    Home,
    Pause,
    Person,
    PersonTag,
    Responsibility,
)
from server.people.sight import within_sight
from server.people.terms import Ability
from server.permissions import Can
from server.photos.models import Photo
from server.problems.models import Problem
from server.schedule.histories import pauses_of
from server.schedule.models import Duty
from server.schedule.opening import ensure_open
from server.schedule.standing import shown as duty_shown
from server.vault.fields import DataKey
from server.vault.masks import mask_phone
from server.visits.models import Visit

MOST_PHOTOS = 500
MOST_PROBLEMS = 200
MOST_MEMBERS = 50
SPAN = ("recorded_at", "superseded_at")


def whole_file(work: Work, person: Person) -> dict[str, Any]:
    """Gather a person's file; the caller has checked the sight and leaves the ledger entry."""
    ensure_open(work)
    key = work.keys.fetch_one(work.session, person.data_key_id)
    finds = work.actor.role in showing.FINDERS
    return {
        "person": showing.shown(work, [person.id])[person.id],
        "has_health_remark": person.health_sealed is not None,
        "household_members": _members(work, person),
        "enrolments": _rows(
            work,
            person,
            Enrolment,
            ("id", "category", "valid_from", "valid_to", "exit_reason", "monthly_amount", *SPAN),
        ),
        "assessments": [
            {
                **_picked(row, ("id", "level", "assessed_on", "assessor", "recorded_at")),
                "can": {str(ability): getattr(row, f"can_{ability}") for ability in Ability},
            }
            for row in _all(work, person, CareAssessment, CareAssessment.assessed_on)
        ],
        "caregivers": [
            {
                **_picked(row, ("id", "name", "relation", *SPAN)),
                "phone": _phone(row, key, finds=finds),
            }
            for row in _all(work, person, Caregiver, Caregiver.recorded_at)
        ],
        "agreements": _rows(
            work,
            person,
            CareAgreement,
            ("id", "caregiver_id", "signed_on", "starts_on", "ends_on", "monthly_fee", *SPAN),
        ),
        "homes": [
            _picked(
                row,
                ("id", "latitude", "longitude", "datum", "accuracy_m", "set_at", "set_by", "superseded_at"),
            )
            for row in _all(work, person, Home, Home.set_at)
        ]
        if finds
        else [],
        "tags": _rows(work, person, PersonTag, ("id", "tag", "detail", "valid_from", "valid_to", *SPAN)),
        "consents": {"photo": person.photo_consent},
        "responsibilities": _responsibilities(work, person),
        "pauses": [
            {
                **_picked(row, ("id", "reason", "from_on", "to_on", *SPAN)),
                "note": _opened(key, row.note_sealed, "pauses", "note_sealed", row.id) if finds else None,
            }
            for row in _all(work, person, Pause, Pause.from_on)
        ],
        "duties": _duties(work, person),
        "problems": _problems(work, person, key),
        "counts": _counts(work, person),
        "photos": _photos(work, person),
    }


def _all(work: Work, person: Person, model: Any, order: Any) -> Sequence[Any]:
    return work.session.scalars(
        select(model).where(model.person_id == person.id).order_by(order, model.id)
    ).all()


def _rows(work: Work, person: Person, model: Any, names: Iterable[str]) -> list[dict[str, Any]]:
    return [_picked(row, names) for row in _all(work, person, model, model.recorded_at)]


def _picked(row: Any, names: Iterable[str]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in names}


def _opened(key: DataKey | None, sealed: str | None, table: str, column: str, row: UUID) -> str | None:
    return key.open(sealed, table=table, column=column, row=row) if sealed and key else None


def _phone(row: Caregiver, key: DataKey | None, *, finds: bool) -> str | None:
    phone = _opened(key, row.phone_sealed, "caregivers", "phone_sealed", row.id)
    return phone if finds or not phone else mask_phone(phone)


def _members(work: Work, person: Person) -> list[dict[str, Any]]:
    """The other members whom the reader may see too."""
    rows = work.session.scalars(
        select(Person)
        .where(Person.household_id == person.household_id, Person.id != person.id, within_sight(work))
        .order_by(Person.is_head.desc(), Person.file_no)
        .limit(MOST_MEMBERS)
    )
    return [
        {
            "person_id": row.id,
            "file_no": row.file_no,
            "name": row.name,
            "is_head": row.is_head,
            "relation_to_head": row.relation_to_head,
            "died_on": row.died_on,
        }
        for row in rows
    ]


def _responsibilities(work: Work, person: Person) -> list[dict[str, Any]]:
    rows = work.session.execute(
        select(Responsibility, Worker.name)
        .join(Worker, Worker.id == Responsibility.worker_id)
        .where(Responsibility.person_id == person.id)
        .order_by(Responsibility.from_at, Responsibility.id)
    )
    return [
        {**_picked(row, ("id", "worker_id", "kind", "from_at", "to_at")), "worker": name}
        for row, name in rows
    ]


def _duties(work: Work, person: Person) -> list[dict[str, Any]]:
    """What is owed now, or was owed and is still not met."""
    today = work.today
    unmet = and_(
        Duty.met_on.is_(None),
        Duty.closed_on.is_(None),
        or_(Duty.exit_on.is_(None), Duty.exit_on > today),
    )
    rows = work.session.scalars(
        select(Duty)
        .where(
            Duty.person_id == person.id,
            or_(unmet, and_(Duty.period_start <= today, Duty.due_on >= today)),
        )
        .order_by(Duty.due_on, Duty.id)
    ).all()
    pauses = pauses_of(work.session, [person.id]).get(person.id, [])
    return [{"id": row.id, "category": row.category, **duty_shown(row, pauses, today)} for row in rows]


def _problems(work: Work, person: Person, key: DataKey | None) -> list[dict[str, Any]]:
    wanted = select(Problem).where(Problem.person_id == person.id)
    if not work.actor.may(Can.DECIDE_ON_VISITS):
        wanted = wanted.where(Problem.restricted.is_(False))
    rows = work.session.scalars(
        wanted.order_by(Problem.found_at.desc(), Problem.id.desc()).limit(MOST_PROBLEMS)
    )
    return [
        {
            **_picked(
                row,
                (
                    "id",
                    "visit_id",
                    "code",
                    "severity",
                    "state",
                    "fixed_on_site",
                    "restricted",
                    "found_at",
                    "closed_at",
                ),
            ),
            "description": _opened(key, row.description_sealed, "problems", "description_sealed", row.id),
        }
        for row in rows
    ]


def _counts(work: Work, person: Person) -> Mapping[str, int]:
    stands = Visit.out_of_count_at.is_(None)
    visits = work.session.execute(
        select(
            func.count().filter(stands, Visit.counts).label("visits"),
            func.count().filter(stands, Visit.counts.is_(False)).label("attempts"),
            func.count().filter(Visit.out_of_count_at.is_not(None)).label("void"),
        ).where(Visit.person_id == person.id)
    ).one()
    photos = work.session.execute(
        select(
            func.count().filter(Photo.blob_key.is_not(None)).label("photos"),
            func.count().filter(Photo.blob_key.is_(None)).label("photo_debt"),
        )
        .join(Visit, Visit.id == Photo.visit_id)
        .where(Visit.person_id == person.id)
    ).one()
    return {**visits._mapping, **photos._mapping}  # noqa: SLF001  (the name that SQLAlchemy gives it)


def _photos(work: Work, person: Person) -> list[dict[str, Any]]:
    rows = work.session.scalars(
        select(Photo)
        .join(Visit, Visit.id == Photo.visit_id)
        .where(Visit.person_id == person.id, Photo.blob_key.is_not(None))
        .order_by(Photo.received_at.desc(), Photo.id.desc())
        .limit(MOST_PHOTOS)
    )
    return [_picked(row, ("id", "visit_id", "kind", "received_at")) for row in rows]
