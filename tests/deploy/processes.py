"""Processes of the API as the shipped unit starts them, and clients that never try again."""

import http.client
import os
import shlex
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

ROOT = Path(__file__).parents[2]
UNIT = ROOT / "deploy" / "systemd" / "visits-api@.service"
START_SECONDS = 60.0
STOP_SECONDS = 40.0


def shipped_arguments(port: int) -> list[str]:
    """Give granian's arguments of the shipped unit for one port."""
    text = UNIT.read_text(encoding="utf-8").replace("\\\n", " ")
    line = next(one for one in text.splitlines() if one.startswith("ExecStart="))
    return shlex.split(line.replace("%i", str(port)))[1:]


class Process:
    """One process of the API on a port of its own; it can be stopped, killed, reloaded and started again."""

    def __init__(self, environment: Mapping[str, str], log: Path, *, root: Path = ROOT) -> None:
        self.port = free_port()
        self._environment = {**os.environ, **environment}
        self._log = log
        self._root = root
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Give the process id of the parent, as systemd's MAINPID."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it; returns when it answers, as the unit's ExecStartPost does."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "granian", *shipped_arguments(self.port)],
                cwd=self._root, env=self._environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip
        patience = time.monotonic() + START_SECONDS
        while time.monotonic() < patience and self._process.poll() is None:
            if self.answers():
                return
            time.sleep(0.05)
        raise AssertionError(f"the process did not start:\n{self.log()[-3000:]}")

    def answers(self) -> bool:
        """Say whether a health check is answered."""
        with suppress(OSError, http.client.HTTPException):
            return self.ask("GET", "/healthz", timeout=2)[0] == 200
        return False

    def stop(self) -> int:
        """Ask it to end with SIGTERM, and give its exit status."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        status = self._process.wait(STOP_SECONDS)
        self._process = None
        return status

    def kill(self) -> None:
        """End it and its worker with SIGKILL, as a machine that loses power."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def reload(self) -> None:
        """Ask it with SIGHUP to exchange its worker."""
        os.kill(self.pid, signal.SIGHUP)

    def workers(self) -> list[int]:
        """List its worker processes."""
        found = []
        for task in Path(f"/proc/{self.pid}/task").glob("*/children"):
            with suppress(OSError):
                found += [int(word) for word in task.read_text().split()]
        return found

    def ask(
        self, method: str, path: str, token: str = "", body: bytes | None = None, kind: str = "application/json",
        timeout: float = 30,
    ) -> tuple[int, bytes]:  # fmt: skip
        """Make one request to this process."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            return ask(connection, method, path, token, body, kind)
        finally:
            connection.close()

    def log(self) -> str:
        """Give what it wrote."""
        return self._log.read_text(errors="replace")


@contextmanager
def processes(
    environments: Sequence[Mapping[str, str]], folder: Path, *, root: Path = ROOT
) -> Iterator[list[Process]]:
    """Run one process for each environment for as long as the block lasts."""
    made = [
        Process(one, folder / f"process-{number}.log", root=root) for number, one in enumerate(environments)
    ]
    try:
        for one in made:
            one.start()
        yield made
    finally:
        for one in made:
            one.kill()


def ask(
    connection: http.client.HTTPConnection, method: str, path: str, token: str = "", body: bytes | None = None,
    kind: str = "application/json",
) -> tuple[int, bytes]:  # fmt: skip
    """Make one request on a connection that may be kept."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    if body is not None:
        headers["Content-Type"] = kind
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    return answer.status, answer.read()


@dataclass
class Clients:
    """Threads that do a deed over and over, each on one kept connection, and never try anything again."""

    connect: Callable[[], http.client.HTTPConnection]
    deed: Callable[[http.client.HTTPConnection, int], Iterator[int]]
    count: int = 6
    statuses: Counter[int] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._stop, self._lock = threading.Event(), threading.Lock()
        self._numbers = iter(range(10**9))
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(self.count)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(60)

    @property
    def done(self) -> int:
        """Say how many requests were answered so far."""
        return sum(self.statuses.values())

    def wait_for(self, more: int, seconds: float = 60) -> None:
        """Wait until so many more requests have been answered."""
        goal, patience = self.done + more, time.monotonic() + seconds
        while self.done + len(self.failed) < goal:
            assert time.monotonic() < patience, (self.statuses, self.failed[:5])
            time.sleep(0.02)

    def _work(self) -> None:
        connection = self.connect()
        while not self._stop.is_set():
            with self._lock:
                number = next(self._numbers)
            try:
                for status in self.deed(connection, number):
                    with self._lock:
                        self.statuses[status] += 1
            except (OSError, http.client.HTTPException, AssertionError) as error:
                with self._lock:
                    self.failed.append(f"{type(error).__name__}: {error}")
                connection.close()
                connection = self.connect()
        connection.close()


def free_port() -> int:
    """Find a port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
