"""PostgreSQL is followed by a slot of our own, which is never left behind; what cannot be followed is said (adr/0008)."""

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from flask import Flask
from sqlalchemy import text

from server.db import unit_of_work
from server.http.parts import Parts
from server.keeping import postgres_source
from server.keeping.following import Generation, Places
from server.keeping.postgres_source import SLOTS, PostgresSource
from server.keeping.source import LostTrackError
from tests.keeping.conftest import done, everything, refused, said
from tests.photos.sending import Scene

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.parametrize("template", ["postgresql"], indirect=True),
]


def slots(house: Parts) -> list[str]:
    with unit_of_work(house.sessions) as session:
        return list(
            session.scalars(
                text("SELECT slot_name FROM pg_replication_slots WHERE database = current_database()")
            )
        )


def test_a_backup_leaves_no_slot_behind_and_takes_away_what_a_killed_one_left(
    app: Flask, scene: Scene, house: Parts
) -> None:
    with unit_of_work(house.sessions) as session:
        session.execute(
            text(
                f"SELECT pg_create_logical_replication_slot('{SLOTS}dead', 'pgoutput')"
            )  # as a killed follower does
        )
    done(app, "backup")
    assert slots(house) == []


def test_the_slot_of_a_follower_that_lives_is_left_alone(
    places: Places, generation: Generation, house: Parts, scene: Scene, app: Flask
) -> None:
    [mine] = slots(house)
    done(app, "backup")
    assert slots(house) == [mine]
    scene.record()
    assert generation.tick()


def test_the_log_is_let_go_of_when_nothing_of_ours_was_written(
    generation: Generation, house: Parts, scene: Scene
) -> None:
    generation.tick()

    def kept() -> int:
        with unit_of_work(house.sessions) as session:
            return int(
                session.execute(
                    text(
                        "SELECT pg_current_wal_lsn() - confirmed_flush_lsn FROM pg_replication_slots"
                        " WHERE database = current_database()"
                    )
                ).scalar_one()
            )

    with unit_of_work(house.sessions) as session:
        session.execute(
            text("CREATE TABLE elsewhere AS SELECT repeat('x', 1000) FROM generate_series(1, 3000)")
        )
    assert kept() > 3_000_000
    generation.tick()
    assert kept() < 100_000


def test_a_long_transaction_is_shipped_whole_and_in_bounded_memory(
    generation: Generation, house: Parts, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_source, "AT_ONCE", 10)
    with unit_of_work(house.sessions) as session:
        session.execute(
            text(
                "INSERT INTO ledger_events (at, action, subject_kind, changes, commitment)"
                " SELECT now(), 'test', 'test', true, sha256('x') FROM generate_series(1, 500)"
            )
        )
    scene.record()
    number = generation.number
    for _ in range(50):
        generation.tick()
    assert generation.number > number


def test_a_table_that_was_emptied_by_hand_needs_a_new_base(
    generation: Generation, house: Parts, scene: Scene
) -> None:
    generation.tick()
    with unit_of_work(house.sessions) as session:
        session.execute(text("TRUNCATE attempt_counts"))
    with pytest.raises(LostTrackError):
        generation.tick()


def test_an_upgrade_of_the_schema_needs_a_new_base(
    generation: Generation, house: Parts, scene: Scene
) -> None:
    now = scene.world.clock()
    assert not generation.is_due(now)
    with unit_of_work(house.sessions) as session:
        session.execute(text("UPDATE alembic_version SET version_num = 'next'"))
    assert generation.is_due(now)


@pytest.fixture
def humble(house: Parts) -> Iterator[str]:
    """An account that owns nothing and may not replicate."""
    with unit_of_work(house.sessions) as session:
        session.execute(text("CREATE ROLE humble LOGIN"))
    yield house.settings.database_url.replace("postgres@", "humble@")
    with unit_of_work(house.sessions) as session:
        session.execute(text("DROP ROLE humble"))


def test_an_account_that_may_not_replicate_is_told_what_it_lacks(humble: str, scene: Scene) -> None:
    with pytest.raises(postgres_source.KeepingRefused, match="没有复制权限"):
        PostgresSource(humble, "test")


def test_a_cluster_that_does_not_tell_changes_is_named(app: Flask, scene: Scene, empty_place: Any) -> None:
    from tests.engines.postgres import postgres

    with postgres(durable=False) as plain:
        assert "wal_level 不是 logical" in refused(empty_place(database_url=plain.new_database()), "backup")


def test_a_database_that_is_away_is_told_in_a_sentence(scene: Scene) -> None:
    with pytest.raises(postgres_source.KeepingRefused, match="连接不上"):
        PostgresSource("postgresql+psycopg://postgres@127.0.0.1:9/nowhere", "test")


def test_neither_backup_nor_restore_needs_a_superuser(
    app: Flask, scene: Scene, postgres_server: Any, empty_place: Callable[..., Flask]
) -> None:
    urls = []
    with psycopg.connect(app.extensions["parts"].settings.database_url.replace("+psycopg", "")) as superuser:
        superuser.autocommit = True
        superuser.execute("CREATE ROLE owner LOGIN REPLICATION")
        for _ in range(2):
            url = postgres_server.new_database()
            superuser.execute(f'ALTER DATABASE "{url.rpartition("/")[2]}" OWNER TO owner')
            urls.append(url.replace("postgres@", "owner@"))
    owned = empty_place(database_url=urls[0])
    for words in (["db", "upgrade"], ["db", "seed", "--begin-on", "2026-01-01"]):
        assert said(owned, *words).exit_code == 0
    done(owned, "backup")
    fresh = empty_place(database_url=urls[1])
    assert done(fresh, "restore")["check"]["faults"] == []
    assert everything(fresh)["visit_rules"] == everything(owned)["visit_rules"] != []
