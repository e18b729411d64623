"""Stores of any size, built once and kept in a folder for the benchmarks that follow: `--keep FOLDER`.

A store is a PostgreSQL cluster with people, visits and months of duties. Without a folder it is made for one benchmark
and deleted after it.
"""

import datetime as dt
import json
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import select

from bench import filling_sql
from bench.filling import Filling, fill
from bench.population import SINCE, insert_all, rows_of_worker
from bench.server import Running, Shape, free_port, granian, house_of
from server.db import Base, unit_of_work
from server.http.parts import Parts
from server.ledger.sealer import seal
from server.permissions import Role
from server.policies import service as policies
from server.regions.models import Region
from server.regions.service import load_guangde
from server.regions.terms import Level
from server.schedule import seeding
from server.schedule.opening import ensure_open
from server.tools import Tools, business_day
from server.vault.keyring import Keyring
from tests.engines.postgres import Postgres

COUNTY = "341882"
TOWNSHIP = "341882003"
PHONES = 500
"""So many visitors have a phone that is signed in; the others exist."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much a store holds. `visits_each` as many as `months` is the county's rhythm: one a month on average."""

    people: int
    visits_each: int = 1
    months: int = 12
    people_each: int = 20

    @property
    def name(self) -> str:
        """Name the store's folder."""
        return f"{self.people}-people-{self.visits_each}-visits-{self.months}-months-{self.people_each}-each"


@dataclass(frozen=True, slots=True)
class Store:
    """A store that runs: its house, its database, and who is signed in."""

    size: Size
    house: Parts
    database: Postgres
    environment: dict[str, str]
    phones: list[tuple[str, str]]
    """(worker, token) of visitors."""
    tokens: dict[str, str]
    """By role: reviewer and chief of one township, the county's inspector."""
    built_s: dict[str, float]

    def people_of(self, worker: str) -> list[str]:
        """List the people of a visitor."""
        with psycopg.connect(plain(self.environment["DATABASE_URL"])) as connection:
            rows = connection.execute(
                "SELECT person_id FROM responsibilities WHERE worker_id = %s AND to_at IS NULL", (worker,)
            )
            return [str(row[0]) for row in rows]


@contextmanager
def store(size: Size, keep: Path | None) -> Iterator[Store]:
    """Start a store, building it first when it is not kept in `keep` yet; it stops with the block."""
    with ExitStack() as stack:
        base = keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-store-")))
        base.mkdir(parents=True, exist_ok=True)
        base.chmod(0o755)
        folder = base / size.name
        if not (folder / "store.json").exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
        database = Postgres(folder)
        is_new = not database.data.exists()
        if is_new:
            database.create()
        database.start()
        stack.callback(database.stop, signal.SIGINT)
        if is_new:
            made = _build(size, database, folder)
            (folder / "store.json").write_text(json.dumps(made))
        kept = json.loads((folder / "store.json").read_text())
        (folder / "uploads").mkdir(exist_ok=True)
        environment = _environment(database, folder, kept["keyring"])
        house = house_of(environment)
        stack.callback(house.engine.dispose)
        if is_new:
            _settle(house, kept)
            (folder / "store.json").write_text(json.dumps(kept))
        yield Store(size, house, database, environment, kept["phones"], kept["tokens"], kept["built_s"])


@contextmanager
def serving(kept: Store, shape: Shape) -> Iterator[Running]:
    """Run the server over a store."""
    port = free_port()
    log = Path(kept.environment["STORAGE_URL"].removeprefix("file://")).parent / "granian.log"
    environment = {**kept.environment, "POOL_SIZE": str(shape.threads)}
    with granian(environment, port, shape, log) as process:
        yield Running(port, process.pid, kept.house, [], kept.database, log.parent / "uploads")


def plain(url: str) -> str:
    """Write a SQLAlchemy URL as psycopg takes it."""
    return url.replace("postgresql+psycopg", "postgresql")


def disk_mb(kept: Store) -> float:
    """Give the megabytes that a store's cluster takes on disk, its log of the past hour apart."""
    total = 0
    for folder, _, files in os.walk(kept.database.data):
        if Path(folder).name != "pg_wal":
            total += sum((Path(folder) / name).stat().st_size for name in files)
    return total / 1024**2


def months_until(day: dt.date, count: int) -> list[dt.date]:
    """List the first days of the last `count` months, the current one last."""
    months = [day.replace(day=1)]
    while len(months) < count:
        months.insert(0, (months[0] - dt.timedelta(days=1)).replace(day=1))
    return months


def _environment(database: Postgres, folder: Path, keyring: str) -> dict[str, str]:
    return {
        "DATABASE_URL": database.url_of("bench"),
        "STORAGE_URL": f"file://{folder}/uploads",
        "KEYRING": keyring,
        "SECRET_KEY": "only for benchmarks, and long enough for them",
    }


def _build(size: Size, database: Postgres, folder: Path) -> dict[str, object]:
    took: dict[str, float] = {}
    url = database.new_database(name="bench")
    keyring = Keyring.generate().to_json()
    (folder / "uploads").mkdir(exist_ok=True)
    house = house_of(_environment(database, folder, keyring))
    now = Tools().now()
    months = months_until(business_day(now), size.months)
    workers, phones, tokens = _people_of_the_house(house, size, months[0])
    with unit_of_work(house.sessions) as session:
        villages = tuple(
            session.scalars(select(Region.code).where(Region.level == Level.VILLAGE).order_by(Region.code))
        )
    house.engine.dispose()
    with psycopg.connect(plain(url), autocommit=True) as connection:
        connection.execute("SET maintenance_work_mem = '1GB'")
        aside = filling_sql.set_indexes_aside(connection)
        with _timed(took, "people and visits"):
            filling = Filling(
                plain(url), keyring, villages, tuple(workers), size.people_each, now, tuple(months), size.visits_each
            )  # fmt: skip
            visits = fill(filling, size.people)
        with _timed(took, "enrolments"):
            filling_sql.enrol(connection, workers, size.people_each)
            connection.execute("ANALYZE")
        with _timed(took, "duties"):
            filling_sql.duties_of(connection, months, now, by_chance=size.visits_each < size.months)
        with _timed(took, "indexes"):
            for definition in aside:
                connection.execute(definition)
        with _timed(took, "vacuum"):
            connection.execute("VACUUM (ANALYZE)")
            connection.execute("CHECKPOINT")
    return {
        **asdict(size),
        "keyring": keyring,
        "phones": phones,
        "tokens": tokens,
        "visits": visits,
        "built_s": took,
    }


def _settle(house: Parts, kept: dict[str, dict[str, float]]) -> None:
    """Give the visits' events their positions, and open the periods that are left (quarters, years), as timers would."""
    with _timed(kept["built_s"], "ledger positions"), unit_of_work(house.sessions) as session:
        seal(session)
    with _timed(kept["built_s"], "other periods"), unit_of_work(house.sessions) as session:
        work = house.work(session)
        ensure_open(work)
        work.close()


def _people_of_the_house(
    house: Parts, size: Size, begin_on: dt.date
) -> tuple[list[str], list[tuple[str, str]], dict[str, str]]:
    with unit_of_work(house.sessions) as session:
        work = house.work(session)
        load_guangde(session, valid_from=SINCE)
        policies.seed(work, effective_from=SINCE, begin_on=begin_on)
        seeding.seed(work)
        work.close()
    workers, phones = [], []
    with unit_of_work(house.sessions) as session:
        work = house.work(session)
        villages = list(
            session.scalars(select(Region.code).where(Region.level == Level.VILLAGE).order_by(Region.code))
        )
        rows: dict[type[Base], list[dict[str, Any]]] = {}
        for number in range(-(-size.people // size.people_each)):
            worker, token = rows_of_worker(work, rows, Role.VISITOR, villages[number % len(villages)])
            workers.append(str(worker))
            if number < PHONES:
                phones.append((str(worker), token))
        tokens = {}
        for role, area in (
            (Role.REVIEWER, TOWNSHIP),
            (Role.CHIEF, TOWNSHIP),
            (Role.COUNTY_INSPECTOR, COUNTY),
        ):
            _, tokens[role.value] = rows_of_worker(work, rows, role, area)
        insert_all(session, rows)
    return workers, phones, tokens


@contextmanager
def _timed(took: dict[str, float], name: str) -> Iterator[None]:
    began = time.perf_counter()
    yield
    took[name] = round(time.perf_counter() - began, 1)
    print(f"  {name}: {took[name]} s", flush=True)
