"""How people look on lists: what those need who must find and call the person, masked for everybody else."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any
from uuid import UUID

from sqlalchemy import Date, Select, and_, bindparam, func, or_, select

from server.db import UtcInstant
from server.ledger.work import Work
from server.nested import Nested, among
from server.people.models import Caregiver, Enrolment, Home, Person
from server.permissions import Role
from server.places.datums import to_gcj02
from server.places.terms import Point
from server.prepared import Prepared
from server.regions.models import Region
from server.regions.service import names
from server.schedule.periods import last_second
from server.tools import business_day
from server.vault.fields import DataKey
from server.vault.masks import mask_address, mask_id_number, mask_phone
from server.vault.models import StoredKey
from server.visits.models import Visit
from server.visits.terms import Outcome

FINDERS = frozenset({Role.VISITOR, Role.REVIEWER, Role.CHIEF})
REMEMBERED = dt.timedelta(days=400)
"""How far back a list looks for a person's latest visit."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A person as lists show them (`data`), and the key that opened it."""

    data: dict[str, Any]
    key: DataKey | None


def shown(
    work: Work, people: Sequence[UUID], lived: Mapping[UUID, str] = MappingProxyType({})
) -> dict[UUID, Shown]:
    """Show at most a few hundred people, in one read; `lived` says where, if not today."""
    if not people:
        return {}
    called = names(work.session, lived.values(), work.today) if lived else {}
    finds = work.actor.role in FINDERS
    found: dict[UUID, Shown] = {}
    for row in _LISTED.all(work.session, {"people": people, "today": work.today}):
        key = work.keys.unwrap(row.data_key_id, row.wrapped)
        village = {"code": row.village_code, "name": row.village or ""}
        if row.id in lived:
            village = {"code": lived[row.id], "name": called.get(lived[row.id], "")}
        found[row.id] = Shown(_data(row, key, village, finds=finds), key)
    return found


def last_visits(work: Work, people: Sequence[UUID]) -> dict[UUID, dict[str, Any]]:
    """Give each person's latest visit or attempt of the last months."""
    since = work.now - REMEMBERED
    rows = _LAST_VISITS.all(work.session, {"people": people, "since": since}) if people else ()
    return {row.person_id: {"occurred_at": row.occurred_at, "outcome": row.outcome} for row in rows}


def last_met(work: Work, people: Sequence[UUID], until: dt.date) -> dict[UUID, dt.date]:
    """Give the day on which each person was last met, up to a day."""
    before = last_second(until) + dt.timedelta(seconds=1)
    rows = _LAST_MET.all(work.session, {"people": people, "before": before}) if people else ()
    return {row.person_id: business_day(row.met_at) for row in rows}


def _data(row: Any, key: DataKey | None, village: Mapping[str, str], *, finds: bool) -> dict[str, Any]:
    def opened(sealed: str | None, table: str, column: str, of: UUID) -> str | None:
        return key.open(sealed, table=table, column=column, row=of) if sealed and key else None

    number = opened(row.id_number_sealed, "persons", "id_number_sealed", row.id)
    phone = opened(row.phone_sealed, "persons", "phone_sealed", row.id)
    address = opened(row.address_sealed, "persons", "address_sealed", row.id)
    their_phone = opened(row.caregiver_phone, "caregivers", "phone_sealed", row.caregiver_id)
    return {
        "revision": row.revision,
        "person_id": row.id,
        "file_no": row.file_no,
        "name": row.name,
        "sex": row.sex,
        "birth_year": row.birth_date.year if row.birth_date else None,
        "id_number_masked": mask_id_number(number) if number else None,
        "phone": phone if finds or not phone else mask_phone(phone),
        "village": village,
        "address": address if finds or not address else mask_address(address),
        "home": _home(row.wgs_latitude, row.wgs_longitude)
        if row.wgs_latitude is not None and finds
        else None,
        "categories": sorted(str(one.category) for one in _CATEGORIES.rows(row.categories)),
        "care_level": row.care_level,
        "caregiver": {
            "name": row.caregiver_name,
            "phone": their_phone if finds or not their_phone else mask_phone(their_phone),
        }
        if row.caregiver_id
        else None,
        "photo_consent": row.photo_consent,
    }


def _home(wgs_latitude: float, wgs_longitude: float) -> dict[str, Any]:
    # Mini-program maps take GCJ-02 only; the datum is named so that nobody has to guess.
    latitude, longitude = to_gcj02(Point(wgs_latitude, wgs_longitude))
    return {"latitude": round(latitude, 6), "longitude": round(longitude, 6), "datum": "gcj02"}


_TODAY = bindparam("today", type_=Date())
_PERSON = Person.__table__.alias("p")


def _categories() -> Nested:
    """Make the read of a person's categories as of `:today`, nested in a read of `persons AS p`."""
    enrolment = Enrolment.__table__.alias("e")
    chosen = select(enrolment.c.category).where(
        enrolment.c.person_id == _PERSON.c.id,
        enrolment.c.superseded_at.is_(None),
        enrolment.c.valid_from <= _TODAY,
        or_(enrolment.c.valid_to.is_(None), enrolment.c.valid_to >= _TODAY),
    )
    return Nested("categories", chosen, plain=True)


def _listed() -> Select[*tuple[Any, ...]]:
    """Make the read of `:people` with keys, homes, caregivers, villages and categories as of `:today`."""
    # Plain tables under short names: quicker than classes, and short texts are remembered by the driver.
    person, home, carer = _PERSON, Home.__table__.alias("h"), Caregiver.__table__.alias("c")
    key, region = StoredKey.__table__.alias("k"), Region.__table__.alias("r")
    village = (
        select(region.c.name)
        .where(region.c.code == person.c.village_code, region.c.valid_from <= _TODAY)
        .order_by(region.c.valid_from.desc())
        .limit(1)
        .scalar_subquery()
    )
    return (
        select(
            *[person.c[name] for name in _SHOWN],
            key.c.wrapped,
            home.c.wgs_latitude,
            home.c.wgs_longitude,
            carer.c.id.label("caregiver_id"),
            carer.c.name.label("caregiver_name"),
            carer.c.phone_sealed.label("caregiver_phone"),
            village.label("village"),
            _CATEGORIES.column,
        )
        .outerjoin_from(person, key, key.c.id == person.c.data_key_id)
        .outerjoin(home, and_(home.c.person_id == person.c.id, home.c.superseded_at.is_(None)))
        .outerjoin(carer, and_(carer.c.person_id == person.c.id, carer.c.superseded_at.is_(None)))
        .where(among(person.c.id, "people"))
    )


def _last_visits() -> Select[UUID, dt.datetime, Outcome]:
    """Make the read of the latest visit of each of `:people` since `:since`; of equal ones that with the last id."""
    visit = Visit.__table__
    place = func.row_number().over(
        partition_by=visit.c.person_id, order_by=(visit.c.occurred_at.desc(), visit.c.id.desc())
    )
    ranked = (
        select(visit.c.person_id, visit.c.occurred_at, visit.c.outcome, place.label("place"))
        .where(
            among(visit.c.person_id, "people"),
            visit.c.out_of_count_at.is_(None),
            visit.c.occurred_at >= bindparam("since", type_=UtcInstant()),
        )
        .subquery()
    )
    return select(ranked.c.person_id, ranked.c.occurred_at, ranked.c.outcome).where(ranked.c.place == 1)


def _last_met() -> Select[UUID, dt.datetime]:
    visit = Visit.__table__
    return (
        select(visit.c.person_id, func.max(visit.c.occurred_at).label("met_at"))
        .where(
            among(visit.c.person_id, "people"),
            visit.c.counts,
            visit.c.out_of_count_at.is_(None),
            visit.c.occurred_at < bindparam("before", type_=UtcInstant()),
        )
        .group_by(visit.c.person_id)
    )


_SHOWN = (
    *("id", "revision", "file_no", "name", "sex", "birth_date", "village_code", "id_number_sealed"),
    *("phone_sealed", "address_sealed", "care_level", "photo_consent", "data_key_id"),
)
_CATEGORIES = _categories()
# Made once: making a statement costs more than running it.
_LISTED, _LAST_VISITS, _LAST_MET = (Prepared(one) for one in (_listed(), _last_visits(), _last_met()))
