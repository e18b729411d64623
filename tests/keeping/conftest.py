"""What tests of backup and restore start from: a service with places for its backup, and an empty place beside it."""

import base64
import json
import secrets
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import select

from server.app import create_app
from server.db import unit_of_work
from server.http.parts import Parts
from server.keeping.catalogue import Archives
from server.keeping.commands import _places
from server.keeping.following import Generation, Places
from server.keeping.opening import archives_of
from server.ledger.models import Event
from server.settings import Settings
from server.tables import METADATA
from server.tools import Tools
from tests.builders.clock import Clock
from tests.builders.world import World
from tests.photos.sending import Scene

RESTORED = "service.restored"
BACKUP_KEY = base64.b64encode(secrets.token_bytes(32)).decode()


@pytest.fixture
def app(app: Flask, tmp_path: Path, clock: Clock) -> Iterator[Flask]:
    """Give the application with places for its backup."""
    plain: Settings = app.extensions["parts"].settings
    kept = create_app(
        replace(
            plain,
            backup_url=f"file://{tmp_path}/backup",
            backup_keys_url=f"file://{tmp_path}/backup-of-keys",
            backup_key=BACKUP_KEY,
        ),
        Tools(clock=clock),
    )
    yield kept
    kept.extensions["parts"].engine.dispose()


@pytest.fixture
def scene(world: World) -> Scene:
    """Give a visit that waits for photos."""
    return Scene(world)


@pytest.fixture
def places(app: Flask) -> Places:
    """Give what `flask backup` works with."""
    return _places(app.extensions["parts"])


@pytest.fixture
def archives(app: Flask) -> Archives:
    """Open the backup."""
    house = app.extensions["parts"]
    return archives_of(house.settings, house.tools.random_bytes)[0]


@pytest.fixture
def generation(places: Places, scene: Scene) -> Iterator[Generation]:
    """Begin a generation of a service that has a visit."""
    begun = Generation(places)
    yield begun
    begun.close()


@pytest.fixture
def empty_place(
    app: Flask, tmp_path: Path, clock: Clock, request: pytest.FixtureRequest
) -> Iterator[Callable[..., Flask]]:
    """Give a function that opens the same service over an empty database and store, as on another machine."""
    house: Parts = app.extensions["parts"]
    opened: list[Flask] = []

    def make(**changed: Any) -> Flask:
        folder = tmp_path / f"restored{len(opened)}"
        (folder / "uploads").mkdir(parents=True)
        url = f"sqlite:///{folder}/app.sqlite"
        if house.engine.dialect.name == "postgresql":
            url = request.getfixturevalue("postgres_server").new_database()
        settings = replace(
            house.settings, **{"database_url": url, "storage_url": f"file://{folder}/uploads", **changed}
        )
        opened.append(create_app(settings, Tools(clock=clock)))
        return opened[-1]

    yield make
    for one in opened:
        one.extensions["parts"].engine.dispose()


def said(app: Flask, *words: str) -> Result:
    """Run a command."""
    return app.test_cli_runner().invoke(args=list(words))


def done(app: Flask, *words: str) -> Any:
    """Run a command that succeeds; gives the JSON that it prints."""
    result = said(app, *words)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def refused(app: Flask, *words: str) -> str:
    """Run a command that is refused; gives its sentence."""
    result = said(app, *words)
    assert result.exit_code == 1, result.output
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.stderr.strip().removeprefix("Error: ")


def everything(app: Flask) -> dict[str, list[tuple[Any, ...]]]:
    """Read every row of every table, but for the line that a restore leaves in the ledger."""
    house: Parts = app.extensions["parts"]
    with unit_of_work(house.sessions) as session:
        found = {
            name: sorted(tuple(map(repr, row)) for row in session.execute(select(table)))
            for name, table in METADATA.tables.items()
        }
        restores = {repr(one) for one in session.scalars(select(Event.id).where(Event.action == RESTORED))}
    found["ledger_events"] = [row for row in found["ledger_events"] if row[0] not in restores]
    found["ledger_positions"] = [row for row in found["ledger_positions"] if row[1] not in restores]
    found["ledger_marks"] = []  # the sealer moves it along with that line
    return found


def restored_world(app: Flask, world: World) -> World:
    """See a restored service as the world that it was."""
    again = object.__new__(World)
    again.__dict__.update(world.__dict__, app=app, house=app.extensions["parts"])
    return again
