"""A server as in service: granian over PostgreSQL or SQLite with every durable setting on, started for one benchmark."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

from flask import Flask
from sqlalchemy import create_engine, text

from bench import meter
from bench.population import Visitor, populate
from server.app import create_app
from server.db import unit_of_work
from server.http.parts import Parts
from server.ledger.sealer import seal
from server.schema import upgrade
from server.settings import Settings
from server.vault.keyring import Keyring
from server.visits.judging import work_off
from tests.engines.postgres import Postgres, postgres

ROOT = Path(__file__).parents[1]
START_SECONDS = 60
AS_SHIPPED = {"MALLOC_ARENA_MAX": "2"}
"""What the shipped unit sets in the server's environment."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How the WSGI server is run: processes, threads in each, and how many requests wait in each."""

    workers: int = 2
    threads: int = 8
    backpressure: int = 64


@dataclass(frozen=True, slots=True)
class Running:
    """A server that answers on loopback, with people in its database."""

    port: int
    pid: int
    house: Parts
    visitors: list[Visitor]
    database: Postgres | None
    uploads: Path

    def cpu(self) -> tuple[float, float]:
        """Give the CPU-seconds used so far by the server's processes and by the database's."""
        return meter.cpu_seconds(self.pid), meter.cpu_seconds(self.database.pid) if self.database else 0.0

    def seal_ledger(self) -> float:
        """Do the background work that was left to later (positions in the ledger); returns its CPU-seconds."""
        database, mine = self.cpu()[1], time.process_time()
        with unit_of_work(self.house.sessions) as session:
            seal(session)
        return time.process_time() - mine + self.cpu()[1] - database

    def judge(self, most: int) -> float:
        """Judge visits that wait for it, at most so many; returns CPU-seconds a thousand of this process and the database."""
        database, mine, done = self.cpu()[1], time.process_time(), 0
        while done < most:
            with unit_of_work(self.house.sessions) as session:
                work = self.house.work(session)
                judged = work_off(work)
                work.close()
            if not judged:
                break
            done += judged
        return (time.process_time() - mine + self.cpu()[1] - database) * 1000 / max(1, done)

    def settle_down(self) -> None:
        """Bring the database to rest, so that no run pays for an earlier one."""
        if self.database is None:
            return
        engine = create_engine(self.house.engine.url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text("VACUUM (ANALYZE)"))
            connection.execute(text("CHECKPOINT"))
        engine.dispose()


@contextmanager
def running(*, people: int, sqlite: bool = False, shape: Shape | None = None) -> Iterator[Running]:
    """Start a database, fill it, start the server; all of it ends with the block."""
    shape = shape or Shape()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        (folder / "uploads").mkdir()
        database = None if sqlite else stack.enter_context(postgres())
        url = database.new_database() if database else f"sqlite:///{folder}/app.sqlite"
        environment = _environment(folder, url, shape)
        house = house_of(environment)
        stack.callback(house.engine.dispose)
        visitors = populate(house, people=people)
        port = free_port()
        process = stack.enter_context(granian(environment, port, shape, folder / "server.log"))
        yield Running(port, process.pid, house, visitors, database, folder / "uploads")


@contextmanager
def in_this_process(*, people: int) -> Iterator[tuple[Flask, Parts, list[Visitor]]]:
    """Fill a PostgreSQL database and give the application in this process, for a profiler."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        (folder / "uploads").mkdir()
        app = _app(_environment(folder, stack.enter_context(postgres()).new_database(), Shape()))
        house: Parts = app.extensions["parts"]
        stack.callback(house.engine.dispose)
        yield app, house, populate(house, people=people)


def _environment(folder: Path, database_url: str, shape: Shape) -> dict[str, str]:
    return {
        "DATABASE_URL": database_url,
        "STORAGE_URL": f"file://{folder}/uploads",
        "KEYRING": Keyring.generate().to_json(),
        "SECRET_KEY": "only for benchmarks, and long enough for them",
        "POOL_SIZE": str(shape.threads),
    }


def house_of(environment: Mapping[str, str]) -> Parts:
    """Make the application over a database, migrated to its newest form."""
    parts: Parts = _app(environment).extensions["parts"]
    return parts


def _app(environment: Mapping[str, str]) -> Flask:
    app = create_app(
        Settings(
            database_url=environment["DATABASE_URL"],
            storage_url=environment["STORAGE_URL"],
            keyring=environment["KEYRING"],
            secret_key=environment["SECRET_KEY"],
        )
    )
    upgrade(app.extensions["parts"].engine)
    return app


@contextmanager
def granian(
    environment: dict[str, str], port: int, shape: Shape, log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """Run the WSGI server for as long as the block lasts."""
    command = [
        *(sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port)),
        *("--workers", str(shape.workers), "--blocking-threads", str(shape.threads)),
        *("--backpressure", str(shape.backpressure), "--http", "1", "--no-ws", "--log-level", "warning"),
        "wsgi:app",
    ]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, **AS_SHIPPED, **environment}, stdout=output, stderr=output
        )
    try:
        _wait_until_it_answers(process, port, log)
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_it_answers(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    patience = time.monotonic() + START_SECONDS
    while time.monotonic() < patience and process.poll() is None:
        with suppress(OSError):
            connection = HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/healthz")
            if connection.getresponse().status == 200:
                return
        time.sleep(0.1)
    raise RuntimeError(f"the server did not start:\n{log.read_text(errors='replace')[-3000:]}")


def free_port() -> int:
    """Find a port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
