"""Fills an empty database with workers, people and sign-ins, set-wise: ten thousand people take a few seconds."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from server.accounts.models import RoleGrant, SignIn, Worker
from server.accounts.terms import SessionKind
from server.accounts.tokens import LIFETIMES, mint
from server.db import Base, unit_of_work
from server.http.parts import Parts
from server.ledger.work import Work
from server.people.dwelling import first_dwelling
from server.people.models import Dwelling, Enrolment, Household, Person, Responsibility
from server.people.terms import Category, ResponsibilityKind, Sex
from server.permissions import Role
from server.policies import service as policies
from server.regions.models import Region
from server.regions.service import load_guangde
from server.regions.terms import Level
from server.schedule import seeding
from server.schedule.opening import ensure_open
from server.tools import business_day
from server.vault.models import StoredKey

SINCE = dt.date(2020, 1, 1)
BATCH = 2000


@dataclass(frozen=True, slots=True)
class Visitor:
    """A worker with a phone that is signed in, and the people who are theirs to visit."""

    worker: UUID
    token: str
    people: tuple[UUID, ...]


def populate(house: Parts, *, people: int, people_each: int = 20) -> list[Visitor]:
    """Fill an empty, migrated database; each visitor is responsible for `people_each` people of one village."""
    with unit_of_work(house.sessions) as session:
        work = house.work(session)
        load_guangde(session, valid_from=SINCE)
        policies.seed(work, effective_from=SINCE, begin_on=business_day(work.now).replace(day=1))
        seeding.seed(work)
        work.close()
    visitors: list[Visitor] = []
    with unit_of_work(house.sessions) as session:
        villages = list(
            session.scalars(select(Region.code).where(Region.level == Level.VILLAGE).order_by(Region.code))
        )
    for first in range(0, people, BATCH):
        with unit_of_work(house.sessions) as session:
            work = house.work(session)
            visitors += _add(work, villages, range(first, min(people, first + BATCH)), people_each)
    with unit_of_work(house.sessions) as session:
        work = house.work(session)
        ensure_open(work)
        work.close()
    return visitors


def sign_in(house: Parts, role: Role, area_code: str) -> str:
    """Add a worker of another role and sign them in; returns the token."""
    with unit_of_work(house.sessions) as session:
        work = house.work(session)
        rows: dict[type[Base], list[dict[str, Any]]] = {}
        _, token = rows_of_worker(work, rows, role, area_code)
        insert_all(session, rows)
    return token


def _add(work: Work, villages: list[str], numbers: range, people_each: int) -> Iterator[Visitor]:
    rows: dict[type[Base], list[dict[str, Any]]] = {}
    made = []
    for first in range(numbers.start, numbers.stop, people_each):
        village = villages[(first // people_each) % len(villages)]
        worker, token = rows_of_worker(work, rows, Role.VISITOR, village)
        there = range(first, min(numbers.stop, first + people_each))
        made.append(
            Visitor(worker, token, tuple(_person(work, rows, number, village, worker) for number in there))
        )
    insert_all(work.session, rows)
    yield from made


def rows_of_worker(
    work: Work, rows: dict[type[Base], list[dict[str, Any]]], role: Role, area_code: str
) -> tuple[UUID, str]:
    """Gather the rows of a worker whose phone is signed in; gives their id and token."""
    worker_id = work.new_id()
    token, token_digest = mint(work.tools.random_bytes)
    _put(rows, Worker, id=worker_id, name="测试人员", data_key_id=_key(work, rows), created_at=work.now)
    _put(
        rows,
        RoleGrant,
        id=work.new_id(),
        worker_id=worker_id,
        role=role,
        area_code=area_code,
        from_at=work.now - dt.timedelta(days=400),
    )
    _put(
        rows,
        SignIn,
        token_digest=token_digest,
        worker_id=worker_id,
        kind=SessionKind.PHONE,
        created_at=work.now,
        last_seen_at=work.now,
        expires_at=work.now + LIFETIMES[SessionKind.PHONE].absolute,
    )
    return worker_id, token


def _person(
    work: Work, rows: dict[type[Base], list[dict[str, Any]]], number: int, village: str, worker: UUID
) -> UUID:
    person_id, household_id = work.new_id(), work.new_id()
    key_id = _key(work, rows)
    _put(rows, Household, id=household_id, village_code=village, created_at=work.now)
    _put(
        rows,
        Person,
        id=person_id,
        household_id=household_id,
        is_head=True,
        file_no=f"{village[:9]}-TK-2025-{number:07}",
        name=f"测试{number}",
        name_initials=f"CS{number}",
        sex=Sex.FEMALE if number % 2 else Sex.MALE,
        birth_date=dt.date(1940 + number % 30, 1 + number % 12, 1 + number % 28),
        village_code=village,
        no_id_reason="测试",
        photo_consent=True,
        data_key_id=key_id,
        created_at=work.now,
    )
    _put(rows, Dwelling, **first_dwelling(work, person_id, village))
    _put(
        rows,
        Enrolment,
        id=work.new_id(),
        person_id=person_id,
        category=Category.TEKUN_DISPERSED,
        valid_from=dt.date(2025, 1, 1),
        recorded_at=work.now,
    )
    _put(
        rows,
        Responsibility,
        id=work.new_id(),
        person_id=person_id,
        worker_id=worker,
        kind=ResponsibilityKind.RESPONSIBLE,
        from_at=dt.datetime(2025, 1, 1, tzinfo=dt.UTC),
    )
    return person_id


def _key(work: Work, rows: dict[type[Base], list[dict[str, Any]]]) -> UUID:
    key_id = work.new_id()
    wrapped = work.keys.keyring.wrap(work.tools.random_bytes(32), key_id)
    _put(rows, StoredKey, id=key_id, wrapped=wrapped, created_at=work.now)
    return key_id


def _put(rows: dict[type[Base], list[dict[str, Any]]], table: type[Base], **row: Any) -> None:
    rows.setdefault(table, []).append(row)


def insert_all(session: Session, rows: dict[type[Base], list[dict[str, Any]]]) -> None:
    """Insert what was gathered, the tables in an order that their references allow."""
    for table in (
        StoredKey,
        Worker,
        RoleGrant,
        SignIn,
        Household,
        Person,
        Dwelling,
        Enrolment,
        Responsibility,
    ):
        if rows.get(table):
            session.execute(insert(table), rows[table])
