"""Recording visits, exactly once (CONTRACT §4)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

from sqlalchemy import select

from server.accounts.models import RoleGrant, Worker
from server.errors import Conflict, Invalid, NotAllowed, NotFound, StaleRevision
from server.ledger.work import Work
from server.people.sight import out_of_sight
from server.permissions import Can
from server.photos.declaring import declare, declare_first
from server.prepared import Prepared, insert_once
from server.problems.service import raise_problems
from server.regions.terms import just_after
from server.tools import business_day
from server.vault.fields import DataKey
from server.visits import body as bodies
from server.visits import rules
from server.visits.digest import TOLD, digest_of
from server.visits.duties import mark_corrections, settle_visit
from server.visits.form import VisitRecord
from server.visits.locking import lock_person_of
from server.visits.models import PastRevision, Visit
from server.visits.policy import form_policy, late_after
from server.visits.sight import Subject, may_see, subject_of
from server.visits.terms import COUNTING, Outcome, VisitState

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

    Of a new visit the body, the photos that it owes and the duties that it touched are known; of others they are None.
    """

    visit: Visit
    is_new: bool
    key: DataKey | None
    body: bodies.Body | None = None
    photo_debt: Sequence[UUID] | None = None
    duties: Sequence[Any] | None = None


NEW_VISIT = (
    *(
        "id",
        "person_id",
        "enrolment_id",
        "village_code",
        "recorder_id",
        "recorded_for_id",
        "method",
        "outcome",
    ),
    *("conclusion", "occurred_at", "received_at", "counted_since", "clock_skew_s", "filed_late", "counts"),
    *("in_person", "state", "revision", "body_revision", "fingerprint", "open_body", "private_sealed"),
    *("answered", "answers_required", "revised_at"),
)
"""The columns that a new visit fills; the others are about what becomes of it."""
NOT_YET: Mapping[str, Any] = {
    "state_reason_sealed": None,
    "first_accepted_by": None,
    "first_accepted_revision": None,
}
"""What decisions fill."""
_STORE_ONCE = Prepared(insert_once(Visit), NEW_VISIT)


def record(work: Work, visit_id: UUID, record: VisitRecord, *, revision: int | None = None) -> Recorded:
    """Store a visit once, however often it is sent; `revision` corrects the one that the recorder saw."""
    body = bodies.body(record)
    fingerprint = bodies.fingerprint_of(body)
    subject = subject_of(work, record, visit_id) if revision is None else None
    if subject is not None:
        return _first_time(work, visit_id, record, body, fingerprint, subject)
    if revision is not None:
        lock_person_of(work.session, visit_id)
    stored = work.session.get(Visit, visit_id, with_for_update={"key_share": True})
    if stored is not None:
        return _again(work, stored, record, fingerprint, revision)
    # A visit that is there and out of sight takes one more read to refuse: so does one that is not there.
    subject_of(work, record)
    raise out_of_sight(work, visit_id if revision is not None else record.person_id)


def _first_time(
    work: Work,
    visit_id: UUID,
    record: VisitRecord,
    body: bodies.Body,
    fingerprint: bytes,
    subject: Subject,
) -> Recorded:
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
    if not _STORE_ONCE.write(work.session, values):
        # A twin was quicker; what it stored is our answer.
        stored = work.session.get(Visit, visit_id, populate_existing=True)
        assert stored is not None
        return _again(work, stored, record, fingerprint, None)
    # What was just written; it is not read back, and no session watches it.
    visit = cast("Visit", SimpleNamespace(**values, **NOT_YET))
    declare_first(work, visit_id, subject.person, record.photos)
    _raise(work, visit, record, subject)
    duties = settle_visit(work, subject.person.id, business_day(record.occurred_at))
    work.tell(
        "visit.recorded",
        "visit",
        visit_id,
        person_id=subject.person.id,
        key=subject.key,
        payload={
            "fingerprint": fingerprint.hex(),
            "row": digest_of(values),
            "revision": 1,
            "outcome": record.outcome,
        },
    )
    debt = [photo.id for photo in record.photos]
    return Recorded(visit, is_new=True, key=subject.key, body=body, photo_debt=debt, duties=duties)


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
    subject = subject_of(work, record)
    if subject is None:
        raise out_of_sight(work, record.person_id)
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
    visit.first_accepted_by = visit.first_accepted_revision = None
    declare(work, visit.id, subject.person, record.photos)
    _raise(work, visit, record, subject)
    if dead:
        work.changed_people.add(visit.person_id)
    mark_corrections(work, visit.person_id, settle_visit(work, subject.person.id, business_day(since)))
    work.tell(
        "visit.corrected",
        "visit",
        visit.id,
        person_id=visit.person_id,
        key=subject.key,
        payload={
            "fingerprint": fingerprint.hex(),
            "row": digest_of({name: getattr(visit, name) for name in TOLD}),
            "revision": visit.revision,
            "outcome": record.outcome,
        },
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


def _values(visit_id: UUID, record: VisitRecord, subject: Subject) -> dict[str, Any]:
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


def _raise(work: Work, visit: Visit, record: VisitRecord, subject: Subject) -> None:
    found = rules.problems_of(record, form_policy(work, subject.person.village_code))
    raise_problems(work, visit.id, visit.revision, subject.person, subject.key, found, record.occurred_at)


def _is_late(work: Work, record: VisitRecord, subject: Subject) -> bool:
    return work.now - record.occurred_at > late_after(work, subject.person.village_code)


def _check(work: Work, record: VisitRecord, subject: Subject) -> None:
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


def _is_past(work: Work, visit_id: UUID, fingerprint: bytes) -> bool:
    return (
        work.session.scalar(
            select(PastRevision.revision)
            .where(PastRevision.visit_id == visit_id, PastRevision.fingerprint == fingerprint)
            .limit(1)
        )
        is not None
    )
