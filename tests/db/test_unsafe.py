"""A database that could lose an acknowledged record at a power loss is refused at start (TRUST §1)."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, event, text

from server.app import create_app
from server.db import UnsafeDatabaseError, engine_options, prepare_engine, refuse_unsafe
from server.settings import Settings
from server.vault.keyring import Keyring
from tests.engines.postgres import Postgres, postgres


def settings(url: str, folder: Path) -> Settings:
    return Settings(
        database_url=url,
        storage_url=f"file://{folder}/uploads",
        keyring=Keyring.generate().to_json(),
        secret_key="only for tests, and long enough for them",
    )


@pytest.fixture(autouse=True)
def refusal_closes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Close the connections of an application that did not start; a real process would end here."""

    def refuse(engine: Engine) -> None:
        try:
            refuse_unsafe(engine)
        finally:
            engine.dispose()

    monkeypatch.setattr("server.app.refuse_unsafe", refuse)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """Give an engine over SQLite as the application prepares it."""
    url = f"sqlite:///{tmp_path}/app.sqlite"
    made = create_engine(url, **engine_options(url))
    prepare_engine(made)
    yield made
    made.dispose()


def weaken(engine: Engine, *pragmas: str) -> None:
    """Let each new connection be made less safe than the application makes it."""

    @event.listens_for(engine, "connect")
    def on_connect(connection: Any, _record: object) -> None:
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}").fetchall()


def test_sqlite_as_the_application_prepares_it_is_safe(engine: Engine) -> None:
    refuse_unsafe(engine)
    with engine.connect() as connection:
        for schema in ("main", "vault"):
            assert connection.execute(text(f"PRAGMA {schema}.synchronous")).scalar_one() == 2
            assert connection.execute(text(f"PRAGMA {schema}.journal_mode")).scalar_one() == "wal"


@pytest.mark.parametrize("schema", ["main", "vault"])
@pytest.mark.parametrize("level", ["NORMAL", "OFF"])
def test_sqlite_that_does_not_wait_for_the_medium_is_refused(engine: Engine, schema: str, level: str) -> None:
    weaken(engine, f"{schema}.synchronous={level}")
    with pytest.raises(UnsafeDatabaseError, match=rf"SQLite {schema}: .*synchronous=[01]"):
        refuse_unsafe(engine)


@pytest.mark.parametrize("schema", ["main", "vault"])
@pytest.mark.parametrize("mode", ["DELETE", "MEMORY", "OFF"])
def test_sqlite_with_another_journal_is_refused(engine: Engine, schema: str, mode: str) -> None:
    weaken(engine, f"{schema}.journal_mode={mode}")
    with pytest.raises(UnsafeDatabaseError, match=rf"SQLite {schema}: journal_mode={mode.lower()}"):
        refuse_unsafe(engine)


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///", "sqlite:///:memory:"])
def test_sqlite_in_memory_is_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(UnsafeDatabaseError, match="in memory"):
        create_app(settings(url, tmp_path))


@pytest.mark.parametrize("url", ["mysql://host/db", "mssql://host/db", "oracle://host/db"])
def test_a_database_that_nobody_tried_is_refused(url: str) -> None:
    with pytest.raises(UnsafeDatabaseError, match="unknown database"):
        engine_options(url)


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with postgres(durable=False) as running:
        yield running


@pytest.mark.postgres
def test_postgresql_with_its_safe_settings_is_taken(server: Postgres) -> None:
    made = create_engine(server.new_database())
    refuse_unsafe(made)
    made.dispose()


@pytest.mark.postgres
@pytest.mark.parametrize(
    "reach",
    [
        "ALTER ROLE postgres SET synchronous_commit = off",
        "ALTER DATABASE {name} SET synchronous_commit = off",
    ],
)
def test_postgresql_that_answers_before_the_commit_is_durable_is_refused(
    server: Postgres, tmp_path: Path, reach: str
) -> None:
    url = server.new_database()
    name = url.rpartition("/")[2]
    admin = create_engine(url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(reach.format(name=f'"{name}"')))
    try:
        with pytest.raises(UnsafeDatabaseError, match="synchronous_commit=off"):
            create_app(settings(url, tmp_path))
    finally:
        with admin.connect() as connection:
            connection.execute(text("ALTER ROLE postgres RESET synchronous_commit"))
        admin.dispose()


@pytest.mark.postgres
@pytest.mark.slow
@pytest.mark.parametrize("setting", ["fsync", "full_page_writes"])
def test_postgresql_that_does_not_write_through_is_refused(tmp_path: Path, setting: str) -> None:
    careless = postgres(durable=False, settings={setting: "off"})
    with careless as running, pytest.raises(UnsafeDatabaseError, match=f"{setting}=off"):
        create_app(settings(running.new_database(), tmp_path))
