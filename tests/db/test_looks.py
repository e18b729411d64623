"""A look reads with no transaction round it, and leaves the connection as every unit of work needs it (PostgreSQL)."""

from typing import Any
from uuid import uuid4

import pytest
from flask import g
from psycopg.pq import TransactionStatus
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from server.accounts.models import SignIn, Worker
from server.db import look, must_write, unit_of_work
from server.http import guard
from server.http.guard import in_one_look
from server.ledger.models import Event
from server.permissions import Can, Role
from tests.builders.world import SHENGPING, World
from tests.conftest import Template

pytestmark = pytest.mark.postgres


@pytest.fixture
def template(postgres_town: Template) -> Template:
    """Give PostgreSQL alone: on SQLite a look is a unit of work."""
    return postgres_town


def status(session: Session) -> TransactionStatus:
    """Say what the driver knows of the transaction, without asking the database."""
    driver: Any = session.connection().connection.dbapi_connection
    return TransactionStatus(driver.info.transaction_status)


def renamed(world: World, name: str) -> int:
    with unit_of_work(world.house.sessions) as session:
        return session.scalar(select(func.count()).where(Worker.name == name)) or 0


def test_a_look_opens_no_transaction_and_a_unit_of_work_does(world: World) -> None:
    for opening, expected in (
        (unit_of_work, TransactionStatus.INTRANS),
        (look, TransactionStatus.IDLE),
        (unit_of_work, TransactionStatus.INTRANS),
    ):
        with opening(world.house.sessions) as session:
            session.execute(text("SELECT 1"))
            assert status(session) is expected


def test_what_is_written_in_passing_stands_although_the_look_is_refused(world: World) -> None:
    worker = world.worker().worker_id
    with pytest.raises(ZeroDivisionError), look(world.house.sessions) as session:
        session.execute(update(Worker).where(Worker.id == worker).values(name="路过"))
        raise ZeroDivisionError
    assert renamed(world, "路过") == 1


def test_after_a_look_that_failed_the_next_unit_of_work_is_undone_whole(world: World) -> None:
    worker = world.worker().worker_id
    with pytest.raises(DBAPIError), look(world.house.sessions) as session:
        session.execute(text("SELECT 1 / 0"))
    with pytest.raises(ZeroDivisionError), unit_of_work(world.house.sessions) as session:
        session.execute(update(Worker).where(Worker.id == worker).values(name="撤回"))
        raise ZeroDivisionError
    assert renamed(world, "撤回") == 0


def test_a_connection_that_dies_during_a_look_is_replaced(world: World) -> None:
    with pytest.raises(DBAPIError), look(world.house.sessions) as session:
        dying = session.scalar(text("SELECT pg_backend_pid()"))
        with unit_of_work(world.house.sessions) as other:
            other.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": dying})
        session.execute(text("SELECT 1"))
    for _ in range(3):
        with look(world.house.sessions) as session:
            assert session.scalar(text("SELECT pg_backend_pid()")) != dying


def signed_in(world: World) -> Any:
    """Open a request of somebody who is signed in."""
    phone = world.phone(world.worker())
    return world.app.test_request_context(headers={"Authorization": f"Bearer {phone.token}"})


def lines(world: World, action: str) -> int:
    with unit_of_work(world.house.sessions) as session:
        return session.scalar(select(func.count()).where(Event.action == action)) or 0


def test_a_look_leaves_who_looked_at_what(world: World) -> None:
    with signed_in(world):
        g.request_id = "look"
        in_one_look(Can.RECORD_VISITS, lambda: guard.work().looked("person.read", "person"))
    assert lines(world, "person.read") == 1


def test_a_look_that_would_change_something_is_a_mistake(world: World) -> None:
    with signed_in(world):
        g.request_id = "look"
        with pytest.raises(AssertionError, match="a look changes nothing"):
            in_one_look(Can.RECORD_VISITS, lambda: guard.work().tell("person.changed", "person"))
    assert lines(world, "person.changed") == 0


def test_a_look_that_must_write_begins_again_in_one_transaction(world: World) -> None:
    seen: list[TransactionStatus] = []

    def act() -> None:
        seen.append(status(guard.work().session))
        must_write(guard.work().session)
        guard.work().tell("period.opened", "period")

    with signed_in(world):
        g.request_id = "look"
        in_one_look(Can.RECORD_VISITS, act)
    assert seen == [TransactionStatus.IDLE, TransactionStatus.INTRANS]
    assert lines(world, "period.opened") == 1


def test_the_first_read_of_a_new_month_opens_it(world: World) -> None:
    person = world.person()
    world.clock.move(hours=24 * 40)
    chief = world.phone(world.worker(Role.CHIEF, SHENGPING))
    already = lines(world, "duties.opened")
    answered = chief.get(f"/archives/{person}")
    assert answered.status_code == 200
    assert lines(world, "duties.opened") > already


def test_a_refused_look_still_counts_as_a_sign_of_life(world: World) -> None:
    phone = world.phone(world.worker())
    world.clock.move(hours=2)
    assert phone.upload(f"/visits/{uuid4()}/photos", {}).status_code == 404
    with unit_of_work(world.house.sessions) as session:
        seen = session.scalar(select(SignIn.last_seen_at).where(SignIn.worker_id == phone.actor.worker_id))
    assert seen == world.clock().replace(microsecond=0)
