"""Rows that come nested in another read are the rows that a read of their own gives, on both engines."""

import datetime as dt
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Table, select, text

from server.nested import Nested, among
from server.people.models import Enrolment, Home, Person
from server.people.terms import Category
from server.places.terms import Datum
from server.problems.models import Problem
from server.schedule.models import Duty
from server.vault.models import StoredKey
from server.visits.models import Visit
from tests.builders.visits import a_visit_body
from tests.builders.world import World

SECOND = dt.datetime(2026, 3, 5, 4, 0, 1, tzinfo=dt.UTC)


@pytest.fixture
def filled(world: World) -> World:
    """Give a world whose rows have every kind of value: words, days, instants, money, fractions, truth, nothing."""
    phone = world.phone(world.worker())
    people = [world.person(phone.actor, since=dt.date(2025, month, 1)) for month in (6, 7)]
    with world.work() as work:
        for enrolment in work.session.scalars(select(Enrolment)):
            enrolment.monthly_amount = 755 if enrolment.person_id == people[0] else None  # type: ignore[assignment]
        work.session.add(
            Home(
                id=uuid4(),
                person_id=people[0],
                latitude=30,
                longitude=119.4172,
                datum=Datum.GCJ02,
                wgs_latitude=30.5,
                wgs_longitude=119.5,
                set_at=SECOND,
            )
        )
    problems = [{"code": "old_wiring", "severity": "low", "description": "线路老化"}]
    for person in people:
        body = a_visit_body(person, visitors=[str(phone.actor.worker_id)], problems=problems)
        answer = phone.put(f"/visits/{uuid4()}", body)
        assert answer.status_code == 201, answer.json["errors"]
    return world


@pytest.mark.parametrize("model", [Enrolment, Home, Duty, Problem, Person, Visit])
def test_nested_rows_are_the_rows(filled: World, model: Any) -> None:
    table: Table = model.__table__
    hidden = {"id_number_index", "last4_index", "phone_index", "fingerprint", "open_body"}
    wanted = select(*[column for column in table.c if column.name not in hidden])
    ordered = wanted.order_by(table.c.id.desc())
    with filled.work() as work:
        plain, cut = Nested("all_of_them", wanted, plain=True), Nested("the_last", ordered.limit(1))
        row = work.session.execute(select(plain.column, cut.column)).one()
        expected = [tuple(one) for one in work.session.execute(ordered)]
    assert len(expected) >= 1
    assert sorted(map(tuple, plain.rows(row[0])), key=lambda one: one[0], reverse=True) == expected
    assert list(map(tuple, cut.rows(row[1]))) == expected[:1]


def test_no_rows_are_no_rows(world: World) -> None:
    nobody = Nested("nobody", select(Duty.__table__.c.id).where(Duty.person_id == uuid4()), plain=True)
    with world.work() as work:
        assert nobody.rows(work.session.scalar(select(nobody.column))) == []


def test_what_json_cannot_hold_is_refused() -> None:
    with pytest.raises(TypeError):
        Nested("keys", select(StoredKey.__table__.c.wrapped), plain=True)


def test_among_finds_those_of_the_list_and_nobody_else(world: World) -> None:
    people = [world.person(category=Category.TEKUN_DISPERSED) for _ in range(3)]
    wanted = select(Person.id).where(among(Person.id, "people"))
    with world.work() as work:
        found = {some: set(work.session.scalars(wanted, {"people": people[:some]})) for some in range(3)}
    assert found == {some: set(people[:some]) for some in range(3)}


def test_among_goes_by_the_index(world: World) -> None:
    wanted = select(Person.id).where(among(Person.id, "people"), Person.died_on.is_(None))
    with world.work() as work:
        session, engine = work.session, world.house.engine
        if engine.dialect.name == "postgresql":
            session.execute(text("SET LOCAL enable_seqscan = off"))
        explain = "EXPLAIN QUERY PLAN" if engine.dialect.name == "sqlite" else "EXPLAIN"
        compiled = wanted.compile(engine)
        ids = "[]" if engine.dialect.name == "sqlite" else []
        values: Any = (ids,) if compiled.positiontup else {"people": ids}
        plan = [str(row) for row in session.connection().exec_driver_sql(f"{explain} {compiled}", values)]
    assert [line for line in plan if "persons" in line]
    assert not [line for line in plan if "Seq Scan on persons" in line or "SCAN persons" in line], plan
