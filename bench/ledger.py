"""The ledger at a million entries: appending, sealing, signing, proofs, looking up, exporting, verifying offline."""

import datetime as dt
import json
import os
import random  # noqa: TID251  (what is drawn is the same each time)
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest import mock
from uuid import UUID

from flask import Flask
from sqlalchemy import insert, text

from bench import phone
from bench.measuring import Plan
from bench.population import populate
from server.app import create_app
from server.auditing import looking, proving, searching
from server.auditing.terms import Sought
from server.db import unit_of_work
from server.http.parts import Parts
from server.ledger import checkpoints, sealer
from server.ledger.models import Event
from server.ledger.notes import SigningKey
from server.ledger.work import Work
from server.permissions import Actor, Role
from server.schema import upgrade
from server.settings import Settings
from server.vault.keyring import Keyring
from server.visits import service
from tests.engines.postgres import postgres

LEAVES = 1_000_000
PEOPLE = 20_000
WORKERS = 500
BATCH = 20_000
VISITS, BLOCK = 1200, 50
NAMED = 20
ROOT = Path(__file__).parent.parent
AUDITOR = Actor(UUID(int=1), Role.AUDITOR, "341882")


def ledger(plan: Plan) -> list[dict[str, Any]]:
    """Measure on SQLite and on PostgreSQL; the appending on SQLite, where the database works in the same process."""
    told: list[dict[str, Any]] = []

    def say(one: dict[str, Any]) -> None:
        told.append(one)
        print(json.dumps(one, ensure_ascii=False), flush=True)

    with (
        TemporaryDirectory(dir=plan.keep) as folder,
        _house(f"sqlite:///{folder}/a.sqlite", Path(folder)) as app,
    ):
        say(_appending(app))
    with (
        TemporaryDirectory(dir=plan.keep) as folder,
        _house(f"sqlite:///{folder}/b.sqlite", Path(folder)) as app,
    ):
        say({"engine": "sqlite"} | _at_size(app, Path(folder)))
    with (
        postgres() as server,
        TemporaryDirectory(dir=plan.keep) as folder,
        _house(server.new_database(), Path(folder)) as app,
    ):
        say({"engine": "postgresql"} | _at_size(app, Path(folder)))
    return told


@contextmanager
def _house(url: str, folder: Path) -> Iterator[Flask]:
    (folder / "uploads").mkdir()
    (folder / "checkpoints").mkdir()
    (folder / "key").write_text(
        SigningKey.generate("bench.example/ledger", random.Random(1).randbytes).written()
    )
    settings = Settings(
        database_url=url,
        storage_url=f"file://{folder}/uploads",
        keyring=Keyring.generate().to_json(),
        secret_key="only for a benchmark, serves nobody at all",
        ledger_key=f"file:{folder}/key",
        ledger_checkpoints=f"file://{folder}/checkpoints",
    )
    app = create_app(settings)
    house: Parts = app.extensions["parts"]
    upgrade(house.engine)
    yield app
    house.engine.dispose()


def _appending(app: Flask) -> dict[str, Any]:
    """Record visits by turns as it is and as it was before: no digest, nothing sealed, two indexes on events.

    A third turn writes no line at all, which tells what the whole ledger costs a visit.
    """
    house: Parts = app.extensions["parts"]
    visitors = populate(house, people=PEOPLE // 10)
    client, made = app.test_client(), 0
    cpu: dict[str, list[float]] = {"as it is": [], "as it was": [], "no ledger": []}
    for turn in range(-3, 3 * (VISITS // BLOCK // 3)):
        how = list(cpu)[turn % 3]
        with _turn(house, how):
            began = time.process_time()
            for _ in range(BLOCK):
                visitor = visitors[made % len(visitors)]
                person = visitor.people[made // len(visitors) % len(visitor.people)]
                answer = client.put(
                    f"/api/v1/visits/{house.tools.new_id()}",
                    data=phone.visit(str(person), str(visitor.worker), made, []),
                    headers={"Authorization": f"Bearer {visitor.token}"},
                    content_type="application/json",
                )
                assert answer.status_code == 201, answer.text
                made += 1
            took = (time.process_time() - began) / BLOCK * 1000
        if turn >= 0:
            cpu[how].append(took)
    middle = {how: round(statistics.median(times), 3) for how, times in cpu.items()}
    before = middle["as it was"]
    return {
        "appending": f"{VISITS} visits, SQLite, in turns of {BLOCK}, CPU-ms a visit in the middle",
        **middle,
        "more_percent": round((middle["as it is"] / before - 1) * 100, 1),
    }


@contextmanager
def _turn(house: Parts, how: str) -> Iterator[None]:
    names = {"at": "at, id", "actor": "actor_id, at, id", "action": "action, at, id"}
    if how == "as it is":
        yield
        return
    tell = Work.tell

    def plainly(work: Work, *words: Any, **more: Any) -> None:
        if how == "no ledger":
            return
        more.pop("key", None)
        payload = dict(more.get("payload") or {})
        payload.pop("row", None)
        tell(work, *words, **more | {"payload": payload})

    with house.engine.begin() as connection:
        for name in names:
            connection.execute(text(f"DROP INDEX ix_ledger_events_{name}"))
    with mock.patch.object(Work, "tell", plainly), mock.patch.object(service, "digest_of", return_value=""):
        yield
    with house.engine.begin() as connection:
        for name, columns in names.items():
            connection.execute(text(f"CREATE INDEX ix_ledger_events_{name} ON ledger_events ({columns})"))


def _at_size(app: Flask, folder: Path) -> dict[str, Any]:
    house: Parts = app.extensions["parts"]
    people = _fill(house)
    wall, cpu = time.perf_counter(), time.process_time()
    with app.app_context():
        sealed = 0
        while True:
            with unit_of_work(house.sessions) as session:
                done = sealer.seal(session, most=sealer.BATCH)
            sealed += done
            if done < sealer.BATCH:
                break
    told: dict[str, Any] = {
        "entries": sealed,
        "sealing_us_each_cpu": round((time.process_time() - cpu) / sealed * 1e6, 1),
        "sealing_us_each_clock": round((time.perf_counter() - wall) / sealed * 1e6, 1),
    }
    key = SigningKey.parse((folder / "key").read_text())
    told["sign_s"] = _seconds(house, lambda work: checkpoints.sign(work, key, []))
    told["sign_all_s"] = _seconds(house, lambda work: list(checkpoints.differing(work.session, 1, sealed)))
    chance = random.Random(2)
    told["inclusion_ms"] = _times(
        house, lambda work: proving.inclusion(work, chance.randint(1, sealed), sealed)
    )
    told["consistency_ms"] = _times(
        house, lambda work: proving.consistency(work, chance.randint(1, sealed), sealed)
    )
    told["looks_page_ms"] = _times(
        house, lambda work: looking.looks_of(work, chance.choice(people), limit=50, cursor=None)
    )
    told["search_worker_ms"] = _times(
        house,
        lambda work: searching.search(
            work, Sought(actor_id=UUID(int=1000 + chance.randrange(WORKERS))), limit=50, cursor=None
        ),
    )
    told["search_person_ms"] = _times(
        house,
        lambda work: searching.search(work, Sought(person_id=chance.choice(people)), limit=50, cursor=None),
    )
    return told | _outside(house, folder)


def _fill(house: Parts) -> list[UUID]:
    """Write events as requests do: looks at one file, deeds, and lists that name people."""
    chance = random.Random(3)
    people = [UUID(int=chance.getrandbits(128), version=4) for _ in range(PEOPLE)]
    start = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)
    for first in range(0, LEAVES, BATCH):
        with unit_of_work(house.sessions) as session:
            work = house.work(session)
            for number in range(first, first + BATCH):
                person = chance.choice(people)
                if number % 20 == 0:
                    work.looked("worklist.read", "worklist", people=chance.sample(people, NAMED))
                elif number % 2:
                    work.looked("archive.read", "person", person, person_id=person)
                else:
                    work.tell("duty.told", "duty", person, person_id=person, payload={"number": number})
                work._lines[-1] |= {  # noqa: SLF001
                    "at": start + dt.timedelta(seconds=20 * number),
                    "actor_id": UUID(int=1000 + chance.randrange(WORKERS)),
                    "request_id": str(UUID(int=number)),
                }
            lines, work._lines = work._lines, []  # noqa: SLF001
            session.execute(insert(Event), lines)
    return people


def _outside(house: Parts, folder: Path) -> dict[str, Any]:
    """Export and verify in processes of their own, as administrator and inspector do."""
    settings = house.settings
    env = os.environ | {
        "DATABASE_URL": settings.database_url,
        "STORAGE_URL": settings.storage_url,
        "KEYRING": settings.keyring,
        "SECRET_KEY": settings.secret_key,
        "LEDGER_KEY": str(settings.ledger_key),
        "LEDGER_CHECKPOINTS": str(settings.ledger_checkpoints),
    }
    export, flask = folder / "export.jsonl", ["-m", "flask", "--app", "wsgi", "ledger"]
    _run([*flask, "checkpoint"], env)
    exported = _run([*flask, "export", str(export)], env)
    held = max((folder / "checkpoints").glob("*.checkpoint"))
    key = SigningKey.parse((folder / "key").read_text()).public()
    verify = ["-m", "ledger_verify", "export", str(export), "--key", key, "--checkpoint", str(held)]
    verified = _run(verify, env)
    return {
        **{f"export_{name}": value for name, value in exported.items()},
        "export_file_mb": round(export.stat().st_size / 1e6),
        **{f"verify_{name}": value for name, value in verified.items()},
    }


def _run(words: Sequence[str], env: dict[str, str]) -> dict[str, float]:
    """Run Python on some words; gives seconds on the clock and of CPU, and the most memory in MB."""
    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    most = 0
    with subprocess.Popen([sys.executable, *words], env=env, cwd=ROOT) as child:
        while child.poll() is None:
            # The kernel's own figure of an ended child counts the memory of the parent that made it.
            with suppress(OSError, StopIteration):
                status = Path(f"/proc/{child.pid}/status").read_text(encoding="ascii").splitlines()
                most = max(most, int(next(one for one in status if one.startswith("VmHWM:")).split()[1]))
            time.sleep(0.02)
    assert child.returncode == 0, words
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "s": round(time.perf_counter() - began, 1),
        "cpu_s": round(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, 1),
        "mb": round(most / 1000),
    }


def _seconds(house: Parts, deed: Callable[[Work], object]) -> float:
    began = time.perf_counter()
    with unit_of_work(house.sessions) as session:
        work = house.work(session)
        deed(work)
        work.close()
    return round(time.perf_counter() - began, 2)


def _times(house: Parts, deed: Callable[[Work], object], count: int = 300) -> dict[str, float]:
    """Do something many times, each in a transaction of its own; gives milliseconds on the clock."""
    took = []
    for _ in range(count):
        began = time.perf_counter()
        with unit_of_work(house.sessions) as session:
            deed(house.work(session, AUDITOR, "bench"))
        took.append((time.perf_counter() - began) * 1000)
    took.sort()
    return {
        "p50": round(took[count // 2], 1),
        "p95": round(took[count * 95 // 100], 1),
        "max": round(took[-1], 1),
    }
