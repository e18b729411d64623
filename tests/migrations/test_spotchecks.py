"""Spot checks come to a database with visits in it, and what is there stays."""

from uuid import uuid4

import pytest
from sqlalchemy import Connection, func, inspect, select, text

from server.http.parts import Parts
from server.schema import upgrade
from server.spotchecks.models import FrameLine
from server.tables import METADATA
from server.visits.models import Visit
from tests.builders.world import World
from tests.migrations.test_migrations import differences
from tests.visits.test_recording import body

# What an index on an expression holds cannot be read back from SQLite.
pytestmark = [
    pytest.mark.filterwarnings("ignore:Skipped unsupported reflection of expression-based index"),
    pytest.mark.filterwarnings("ignore:autogenerate skipping metadata-specified expression-based index"),
]
BEFORE = "0009"
MADE = (
    "rectification_escalations", "rectification_steps", "rectifications", "spot_check_judgements", "back_check_answers",
    "back_checks", "spot_checks", "spot_check_frame", "kinships", "spot_check_plans",
)  # fmt: skip


def undo_spot_checks(connection: Connection) -> None:
    """Take migration 0011 back."""
    connection.execute(text("DROP INDEX ix_visits_received"))
    for table in MADE:
        connection.execute(text(f"DROP TABLE {table}"))
    if connection.dialect.name == "postgresql":
        connection.execute(text("DROP FUNCTION spot_check_frame_refuse"))
    connection.execute(text(f"UPDATE alembic_version SET version_num = '{BEFORE}'"))


def test_spot_checks_come_to_a_database_with_visits_in_it(house: Parts, world: World) -> None:
    visitor = world.worker()
    person = world.person(visitor)
    assert world.phone(visitor).put(f"/visits/{uuid4()}", body(person, visitor.worker_id)).status_code == 201
    with house.engine.begin() as connection:
        undo_spot_checks(connection)
        assert not set(MADE) & set(inspect(connection).get_table_names())
    upgrade(house.engine)
    assert differences(house.engine) == []
    assert set(MADE) <= set(METADATA.tables)
    with world.work() as work:
        assert work.session.scalar(select(func.count()).select_from(Visit)) == 1
        assert work.session.scalar(select(func.count()).select_from(FrameLine)) == 0
