"""What depends on the values is planned for them each time, not for unknown ones from the sixth time on (PostgreSQL)."""

import pytest
from sqlalchemy import bindparam, select, text

from server.db import unit_of_work
from server.permissions import Role
from server.policies.models import PolicyVersion
from server.prepared import Prepared
from tests.builders.world import SHENGPING, World
from tests.conftest import Template

pytestmark = pytest.mark.postgres

BY_AREA = select(*PolicyVersion.__table__.c).where(PolicyVersion.area_code == bindparam("area_code"))
OFTEN = 8
"""The driver prepares a statement the sixth time that it sends it."""


@pytest.fixture
def template(postgres_town: Template) -> Template:
    """Give PostgreSQL alone: SQLite plans each statement for its values."""
    return postgres_town


@pytest.mark.parametrize("for_its_values", [False, True], ids=["for any", "for its own"])
def test_a_statement_is_prepared_unless_its_values_decide(world: World, for_its_values: bool) -> None:
    statement = Prepared(BY_AREA, for_its_values=for_its_values)
    with unit_of_work(world.house.sessions) as session:
        for _ in range(OFTEN):
            statement.all(session, {"area_code": SHENGPING})
        kept = session.scalars(text("SELECT statement FROM pg_prepared_statements")).all()
    assert any("FROM policies" in one for one in kept) is not for_its_values


def test_the_overdue_board_is_planned_for_the_day_and_the_area(world: World) -> None:
    world.person()
    chief = world.phone(world.worker(Role.CHIEF, SHENGPING))
    for _ in range(OFTEN):
        assert chief.get("/overdue").status_code == 200
        assert chief.get("/overdue/summary").status_code == 200
    with unit_of_work(world.house.sessions) as session:
        kept = session.scalars(text("SELECT statement FROM pg_prepared_statements")).all()
    assert any("FROM sign_ins" in one for one in kept), "another statement of the same requests is prepared"
    assert not [one for one in kept if "FROM duties AS d" in one]
