"""Who has a problem in hand today: somebody named, whoever is responsible for the person, or the township's chief.

The owner is found anew each time, so that a hand-over or a change of post leaves no problem with somebody who is gone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, or_, select

from server.accounts.models import RoleGrant, Worker
from server.ledger.work import Work
from server.people.models import Responsibility
from server.people.terms import ResponsibilityKind
from server.permissions import Actor, Role
from server.problems.models import Problem
from server.problems.terms import OwnerKind
from server.regions.queries import TOWNSHIP_DIGITS, township_of


@dataclass(frozen=True, slots=True)
class Owner:
    """Who has a problem in hand, and why they."""

    id: UUID
    name: str
    kind: OwnerKind


def owners_of(work: Work, problems: Sequence[Any]) -> dict[UUID, Owner]:
    """Find the owners of a page of problems, by problem; one that nobody in post owns is left out.

    Where nobody is responsible for the person, and where somebody named is no longer in post, it is the chief's.
    """
    if not problems:
        return {}
    named = _in_post(work, {one.owner_id for one in problems if one.owner_id is not None})
    responsible = _responsible(
        work, {one.person_id for one in problems if one.owner_kind is OwnerKind.RESPONSIBLE}
    )
    found: dict[UUID, Owner] = {}
    left = []
    for one in problems:
        if one.owner_kind is OwnerKind.NAMED and one.owner_id in named:
            found[one.id] = Owner(one.owner_id, named[one.owner_id], OwnerKind.NAMED)
        elif one.owner_kind is OwnerKind.RESPONSIBLE and one.person_id in responsible:
            found[one.id] = Owner(*responsible[one.person_id], OwnerKind.RESPONSIBLE)
        else:
            left.append(one)
    chiefs = _chiefs(work, {one.village_code[:TOWNSHIP_DIGITS] for one in left})
    for one in left:
        if chief := chiefs.get(one.village_code[:TOWNSHIP_DIGITS]):
            found[one.id] = Owner(*chief, OwnerKind.CHIEF)
    return found


def owned_by(actor: Actor) -> ColumnElement[bool]:
    """Select the problems that an actor owns: of whom they are responsible, assigned to them, or as the chief."""
    theirs = exists(
        select(Responsibility.id).where(
            Responsibility.person_id == Problem.person_id,
            Responsibility.worker_id == actor.worker_id,
            Responsibility.kind == ResponsibilityKind.RESPONSIBLE,
            Responsibility.to_at.is_(None),
        )
    )
    mine: list[ColumnElement[bool]] = [
        and_(Problem.owner_kind == OwnerKind.NAMED, Problem.owner_id == actor.worker_id),
        and_(Problem.owner_kind == OwnerKind.RESPONSIBLE, theirs),
    ]
    if actor.role is Role.CHIEF:
        nobodys = ~exists(
            select(Responsibility.id).where(
                Responsibility.person_id == Problem.person_id,
                Responsibility.kind == ResponsibilityKind.RESPONSIBLE,
                Responsibility.to_at.is_(None),
            )
        )
        mine += [
            Problem.owner_kind == OwnerKind.CHIEF,
            and_(Problem.owner_kind == OwnerKind.RESPONSIBLE, nobodys),
            and_(Problem.owner_kind == OwnerKind.NAMED, ~_still_in_post()),
        ]
    return or_(*mine)


def _still_in_post() -> ColumnElement[bool]:
    return exists(
        select(RoleGrant.id).where(RoleGrant.worker_id == Problem.owner_id, RoleGrant.to_at.is_(None))
    )


def _in_post(work: Work, workers: set[UUID]) -> dict[UUID, str]:
    if not workers:
        return {}
    rows = work.session.execute(
        select(Worker.id, Worker.name)
        .join(RoleGrant, (RoleGrant.worker_id == Worker.id) & RoleGrant.to_at.is_(None))
        .where(Worker.id.in_(workers))
    )
    return {row.id: row.name for row in rows}


def _responsible(work: Work, people: set[UUID]) -> dict[UUID, tuple[UUID, str]]:
    if not people:
        return {}
    rows = work.session.execute(
        select(Responsibility.person_id, Worker.id, Worker.name)
        .join(Worker, Worker.id == Responsibility.worker_id)
        .where(
            Responsibility.person_id.in_(people),
            Responsibility.kind == ResponsibilityKind.RESPONSIBLE,
            Responsibility.to_at.is_(None),
        )
    )
    return {row.person_id: (row.id, row.name) for row in rows}


def _chiefs(work: Work, townships: set[str]) -> dict[str, tuple[UUID, str]]:
    """Name each township's chief: of several, who has been so for longest."""
    if not townships:
        return {}
    rows = work.session.execute(
        select(RoleGrant.area_code, Worker.id, Worker.name)
        .join(Worker, Worker.id == RoleGrant.worker_id)
        .where(
            township_of(RoleGrant.area_code).in_(townships),
            RoleGrant.role == Role.CHIEF,
            RoleGrant.to_at.is_(None),
            Worker.disabled_at.is_(None),
        )
        .order_by(RoleGrant.from_at.desc(), Worker.id.desc())
    )
    return {row.area_code[:TOWNSHIP_DIGITS]: (row.id, row.name) for row in rows}
