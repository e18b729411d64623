"""Reads one person's whole file at once: the person with household, village and key, and the rows of a dozen tables."""

from dataclasses import dataclass
from functools import lru_cache
from operator import attrgetter
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Date, Select, Uuid, and_, bindparam, func, or_, select

from server.accounts.models import Worker
from server.db import Base
from server.ledger.work import Work
from server.nested import Nested
from server.people.models import (
    CareAgreement,
    CareAssessment,
    Caregiver,
    Enrolment,
    Home,
    Household,
    Pause,
    Person,
    PersonTag,
    Responsibility,
)
from server.people.sight import out_of_sight, visible_to
from server.people.terms import Ability
from server.permissions import Actor, Can, Role
from server.photos.models import Photo
from server.prepared import Prepared
from server.problems.models import Problem
from server.regions.models import Region
from server.schedule.models import Duty
from server.schedule.standing import STANDS_ON
from server.vault.fields import DataKey
from server.vault.models import StoredKey
from server.visits.models import Visit

MOST_PHOTOS = 500
MOST_PROBLEMS = 200
MOST_MEMBERS = 50
_SHOWN = (
    *("id", "revision", "household_id", "is_head", "relation_to_head", "file_no", "legacy_no", "name", "sex"),
    *("birth_date", "village_code", "id_number_sealed", "no_id_reason", "phone_sealed", "address_sealed"),
    *("bank_account_sealed", "health_sealed", "care_level", "photo_consent", "died_on", "data_key_id"),
)
_PROBLEM = (
    *("id", "visit_id", "code", "severity", "state", "stage", "fixed_on_site", "restricted", "found_at"),
    *("closed_at", "description_sealed"),
)
_PERSON_ID = cast("UUID", bindparam("person_id", type_=Uuid()))
_TODAY = bindparam("today", type_=Date())


@dataclass(frozen=True, slots=True)
class ReadFile:
    """What one read found: the person's row (household and village beside it), their key, the rows of each table."""

    person: Any
    key: DataKey | None
    rows: dict[str, list[Any]]


def read(work: Work, person_id: UUID) -> ReadFile:
    """Read the file of a person within sight; one outside it looks like one who is not there, and leaves a trace."""
    actor = work.actor
    wanted, tables = _statement(actor.role, actor.area_code)
    row = wanted.first(
        work.session, {"person_id": person_id, "worker_id": actor.worker_id, "today": work.today}
    )
    if row is None:
        raise out_of_sight(work, person_id)
    found = row._asdict()
    rows = {name: table.rows(found[name]) for name, table in tables.items()}
    for name, (_, _, order) in _HISTORIES.items():
        rows[name].sort(key=attrgetter(*order))
    return ReadFile(row, work.keys.unwrap(row.data_key_id, row.wrapped), rows)


@lru_cache(maxsize=1024)
def _statement(role: Role, area_code: str) -> tuple[Prepared, dict[str, Nested]]:
    """Make the read of `:person_id` as `:worker_id` in this role and area may see it; once for each."""
    reader = Actor(cast("UUID", bindparam("worker_id", type_=Uuid())), role, area_code)
    tables = _tables(reader)
    # Plain tables: a statement that names classes takes the session's own way, which costs more.
    persons, households, keys = Person.__table__, Household.__table__, StoredKey.__table__
    village = (
        select(Region.name)
        .where(Region.code == Person.village_code, Region.valid_from <= _TODAY)
        .order_by(Region.valid_from.desc())
        .limit(1)
        .scalar_subquery()
    )
    wanted = (
        select(
            *[persons.c[name] for name in _SHOWN],
            households.c.number.label("household_number"),
            keys.c.wrapped,
            village.label("village"),
            *[table.column for table in tables.values()],
        )
        .join_from(persons, households, households.c.id == persons.c.household_id)
        .outerjoin(keys, keys.c.id == persons.c.data_key_id)
        .where(persons.c.id == _PERSON_ID, visible_to(reader))
    )
    return Prepared(wanted), tables


_SPAN = ("recorded_at", "superseded_at")
_HISTORIES: dict[str, tuple[type[Base], tuple[str, ...], tuple[str, ...]]] = {
    "enrolments": (
        Enrolment,
        ("id", "category", "valid_from", "valid_to", "exit_reason", "monthly_amount", *_SPAN),
        ("recorded_at", "id"),
    ),
    "assessments": (
        CareAssessment,
        ("id", "level", "assessed_on", "assessor", "recorded_at", *(f"can_{ability}" for ability in Ability)),
        ("assessed_on", "id"),
    ),
    "caregivers": (Caregiver, ("id", "name", "relation", "phone_sealed", *_SPAN), ("recorded_at", "id")),
    "agreements": (
        CareAgreement,
        ("id", "caregiver_id", "signed_on", "starts_on", "ends_on", "monthly_fee", *_SPAN),
        ("recorded_at", "id"),
    ),
    "homes": (
        Home,
        (
            *(
                "id",
                "latitude",
                "longitude",
                "datum",
                "wgs_latitude",
                "wgs_longitude",
                "accuracy_m",
                "set_at",
            ),
            *("set_by", "superseded_at"),
        ),
        ("set_at", "id"),
    ),
    "tags": (PersonTag, ("id", "tag", "detail", "valid_from", "valid_to", *_SPAN), ("recorded_at", "id")),
    "pauses": (Pause, ("id", "reason", "from_on", "to_on", "note_sealed", *_SPAN), ("from_on", "id")),
}
"""By name: the table, the columns that a file shows, and its order."""


def _tables(reader: Actor) -> dict[str, Nested]:
    histories = {
        name: Nested(name, _history(model, columns), plain=True)
        for name, (model, columns, _) in _HISTORIES.items()
    }
    others = {
        "household_members": _members(reader),
        "responsibilities": _responsibilities(),
        "duties": _duties(),
        "problems": _problems(reader),
        "visit_counts": _visit_counts(),
        "photo_counts": _photo_counts(),
        "photos": _photos(),
    }
    return histories | {name: Nested(name, wanted) for name, wanted in others.items()}


def _history(model: type[Base], columns: tuple[str, ...]) -> Select[*tuple[Any, ...]]:
    table = model.__table__
    return select(*[table.c[name] for name in columns]).where(table.c.person_id == _PERSON_ID)


def _members(reader: Actor) -> Select[*tuple[Any, ...]]:
    """Select the other members whom the reader may see too."""
    household = select(Person.household_id).where(Person.id == _PERSON_ID).scalar_subquery()
    return (
        select(
            Person.id, Person.file_no, Person.name, Person.is_head, Person.relation_to_head, Person.died_on
        )
        .where(Person.household_id == household, Person.id != _PERSON_ID, visible_to(reader))
        .order_by(Person.is_head.desc(), Person.file_no)
        .limit(MOST_MEMBERS)
    )


def _responsibilities() -> Select[*tuple[Any, ...]]:
    return (
        select(
            Responsibility.id,
            Responsibility.worker_id,
            Responsibility.kind,
            Responsibility.from_at,
            Responsibility.to_at,
            Worker.name.label("worker"),
        )
        .join(Worker, Worker.id == Responsibility.worker_id)
        .where(Responsibility.person_id == _PERSON_ID)
        .order_by(Responsibility.from_at, Responsibility.id)
    )


def _duties() -> Select[*tuple[Any, ...]]:
    """Select what is owed now, or was owed and is still not met."""
    unmet = and_(
        Duty.met_on.is_(None),
        Duty.closed_on.is_(None),
        or_(Duty.exit_on.is_(None), Duty.exit_on > _TODAY),
    )
    return (
        select(*[Duty.__table__.c[name] for name in ("id", "category", *STANDS_ON)])
        .where(
            Duty.person_id == _PERSON_ID,
            or_(unmet, and_(Duty.period_start <= _TODAY, Duty.due_on >= _TODAY)),
        )
        .order_by(Duty.due_on, Duty.id)
    )


def _problems(reader: Actor) -> Select[*tuple[Any, ...]]:
    wanted = select(*[Problem.__table__.c[name] for name in _PROBLEM]).where(Problem.person_id == _PERSON_ID)
    if not reader.may(Can.SEE_RESTRICTED):
        wanted = wanted.where(Problem.restricted.is_(False))
    return wanted.order_by(Problem.found_at.desc(), Problem.id.desc()).limit(MOST_PROBLEMS)


def _visit_counts() -> Select[*tuple[Any, ...]]:
    stands = Visit.out_of_count_at.is_(None)
    return select(
        func.count().filter(stands, Visit.counts).label("visits"),
        func.count().filter(stands, Visit.counts.is_(False)).label("attempts"),
        func.count().filter(Visit.out_of_count_at.is_not(None)).label("void"),
    ).where(Visit.person_id == _PERSON_ID)


def _photo_counts() -> Select[*tuple[Any, ...]]:
    return (
        select(
            func.count().filter(Photo.blob_key.is_not(None)).label("photos"),
            func.count().filter(Photo.blob_key.is_(None)).label("photo_debt"),
        )
        .join(Visit, Visit.id == Photo.visit_id)
        .where(Visit.person_id == _PERSON_ID)
    )


def _photos() -> Select[*tuple[Any, ...]]:
    return (
        select(Photo.id, Photo.visit_id, Photo.kind, Photo.received_at)
        .join(Visit, Visit.id == Photo.visit_id)
        .where(Visit.person_id == _PERSON_ID, Photo.blob_key.is_not(None))
        .order_by(Photo.received_at.desc(), Photo.id.desc())
        .limit(MOST_PHOTOS)
    )
