"""Spot checks come to a database with visits in it, and what is there stays."""

from uuid import uuid4

import pytest
from sqlalchemy import Engine, func, inspect, select, text
from sqlalchemy.orm import Session

from server.http.parts import Parts
from server.schema import upgrade
from server.visits.models import Visit
from tests.builders.world import World
from tests.migrations.test_migrations import copy_rows, differences, older
from tests.visits.test_recording import body

__all__ = ["older"]
# What an index on an expression holds cannot be read back from SQLite.
pytestmark = [
    pytest.mark.filterwarnings("ignore:Skipped unsupported reflection of expression-based index"),
    pytest.mark.filterwarnings("ignore:autogenerate skipping metadata-specified expression-based index"),
]
MADE = {
    "rectification_escalations", "rectification_steps", "rectifications", "spot_check_judgements", "back_check_answers",
    "back_checks", "spot_checks", "spot_check_frame", "kinships", "spot_check_plans",
}  # fmt: skip


def test_spot_checks_come_to_a_database_with_visits_in_it(house: Parts, world: World, older: Engine) -> None:
    visitor = world.worker()
    person, visit = world.person(visitor), uuid4()
    assert world.phone(visitor).put(f"/visits/{visit}", body(person, visitor.worker_id)).status_code == 201
    upgrade(older, "0010")
    assert not MADE & set(inspect(older).get_table_names())
    copy_rows(house.engine, older, "workers", "households", "persons", "enrolments", "visits")
    upgrade(older)
    assert differences(older) == []
    with Session(older) as session:
        assert session.scalars(select(Visit.id)).all() == [visit]
        for table in sorted(MADE):
            assert session.execute(select(func.count()).select_from(text(table))).scalar_one() == 0
