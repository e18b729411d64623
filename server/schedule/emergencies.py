"""Emergencies: after a disaster, a hospital discharge or a caregiver's death people must be seen within hours.

Each emergency is a duty of its own, however many a month brings; one visit may meet several (DOMAIN §1.4 V3).
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import replace
from uuid import UUID

from sqlalchemy import func, insert, or_, select

from server.errors import Conflict, Invalid
from server.ledger.work import Work
from server.people.models import Enrolment, Person
from server.people.sight import is_the_house, out_of_sight, within_sight
from server.policies.service import in_force
from server.regions.queries import inside
from server.regions.service import refuse_area
from server.schedule.models import Duty, Emergency, EmergencyPerson
from server.schedule.terms import NewEmergency
from server.tools import business_day

BATCH = 200
TOLERANCE = dt.timedelta(minutes=10)
"""How far a declaring clock may be ahead of the server's."""


class EmergencyConflict(Conflict):
    """Another emergency is stored under this id."""

    title = "编号已被使用"
    detail = "同一编号已发布过不同的应急事件，请刷新后重新提交。"


def declare(work: Work, new: NewEmergency) -> tuple[Emergency, bool]:
    """Declare an emergency for an area or for named people, and open a duty for each; says whether it is new.

    Takes one reserved key when there is a note. The same declaration again is harmless. People are settled in
    batches, so memory stays bounded however large the area is.
    """
    new = _checked(work, new)
    there = work.session.get(Emergency, new.id)
    if there is not None:
        if not _same(work, there, new):
            raise EmergencyConflict
        return there, False
    _refuse_unseen(work, new)
    emergency = Emergency(
        id=new.id,
        kind=new.kind,
        area_code=new.area_code or "",
        happened_at=new.happened_at,
        hours=new.hours,
        note_sealed=_sealed(work, new),
        declared_at=work.now,
        declared_by=work.actor_id,
    )
    work.session.add(emergency)
    work.session.flush()
    if new.person_ids:
        work.session.execute(
            insert(EmergencyPerson),
            [{"emergency_id": new.id, "person_id": person_id} for person_id in sorted(new.person_ids)],
        )
    work.tell(
        "emergency.declared",
        "emergency",
        new.id,
        payload={
            "kind": new.kind,
            "area": emergency.area_code,
            "happened_at": new.happened_at,
            "hours": new.hours,
            "named": len(new.person_ids or ()),
        },
    )
    for batch in _reached(work, new):
        for person_id in batch:
            work.tell("duty.emergency", "duty", new.id, person_id=person_id)
        if work.settle is None:
            work.changed_people.update(batch)
        else:
            work.settle(work, set(batch))
        work.close_lines()
    return emergency, True


def reached(work: Work, emergency_id: UUID) -> int:
    """Count the people to whom an emergency brought a duty."""
    return (
        work.session.scalar(
            select(func.count()).select_from(Duty).where(Duty.lane == f"emergency:{emergency_id}")
        )
        or 0
    )


def _checked(work: Work, new: NewEmergency) -> NewEmergency:
    if (new.area_code is None) == (new.person_ids is None):
        raise Invalid(errors={"area_code": ["请填写地区或者指定人员，二者选一。"]})
    if new.happened_at > work.now + TOLERANCE:
        raise Invalid(errors={"happened_at": ["发生时间不能晚于现在。"]})
    if new.area_code is not None:
        refuse_area(work, new.area_code)
    hours = new.hours
    if hours is None:
        area = new.area_code or ("" if is_the_house(work) else work.actor.area_code)
        hours = int(in_force(work).on("emergency.hours", work.today, area))
    return replace(new, hours=hours, note=(new.note or "").strip() or None)


def _same(work: Work, there: Emergency, new: NewEmergency) -> bool:
    named = set(
        work.session.scalars(
            select(EmergencyPerson.person_id).where(EmergencyPerson.emergency_id == there.id)
        )
    )
    return (there.kind, there.area_code, there.happened_at, there.hours, named) == (
        new.kind,
        new.area_code or "",
        new.happened_at,
        new.hours,
        set(new.person_ids or ()),
    )


def _refuse_unseen(work: Work, new: NewEmergency) -> None:
    wanted = sorted(new.person_ids or ())
    seen: set[UUID] = set()
    for start in range(0, len(wanted), BATCH):
        seen.update(
            work.session.scalars(
                select(Person.id).where(Person.id.in_(wanted[start : start + BATCH]), within_sight(work))
            )
        )
    unseen = [person_id for person_id in wanted if person_id not in seen]
    if unseen:
        raise out_of_sight(work, unseen[0])


def _sealed(work: Work, new: NewEmergency) -> str | None:
    if new.note is None:
        return None
    return work.keys.take().seal(new.note, table="emergencies", column="note_sealed", row=new.id)


def _reached(work: Work, new: NewEmergency) -> Iterator[Sequence[UUID]]:
    """Give the people whom it reaches, a batch at a time: those enrolled on the day when it happened."""
    day = business_day(new.happened_at)
    wanted = (
        select(Person.id)
        .where(
            Person.id.in_(
                select(Enrolment.person_id).where(
                    Enrolment.superseded_at.is_(None),
                    Enrolment.valid_from <= day,
                    or_(Enrolment.valid_to.is_(None), Enrolment.valid_to >= day),
                )
            )
        )
        .order_by(Person.id)
        .limit(BATCH)
    )
    if new.person_ids is not None:
        wanted = wanted.where(
            Person.id.in_(select(EmergencyPerson.person_id).where(EmergencyPerson.emergency_id == new.id))
        )
    else:
        assert new.area_code is not None
        wanted = wanted.where(inside(Person.village_code, new.area_code))
    last: UUID | None = None
    while True:
        batch = work.session.scalars(wanted if last is None else wanted.where(Person.id > last)).all()
        if not batch:
            return
        yield batch
        last = batch[-1]
