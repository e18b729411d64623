"""Settling believes what it reads under its lock, not what its transaction read before (PostgreSQL: SQLite has one writer)."""

import pytest
from sqlalchemy import select

from server.people.models import Person
from server.people.registering import change_person
from server.people.terms import PersonChange
from server.schedule.models import Duty
from server.visits.duties import settle_people
from tests.builders.world import QIANCUN, World
from tests.conftest import Template


@pytest.fixture
def template(postgres_town: Template) -> Template:
    """Give PostgreSQL alone: on SQLite nobody moves while another transaction is open."""
    return postgres_town


@pytest.mark.postgres
def test_who_moved_since_they_were_read_is_settled_where_they_live_now(world: World) -> None:
    person = world.person()
    with world.work() as work:
        before = work.session.get_one(Person, person)
        rows = work.session.scalars(select(Duty).where(Duty.person_id == person)).all()
        with world.work() as other:
            change_person(other, person, PersonChange(village_code=QIANCUN), revision=before.revision)
        settle_people(work, [person])
        assert (before.village_code, {row.village_code for row in rows}) == (QIANCUN, {QIANCUN})
    with world.work() as work:
        assert set(work.session.scalars(select(Duty.village_code))) == {QIANCUN}
