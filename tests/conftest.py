"""What every test may ask for: a database of its own, a clock it can move, a small world in it."""

import datetime as dt
import gc
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from flask import Flask
from hypothesis import HealthCheck, settings

from server.app import create_app
from server.http.parts import Parts
from server.permissions import Actor
from server.schedule.opening import ensure_open
from server.settings import Settings
from server.tools import Tools
from server.vault.keyring import Keyring
from tests.builders.clock import Clock
from tests.builders.world import World
from tests.engines.postgres import Postgres, postgres

settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("quick", settings.get_profile("house"), max_examples=10)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "house"))

NOON = dt.datetime(2026, 3, 5, 4, 0, tzinfo=dt.UTC)
KEYRING = Keyring.generate().to_json()


def pytest_collection_finish() -> None:
    """Leave what was loaded until now out of each later collection of garbage; what tests leave behind is still found."""
    gc.collect()
    gc.freeze()


@dataclass(frozen=True)
class Template:
    """A database to copy: migrated and empty, or a town already; `boss` is the administrator of the town."""

    copy: Callable[[Path], str]
    boss: Actor | None = None


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """Give a migrated, empty database to copy."""
    folder = tmp_path_factory.mktemp("template")
    _prepared(f"sqlite:///{folder}/app.sqlite", folder)
    return Template(lambda target: _copied(folder, target))


@pytest.fixture(scope="session")
def sqlite_town(sqlite_template: Template, tmp_path_factory: pytest.TempPathFactory) -> Template:
    """Give a town to copy: what `World` loads, and the periods of the first day opened."""
    folder = tmp_path_factory.mktemp("town")
    boss = _town(sqlite_template.copy(folder), folder)
    return Template(lambda target: _copied(folder, target), boss)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    """Start PostgreSQL once for a whole run of one process; its log can be followed, as a backup needs it."""
    with postgres(settings={"wal_level": "logical"}) as server:
        yield server


@pytest.fixture(scope="session")
def postgres_template(postgres_server: Postgres) -> Template:
    """Give a migrated, empty database to copy."""
    empty = postgres_server.new_database()
    _prepared(empty, Path(postgres_server.directory))
    return Template(lambda _: postgres_server.new_database(template=empty))


@pytest.fixture(scope="session")
def postgres_town(postgres_server: Postgres, postgres_template: Template) -> Template:
    """Give a town to copy: what `World` loads, and the periods of the first day opened."""
    folder = Path(postgres_server.directory)
    town = postgres_template.copy(folder)
    boss = _town(town, folder)
    return Template(lambda _: postgres_server.new_database(template=town), boss)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def template(request: pytest.FixtureRequest) -> Template:
    """Give the database that the test starts from, a town if it asks for `world`; it runs once on each engine."""
    wanted = set(request.fixturenames)
    kind = "town" if "world" in wanted and "loaded_anew" not in wanted else "template"
    engine = "postgres" if request.param == "postgresql" else "sqlite"
    found: Template = request.getfixturevalue(f"{engine}_{kind}")
    return found


@pytest.fixture
def loaded_anew() -> None:
    """Ask for it to have the town of `world` loaded at the time at which the clock stands then."""


@pytest.fixture
def database_url(template: Template, tmp_path: Path) -> str:
    """Give the URL of a fresh database."""
    return template.copy(tmp_path)


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
def world(app: Flask, clock: Clock, template: Template) -> World:
    """Give a small township with rules and nobody in it yet."""
    return World(app, clock, boss=template.boss)


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


def _prepared(database_url: str, folder: Path) -> None:
    app = create_app(_settings(database_url, folder))
    house: Parts = app.extensions["parts"]
    _migrate(house)
    house.engine.dispose()


def _town(database_url: str, folder: Path) -> Actor:
    clock = Clock(NOON)
    app = create_app(_settings(database_url, folder), Tools(clock=clock))
    world = World(app, clock)
    with world.work() as work:
        ensure_open(work)
    world.house.engine.dispose()
    return world.boss


def _copied(folder: Path, target: Path) -> str:
    for source in folder.glob("app*.sqlite"):
        shutil.copy(source, target)
    return f"sqlite:///{target}/app.sqlite"
