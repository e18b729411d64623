"""What judging one visit costs beside a million earlier visits and a million photos: `python -m bench evidence_speed`.

The million is written set-wise, with marks and prints as the judge makes them. Pictures repeat in their coarse structure, as
rooms do: their prints are those of some thousands of drawn rooms, each with some bits the other way round.
"""

import datetime as dt
import json
import resource
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from io import BytesIO
from pathlib import Path
from random import Random  # noqa: TID251  (lent with its seed)
from typing import Any
from uuid import UUID

import psycopg

from bench import scenes
from bench.field_work import own_words
from bench.measuring import Plan
from server.app import create_app
from server.db import unit_of_work
from server.http.parts import Parts
from server.permissions import Role
from server.photos import likeness
from server.schema import upgrade
from server.settings import Settings
from server.tools import SHANGHAI, Tools
from server.vault.keyring import Keyring
from server.visits.judging import work_off
from tests.builders.visits import a_visit_body
from tests.builders.world import SHENGPING, World
from tests.engines.postgres import postgres

MILLION = 1_000_000
WORKERS = 2_000
ROOMS = 600
MEASURED = 300
FLIPPED = 9
"""Bits of 64 in which a print differs from the room that it was made from."""
SEED = 7
HOURS_APART = 12
"""Between two visits of the measured worker: sixty a month, a busy one's."""
Row = tuple[Any, ...]


def speed(plan: Plan) -> list[dict[str, Any]]:
    """Measure on PostgreSQL and SQLite; `--people` says how many earlier visits and photos there are."""
    count = MILLION if plan.people == Plan().people else plan.people
    return [_measured(engine, count) for engine in ("postgresql", "sqlite")]


def _measured(engine: str, count: int) -> dict[str, Any]:
    with _house(engine) as (world, url):
        chance = Random(SEED)
        visitor = world.worker()
        people = [world.person(visitor) for _ in range(20)]
        began = time.perf_counter()
        _fill(url, engine, count, chance, visitor.worker_id, people)
        filled = time.perf_counter() - began
        _record(world, visitor, people, chance, 20)
        _judge_all(world)  # warm
        before = _peak_mb()
        _record(world, visitor, people, chance, MEASURED)
        times = _judge_all(world)
        rise = _peak_mb() - before
        names = {"p50_ms": 50, "p95_ms": 95, "p99_ms": 99}
        cuts = statistics.quantiles(times, n=100)
        told: dict[str, Any] = {
            "engine": engine,
            "visits": count,
            "photos": count,
            "judged": len(times),
            **{name: round(cuts[at - 1], 1) for name, at in names.items()},
            "most_ms": round(max(times), 1),
            "memory_rise_mb": round(rise, 1),
            "filled_s": round(filled),
        }
    print(told, flush=True)
    return told


def _judge_all(world: World) -> list[float]:
    """Judge what waits, one visit at a time; gives the milliseconds of each, commit included."""
    times: list[float] = []
    house = world.house
    while True:
        began = time.perf_counter()
        with unit_of_work(house.sessions) as session:
            work = house.work(session)
            done = work_off(work, 1)
            work.close()
        if not done:
            return times
        times.append((time.perf_counter() - began) * 1000)


def _record(world: World, visitor: Any, people: Sequence[UUID], chance: Random, count: int) -> None:
    """Record visits with a photo each, as a phone does."""
    phone = world.phone(visitor)
    now = world.house.tools.now().astimezone(SHANGHAI)
    for number in range(count):
        at = now - dt.timedelta(minutes=HOURS_APART * 60 * number + chance.randrange(60) + 30)
        visit, photo = UUID(int=chance.getrandbits(128)), UUID(int=chance.getrandbits(128))
        body = a_visit_body(
            people[number % len(people)],
            visitors=[str(visitor.worker_id)],
            occurred_at=at.isoformat(timespec="seconds"),
            ended_at=(at + dt.timedelta(minutes=19)).isoformat(timespec="seconds"),
            client_created_at=(at + dt.timedelta(minutes=20)).isoformat(timespec="seconds"),
            location={
                "latitude": 30.89,
                "longitude": 119.41 + number / 1000,
                "accuracy_m": 20,
                "datum": "gcj02",
            },
            notes=own_words(chance),
            photos=[{"id": str(photo), "kind": "room"}],
        )
        answer = phone.put(f"/visits/{visit}", body)
        assert answer.status_code == 201, answer.json
        file = BytesIO(scenes.jpeg(scenes.shot(number, chance)))
        answer = phone.upload(f"/visits/{visit}/photos", {"photo_id": str(photo), "file": (file, "a.jpg")})
        assert answer.status_code == 201, answer.json


@contextmanager
def _house(engine: str) -> Iterator[tuple[World, str]]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        (folder / "uploads").mkdir()
        url = f"sqlite:///{folder}/app.sqlite"
        if engine == "postgresql":
            url = stack.enter_context(postgres()).new_database()
        app = create_app(
            Settings(
                database_url=url,
                storage_url=f"file://{folder}/uploads",
                keyring=Keyring.generate().to_json(),
                secret_key="only for benchmarks, and long enough for them",
            ),
            Tools(),
        )
        parts: Parts = app.extensions["parts"]
        stack.callback(parts.engine.dispose)
        upgrade(parts.engine)
        world = World(app, None, begin_on=dt.date(2026, 1, 1))  # type: ignore[arg-type]
        world.worker(Role.REVIEWER, SHENGPING)
        yield world, url


VISITS = (
    "id,person_id,village_code,recorder_id,method,outcome,conclusion,occurred_at,received_at,counted_since,clock_skew_s,"
    "filed_late,counts,in_person,state,revision,body_revision,fingerprint,open_body,answered,answers_required,revised_at"
)
MARKS = (
    "visit_id,worker_id,person_id,began_at,ended_at,made_at,goes_there,latitude,longitude,accuracy_m,is_fix,text_mark,"
    "text_length,sketch,answers_mark,answers,telling,is_death,is_void"
)
PHOTOS = "id,visit_id,person_id,village_code,kind,declared,ordinal,received_at,sha256,size,format,width,height,blob_key"
PRINTS = "photo_id,whole,middle,whole_1,whole_2,whole_3,middle_1,middle_2,middle_3"


def _fill(url: str, engine: str, count: int, chance: Random, worker: UUID, people: Sequence[UUID]) -> None:
    made = _rows(count, chance, worker, people, sqlite=engine == "sqlite")
    names = {"visits": VISITS, "visit_marks": MARKS, "photos": PHOTOS, "photo_prints": PRINTS}
    if engine == "sqlite":
        with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
            connection.execute("PRAGMA synchronous=OFF")
            triggers = connection.execute(
                "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'evidence%'"
            ).fetchall()
            for name, _ in triggers:
                connection.execute(f"DROP TRIGGER {name}")
            for batch in made:
                for table, rows in batch.items():
                    places = ",".join("?" * len(rows[0]))
                    connection.executemany(f"INSERT INTO {table} ({names[table]}) VALUES ({places})", rows)
            for _, text in triggers:
                connection.execute(text)
            connection.execute("ANALYZE")
        connection.close()
        return
    with psycopg.connect(url.replace("postgresql+psycopg", "postgresql"), autocommit=True) as database:
        database.execute("SET session_replication_role = replica")
        for batch in made:
            for table, rows in batch.items():
                with database.cursor().copy(f"COPY {table} ({names[table]}) FROM STDIN") as copy:
                    for row in rows:
                        copy.write_row(row)
        database.execute("VACUUM (ANALYZE)")


def _rows(
    count: int, chance: Random, worker: UUID, people: Sequence[UUID], *, sqlite: bool
) -> Iterator[dict[str, list[Row]]]:
    """Make the earlier visits: of two thousand workers over three years, one of whom is the measured one."""
    prints = _prints(chance)
    workers = [worker, *(UUID(int=chance.getrandbits(128)) for _ in range(WORKERS - 1))]
    now = Tools().now()
    body = json.dumps(a_visit_body())

    def key(one: UUID) -> Any:
        return one.hex if sqlite else one

    def when(instant: dt.datetime) -> Any:
        return instant.strftime("%Y-%m-%d %H:%M:%S.000000") if sqlite else instant

    for first in range(0, count, 20_000):
        batch: dict[str, list[Row]] = {"visits": [], "visit_marks": [], "photos": [], "photo_prints": []}
        for number in range(first, min(count, first + 20_000)):
            visit, photo = UUID(int=chance.getrandbits(128)), UUID(int=chance.getrandbits(128))
            whose = workers[number % WORKERS]
            person = people[number // WORKERS % len(people)] if whose is worker else UUID(int=number // 36)
            at = when(began := now - dt.timedelta(minutes=chance.randrange(3 * 365 * 24 * 60)))
            ended = when(began + dt.timedelta(minutes=20))
            batch["visits"].append(
                (
                    *(
                        key(visit),
                        key(person),
                        "341882003200",
                        key(whose),
                        "home",
                        "met",
                        "normal",
                        at,
                        ended,
                    ),
                    *(ended, 0, False, True, True, "accepted", 1, 1, visit.bytes * 2, body, 18, 18, ended),
                )
            )
            mark = chance.getrandbits(63) if number % 50 else number % 7  # some notes are everybody's
            batch["visit_marks"].append(
                (
                    *(
                        key(visit),
                        key(whose),
                        key(person),
                        at,
                        ended,
                        ended,
                        True,
                        30.8 + chance.random() / 5,
                    ),
                    *(119.3 + chance.random() / 5, 20.0, True, mark, 30, visit.bytes * 7),
                    *(chance.getrandbits(63), 18, 2, False, False),
                )
            )
            batch["photos"].append(
                (
                    *(key(photo), key(visit), key(person), "341882003200", "room", True, 0, ended),
                    *(photo.bytes * 2, 200_000, "jpeg", 1280, 960, f"{photo.hex[:2]}/{photo.hex}"),
                )
            )
            batch["photo_prints"].append(
                (key(photo), *_flipped(prints[chance.randrange(len(prints))], chance))
            )
        yield batch


def _prints(chance: Random) -> list[tuple[int, int]]:
    made = []
    for number in range(ROOMS):
        image = scenes.shot(10_000 + number, chance).convert("L").resize((likeness.EDGE, likeness.EDGE))
        made.append(likeness.print_of(image).hashes)
    return made


def _flipped(hashes: tuple[int, int], chance: Random) -> Row:
    changed = []
    for one in hashes:
        number = likeness.unsigned(one)
        for _ in range(FLIPPED):
            number ^= 1 << chance.randrange(64)
        changed.append(number)
    bands = [band for number in changed for band in likeness.bands_of(number)]
    return (*(number - (1 << 64) if number >> 63 else number for number in changed), *bands)


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
