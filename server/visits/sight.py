"""Whom and what a worker reaches with a visit: the person whom it is about, and visits that are stored (CONTRACT §4)."""

import datetime as dt
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol, cast
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Uuid, and_, bindparam, exists, or_, select

from server.db import UtcInstant
from server.errors import NotFound
from server.ledger.work import Work
from server.people.models import Enrolment, Person
from server.people.sight import out_of_sight, visible_to, was_responsible
from server.people.terms import Category, Living
from server.permissions import Actor, Role
from server.photos.models import Photo
from server.prepared import Prepared, Row
from server.tools import business_day
from server.vault.fields import DataKey
from server.vault.models import StoredKey
from server.visits.form import VisitRecord
from server.visits.locking import lock_person_of
from server.visits.models import Visit

RECORDING_ROLES = frozenset({Role.VISITOR, Role.REVIEWER, Role.CHIEF})


@lru_cache(maxsize=1024)
def _person_in_sight(role: Role, area_code: str, *, for_new_visit: bool) -> Prepared:
    """Select `:person_id` with key and enrolment, if `:worker_id` sees them now or was responsible at `:at`.

    Locks the person. For a new visit nothing is found, and nothing locked, when `:visit_id` is stored already.
    """
    anybody = Actor(cast("UUID", bindparam("worker_id", type_=Uuid())), role, area_code)
    person_id = cast("UUID", bindparam("person_id", type_=Uuid()))
    at = cast("dt.datetime", bindparam("at", type_=UtcInstant()))
    enrolled = (
        select(Enrolment.id)
        .where(
            Enrolment.person_id == Person.id,
            Enrolment.superseded_at.is_(None),
            Enrolment.valid_from <= bindparam("day"),
            or_(Enrolment.valid_to.is_(None), Enrolment.valid_to >= bindparam("day")),
        )
        .order_by((Enrolment.category == Category.TEKUN_DISPERSED).desc(), Enrolment.valid_from, Enrolment.id)
        .limit(1)
        .correlate(Person)
        .scalar_subquery()
    )
    wanted = (
        select(
            Person.id,
            Person.village_code,
            Person.photo_consent,
            Person.data_key_id,
            StoredKey.wrapped,
            Enrolment.id.label("enrolment_id"),
            Enrolment.category,
        )
        .outerjoin(StoredKey, StoredKey.id == Person.data_key_id)
        .outerjoin(Enrolment, Enrolment.id == enrolled)
        .where(Person.id == person_id, or_(visible_to(anybody), was_responsible(anybody, person_id, at)))
        .with_for_update(of=Person, key_share=True)
    )
    if for_new_visit:
        wanted = wanted.where(~exists().where(Visit.id == bindparam("visit_id", type_=Uuid())))
    return Prepared(wanted)


class PersonVisited(Living, Protocol):
    """What recording reads of a person."""

    @property
    def photo_consent(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Subject:
    """The person whom a visit is about, with what recording needs, from one read."""

    person: PersonVisited
    key: DataKey | None
    enrolment_id: UUID | None
    category: Category | None


def subject_of(work: Work, record: VisitRecord, new_visit: UUID | None = None) -> Subject | None:
    """Read the person whom the record is about, if the actor sees them now or did when the visit happened.

    For a new visit, None as well when it is stored already.
    """
    actor = work.actor
    row = _person_in_sight(actor.role, actor.area_code, for_new_visit=new_visit is not None).first(
        work.session,
        {
            "person_id": record.person_id,
            "worker_id": actor.worker_id,
            "at": record.occurred_at,
            "day": business_day(record.occurred_at),
            "visit_id": new_visit,
        },
    )
    if row is None:
        return None
    return Subject(row, work.keys.unwrap(row.data_key_id, row.wrapped), row.enrolment_id, row.category)


def visit_in_sight(role: Role, area_code: str) -> ColumnElement[bool]:
    """Select the visits whose person `:worker_id` sees, saw when it happened, or that they recorded."""
    worker_id = cast("UUID", bindparam("worker_id", type_=Uuid()))
    anybody = Actor(worker_id, role, area_code)
    there = cast("UUID", Visit.person_id), cast("dt.datetime", Visit.occurred_at)
    in_sight = or_(visible_to(anybody), was_responsible(anybody, *there))
    if role in RECORDING_ROLES:
        in_sight = or_(in_sight, Visit.recorder_id == worker_id)
    return in_sight


def _in_sight(role: Role, area_code: str) -> ColumnElement[bool]:
    return and_(Visit.id == bindparam("visit_id", type_=Uuid()), visit_in_sight(role, area_code))


@lru_cache(maxsize=1024)
def _visit_in_sight(role: Role, area_code: str) -> Select[Visit, UUID | None, bytes | None]:
    """Select a visit with the key of its person."""
    return (
        select(Visit, StoredKey.id, StoredKey.wrapped)
        .join(Person, Person.id == Visit.person_id)
        .outerjoin(StoredKey, StoredKey.id == Person.data_key_id)
        .where(_in_sight(role, area_code))
    )


@lru_cache(maxsize=1024)
def _visit_to_read(role: Role, area_code: str) -> Prepared:
    """Select a visit's row with the key of its person, and whether photos of it are still to come."""
    return Prepared(
        select(
            *Visit.__table__.c,
            StoredKey.id.label("key_id"),
            StoredKey.wrapped,
            exists().where(Photo.visit_id == Visit.id, Photo.blob_key.is_(None)).label("owes_photos"),
        )
        .join(Person, Person.id == Visit.person_id)
        .outerjoin(StoredKey, StoredKey.id == Person.data_key_id)
        .where(_in_sight(role, area_code))
    )


def visit_to_read(work: Work, visit_id: UUID) -> tuple[Row, DataKey | None]:
    """Find a visit within sight only to show it: its row, which knows `owes_photos`, and the key of its person."""
    actor = work.actor
    row = _visit_to_read(actor.role, actor.area_code).first(
        work.session, {"visit_id": visit_id, "worker_id": actor.worker_id}
    )
    if row is None:
        raise _not_there(work, visit_id)
    return row, work.keys.unwrap(row.key_id, row.wrapped) if row.key_id else None


def may_see(work: Work, visit: Visit) -> DataKey | None:
    """Let through who recorded the visit, was responsible when it happened, or sees the person; give the key."""
    return stored_visit(work, visit.id)[1]


def stored_visit(work: Work, visit_id: UUID, *, lock: bool = False) -> tuple[Visit, DataKey | None]:
    """Find a visit within sight, with the key of its person; `lock` makes other changes of both wait (PostgreSQL)."""
    actor = work.actor
    wanted = _visit_in_sight(actor.role, actor.area_code)
    if lock:
        lock_person_of(work.session, visit_id)
        wanted = wanted.with_for_update(of=Visit, key_share=True).execution_options(populate_existing=True)
    row = work.session.execute(wanted, {"visit_id": visit_id, "worker_id": actor.worker_id}).one_or_none()
    if row is not None:
        visit, key_id, wrapped = row
        return visit, work.keys.unwrap(key_id, wrapped) if key_id else None
    raise _not_there(work, visit_id)


def _not_there(work: Work, visit_id: UUID) -> NotFound:
    """Refuse: one that is not there leaves its line and takes its time just as one that is out of sight."""
    there = work.session.get(Visit, visit_id)
    return out_of_sight(work, there.person_id if there else visit_id)
