"""The one door to people: whom the signed-in worker may see (CONTRACT §1).

Visitors see the people they are responsible for or deputise for, the township and the county see their area, nobody
else sees anybody. The house itself (a command, a timer, the demo's builder: no request, nobody signed in) sees all.
Every query for people goes through `visible_to` or `within_sight`.
"""

import datetime as dt
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, false, or_, select, true
from sqlalchemy.orm import Session

from server.errors import NotFound
from server.ledger.work import Work
from server.people.models import Person, Responsibility
from server.permissions import Actor, Role
from server.regions.queries import inside

AREA_ROLES = frozenset({Role.REVIEWER, Role.CHIEF, Role.COUNTY_INSPECTOR})


def visible_to(actor: Actor | None) -> ColumnElement[bool]:
    """Select the people whom an actor may see now; nobody when nobody is signed in."""
    if actor is None:
        return false()
    if actor.role is Role.VISITOR:
        return exists(
            select(Responsibility.id).where(
                Responsibility.person_id == Person.id,
                Responsibility.worker_id == actor.worker_id,
                Responsibility.to_at.is_(None),
            )
        )
    if actor.role in AREA_ROLES:
        return inside(Person.village_code, actor.area_code)
    return false()


def is_the_house(work: Work) -> bool:
    """Say whether a command or a timer works here: a request always has an id, whoever sends it."""
    return work.signed_in is None and work.request_id is None


def within_sight(work: Work) -> ColumnElement[bool]:
    """Select the people whom this work may see: all for the house itself, else whom the signed-in worker may."""
    return true() if is_the_house(work) else visible_to(work.signed_in)


def was_responsible(actor: Actor, person_id: UUID, at: dt.datetime) -> ColumnElement[bool]:
    """Select whether a worker was responsible for or deputised for a person at an instant."""
    return exists(
        select(Responsibility.id).where(
            and_(
                Responsibility.person_id == person_id,
                Responsibility.worker_id == actor.worker_id,
                Responsibility.from_at <= at,
                or_(Responsibility.to_at.is_(None), Responsibility.to_at > at),
            )
        )
    )


def see(work: Work, person_id: UUID, *, to_change: bool = False) -> Person:
    """Find a person within sight; one outside it looks exactly like one who is not there, and leaves a trace.

    `to_change` locks the row (PostgreSQL), so that two changes of one file follow each other.
    """
    wanted = select(Person).where(Person.id == person_id, within_sight(work))
    if to_change:
        wanted = wanted.with_for_update(of=Person).execution_options(populate_existing=True)
    person = work.session.scalars(wanted).one_or_none()
    if person is None:
        raise out_of_sight(work, person_id)
    return person


def out_of_sight(work: Work, person_id: UUID) -> NotFound:
    """Make the refusal for a person outside one's sight; whether they exist shows only in the ledger."""
    refusal = NotFound()

    def leave(session: Session) -> None:
        later = Work(session, work.tools, work.keys, work.now, work.signed_in, work.request_id)
        there = session.scalar(select(Person.id).where(Person.id == person_id))
        later.tell(
            "refused.out_of_sight",
            "person",
            person_id if there else None,
            person_id=person_id if there else None,
            changes=False,
        )
        later.close()

    refusal.leaves = leave
    return refusal
