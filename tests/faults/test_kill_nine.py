"""kill -9 of workers and of the whole server loses nothing that was acknowledged, and doubles nothing (TRUST §1)."""

import datetime as dt
import hashlib
import os
import struct
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from server.app import create_app
from server.http.parts import Parts
from server.ledger.models import Event, Pending, Position
from server.ledger.sealer import seal
from server.permissions import Actor, Role
from server.photos.models import Photo
from server.photos.sweeping import SETTLED_AFTER, sweep
from server.photos.terms import Size
from server.photos.viewing import find, original
from server.schema import upgrade
from server.settings import Settings
from server.tools import SHANGHAI, Tools
from server.vault.keyring import Keyring
from server.visits.models import Visit
from server.visits.sight import stored_visit
from tests.builders.clock import Clock
from tests.builders.visits import a_visit_body
from tests.builders.world import SHENGPING, World
from tests.faults.harness import Phones, Record, Server, kill_while, running
from tests.photos.builders import encoded, scene

VISITS = int(os.environ.get("FAULT_VISITS", "300"))
KILLS = 9
VISITORS, PEOPLE = 6, 30

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Township:
    """A township whose server runs in processes of its own; `house` reaches the same database and store from here."""

    server: Server
    world: World
    house: Parts
    uploads: Path
    records: list[Record]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def township(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Township]:
    with ExitStack() as stack:
        url = f"sqlite:///{tmp_path}/app.sqlite"
        if request.param == "postgresql":
            from tests.engines.postgres import postgres

            url = stack.enter_context(postgres(durable=True)).new_database()
        uploads = tmp_path / "uploads"
        uploads.mkdir()
        environment = {
            "DATABASE_URL": url,
            "STORAGE_URL": f"file://{uploads}",
            "KEYRING": Keyring.generate().to_json(),
            "SECRET_KEY": "only for tests, and long enough for them",
        }
        settings = Settings(
            database_url=url,
            storage_url=environment["STORAGE_URL"],
            keyring=environment["KEYRING"],
            secret_key=environment["SECRET_KEY"],
        )
        # The house of the test shares the database with the server, but its clock stands, as no test may wait.
        app = create_app(settings, Tools(clock=(clock := Clock(dt.datetime.now(dt.UTC)))))
        house: Parts = app.extensions["parts"]
        stack.callback(house.engine.dispose)
        upgrade(house.engine)
        world = World(app, clock)
        records = _records(world)
        house.engine.dispose()
        server = stack.enter_context(running(environment, tmp_path / "server.log"))
        yield Township(server, world, house, uploads, records)


def _records(world: World) -> list[Record]:
    began = (world.clock() - dt.timedelta(hours=1)).astimezone(SHANGHAI).replace(microsecond=0)
    visitors = [world.worker() for _ in range(VISITORS)]
    tokens = [world.phone(visitor).token for visitor in visitors]
    people = [
        (world.person(visitors[number % VISITORS]), number % VISITORS)
        for number in range(min(PEOPLE, VISITS))
    ]
    picture = encoded(scene(480, 360), "JPEG", quality=88)

    def body_of(person: object, visitor: Actor, number: int) -> Any:
        at = began + dt.timedelta(seconds=number)
        return lambda record: a_visit_body(
            str(person),
            visitors=[str(visitor.worker_id)],
            occurred_at=at.isoformat(),
            ended_at=(at + dt.timedelta(minutes=20)).isoformat(),
            client_created_at=(at + dt.timedelta(seconds=4)).isoformat(),
            location=None,
            no_location_reason="no_signal",
            photos=[{"id": str(record.photo_id), "kind": "room"}],
        )

    made = []
    for number in range(VISITS):
        person, whose = people[number % len(people)]
        made.append(Record(body_of(person, visitors[whose], number), tokens[whose], _unique(picture, number)))
    return made


def _unique(picture: bytes, number: int) -> bytes:
    comment = f"photo {number}".encode()
    return picture[:2] + b"\xff\xfe" + struct.pack(">H", len(comment) + 2) + comment + picture[2:]


def test_nothing_acknowledged_is_lost_or_doubled(township: Township) -> None:
    server, records = township.server, township.records
    phones = Phones(server.port, records)
    began = time.monotonic()
    phones.start()
    killed = kill_while(server, phones, kills=KILLS, total=len(records))
    phones.finish(seconds=45 + len(records) / 5)
    sys.stdout.write(
        f"{len(records)} visits, {dict(killed)} killed, answers {dict(phones.statuses)}, "
        f"{phones.cut} cut, {time.monotonic() - began:.1f} s\n"
    )
    assert sum(killed.values()) >= KILLS
    assert phones.cut > 0, "no kill hit a request"
    assert phones.unexpected == [], server.log()[-2000:]
    assert all(one.visit_answer in {200, 201} and one.photo_answer in {200, 201} for one in records)
    assert server.answers()
    server.kill()  # what counts is what is durable, not what a process still knows
    _visits_and_photos_are_there_once(township)
    _the_ledger_tells_each_once_without_gaps(township)
    _nothing_is_left_lying_about(township)


def _visits_and_photos_are_there_once(township: Township) -> None:
    with township.world.work() as work:
        assert sorted(work.session.scalars(select(Visit.id))) == sorted(
            one.visit_id for one in township.records
        )
        assert sorted(work.session.scalars(select(Photo.id))) == sorted(
            one.photo_id for one in township.records
        )
    reviewer = township.world.worker(Role.REVIEWER, SHENGPING)
    with township.world.work(reviewer) as work:
        for one in township.records:
            photo = work.session.get_one(Photo, one.photo_id)
            _, key = stored_visit(work, one.visit_id)
            assert key is not None
            assert photo.visit_id == one.visit_id
            found = find(work, photo, Size.ORIGINAL, key)
            back = hashlib.sha256(original(found, township.house.store)).digest()
            assert back == hashlib.sha256(one.photo).digest() == photo.sha256


def _the_ledger_tells_each_once_without_gaps(township: Township) -> None:
    with township.world.work() as work:
        seal(work.session)
    with township.world.work() as work:
        positions = list(work.session.scalars(select(Position.seq).order_by(Position.seq)))
        assert positions == list(range(1, len(positions) + 1))
        events = work.session.execute(select(Event.id, Event.action, Event.subject_id)).all()
        assert len(positions) == len(events)
        assert set(work.session.scalars(select(Position.event_id))) == {event.id for event in events}
        assert work.session.scalars(select(Pending.event_id)).all() == []
    told = Counter((event.action, event.subject_id) for event in events)
    for one in township.records:
        assert told["visit.recorded", one.visit_id] == 1
        assert told["photo.stored", one.photo_id] == 1
    actions = Counter(event.action for event in events)
    assert actions["visit.recorded"] == actions["photo.stored"] == len(township.records)


def _nothing_is_left_lying_about(township: Township) -> None:
    """After the janitor, twice and a grace apart, there are the named blobs and nothing else."""
    clock = township.world.clock
    clock.set(dt.datetime.now(dt.UTC).isoformat())
    for days in (0, 31):
        clock.move(days=days, seconds=SETTLED_AFTER.total_seconds() + 5)
        with township.world.work() as work:
            sweep(work, township.house.store)
    with township.world.work() as work:
        named = set(work.session.scalars(select(Photo.blob_key)))
    files = {
        str(path.relative_to(township.uploads)) for path in township.uploads.rglob("*") if path.is_file()
    }
    assert files == named
