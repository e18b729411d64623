"""The register of relatives (近亲属): who is related to whom, so that nobody checks their own family (回避)."""

from collections import defaultdict
from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select

from server.accounts.models import RoleGrant, Worker
from server.errors import Conflict, Invalid, NotFound
from server.http import paging
from server.ledger.work import Work
from server.people.models import Person
from server.people.sight import is_the_house, see, within_sight
from server.regions.queries import inside
from server.spotchecks.models import Kinship
from server.spotchecks.terms import NewKinship


class KinshipConflict(Conflict):
    """Another relation is stored under this id."""

    title = "编号已被使用"
    detail = "这个编号下已登记另一条近亲属关系，请刷新后重新提交。"


def register_kinship(work: Work, new: NewKinship) -> tuple[Kinship, bool]:
    """Register that a worker is related to a person on file or to another worker; True when it is new."""
    if (new.person_id is None) == (new.relative_id is None):
        raise Invalid(errors={"relative_id": ["请填写救助对象或另一名工作人员，二者选一。"]})
    if new.person_id is not None:
        see(work, new.person_id)
    named = {"worker_id": new.worker_id} | ({"relative_id": new.relative_id} if new.relative_id else {})
    there = set(work.session.scalars(_workers_in_area(work, named.values())))
    missing = [name for name, worker in named.items() if worker not in there]
    if missing:
        raise Invalid(errors={name: ["没有这名工作人员，或不在您的辖区内。"] for name in missing})
    if new.relative_id == new.worker_id:
        raise Invalid(errors={"relative_id": ["不能是同一人。"]})
    stored = work.session.get(Kinship, new.id)
    if stored is not None:
        if _asked(stored) != _asked(new):
            raise KinshipConflict
        return stored, False
    row = Kinship(
        id=new.id,
        worker_id=new.worker_id,
        person_id=new.person_id,
        relative_id=new.relative_id,
        relation=new.relation,
        declared_by=work.actor_id,
        declared_at=work.now,
    )
    work.session.add(row)
    work.session.flush()
    told = {"worker": new.worker_id, "relative": new.relative_id, "relation": new.relation}
    work.tell("kinship.registered", "kinship", row.id, person_id=new.person_id, payload=told)
    return row, True


def end_kinship(work: Work, kinship_id: UUID) -> dict[str, Any]:
    """End a registered relation (registered by mistake, a divorce); it stays in the register. A repeat is harmless.

    Gives it as the list does: a person who moved out of sight is not named.
    """
    row = work.session.get(Kinship, kinship_id, with_for_update=True)
    if row is None or not set(work.session.scalars(_workers_in_area(work, [row.worker_id]))):
        raise NotFound
    if row.ended_at is None:
        row.ended_at, row.ended_by = work.now, work.actor_id
        work.tell("kinship.ended", "kinship", row.id, person_id=row.person_id)
    seen = work.session.scalar(select(Person.id).where(Person.id == row.person_id, within_sight(work)))
    return kinship_shown(row) | {"person_id": seen}


def kinships_page(work: Work, *, worker_id: UUID | None, limit: int, cursor: str | None) -> dict[str, Any]:
    """List the relations in force of the workers of the actor's area, by id."""
    after = paging.decode(cursor, (UUID,))
    wanted = (
        select(Kinship, Worker.name, Person.id)
        .join(Worker, Worker.id == Kinship.worker_id)
        .join(RoleGrant, (RoleGrant.worker_id == Kinship.worker_id) & RoleGrant.to_at.is_(None))
        .outerjoin(Person, (Person.id == Kinship.person_id) & within_sight(work))
        .where(Kinship.ended_at.is_(None))
        .order_by(Kinship.id)
        .limit(limit + 1)
    )
    if not is_the_house(work):
        wanted = wanted.where(inside(RoleGrant.area_code, work.actor.area_code))
    if worker_id is not None:
        wanted = wanted.where(Kinship.worker_id == worker_id)
    if after is not None:
        wanted = wanted.where(Kinship.id > after[0])
    rows, next_cursor = paging.page(work.session.execute(wanted).all(), limit, lambda row: (row[0].id,))
    work.looked("kinships.read", "kinships", kinships=[row[0].id for row in rows])
    # A person who moved away is not named any more: that somebody is related to a file is part of the file.
    return {
        "items": [kinship_shown(one) | {"worker_name": name, "person_id": seen} for one, name, seen in rows],
        "next_cursor": next_cursor,
    }


def kinship_shown(row: Kinship) -> dict[str, Any]:
    """Write a relation as the wire shows it."""
    return {
        "id": row.id,
        "worker_id": row.worker_id,
        "person_id": row.person_id,
        "relative_id": row.relative_id,
        "relation": row.relation,
        "declared_at": row.declared_at,
        "ended_at": row.ended_at,
    }


def relatives_of(work: Work, workers: Collection[UUID]) -> dict[UUID, frozenset[UUID]]:
    """Give the ids of everybody who is related to each of some workers, whoever of the two registered it."""
    found: dict[UUID, set[UUID]] = defaultdict(set)
    rows = work.session.execute(
        select(Kinship.worker_id, Kinship.person_id, Kinship.relative_id).where(
            Kinship.ended_at.is_(None),
            or_(Kinship.worker_id.in_(workers), Kinship.relative_id.in_(workers)),
        )
    )
    for worker_id, person_id, relative_id in rows:
        found[worker_id] |= {one for one in (person_id, relative_id) if one is not None}
        if relative_id is not None:
            found[relative_id].add(worker_id)
    return {worker: frozenset(found.get(worker, ())) for worker in workers}


def _workers_in_area(work: Work, workers: Collection[UUID]) -> Any:
    wanted = select(RoleGrant.worker_id).where(RoleGrant.worker_id.in_(workers), RoleGrant.to_at.is_(None))
    return wanted if is_the_house(work) else wanted.where(inside(RoleGrant.area_code, work.actor.area_code))


def _asked(one: Kinship | NewKinship) -> tuple[object, ...]:
    return one.worker_id, one.person_id, one.relative_id, one.relation
