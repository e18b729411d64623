"""What every test may ask for: a database of its own, a clock it can move, a small world in it."""

import datetime as dt
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from hypothesis import HealthCheck, settings

from server.app import create_app
from server.db import vault_file
from server.http.parts import Parts
from server.settings import Settings
from server.tools import Tools
from server.vault.keyring import Keyring
from tests.builders.clock import Clock
from tests.builders.world import World

settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("quick", settings.get_profile("house"), max_examples=15)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "house"))

NOON = dt.datetime(2026, 3, 5, 4, 0, tzinfo=dt.UTC)
KEYRING = Keyring.generate().to_json()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a migrated, empty database to copy."""
    path = tmp_path_factory.mktemp("template") / "app.sqlite"
    app = create_app(_settings(f"sqlite:///{path}", tmp_path_factory.mktemp("uploads")))
    house: Parts = app.extensions["parts"]
    _migrate(house)
    house.engine.dispose()
    return path


@pytest.fixture(scope="session")
def postgres_template() -> Iterator[Callable[[], str]]:
    """Start PostgreSQL once; give a function that makes a migrated, empty database and names its URL."""
    from tests.engines.postgres import postgres

    with postgres() as server:
        template = server.new_database()
        app = create_app(_settings(template, Path(server.directory)))
        house: Parts = app.extensions["parts"]
        _migrate(house)
        house.engine.dispose()
        yield lambda: server.new_database(template=template)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give the URL of a fresh database; the test runs once on each engine."""
    if request.param == "postgresql":
        make: Callable[[], str] = request.getfixturevalue("postgres_template")
        return make()
    template: Path = request.getfixturevalue("sqlite_template")
    target = tmp_path / "app.sqlite"
    for source, copy in (
        (template, target),
        (Path(vault_file(f"sqlite:///{template}")), Path(vault_file(f"sqlite:///{target}"))),
    ):
        shutil.copy(source, copy)
    return f"sqlite:///{target}"


@pytest.fixture
def clock() -> Clock:
    """Give a clock that stands at noon (Shanghai) of 5 March 2026 until it is moved."""
    return Clock(NOON)


@pytest.fixture
def app(database_url: str, tmp_path: Path, clock: Clock) -> Iterator[Flask]:
    """Give the application over a fresh database and folder."""
    uploads = tmp_path / "uploads"
    uploads.mkdir()
    app = create_app(_settings(database_url, uploads), Tools(clock=clock))
    yield app
    app.extensions["parts"].engine.dispose()


@pytest.fixture
def house(app: Flask) -> Parts:
    """Give the parts of the application under test."""
    parts: Parts = app.extensions["parts"]
    return parts


@pytest.fixture
def world(app: Flask, clock: Clock) -> World:
    """Give a small township with rules and nobody in it yet."""
    return World(app, clock)


def _settings(database_url: str, uploads: Path) -> Settings:
    return Settings(
        database_url=database_url,
        storage_url=f"file://{uploads}",
        keyring=KEYRING,
        secret_key="only for tests, and long enough for them",
        wechat_base_url=os.environ.get("TEST_WECHAT", "http://127.0.0.1:9"),
        wechat_app_id="wxtest",
        wechat_app_secret="secret-of-tests",
    )


def _migrate(house: Parts) -> None:
    from server.schema import upgrade

    upgrade(house.engine)
