"""Who answers for whom: assigning, deputies, and handing people over from one worker to another, all or nothing."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from sqlalchemy import select

from server.accounts.models import RoleGrant, Worker
from server.errors import Conflict, Invalid
from server.ledger.models import Event
from server.ledger.work import Work
from server.people.editing import AlreadyExists, FileErased, OpenFile, may_edit, open_file
from server.people.models import Person, Responsibility
from server.people.rules import said_surely
from server.people.sight import out_of_sight, within_sight
from server.people.terms import LIMITS, HandOver, ResponsibilityKind
from server.permissions import Can, may
from server.vault.fields import DataKey

RESPONSIBLE, DEPUTY = ResponsibilityKind.RESPONSIBLE, ResponsibilityKind.DEPUTY
BATCH = 500


class WorkerCannotTakeOver(Invalid):
    """The worker's account is closed, does not record visits, or does not reach the person's village."""

    title = "该人员不能负责"
    detail = "该人员的账户已停用、不做走访，或辖区不包含此人所在的村（社区），请选择其他人员。"


class NotTheirs(Conflict):
    """Some of these people are not the first worker's any more; read the list again."""

    title = "责任人已变更"
    detail = "名单中有人已不由该人员负责，请刷新后再办理移交。"


class NothingToHandOver(Conflict):
    """The worker answers for nobody."""

    title = "没有可移交的对象"
    detail = "该人员名下没有可移交的对象。"


def assign(work: Work, person_id: UUID, worker_id: UUID) -> Responsibility:
    """Make a worker responsible for a person from now on, instead of whoever was. A repeat is harmless."""
    file = open_file(work, person_id)
    held = held_by_person(work, [person_id])
    now = next((one for one in held if one.kind is RESPONSIBLE), None)
    if now is not None and now.worker_id == worker_id:
        return now
    refuse_unable(work, worker_id, [file.person.village_code])
    for one in held:
        if one.kind is RESPONSIBLE or one.worker_id == worker_id:
            one.to_at = work.now
    work.session.flush()
    row = _given(file, worker_id, RESPONSIBLE, {"from": now and now.worker_id})
    work.session.flush()
    return row


def set_deputies(work: Work, person_id: UUID, worker_ids: Collection[UUID]) -> list[UUID]:
    """Set who deputises for a person's responsible worker; those not named stop now. A repeat is harmless."""
    wanted = set(worker_ids)
    if len(wanted) > LIMITS.most_deputies:
        raise Invalid(errors={"worker_ids": [f"最多 {LIMITS.most_deputies} 人。"]})
    file = open_file(work, person_id)
    held = held_by_person(work, [person_id])
    if any(one.kind is RESPONSIBLE and one.worker_id in wanted for one in held):
        raise Invalid(errors={"worker_ids": ["责任人不能同时是代理责任人。"]})
    deputies = {one.worker_id: one for one in held if one.kind is DEPUTY}
    for worker_id in sorted(wanted - deputies.keys()):
        refuse_unable(work, worker_id, [file.person.village_code], path="worker_ids")
        _given(file, worker_id, DEPUTY, {})
    for worker_id in sorted(deputies.keys() - wanted):
        row = deputies[worker_id]
        row.to_at = work.now
        file.tell("responsibility.ended", "responsibility", row.id, {"worker_id": worker_id, "kind": DEPUTY})
    work.session.flush()
    return sorted(wanted)


def hand_over(work: Work, command: HandOver) -> list[UUID]:
    """Hand people from one worker to another, in one transaction; returns whom, in order of id.

    What the first worker was to each of them, responsible or deputy, the second becomes. With `person_ids` everybody
    named must be within sight and the first worker's; without, it is everybody within sight. The dead go along, for
    their files are still to be closed.
    """
    may_edit(work)
    command = replace(command, reason=said_surely(command.reason, "reason", 200))
    if command.from_worker == command.to_worker:
        raise Invalid(errors={"to_worker": ["不能移交给同一人。"]})
    done = _done_before(work, command)
    if done is not None:
        return done
    people = _people_to_hand_over(work, command)
    refuse_unable(work, command.to_worker, {one.village_code for one in people}, path="to_worker")
    for start in range(0, len(people), BATCH):
        _hand_over_some(work, command, people[start : start + BATCH])
    handed = [one.id for one in people]
    work.tell("people.handed_over", "hand_over", command.id, payload={**_asked(command), "people": handed})
    return handed


def _asked(command: HandOver) -> dict[str, object]:
    """Write what was asked without the reason, which may name somebody: it stands in each person's sealed line."""
    people = command.person_ids
    return {
        "from": str(command.from_worker),
        "to": str(command.to_worker),
        "only": None if people is None else sorted(str(one) for one in people),
    }


def _done_before(work: Work, command: HandOver) -> list[UUID] | None:
    kept = work.session.scalars(
        select(Event.payload).where(
            Event.subject_kind == "hand_over",
            Event.subject_id == command.id,
            Event.action == "people.handed_over",
        )
    ).first()
    if kept is None:
        return None
    told = json.loads(kept.partition(".")[2])
    if {name: told.get(name) for name in ("from", "to", "only")} != _asked(command):
        raise AlreadyExists
    return [UUID(one) for one in told["people"]]


def held_by_person(work: Work, person_ids: Sequence[UUID]) -> list[Responsibility]:
    """Read who answers now for at most a few hundred people."""
    return list(
        work.session.scalars(
            select(Responsibility)
            .where(Responsibility.person_id.in_(person_ids), Responsibility.to_at.is_(None))
            .order_by(Responsibility.person_id, Responsibility.id)
        )
    )


def refuse_unable(
    work: Work, worker_id: UUID, village_codes: Iterable[str], *, path: str = "worker_id"
) -> None:
    """Refuse a worker who is disabled, does not record visits, or whose area lacks one of the villages."""
    grant = work.session.execute(
        select(RoleGrant.role, RoleGrant.area_code)
        .join(Worker, Worker.id == RoleGrant.worker_id)
        .where(RoleGrant.worker_id == worker_id, RoleGrant.to_at.is_(None), Worker.disabled_at.is_(None))
    ).one_or_none()
    if (
        grant is None
        or not may(grant.role, Can.RECORD_VISITS)
        or not all(code.startswith(grant.area_code) for code in village_codes)
    ):
        raise WorkerCannotTakeOver(errors={path: ["该人员不能负责此人。"]})


def _people_to_hand_over(work: Work, command: HandOver) -> list[Person]:
    theirs = select(Responsibility.person_id).where(
        Responsibility.worker_id == command.from_worker, Responsibility.to_at.is_(None)
    )
    locked = work.session.scalars(
        select(Person)
        .where(Person.id.in_(theirs), within_sight(work))
        .order_by(Person.id)
        .with_for_update(of=Person)
        .execution_options(populate_existing=True)
    ).all()
    # Whoever held the locks until now may have taken some of them: only a read after the lock tells.
    still = set(work.session.scalars(theirs))
    people = {one.id: one for one in locked if one.id in still}
    if command.person_ids is None:
        if not people:
            raise NothingToHandOver
        return list(people.values())
    wanted = sorted(set(command.person_ids))
    if not wanted:
        raise NothingToHandOver
    missing = [one for one in wanted if one not in people]
    seen: set[UUID] = set()
    for start in range(0, len(missing), BATCH):
        seen |= set(
            work.session.scalars(
                select(Person.id).where(Person.id.in_(missing[start : start + BATCH]), within_sight(work))
            )
        )
    hidden = next((one for one in missing if one not in seen), None)
    if hidden is not None:
        raise out_of_sight(work, hidden)
    if missing:
        raise NotTheirs(extra={"person_ids": [str(one) for one in missing]})
    return [people[one] for one in wanted]


def _hand_over_some(work: Work, command: HandOver, people: Sequence[Person]) -> None:
    keys = work.keys.fetch(work.session, [one.data_key_id for one in people])
    held: dict[UUID, dict[UUID, Responsibility]] = {}
    for row in held_by_person(work, [one.id for one in people]):
        held.setdefault(row.person_id, {})[row.worker_id] = row
    given: list[tuple[OpenFile, ResponsibilityKind]] = []
    told = {"from": command.from_worker, "reason": command.reason}
    for person in people:
        file = OpenFile(work, person, _key(keys, person))
        old, there = held[person.id][command.from_worker], held[person.id].get(command.to_worker)
        old.to_at = work.now
        if there is not None and old.kind is RESPONSIBLE:
            there.to_at = work.now  # a deputy who becomes responsible
        if there is None or old.kind is RESPONSIBLE:
            given.append((file, old.kind))
        else:
            ended = {"worker_id": old.worker_id, "kind": old.kind, **told}
            file.tell("responsibility.ended", "responsibility", old.id, ended)
    work.session.flush()
    for file, kind in given:
        _given(file, command.to_worker, kind, told)
    work.session.flush()


def _key(keys: dict[UUID, DataKey], person: Person) -> DataKey:
    if person.data_key_id not in keys:
        raise FileErased
    return keys[person.data_key_id]


def _given(
    file: OpenFile, worker_id: UUID, kind: ResponsibilityKind, told: Mapping[str, object]
) -> Responsibility:
    row = Responsibility(
        id=file.work.new_id(),
        person_id=file.person.id,
        worker_id=worker_id,
        kind=kind,
        from_at=file.work.now,
        assigned_by=file.work.actor_id,
    )
    file.work.session.add(row)
    file.tell(
        "responsibility.given", "responsibility", row.id, {"worker_id": worker_id, "kind": kind, **told}
    )
    return row
