"""A township whose server runs in processes of its own; the test reaches the same database and store from here."""

import datetime as dt
import hashlib
import struct
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import select

from server.app import create_app
from server.http.parts import Parts
from server.ledger.models import Event, Pending, Position
from server.ledger.sealer import seal
from server.permissions import Actor, Role
from server.photos.models import Photo
from server.photos.sweeping import SETTLED_AFTER, sweep
from server.photos.viewing import Found, original
from server.schema import upgrade
from server.settings import Settings
from server.tools import SHANGHAI, Tools
from server.vault.keyring import Keyring
from server.visits.models import Visit
from server.visits.sight import stored_visit
from tests.builders.clock import Clock
from tests.builders.visits import a_visit_body
from tests.builders.world import SHENGPING, World
from tests.faults.harness import Picture, Record, Server, running
from tests.photos.builders import encoded, scene

VISITORS = 6


@dataclass(frozen=True)
class Township:
    """The server, and a house of the test over the same database and store whose clock stands, as no test may wait."""

    server: Server
    world: World
    house: Parts
    visitors: list[Actor]
    tokens: list[str]
    people: list[UUID]
    environment: Mapping[str, str]

    def records(self, visits: int, photos: int = 1, *, picture: bytes | None = None) -> list[Record]:
        """Make what phones will send: visits spread over the people and the past hours, each with its photos."""
        picture = picture or encoded(scene(480, 360), "JPEG", quality=88)
        began = (self.world.clock() - dt.timedelta(hours=4)).astimezone(SHANGHAI).replace(microsecond=0)
        return [
            Record(
                self._body(number % len(self.people), began + dt.timedelta(seconds=number % 10_000)),
                self.tokens[number % len(self.people) % VISITORS],
                [Picture(unique(picture, f"{number}.{which}")) for which in range(photos)],
            )
            for number in range(visits)
        ]

    def _body(self, which: int, at: dt.datetime) -> Any:
        return lambda record: a_visit_body(
            str(self.people[which]),
            visitors=[str(self.visitors[which % VISITORS].worker_id)],
            occurred_at=at.isoformat(),
            ended_at=(at + dt.timedelta(minutes=20)).isoformat(),
            client_created_at=(at + dt.timedelta(seconds=4)).isoformat(),
            location=None,
            no_location_reason="no_signal",
            photos=[{"id": str(photo.photo_id), "kind": "room"} for photo in record.photos],
        )

    def holds_each_once(self, records: list[Record]) -> None:
        """Hold that each record is there once, its photos byte for byte, and the ledger tells it once, without gaps."""
        pictures = [(one, photo) for one in records for photo in one.photos]
        with self.world.work() as work:
            assert Counter(work.session.scalars(select(Visit.id))) == Counter(one.visit_id for one in records)
            assert Counter(work.session.scalars(select(Photo.id))) == Counter(
                photo.photo_id for _, photo in pictures
            )
        reviewer = self.world.worker(Role.REVIEWER, SHENGPING)
        for start in range(0, len(pictures), 500):
            with self.world.work(reviewer) as work:
                for one, picture in pictures[start : start + 500]:
                    photo = work.session.get_one(Photo, picture.photo_id)
                    _, key = stored_visit(work, one.visit_id)
                    assert key is not None
                    assert photo.visit_id == one.visit_id
                    assert photo.blob_key is not None
                    found = Found(photo.id, photo.format or "", photo.blob_key, None, key)
                    back = hashlib.sha256(original(found, self.house.store)).digest()
                    assert back == hashlib.sha256(picture.data).digest() == photo.sha256
        self._ledger_tells_once(records, len(pictures))

    def _ledger_tells_once(self, records: list[Record], pictures: int) -> None:
        with self.world.work() as work:
            seal(work.session)
        with self.world.work() as work:
            positions = list(work.session.scalars(select(Position.seq).order_by(Position.seq)))
            assert positions == list(range(1, len(positions) + 1))
            events = work.session.execute(select(Event.id, Event.action, Event.subject_id)).all()
            assert len(positions) == len(events)
            assert set(work.session.scalars(select(Position.event_id))) == {event.id for event in events}
            assert work.session.scalars(select(Pending.event_id)).all() == []
        told = Counter((event.action, event.subject_id) for event in events)
        for one in records:
            assert told["visit.recorded", one.visit_id] == 1
            assert all(told["photo.stored", photo.photo_id] == 1 for photo in one.photos)
        actions = Counter(event.action for event in events)
        assert (actions["visit.recorded"], actions["photo.stored"]) == (len(records), pictures)

    def sweep_after_the_grace(self) -> None:
        """Let the janitor come twice, a grace apart; the clock of the house is moved for it."""
        self.world.clock.set(dt.datetime.now(dt.UTC).isoformat())
        for days in (0, 31):
            self.world.clock.move(days=days, seconds=SETTLED_AFTER.total_seconds() + 5)
            with self.world.work() as work:
                sweep(work, self.house.store)

    def holds_only_named_blobs(self) -> None:
        """Hold that the store has every blob that a row names, and no other."""
        with self.world.work() as work:
            named = set(work.session.scalars(select(Photo.blob_key).where(Photo.blob_key.is_not(None))))
        assert {blob.key for blob in self.house.store.list(limit=1_000_000)} == named


@contextmanager
def township(
    database_url: str,
    storage_url: str,
    folder: Path,
    *,
    people: int = 30,
    more: Mapping[str, str] | None = None,
    server: Mapping[str, str] | None = None,
) -> Iterator[Township]:
    """Set a township up and run its server for as long as the block lasts.

    `more` goes into the environment of the server and of what the test reads with, `server` only into the server's.
    """
    environment = {
        "DATABASE_URL": database_url,
        "STORAGE_URL": storage_url,
        "KEYRING": Keyring.generate().to_json(),
        "SECRET_KEY": "only for tests, and long enough for them",
        **(more or {}),
    }
    with ExitStack() as stack:
        settings = Settings(
            database_url=database_url,
            storage_url=storage_url,
            keyring=environment["KEYRING"],
            secret_key=environment["SECRET_KEY"],
            s3_endpoint_url=environment.get("S3_ENDPOINT_URL"),
            low_water_mb=0,
        )
        app = create_app(settings, Tools(clock=(clock := Clock(dt.datetime.now(dt.UTC)))))
        house: Parts = app.extensions["parts"]
        stack.callback(house.engine.dispose)
        upgrade(house.engine)
        world = World(app, clock)
        visitors = [world.worker() for _ in range(VISITORS)]
        tokens = [world.phone(visitor).token for visitor in visitors]
        persons = [world.person(visitors[number % VISITORS]) for number in range(people)]
        house.engine.dispose()
        started = stack.enter_context(running({**environment, **(server or {})}, folder / "server.log"))
        yield Township(started, world, house, visitors, tokens, persons, environment)


def unique(picture: bytes, mark: str) -> bytes:
    """Give the same picture with a comment of its own, so that its bytes are like no other's."""
    comment = f"photo {mark}".encode()
    return picture[:2] + b"\xff\xfe" + struct.pack(">H", len(comment) + 2) + comment + picture[2:]
