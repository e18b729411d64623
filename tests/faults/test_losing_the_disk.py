"""The machine dies and its disk is gone, in the middle of writing: what the backup lost, measured (TRUST §1, restore)."""

import base64
import datetime as dt
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select

from server.app import create_app
from server.db import unit_of_work
from server.http.parts import Parts
from server.photos.models import Photo
from server.schema import upgrade
from server.settings import Settings
from server.tools import SHANGHAI, Tools
from server.vault.keyring import Keyring
from server.visits.models import Visit
from tests.builders.clock import Clock
from tests.builders.visits import a_visit_body
from tests.builders.world import World
from tests.faults.harness import ROOT, Phones, Picture, Record, running
from tests.photos.builders import encoded, scene

SECONDS = float(os.environ.get("FAULT_LOSS_SECONDS", "8"))
LIMIT = {"sqlite": 5.0, "postgresql": 60.0}
MOST_A_SECOND = 150
EVERY = {"sqlite": 1.0, "postgresql": 2.0}

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Machine:
    """A service with its follower, and how to make its disk disappear."""

    engine: str
    environment: dict[str, str]
    records: list[Record]
    lose: Callable[[], None]
    new_place: Callable[[], dict[str, str]]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def machine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Machine]:
    disk, other = tmp_path / "disk", tmp_path / "another-machine"
    for folder in (disk, other):
        (folder / "uploads").mkdir(parents=True)
    environment = {
        "DATABASE_URL": f"sqlite:///{disk}/app.sqlite",
        "STORAGE_URL": f"file://{disk}/uploads",
        "SECRET_KEY": "only for tests, and long enough for them",
        "BACKUP_URL": f"file://{tmp_path}/backup/records",
        "BACKUP_KEYS_URL": f"file://{tmp_path}/backup/keys",
        "BACKUP_KEY": base64.b64encode(secrets.token_bytes(32)).decode(),
    }
    place = {"DATABASE_URL": f"sqlite:///{other}/app.sqlite", "STORAGE_URL": f"file://{other}/uploads"}
    with ExitStack() as stack:
        lose: Callable[[], None] = lambda: shutil.rmtree(disk)  # noqa: E731
        if request.param == "postgresql":
            from tests.engines.postgres import postgres

            lost = stack.enter_context(postgres(durable=True, settings={"wal_level": "logical"}))
            spare = stack.enter_context(postgres(durable=True, settings={"wal_level": "logical"}))
            environment["DATABASE_URL"] = lost.new_database()
            place["DATABASE_URL"] = spare.new_database()

            def lose() -> None:
                shutil.rmtree(disk)
                lost.remove()

        environment["KEYRING"] = Keyring.generate().to_json()
        records = _sent(environment)
        yield Machine(request.param, environment, records, lose, lambda: {**environment, **place})


@contextmanager
def following(environment: dict[str, str], every: float, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run the follower as its systemd unit does; it has made its base when the block begins."""
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "flask", "--app", "wsgi", "backup", "--every", str(every)],
            cwd=ROOT, env={**os.environ, **environment}, stdin=subprocess.DEVNULL, stdout=file, stderr=file,
        )  # fmt: skip
    try:
        patience = time.monotonic() + 60
        while b"generation" not in log.read_bytes():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < patience, "no base was made"
            time.sleep(0.05)
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def restored(environment: dict[str, str]) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "wsgi", "restore", "--photos", "1"],
        cwd=ROOT, env={**os.environ, **environment}, capture_output=True, check=False, timeout=900,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def loss(acknowledged: Sequence[tuple[UUID, float | None]], there: set[UUID], died: float) -> float:
    """Give the age, when the machine died, of the oldest acknowledged thing that is gone; 0 when nothing is."""
    return max((died - at for one, at in acknowledged if at is not None and one not in there), default=0.0)


def test_what_was_acknowledged_longer_ago_than_the_limit_is_never_lost(
    machine: Machine, tmp_path: Path
) -> None:
    records = machine.records
    with (
        running(machine.environment, tmp_path / "server.log") as server,
        following(machine.environment, EVERY[machine.engine], tmp_path / "backup.log") as follower,
    ):
        phones = Phones(server.port, list(records))
        phones.start()
        time.sleep(SECONDS)
        assert phones.left, "the phones had nothing left to send when the machine died"
        died = time.monotonic()
        follower.send_signal(signal.SIGKILL)
        server.kill()
        machine.lose()
        phones.give_up()
    report = restored(machine.new_place())
    assert report["check"]["faults"] == []
    house: Parts = _app(machine.new_place()).extensions["parts"]
    with unit_of_work(house.sessions) as session:
        visits = set(session.scalars(select(Visit.id)))
        photos = set(session.scalars(select(Photo.id).where(Photo.blob_key.is_not(None))))
    house.engine.dispose()
    lost = max(
        loss([(one.visit_id, one.at) for one in records], visits, died),
        loss([(one.photo_id, one.at) for record in records for one in record.photos], photos, died),
    )
    acknowledged = [one for one in records if one.at is not None]
    gone = sum(one.visit_id not in visits for one in acknowledged)
    sys.stdout.write(
        f"{machine.engine}: {len(acknowledged)} visits acknowledged in {SECONDS} s, {gone} of them lost; "
        f"loss {lost:.1f} s; restored and checked in {sum(report['seconds'].values()):.1f} s\n"
    )
    assert len(acknowledged) > 20
    assert len(visits) > 20, "hardly anything was backed up"
    assert lost <= LIMIT[machine.engine]


def _sent(environment: dict[str, str]) -> list[Record]:
    """Set a township up, and give more records than can be sent in the time."""
    clock = Clock(dt.datetime.now(dt.UTC))
    app = _app(environment, Tools(clock=clock))
    house: Parts = app.extensions["parts"]
    upgrade(house.engine)
    records = _records(World(app, clock), int(SECONDS * MOST_A_SECOND))
    house.engine.dispose()
    return records


def _records(world: World, count: int) -> list[Record]:
    visitor = world.worker()
    token = world.phone(visitor).token
    people = [str(world.person(visitor)) for _ in range(20)]
    picture = encoded(scene(480, 360), "JPEG", quality=88)
    began = (world.clock() - dt.timedelta(hours=6)).astimezone(SHANGHAI).replace(microsecond=0)

    def body(person: str, at: dt.datetime) -> Callable[[Record], dict[str, Any]]:
        return lambda record: a_visit_body(
            person,
            visitors=[str(visitor.worker_id)],
            occurred_at=at.isoformat(),
            ended_at=(at + dt.timedelta(minutes=20)).isoformat(),
            client_created_at=(at + dt.timedelta(seconds=4)).isoformat(),
            location=None,
            no_location_reason="no_signal",
            photos=[{"id": str(one.photo_id), "kind": "room"} for one in record.photos],
        )

    return [
        Record(
            body(people[number % len(people)], began + dt.timedelta(seconds=number)),
            token,
            [Picture(picture)],
        )
        for number in range(count)
    ]


def _app(environment: dict[str, str], tools: Tools | None = None) -> Flask:
    return create_app(
        Settings(
            database_url=environment["DATABASE_URL"],
            storage_url=environment["STORAGE_URL"],
            keyring=environment["KEYRING"],
            secret_key=environment["SECRET_KEY"],
        ),
        tools,
    )
