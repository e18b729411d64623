"""Compares WSGI servers behind the nginx that we ship: CPU, speed, and how each behaves when it is stopped or stalled.

gunicorn is no dependency; `pip install --target FOLDER gunicorn` and `BENCH_GUNICORN=FOLDER` bring it in.
"""

import os
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from bench import measuring, meter, phone
from bench.main_job import TOWNSHIP, stored_visits, targets
from bench.measuring import Figure, Plan
from bench.population import sign_in
from bench.server import ROOT, Running, running
from server.permissions import Role
from server.tools import Tools
from tests.engines.nginx import nginx

OK = 200
STALLED = 100
HEALTH_CHECKS = 20
LONGEST_POOL = 16


@dataclass(frozen=True, slots=True)
class Contender:
    """A server to compare: worker processes and threads in each; `apart` runs each worker as a service of its own."""

    program: str
    workers: int
    threads: int
    apart: bool = False

    @property
    def name(self) -> str:
        """Name it for a table."""
        kind = "processes" if self.apart else "workers"
        return f"{self.program}, {self.workers} {kind} × {self.threads}"

    def command(self, port: int) -> list[str]:
        """Give the command that serves on a port."""
        workers = 1 if self.apart else self.workers
        if self.program == "gunicorn gthread":
            return [
                *(sys.executable, "-m", "gunicorn", "-k", "gthread", "-b", f"127.0.0.1:{port}"),
                *("-w", str(workers), "--threads", str(self.threads), "--log-level", "error"),
                *("--graceful-timeout", "20", "--keep-alive", "30", "wsgi:app"),
            ]
        return [
            *(
                sys.executable,
                "-m",
                "granian",
                "--interface",
                "wsgi",
                "--host",
                "127.0.0.1",
                "--port",
                str(port),
            ),
            *("--workers", str(workers), "--blocking-threads", str(self.threads), "--backpressure", "64"),
            *("--http", "1", "--no-ws", "--workers-kill-timeout", "20", "--log-level", "warning", "wsgi:app"),
        ]


CONTENDERS = (
    Contender("granian", 2, 8, apart=True),
    *(Contender("granian", 2, threads) for threads in (4, 8, 16, 128)),
    *(Contender("gunicorn gthread", 2, threads) for threads in (8, 16)),
)


def compare(plan: Plan) -> list[Figure]:
    """Measure each server on the same data, one after the other, and print how it behaves."""
    figures, told = [], []
    with running(people=plan.people) as base, tempfile.TemporaryDirectory(prefix="bench-servers-") as folder:
        token = sign_in(base.house, Role.COUNTY_INSPECTOR, TOWNSHIP[:6])
        people = targets(base)
        for number, contender in enumerate(_present()):
            mine = Path(folder) / str(number)
            mine.mkdir()
            with _serving(contender, base, mine) as (pid, ports):
                with nginx(mine / "nginx", ports, plain=True) as proxy:
                    server = replace(base, port=proxy.port, pid=pid)
                    record = {"deed": "record", "photos": 0, "targets": people}
                    figures += measuring.measure(server, plan, f"{contender.name}: record", record)
                    visits = [[token, f"/visits/{visit_id}"] for visit_id in stored_visits(base)[:5000]]
                    read = {"deed": "read", "targets": visits}
                    figures += measuring.measure(server, plan, f"{contender.name}: read", read)
                answered = _while_stalled(people[0][0], ports[0])
                told.append((contender.name, answered, *_when_stopped(people, ports[0], meter.tree(pid)[1])))
    print(
        f"\n| server, no proxy | health checks beside {STALLED} stalled bodies | stopped under load: answered, cut |"
    )
    print("|---|---|---|")
    for name, answered, finished, cut in told:
        print(f"| {name} | {answered} of {HEALTH_CHECKS} | {finished}, {cut} |", flush=True)
    return figures


def _present() -> Iterator[Contender]:
    for contender in CONTENDERS:
        if contender.program.startswith("gunicorn") and not os.environ.get("BENCH_GUNICORN"):
            print(f"{contender.name}: left out, BENCH_GUNICORN is not set", file=sys.stderr)
            continue
        yield contender


@contextmanager
def _serving(contender: Contender, base: Running, folder: Path) -> Iterator[tuple[int, list[int]]]:
    """Run a contender on the base's data; gives the process that is the parent of all, and the ports."""
    settings = base.house.settings
    environment = {
        **os.environ,
        "DATABASE_URL": settings.database_url,
        "STORAGE_URL": settings.storage_url,
        "KEYRING": settings.keyring,
        "SECRET_KEY": settings.secret_key,
        "POOL_SIZE": str(min(contender.threads, LONGEST_POOL)),
        "PYTHONPATH": os.environ.get("BENCH_GUNICORN", ""),
    }
    ports = [_free_port() for _ in range(contender.workers if contender.apart else 1)]
    commands = " & ".join(shlex.join(contender.command(port)) for port in ports)
    with (folder / "server.log").open("wb") as log:
        parent = subprocess.Popen(
            ["/bin/sh", "-c", f"{commands} & wait"],
            cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    try:
        for port in ports:
            _wait_until_it_answers(port, folder / "server.log")
        yield parent.pid, ports
    finally:
        with suppress(ProcessLookupError):
            os.killpg(parent.pid, signal.SIGKILL)
        parent.wait()


def _while_stalled(token: str, port: int) -> int:
    """Count the health checks that are answered within two seconds while many bodies do not arrive, without a proxy."""
    head = (
        f"PUT /api/v1/visits/{Tools().new_id()} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n"
        "Content-Type: application/json\r\nContent-Length: 9999\r\n\r\n{"
    ).encode()
    answered = 0
    with ExitStack() as held:
        for _ in range(STALLED):
            held.enter_context(socket.create_connection(("127.0.0.1", port), 5)).sendall(head)
        time.sleep(0.5)
        for _ in range(HEALTH_CHECKS):
            with suppress(OSError, HTTPException):
                connection = HTTPConnection("127.0.0.1", port, timeout=2)
                held.callback(connection.close)
                connection.request("GET", "/healthz")
                answered += connection.getresponse().status == OK
    return answered


def _when_stopped(people: list[list[str]], port: int, pid: int) -> tuple[int, int]:
    """Stop a server with SIGTERM under load, without a proxy; how many requests were answered after it, how many cut."""
    told, finished, cut = threading.Event(), [0], [0]

    def client(number: int) -> None:
        token, worker, person = people[number]
        connection = HTTPConnection("127.0.0.1", port, timeout=20)
        with suppress(ConnectionRefusedError):
            for round_ in range(10_000):
                body = phone.visit(person, worker, round_, [])
                headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
                try:
                    connection.request("PUT", f"/api/v1/visits/{Tools().new_id()}", body, headers)
                    connection.getresponse().read()
                    finished[0] += told.is_set()
                except ConnectionRefusedError:
                    raise
                except (OSError, HTTPException):
                    cut[0] += 1
                    connection.close()

    threads = [threading.Thread(target=client, args=(number,), daemon=True) for number in range(8)]
    for thread in threads:
        thread.start()
    time.sleep(2)
    told.set()
    os.kill(pid, signal.SIGTERM)
    for thread in threads:
        thread.join(30)
    return finished[0], cut[0]


def _wait_until_it_answers(port: int, log: Path) -> None:
    patience = time.monotonic() + 60
    while time.monotonic() < patience:
        with suppress(OSError, HTTPException):
            connection = HTTPConnection("127.0.0.1", port, timeout=2)
            connection.request("GET", "/healthz")
            if connection.getresponse().status == OK:
                return
        time.sleep(0.1)
    raise RuntimeError(f"the server did not start:\n{log.read_text(errors='replace')[-3000:]}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
