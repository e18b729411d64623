"""Everything on file about people as it is known now, for many at once: one read a table, never one a person."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.accounts.models import Worker
from server.people.models import (
    CareAgreement,
    Caregiver,
    Enrolment,
    Home,
    Household,
    Pause,
    Person,
    PersonTag,
    Responsibility,
)
from server.people.terms import ResponsibilityKind

BATCH = 500


@dataclass(slots=True)
class OnFile:
    """What is on file about one person: rows that are in force, and names of the workers who answer for them."""

    person: Person
    household: Household
    home: Home | None = None
    caregiver: Caregiver | None = None
    agreement: CareAgreement | None = None
    enrolments: list[Enrolment] = field(default_factory=list)
    tags: list[PersonTag] = field(default_factory=list)
    pauses: list[Pause] = field(default_factory=list)
    responsible: tuple[UUID, str] | None = None
    deputies: list[tuple[UUID, str]] = field(default_factory=list)


def on_file(session: Session, person_ids: Sequence[UUID]) -> dict[UUID, OnFile]:
    """Gather what is on file; the caller has checked that they are within sight."""
    found: dict[UUID, OnFile] = {}
    for start in range(0, len(person_ids), BATCH):
        found |= _some(session, person_ids[start : start + BATCH])
    return found


def _some(session: Session, ids: Sequence[UUID]) -> dict[UUID, OnFile]:
    found = {
        person.id: OnFile(person, household)
        for person, household in session.execute(
            select(Person, Household)
            .join(Household, Household.id == Person.household_id)
            .where(Person.id.in_(ids))
        )
    }
    for home in session.scalars(select(Home).where(Home.person_id.in_(ids), Home.superseded_at.is_(None))):
        found[home.person_id].home = home
    for caregiver in session.scalars(
        select(Caregiver).where(Caregiver.person_id.in_(ids), Caregiver.superseded_at.is_(None))
    ):
        found[caregiver.person_id].caregiver = caregiver
    for agreement in session.scalars(
        select(CareAgreement)
        .where(CareAgreement.person_id.in_(ids), CareAgreement.superseded_at.is_(None))
        .order_by(CareAgreement.ends_on, CareAgreement.id)
    ):
        found[agreement.person_id].agreement = agreement
    for enrolment in session.scalars(
        select(Enrolment)
        .where(Enrolment.person_id.in_(ids), Enrolment.superseded_at.is_(None))
        .order_by(Enrolment.valid_from, Enrolment.id)
    ):
        found[enrolment.person_id].enrolments.append(enrolment)
    for tag in session.scalars(
        select(PersonTag)
        .where(PersonTag.person_id.in_(ids), PersonTag.superseded_at.is_(None))
        .order_by(PersonTag.valid_from, PersonTag.id)
    ):
        found[tag.person_id].tags.append(tag)
    for pause in session.scalars(
        select(Pause)
        .where(Pause.person_id.in_(ids), Pause.superseded_at.is_(None))
        .order_by(Pause.from_on, Pause.id)
    ):
        found[pause.person_id].pauses.append(pause)
    _answering(session, ids, found)
    return found


def _answering(session: Session, ids: Sequence[UUID], found: dict[UUID, OnFile]) -> None:
    for person_id, kind, worker_id, name in session.execute(
        select(Responsibility.person_id, Responsibility.kind, Worker.id, Worker.name)
        .join(Worker, Worker.id == Responsibility.worker_id)
        .where(Responsibility.person_id.in_(ids), Responsibility.to_at.is_(None))
        .order_by(Worker.name, Worker.id)
    ):
        if kind is ResponsibilityKind.RESPONSIBLE:
            found[person_id].responsible = (worker_id, name)
        else:
            found[person_id].deputies.append((worker_id, name))
