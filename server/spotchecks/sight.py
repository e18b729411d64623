"""Checks and rectifications within sight: they are about a person, and are seen by whoever sees the person."""

from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select

from server.ledger.work import Work
from server.people.models import Person
from server.people.sight import out_of_sight, within_sight
from server.permissions import Role
from server.spotchecks.models import SpotCheck
from server.spotchecks.rectification_models import Rectification
from server.vault.fields import DataKey


class CheckSeen(NamedTuple):
    """A check with the key of the person whom it is about; None after an erasure."""

    check: SpotCheck
    key: DataKey | None


class RectificationSeen(NamedTuple):
    """A rectification with the key of the person whom it is about; None after an erasure."""

    row: Rectification
    key: DataKey | None


def check_in_sight(work: Work, check_id: UUID, *, lock: bool = False) -> CheckSeen:
    """Find a check of a person within sight; `lock` makes another change of it wait (PostgreSQL)."""
    wanted = (
        select(SpotCheck, Person.data_key_id)
        .join(Person, Person.id == SpotCheck.person_id)
        .where(SpotCheck.id == check_id, within_sight(work))
    )
    if lock:
        wanted = wanted.with_for_update(of=SpotCheck).execution_options(populate_existing=True)
    row = work.session.execute(wanted).one_or_none()
    if row is None:
        there = work.session.get(SpotCheck, check_id)
        raise out_of_sight(work, there.person_id if there else check_id)
    check, key_id = row
    return CheckSeen(check, work.keys.fetch_one(work.session, key_id))


def rectification_in_sight(work: Work, rectification_id: UUID, *, lock: bool = False) -> RectificationSeen:
    """Find a rectification of a person within sight, or one that the actor owns: it is about a visit that they recorded."""
    wanted = (
        select(Rectification, Person.data_key_id)
        .join(Person, Person.id == Rectification.person_id)
        .where(Rectification.id == rectification_id, rectifications_seen(work))
    )
    if lock:
        wanted = wanted.with_for_update(of=Rectification).execution_options(populate_existing=True)
    row = work.session.execute(wanted).one_or_none()
    if row is None:
        there = work.session.get(Rectification, rectification_id)
        raise out_of_sight(work, there.person_id if there else rectification_id)
    found, key_id = row
    return RectificationSeen(found, work.keys.fetch_one(work.session, key_id))


def rectifications_seen(work: Work) -> ColumnElement[bool]:
    """Select the rectifications that the actor sees: a visitor their own, the others those of the people they see."""
    if work.signed_in is None:
        return within_sight(work)
    mine = Rectification.owner_id == work.actor.worker_id
    if work.actor.role is Role.VISITOR:
        return mine
    return or_(mine, within_sight(work))
