"""How people look on lists: what those need who must find and call the person, masked for everybody else."""

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any
from uuid import UUID

from sqlalchemy import select

from server.ledger.work import Work
from server.people.models import Caregiver, Enrolment, Home, Person
from server.permissions import Role
from server.places.datums import to_gcj02
from server.places.terms import Point
from server.regions.service import names
from server.tools import business_day
from server.vault.fields import DataKey
from server.vault.masks import mask_address, mask_id_number, mask_phone
from server.visits.models import Visit

FINDERS = frozenset({Role.VISITOR, Role.REVIEWER, Role.CHIEF})


@dataclass(frozen=True, slots=True)
class Shown:
    """A person as lists show them (`data`), and the key that opened it."""

    data: dict[str, Any]
    key: DataKey | None


def shown(
    work: Work, people: Sequence[UUID], lived: Mapping[UUID, str] = MappingProxyType({})
) -> dict[UUID, Shown]:
    """Show at most a few hundred people, in as many reads as there are tables; `lived` says where, if not today."""
    session = work.session
    rows = {person.id: person for person in session.scalars(select(Person).where(Person.id.in_(people)))}
    keys = work.keys.fetch(session, [person.data_key_id for person in rows.values()])
    codes = {person.id: lived.get(person.id, person.village_code) for person in rows.values()}
    called = names(session, codes.values(), work.today)
    homes = {
        home.person_id: home
        for home in session.scalars(
            select(Home).where(Home.person_id.in_(people), Home.superseded_at.is_(None))
        )
    }
    caregivers = {
        one.person_id: one
        for one in session.scalars(
            select(Caregiver).where(Caregiver.person_id.in_(people), Caregiver.superseded_at.is_(None))
        )
    }
    categories = _categories(work, people)
    finds = work.actor.role in FINDERS
    return {
        person_id: Shown(
            _data(
                person,
                keys.get(person.data_key_id),
                {"code": codes[person_id], "name": called.get(codes[person_id], "")},
                homes.get(person_id),
                caregivers.get(person_id),
                categories[person_id],
                finds=finds,
            ),
            keys.get(person.data_key_id),
        )
        for person_id, person in rows.items()
    }


def last_visits(work: Work, people: Sequence[UUID]) -> dict[UUID, dict[str, Any]]:
    """Give each person's latest visit or attempt on file."""
    latest: dict[UUID, dict[str, Any]] = {}
    for row in work.session.execute(
        select(Visit.person_id, Visit.occurred_at, Visit.outcome)
        .where(Visit.person_id.in_(people), Visit.out_of_count_at.is_(None))
        .order_by(Visit.person_id, Visit.occurred_at)
        .where(Visit.occurred_at >= work.now - dt.timedelta(days=400))
    ):
        latest[row.person_id] = {"occurred_at": row.occurred_at, "outcome": row.outcome}
    return latest


def last_met(work: Work, people: Sequence[UUID], until: dt.date) -> dict[UUID, dt.date]:
    """Give the day on which each person was last met, up to a day."""
    latest: dict[UUID, dt.date] = {}
    for row in work.session.execute(
        select(Visit.person_id, Visit.occurred_at)
        .where(Visit.person_id.in_(people), Visit.counts, Visit.out_of_count_at.is_(None))
        .order_by(Visit.person_id, Visit.occurred_at)
    ):
        day = business_day(row.occurred_at)
        if day <= until:
            latest[row.person_id] = day
    return latest


def _categories(work: Work, people: Sequence[UUID]) -> Mapping[UUID, list[str]]:
    found: dict[UUID, list[str]] = defaultdict(list)
    for row in work.session.execute(
        select(Enrolment.person_id, Enrolment.category).where(
            Enrolment.person_id.in_(people),
            Enrolment.superseded_at.is_(None),
            Enrolment.valid_from <= work.today,
            (Enrolment.valid_to.is_(None)) | (Enrolment.valid_to >= work.today),
        )
    ):
        found[row.person_id].append(row.category)
    return found


def _data(
    person: Person,
    key: DataKey | None,
    village: Mapping[str, str],
    home: Home | None,
    caregiver: Caregiver | None,
    categories: list[str],
    *,
    finds: bool,
) -> dict[str, Any]:
    def opened(sealed: str | None, table: str, column: str, row: UUID) -> str | None:
        return key.open(sealed, table=table, column=column, row=row) if sealed and key else None

    number = opened(person.id_number_sealed, "persons", "id_number_sealed", person.id)
    phone = opened(person.phone_sealed, "persons", "phone_sealed", person.id)
    address = opened(person.address_sealed, "persons", "address_sealed", person.id)
    their_phone = (
        opened(caregiver.phone_sealed, "caregivers", "phone_sealed", caregiver.id) if caregiver else None
    )
    return {
        "revision": person.revision,
        "person_id": person.id,
        "file_no": person.file_no,
        "name": person.name,
        "sex": person.sex,
        "birth_year": person.birth_date.year if person.birth_date else None,
        "id_number_masked": mask_id_number(number) if number else None,
        "phone": phone if finds or not phone else mask_phone(phone),
        "village": village,
        "address": address if finds or not address else mask_address(address),
        "home": _home(home) if home and finds else None,
        "categories": sorted(categories),
        "care_level": person.care_level,
        "caregiver": {
            "name": caregiver.name,
            "phone": their_phone if finds or not their_phone else mask_phone(their_phone),
        }
        if caregiver
        else None,
        "photo_consent": person.photo_consent,
    }


def _home(home: Home) -> dict[str, Any]:
    # Mini-program maps take GCJ-02 only; the datum is named so that nobody has to guess.
    latitude, longitude = to_gcj02(Point(home.wgs_latitude, home.wgs_longitude))
    return {"latitude": round(latitude, 6), "longitude": round(longitude, 6), "datum": "gcj02"}
