"""Recording visits, exactly once (CONTRACT §4)."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Select, Table, Uuid, bindparam, or_, select
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.orm import load_only

from server.accounts.models import RoleGrant, Worker
from server.db import UtcInstant, rows_of
from server.errors import Conflict, Invalid, NotAllowed, NotFound, StaleRevision
from server.ledger.work import Work
from server.people.models import Enrolment, Person
from server.people.sight import out_of_sight, visible_to, was_responsible
from server.people.terms import Category
from server.permissions import Actor, Can, Role
from server.photos.declaring import declare, declare_first
from server.problems.service import raise_problems
from server.regions.terms import just_after
from server.schedule.models import Duty
from server.tools import business_day
from server.vault.fields import DataKey
from server.vault.models import StoredKey
from server.visits import body as bodies
from server.visits import rules
from server.visits.duties import mark_corrections, settle_visit
from server.visits.form import VisitRecord
from server.visits.models import PastRevision, Visit
from server.visits.policy import form_policy, late_after
from server.visits.terms import COUNTING, Outcome, VisitState

RECORDING_ROLES = frozenset({Role.VISITOR, Role.REVIEWER, Role.CHIEF})
OPEN_TO_CORRECTION = frozenset({VisitState.SUBMITTED, VisitState.RETURNED})


class VisitConflict(Conflict):
    """Another record is stored under this id; `errors` names the fields that differ.

    The stored record is never replaced by a plain PUT. To correct it, its recorder sends `?revision=N`.
    """

    title = "走访编号已被占用"
    detail = "这个编号下已有另一份走访记录，内容不同，请刷新后用“更正”提交。"


class VisitClosed(Conflict):
    """The visit was accepted, voided or withdrawn; its body can no longer be corrected."""

    title = "走访记录已办结"
    detail = "这条走访记录已审核办结，不能再更正。"


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of a PUT: the visit, and whether it is new.

    Of a new visit the photos that it owes and the duties that it touched are known; of others they are None.
    """

    visit: Visit
    is_new: bool
    key: DataKey | None
    photo_debt: Sequence[UUID] | None = None
    duties: Sequence[Duty] | None = None


# Statements of the way that every visit takes are made once: making one costs more than running it.
_IS_STORED = select(Visit.id).where(Visit.id == bindparam("visit_id"))
_STORE_ONCE = {
    "postgresql": insert_postgresql(cast("Table", Visit.__table__)).on_conflict_do_nothing(),
    "sqlite": insert_sqlite(cast("Table", Visit.__table__)).on_conflict_do_nothing(),
}
_ENROLMENT = (
    select(Enrolment.id, Enrolment.category)
    .where(
        Enrolment.person_id == bindparam("person_id"),
        Enrolment.superseded_at.is_(None),
        Enrolment.valid_from <= bindparam("day"),
        or_(Enrolment.valid_to.is_(None), Enrolment.valid_to >= bindparam("day")),
    )
    .order_by((Enrolment.category == Category.TEKUN_DISPERSED).desc(), Enrolment.valid_from, Enrolment.id)
    .limit(1)
)


@lru_cache(maxsize=1024)
def _person_in_sight(role: Role, area_code: str) -> Select[Person, bytes | None]:
    """Select `:person_id` with the key, if `:worker_id` sees them now or was responsible at `:at`; locks the person."""
    anybody = Actor(cast("UUID", bindparam("worker_id", type_=Uuid())), role, area_code)
    person_id = cast("UUID", bindparam("person_id", type_=Uuid()))
    at = cast("dt.datetime", bindparam("at", type_=UtcInstant()))
    return (
        select(Person, StoredKey.wrapped)
        .outerjoin(StoredKey, StoredKey.id == Person.data_key_id)
        .options(load_only(Person.village_code, Person.photo_consent, Person.data_key_id))
        .where(Person.id == person_id, or_(visible_to(anybody), was_responsible(anybody, person_id, at)))
        .with_for_update(of=Person, key_share=True)
    )


@dataclass(frozen=True, slots=True)
class _Subject:
    """The person whom a visit is about, with what recording needs, from one read."""

    person: Person
    key: DataKey | None
    enrolment_id: UUID | None
    category: Category | None


def record(work: Work, visit_id: UUID, record: VisitRecord, *, revision: int | None = None) -> Recorded:
    """Store a visit once, however often it is sent; `revision` corrects the one that the recorder saw."""
    fingerprint = bodies.fingerprint(record)
    if work.session.execute(_IS_STORED, {"visit_id": visit_id}).first():
        stored = work.session.get_one(Visit, visit_id, with_for_update={"key_share": True})
        return _again(work, stored, record, fingerprint, revision)
    if revision is not None:
        raise out_of_sight(work, visit_id)
    return _first_time(work, visit_id, record, fingerprint)


def _first_time(work: Work, visit_id: UUID, record: VisitRecord, fingerprint: bytes) -> Recorded:
    subject = _subject(work, record)
    _check(work, record, subject)
    values: dict[str, Any] = _values(visit_id, record, subject) | {
        "recorder_id": work.actor.worker_id,
        "received_at": work.now,
        "state": VisitState.SUBMITTED,
        "revision": 1,
        "body_revision": 1,
        "fingerprint": fingerprint,
        "revised_at": work.now,
        "counted_since": work.now,
        "clock_skew_s": int((record.client_created_at - work.now).total_seconds()),
        "filed_late": _is_late(work, record, subject),
    }
    if not rows_of(work.session, _STORE_ONCE[work.session.get_bind().dialect.name], values):
        # A twin was quicker; what it stored is our answer.
        stored = work.session.get(Visit, visit_id, populate_existing=True)
        assert stored is not None
        return _again(work, stored, record, fingerprint, None)
    visit = Visit(**values)  # what was just written; not read back, and not watched by the session
    declare_first(work, visit_id, subject.person, record.photos)
    _raise(work, visit, record, subject)
    duties = settle_visit(work, subject.person, business_day(record.occurred_at))
    work.tell(
        "visit.recorded",
        "visit",
        visit_id,
        person_id=subject.person.id,
        payload={"fingerprint": fingerprint.hex(), "revision": 1, "outcome": record.outcome},
    )
    return Recorded(
        visit, is_new=True, key=subject.key, photo_debt=[photo.id for photo in record.photos], duties=duties
    )


def _again(
    work: Work, stored: Visit, record: VisitRecord, fingerprint: bytes, revision: int | None
) -> Recorded:
    key = may_see(work, stored)
    if fingerprint == stored.fingerprint or _is_past(work, stored.id, fingerprint):
        work.looked("visit.repeated", "visit", stored.id, person_id=stored.person_id)
        return Recorded(stored, is_new=False, key=key)
    if stored.recorder_id != work.actor.worker_id or revision is None:
        raise VisitConflict(
            errors={
                name: ["与已保存的内容不同。"]
                for name in bodies.differing_fields(record, current_record(stored, key))
            },
            extra={"revision": stored.revision},
        )
    if not stored.body_revision <= revision <= stored.revision:
        raise StaleRevision(extra={"revision": stored.revision})
    return _correct(work, stored, record, fingerprint)


def _correct(work: Work, visit: Visit, record: VisitRecord, fingerprint: bytes) -> Recorded:
    if visit.state not in OPEN_TO_CORRECTION:
        raise VisitClosed
    if record.person_id != visit.person_id:
        raise Invalid(errors={"person_id": ["更正时不能更换走访对象，请撤回后重新填报。"]})
    subject = _subject(work, record)
    _check(work, record, subject)
    work.session.add(
        PastRevision(
            visit_id=visit.id,
            revision=visit.body_revision,
            person_id=visit.person_id,
            fingerprint=visit.fingerprint,
            occurred_at=visit.occurred_at,
            counts=visit.counts,
            in_person=visit.in_person,
            outcome=visit.outcome,
            open_body=visit.open_body,
            private_sealed=visit.private_sealed,
            recorded_at=visit.revised_at,
            superseded_at=work.now,
            superseded_by=work.actor.worker_id,
        )
    )
    since = min(visit.occurred_at, record.occurred_at)
    counted = (visit.occurred_at, visit.counts, visit.in_person)
    dead = Outcome.DEAD in {visit.outcome, record.outcome}
    for name, value in _values(visit.id, record, subject).items():
        setattr(visit, name, value)
    if counted != (visit.occurred_at, visit.counts, visit.in_person):
        visit.counted_since = work.now
    visit.fingerprint = fingerprint
    visit.revision += 1
    visit.body_revision = visit.revision
    visit.revised_at = work.now
    visit.state = VisitState.SUBMITTED
    visit.state_reason_sealed = None
    declare(work, visit.id, subject.person, record.photos)
    _raise(work, visit, record, subject)
    if dead:
        work.changed_people.add(visit.person_id)
    mark_corrections(work, visit.person_id, settle_visit(work, subject.person, business_day(since)))
    work.tell(
        "visit.corrected",
        "visit",
        visit.id,
        person_id=visit.person_id,
        payload={"fingerprint": fingerprint.hex(), "revision": visit.revision, "outcome": record.outcome},
    )
    return Recorded(visit, is_new=False, key=subject.key)


def current_record(visit: Visit, key: DataKey | None) -> VisitRecord:
    """Read a stored visit back as the record that was sent."""
    return bodies.from_body(body_of(visit, key))


def body_of(visit: Visit, key: DataKey | None) -> dict[str, Any]:
    """Put a visit's open and sealed parts together again; after an erasure the sealed part stays empty."""
    private: Mapping[str, Any] = {}
    if visit.private_sealed and key is not None:
        private = bodies.read_private(
            key.open(visit.private_sealed, table="visits", column="private_sealed", row=visit.id)
        )
    return bodies.join(visit.open_body, private)


def _values(visit_id: UUID, record: VisitRecord, subject: _Subject) -> dict[str, Any]:
    open_body, private = bodies.split(record)
    sealed = None
    if private:
        if subject.key is None:
            raise NotFound
        sealed = subject.key.seal(
            bodies.write_private(private), table="visits", column="private_sealed", row=visit_id
        )
    answered, required = rules.completeness(record, subject.category)
    return {
        "id": visit_id,
        "person_id": subject.person.id,
        "enrolment_id": subject.enrolment_id,
        "village_code": subject.person.village_code,
        "recorded_for_id": record.recorded_for,
        "method": record.method,
        "outcome": record.outcome,
        "conclusion": record.conclusion,
        "occurred_at": record.occurred_at,
        "counts": record.outcome in COUNTING,
        "in_person": rules.is_in_person(record),
        "open_body": open_body,
        "private_sealed": sealed,
        "answered": answered,
        "answers_required": required,
    }


def _raise(work: Work, visit: Visit, record: VisitRecord, subject: _Subject) -> None:
    found = rules.problems_of(record, form_policy(work, subject.person.village_code))
    raise_problems(work, visit.id, visit.revision, subject.person, subject.key, found, record.occurred_at)


def _is_late(work: Work, record: VisitRecord, subject: _Subject) -> bool:
    return work.now - record.occurred_at > late_after(work, subject.person.village_code)


def _check(work: Work, record: VisitRecord, subject: _Subject) -> None:
    """Check the record against the rules of the form, and the workers that it names against the accounts."""
    rules.check(
        record,
        category=subject.category,
        photo_consent=subject.person.photo_consent,
        now=work.now,
        policy=form_policy(work, subject.person.village_code),
    )
    actor = work.actor
    if record.recorded_for is not None and not actor.may(Can.RECORD_FOR_OTHERS):
        raise NotAllowed(
            "只有审核人员可以代他人补录纸质记录。", errors={"recorded_for": ["不能代他人填报。"]}
        )
    named = {*record.visitors, *([record.recorded_for] if record.recorded_for else [])} - {actor.worker_id}
    if not named:
        return
    area = subject.person.village_code[: len("341882003")]
    there = set(
        work.session.scalars(
            select(Worker.id)
            .join(RoleGrant, RoleGrant.worker_id == Worker.id)
            .where(
                Worker.id.in_(named),
                RoleGrant.area_code >= area[:6],
                RoleGrant.area_code < just_after(area[:6]),
            )
        )
    )
    if named - there:
        field = "visitors" if named - there - {record.recorded_for} else "recorded_for"
        raise Invalid(errors={field: ["有走访人员不在册，请重新选择。"]})


def _subject(work: Work, record: VisitRecord) -> _Subject:
    """Read the person whom the record is about, if the actor sees them now or did when the visit happened."""
    actor = work.actor
    row = work.session.execute(
        _person_in_sight(actor.role, actor.area_code),
        {"person_id": record.person_id, "worker_id": actor.worker_id, "at": record.occurred_at},
    ).one_or_none()
    if row is None:
        raise out_of_sight(work, record.person_id)
    person: Person = row[0]
    enrolled = work.session.execute(
        _ENROLMENT, {"person_id": person.id, "day": business_day(record.occurred_at)}
    ).one_or_none()
    return _Subject(
        person,
        work.keys.unwrap(person.data_key_id, row[1]),
        enrolled.id if enrolled else None,
        enrolled.category if enrolled else None,
    )


def _is_past(work: Work, visit_id: UUID, fingerprint: bytes) -> bool:
    return (
        work.session.scalar(
            select(PastRevision.revision)
            .where(PastRevision.visit_id == visit_id, PastRevision.fingerprint == fingerprint)
            .limit(1)
        )
        is not None
    )


@lru_cache(maxsize=1024)
def _visit_in_sight(role: Role, area_code: str) -> Select[Visit, UUID | None, bytes | None]:
    """Select `:visit_id` with the key of its person, if `:worker_id` sees the person, did then, or recorded it."""
    worker_id = cast("UUID", bindparam("worker_id", type_=Uuid()))
    anybody = Actor(worker_id, role, area_code)
    there = cast("UUID", Visit.person_id), cast("dt.datetime", Visit.occurred_at)
    in_sight = or_(visible_to(anybody), was_responsible(anybody, *there))
    if role in RECORDING_ROLES:
        in_sight = or_(in_sight, Visit.recorder_id == worker_id)
    return (
        select(Visit, StoredKey.id, StoredKey.wrapped)
        .join(Person, Person.id == Visit.person_id)
        .outerjoin(StoredKey, StoredKey.id == Person.data_key_id)
        .where(Visit.id == bindparam("visit_id"), in_sight)
    )


def may_see(work: Work, visit: Visit) -> DataKey | None:
    """Let through who recorded the visit, was responsible when it happened, or sees the person; give the key."""
    return stored_visit(work, visit.id)[1]


def stored_visit(work: Work, visit_id: UUID, *, lock: bool = False) -> tuple[Visit, DataKey | None]:
    """Find a visit within sight, with the key of its person; `lock` makes other changes of it wait (PostgreSQL)."""
    actor = work.actor
    wanted = _visit_in_sight(actor.role, actor.area_code)
    if lock:
        wanted = wanted.with_for_update(of=Visit, key_share=True).execution_options(populate_existing=True)
    row = work.session.execute(wanted, {"visit_id": visit_id, "worker_id": actor.worker_id}).one_or_none()
    if row is not None:
        visit, key_id, wrapped = row
        return visit, work.keys.unwrap(key_id, wrapped) if key_id else None
    there = work.session.get(Visit, visit_id)
    if there is None:
        raise NotFound
    raise out_of_sight(work, there.person_id)
