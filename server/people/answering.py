"""Whom a worker answers for, and who answers for a person, as those see it who hand people over."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select

from server.accounts.queries import names_of
from server.ledger.work import Work
from server.people.handing_over import DEPUTY, RESPONSIBLE, held_by_person
from server.people.models import Person, Responsibility
from server.people.sight import see, within_sight
from server.people.terms import ResponsibilityKind
from server.regions.service import names

MOST_LISTED = 400
"""People whom one page lists; whoever answers for more hands over all of them."""


@dataclass(frozen=True, slots=True)
class AnsweredFor:
    """A person whom a worker answers for."""

    id: UUID
    name: str
    file_no: str
    village: str
    kind: ResponsibilityKind


def people_of(work: Work, worker_id: UUID) -> tuple[list[AnsweredFor], bool]:
    """List the people within sight whom a worker answers for, by village and name; True when there are more."""
    rows = work.session.execute(
        select(Person.id, Person.name, Person.file_no, Person.village_code, Responsibility.kind)
        .join(Responsibility, Responsibility.person_id == Person.id)
        .where(Responsibility.worker_id == worker_id, Responsibility.to_at.is_(None), within_sight(work))
        .order_by(Person.village_code, Person.name, Person.id)
        .limit(MOST_LISTED + 1)
    ).all()
    kept = rows[:MOST_LISTED]
    called = names(work.session, [row.village_code for row in kept], work.today)
    work.looked("people.of_worker_read", "worker", worker_id, people=[row.id for row in kept])
    return [
        AnsweredFor(row.id, row.name, row.file_no, called.get(row.village_code, ""), row.kind) for row in kept
    ], len(rows) > len(kept)


def answering(work: Work, person_id: UUID) -> dict[str, Any]:
    """Show who answers for a person within sight: the responsible worker, and those who deputise."""
    person = see(work, person_id)
    work.looked("person.responsible_read", "person", person_id, person_id=person_id)
    held = held_by_person(work, [person_id])
    called = names_of(work.session, {one.worker_id for one in held})
    shown = {
        kind: [{"id": one.worker_id, "name": called[one.worker_id]} for one in held if one.kind is kind]
        for kind in (RESPONSIBLE, DEPUTY)
    }
    village = names(work.session, [person.village_code], work.today)
    return {
        "id": person.id,
        "name": person.name,
        "file_no": person.file_no,
        "village": village.get(person.village_code, ""),
        "responsible": next(iter(shown[RESPONSIBLE]), None),
        "deputies": shown[DEPUTY],
    }
