"""The migrations make the schema that the models describe, and a ledger that only grows."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, create_engine, insert, inspect, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from server.db import VAULT, engine_options, prepare_engine
from server.http.parts import Parts
from server.ledger import sealer
from server.ledger.checkpoints import differing
from server.ledger.leaves import leaf
from server.ledger.models import Checkpoint, Event, Mark, Position
from server.ledger.tree import leaf_hash
from server.people.models import Dwelling, Person
from server.problems.models import Problem
from server.schema import upgrade
from server.tables import METADATA
from tests.builders.visits import a_visit_body
from tests.builders.world import QIANCUN, TUANSHAN, World

# What an index on an expression holds cannot be read back from SQLite; that it is there, the tests of lists show.
pytestmark = [
    pytest.mark.filterwarnings("ignore:Skipped unsupported reflection of expression-based index"),
    pytest.mark.filterwarnings("ignore:autogenerate skipping metadata-specified expression-based index"),
]
APPEND_ONLY = ("ledger_events", "ledger_positions", "ledger_nodes", "ledger_looks", "ledger_checkpoints")
CHANGED = dict.fromkeys(APPEND_ONLY, "person_id = NULL") | {
    "ledger_nodes": "place = place + 1",
    "ledger_checkpoints": "note = 'forged'",
}


def differences(engine: Engine) -> list[object]:
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "compare_type": True,
                "include_schemas": True,
                "include_name": lambda name, kind, _: kind != "schema" or name in {None, VAULT},
                "include_object": lambda _, name, kind, *__: (kind, name) != ("table", "alembic_version"),
            },
        )
        return list(compare_metadata(context, METADATA))


def test_the_migrated_schema_is_what_the_models_say(house: Parts) -> None:
    assert differences(house.engine) == []


def test_a_column_or_a_table_that_no_migration_made_would_be_noticed(house: Parts) -> None:
    with house.engine.begin() as connection:
        connection.execute(text("ALTER TABLE visits ADD COLUMN forgotten INTEGER"))
        connection.execute(text("DROP INDEX ix_visits_person"))
        connection.execute(text("CREATE TABLE stray (id INTEGER)"))
    kinds = {one[0] for one in differences(house.engine) if isinstance(one, tuple)}
    assert kinds >= {"remove_column", "add_index", "remove_table"}


def test_upgrading_again_changes_nothing_and_keeps_what_is_stored(house: Parts, world: World) -> None:
    person = world.person()
    upgrade(house.engine)
    assert differences(house.engine) == []
    with house.engine.connect() as connection:
        kept = connection.execute(text("SELECT count(*) FROM persons")).scalar_one()
        assert (kept, person is not None) == (1, True)


@pytest.fixture
def older(request: pytest.FixtureRequest, house: Parts, tmp_path: Path) -> Iterator[Engine]:
    """Give an empty database at an early version, of the kind that the house runs on."""
    url = f"sqlite:///{tmp_path}/older.sqlite"
    if house.engine.dialect.name == "postgresql":
        url = request.getfixturevalue("postgres_server").new_database()
    engine = create_engine(url, **engine_options(url))
    prepare_engine(engine)
    yield engine
    engine.dispose()


def copy_rows(source: Engine, target: Engine, *names: str) -> None:
    """Copy tables into a database of an older version, as far as it knows their columns."""
    for name in names:
        table = METADATA.tables[name]
        known = {column["name"] for column in inspect(target).get_columns(name)}
        columns = [column for column in table.c if column.name in known]
        with source.connect() as there, target.begin() as here:
            for row in there.execute(select(*columns)):
                here.execute(insert(table).values(row._asdict()))


def test_people_on_file_begin_their_history_in_the_village_where_they_live(
    house: Parts, world: World, older: Engine
) -> None:
    people = {world.person(): TUANSHAN, world.person(village=QIANCUN): QIANCUN}
    upgrade(older, "0005")
    copy_rows(house.engine, older, "households", "persons")
    with house.engine.connect() as connection:
        since = dict(connection.execute(select(Person.id, Person.created_at)).all())
    upgrade(older)
    assert differences(older) == []
    with Session(older) as session:
        begun = session.scalars(select(Dwelling)).all()
        assert {one.person_id: one.village_code for one in begun} == people
        assert {one.person_id: one.recorded_at for one in begun} == since
        assert len(begun) == len(people)
        assert {(one.valid_from, one.valid_to, one.superseded_at) for one in begun} == {(None, None, None)}


def test_positions_that_were_given_before_stay_right_and_are_built_upon(
    house: Parts, world: World, older: Engine
) -> None:
    with world.work() as work:
        for _ in range(300):
            work.looked("file.read", "person", person_id=world.boss.worker_id)
    upgrade(older, "0007")
    copy_rows(house.engine, older, "ledger_events")
    with older.begin() as connection:
        for seq, event in enumerate(connection.execute(select(Event).order_by(Event.id)), 1):
            connection.execute(
                text("INSERT INTO ledger_positions (seq, event_id, leaf_hash) VALUES (:seq, :event, :hash)"),
                {"seq": seq, "event": event.id, "hash": leaf_hash(leaf(event, seq, 1))},
            )
        connection.execute(text("DELETE FROM ledger_pending"))
        last = connection.execute(select(Event).order_by(Event.id.desc())).first()._asdict()
    upgrade(older)
    assert differences(older) == []
    with older.begin() as connection:
        connection.execute(insert(Event).values(last | {"id": last["id"] + 1}))
    with Session(older) as session, session.begin():
        assert sealer.seal(session) == 1
        size = sealer.watermark(session)
        assert list(differing(session, 1, size)) == []
        forms = session.scalars(select(Position.leaf_form).order_by(Position.seq)).all()
        assert session.scalars(select(Mark.seq)).all() == [size]
    assert forms == [1] * (size - 1) + [2]
    assert rows(older, "ledger_nodes") == 1
    assert rows(older, "ledger_looks") >= 300


@pytest.mark.parametrize("table", APPEND_ONLY)
@pytest.mark.parametrize("verb", ["UPDATE", "DELETE", "TRUNCATE"])
def test_the_ledger_refuses_to_be_changed(house: Parts, world: World, table: str, verb: str) -> None:
    from server.ledger.sealer import seal

    with world.work() as work:
        for _ in range(256):
            work.looked("file.read", "person", person_id=world.boss.worker_id)
    with world.work() as work:
        seal(work.session)
        checkpoint = {"number": 1, "size": 1, "root": b"", "note": "", "signed_at": work.now}
        work.session.execute(insert(Checkpoint).values(**checkpoint))
    before = rows(house.engine, table)
    assert before > 0
    is_sqlite = house.engine.dialect.name == "sqlite"
    statement = {
        "UPDATE": f"UPDATE {table} SET {CHANGED[table]}",
        "DELETE": f"DELETE FROM {table}",
        "TRUNCATE": f"DELETE FROM {table} WHERE true" if is_sqlite else f"TRUNCATE {table} CASCADE",
    }[verb]
    with pytest.raises(DBAPIError, match="append-only"), house.engine.begin() as connection:
        connection.execute(text(statement))
    assert rows(house.engine, table) == before


def test_inserting_over_a_row_is_no_way_round(house: Parts, world: World) -> None:
    with house.engine.connect() as connection:
        first = connection.execute(text("SELECT min(id) FROM ledger_events")).scalar_one()
        before = connection.execute(
            text("SELECT action FROM ledger_events WHERE id = :id"), {"id": first}
        ).scalar_one()
    columns = "id, at, actor_id, action, subject_kind, subject_id, person_id, changes, request_id, commitment, payload"
    copied = columns.replace("action", "'forged'", 1)
    statement = (
        f"INSERT INTO ledger_events ({columns}) SELECT {copied} FROM ledger_events WHERE id = :id "
        "ON CONFLICT (id) DO UPDATE SET action = 'forged'"
    )
    with pytest.raises(DBAPIError, match="append-only"), house.engine.begin() as connection:
        connection.execute(text(statement), {"id": first})
    with house.engine.connect() as connection:
        after = connection.execute(text("SELECT action FROM ledger_events WHERE id = :id"), {"id": first})
        assert after.scalar_one() == before


def rows(engine: Engine, table: str) -> int:
    with engine.connect() as connection:
        return int(connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())


def test_problems_on_file_get_their_state_their_owner_and_a_day_to_be_seen_to(
    house: Parts, world: World, older: Engine
) -> None:
    visitor = world.worker()
    person, phone = world.person(visitor), world.phone(visitor)
    found = [
        {"code": "old_wiring", "severity": "high", "description": "线路老化", "photo_ids": []},
        {"code": "leak", "severity": "low", "description": "已换瓦", "fixed_on_site": True, "photo_ids": []},
        {"code": "abuse_suspected", "severity": "urgent", "description": "手臂有淤青", "photo_ids": []},
    ]
    sent = a_visit_body(
        person, visitors=[str(visitor.worker_id)], problems=found, no_photo_reason="没有带手机"
    )
    assert phone.put(f"/visits/{uuid4()}", sent).status_code == 201
    upgrade(older, "0008")
    tables = ("workers", "households", "persons", "enrolments", "visits", "problems")
    copy_rows(house.engine, older, *tables)
    upgrade(older)
    assert differences(older) == []
    with Session(older) as session:
        rows = session.execute(
            select(Problem.code, Problem.stage, Problem.owner_kind, Problem.due_on, Problem.fixed_by)
        )
        assert {tuple(row) for row in rows} == {
            ("old_wiring", "open", "responsible", dt.date(2026, 3, 12), None),
            ("leak", "fixed", "responsible", dt.date(2026, 4, 4), visitor.worker_id),
            ("abuse_suspected", "open", "chief", dt.date(2026, 3, 6), None),
        }
