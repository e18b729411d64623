"""A real server that is killed again and again, and phones that send until each record is acknowledged."""

import http.client
import json
import os
import random
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
from typing import Any
from uuid import UUID, uuid4

from tests.engines.postgres import alive

ROOT = Path(__file__).parents[2]
WORKERS = 2
THREADS = 8
MOST_RESTARTS = 200
START_SECONDS = 60.0
REQUEST_SECONDS = 20.0


class Server:
    """The service as it is run: granian with two workers, settings by environment, started again when it ends by itself.

    granian ends when a worker dies soon after it was started; the unit file says `Restart=always`, and so do we.
    """

    def __init__(self, environment: Mapping[str, str], log: Path) -> None:
        self.port = free_port()
        self.restarts = 0
        self._environment = {**os.environ, **environment}
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._ended = threading.Event()
        threading.Thread(target=self._keep, daemon=True).start()

    def start(self) -> None:
        """Start the server; returns when it answers."""
        with self._lock:
            self._spawn()
        patience = time.monotonic() + START_SECONDS
        while time.monotonic() < patience:
            if self.answers():
                return
            time.sleep(0.05)
        raise AssertionError(f"the server did not start:\n{self.log()[-3000:]}")

    def _spawn(self) -> None:
        command = [
            *(sys.executable, "-m", "granian", "--interface", "wsgi", "wsgi:app"),
            *("--host", "127.0.0.1", "--port", str(self.port), "--workers", str(WORKERS)),
            *(
                "--blocking-threads",
                str(THREADS),
                "--no-ws",
                "--respawn-failed-workers",
                "--respawn-interval",
                "0.2",
            ),
            *("--workers-kill-timeout", "5", "--log-level", "warning"),
        ]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                command, cwd=ROOT, env=self._environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip

    def _keep(self) -> None:
        while not self._ended.wait(0.1):
            with self._lock:
                if (
                    self._process is not None
                    and self._process.poll() is not None
                    and self.restarts < MOST_RESTARTS
                ):
                    self.restarts += 1
                    self._spawn()

    @property
    def pid(self) -> int:
        """Give the process id of the server's parent."""
        return self._running().pid

    def answers(self) -> bool:
        """Say whether a health check is answered."""
        with suppress(OSError, http.client.HTTPException):
            return call(self.port, "GET", "/healthz", timeout=2).status == 200
        return False

    def workers(self) -> list[int]:
        """Give the process ids of the workers that are alive."""
        return [pid for pid in children(self._running().pid) if alive(pid)]

    def kill_worker(self, which: int) -> int:
        """End one worker with SIGKILL; granian starts another. Returns how many were killed (it may be between two)."""
        workers = self.workers()
        if not workers:
            return 0
        with suppress(ProcessLookupError):
            os.kill(workers[which % len(workers)], signal.SIGKILL)
        return 1

    def kill(self) -> None:
        """End the server and all its workers with SIGKILL, as the kernel does when memory is short."""
        with self._lock:
            process, self._process = self._running(), None
            pids = [process.pid, *children(process.pid)]
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        patience = time.monotonic() + 10
        while any(alive(pid) for pid in pids) and time.monotonic() < patience:
            time.sleep(0.02)

    def log(self) -> str:
        """Give what the server wrote."""
        return self._log.read_text(errors="replace")

    def _running(self) -> subprocess.Popen[bytes]:
        assert self._process is not None, "the server is not running"
        return self._process

    def end(self) -> None:
        """Put the server away, whatever state it is in."""
        self._ended.set()
        if self._process is not None:
            self.kill()


@contextmanager
def running(environment: Mapping[str, str], log: Path) -> Iterator[Server]:
    """Run a server for as long as the block lasts."""
    server = Server(environment, log)
    try:
        server.start()
        yield server
    finally:
        server.end()


@dataclass(frozen=True, slots=True)
class Answer:
    """What a phone got back."""

    status: int
    body: bytes

    @property
    def json(self) -> Any:
        """Read the body."""
        return json.loads(self.body)


def call(
    port: int,
    method: str,
    path: str,
    *,
    token: str | None = None,
    body: bytes | None = None,
    content_type: str = "application/json",
    timeout: float = REQUEST_SECONDS,
) -> Answer:
    """Make one request on a connection of its own; OSError or HTTPException when it is cut."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    if body is not None:
        headers["Content-Type"] = content_type
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return Answer(answer.status, answer.read())
    finally:
        connection.close()


@dataclass(slots=True)
class Picture:
    """One photo of a visit, named by the phone; `answer` is the status that acknowledged it, `at` when that came."""

    data: bytes
    photo_id: UUID = field(default_factory=uuid4)
    answer: int | None = None
    at: float | None = None


@dataclass(slots=True)
class Record:
    """One visit with its photos, named by the phone before the first send; `tries` counts requests.

    `at` is when its first acknowledgement arrived (`time.monotonic`).
    """

    body: Callable[["Record"], dict[str, Any]]
    token: str
    photos: Sequence[Picture]
    visit_id: UUID = field(default_factory=uuid4)
    answer: int | None = None
    at: float | None = None
    tries: int = 0

    @property
    def acknowledged(self) -> bool:
        """Say whether the phone holds an answer for the visit and for each of its photos."""
        return all(one in {200, 201} for one in (self.answer, *(photo.answer for photo in self.photos)))


class Phones:
    """Threads that send records until each is acknowledged; a cut connection, 429 or 503 means: again, the same bytes."""

    def __init__(self, port: int, records: Sequence[Record], *, threads: int = 6, seed: int = 1) -> None:
        self._port = port
        self._waiting = list(records)
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self.statuses: Counter[int] = Counter()
        self.cut = 0
        self.unexpected: list[tuple[str, int, str]] = []
        self.errors: list[BaseException] = []
        self._threads = [
            threading.Thread(target=self._work, args=(random.Random(seed + number),), daemon=True)
            for number in range(threads)
        ]

    def start(self) -> None:
        """Begin to send."""
        for thread in self._threads:
            thread.start()

    @property
    def busy(self) -> bool:
        """Say whether something is still to be acknowledged."""
        return any(thread.is_alive() for thread in self._threads)

    @property
    def left(self) -> int:
        """Say how many records nobody has taken up yet."""
        return len(self._waiting)

    def give_up(self) -> None:
        """Stop sending, whatever is still to be acknowledged."""
        self._stop.set()
        for thread in self._threads:
            thread.join(REQUEST_SECONDS + 1)

    def finish(self, seconds: float) -> None:
        """Wait until all is acknowledged; what is not by then is left and shows as a missing answer."""
        patience = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, patience - time.monotonic()))
        self._stop.set()
        for thread in self._threads:
            thread.join(REQUEST_SECONDS + 1)
        if self.errors:
            raise self.errors[0]

    def _work(self, chance: random.Random) -> None:
        try:
            while not self._stop.is_set():
                with self._lock:
                    if not self._waiting:
                        return
                    record = self._waiting.pop()
                record.answer, record.at = self._acknowledged(chance, record, "PUT", *visit_request(record))
                for photo in record.photos:
                    photo.answer, photo.at = self._acknowledged(
                        chance, record, "POST", *photo_request(record, photo)
                    )
                if chance.random() < 0.1:  # a phone that did not hear the answers
                    for photo in record.photos:
                        self._send(chance, record, "POST", *photo_request(record, photo))
                    self._send(chance, record, "PUT", *visit_request(record))
        except BaseException as error:  # noqa: BLE001  (a thread's fault must reach the test)
            self.errors.append(error)

    def _acknowledged(
        self, chance: random.Random, record: Record, method: str, path: str, body: bytes, content_type: str
    ) -> tuple[int | None, float | None]:
        """Send until an answer comes; give it, and when it came if it is an acknowledgement."""
        answer = self._send(chance, record, method, path, body, content_type)
        return answer, time.monotonic() if answer in {200, 201} else None

    def _send(
        self, chance: random.Random, record: Record, method: str, path: str, body: bytes, content_type: str
    ) -> int | None:
        while not self._stop.is_set():
            record.tries += 1
            try:
                answer = call(
                    self._port, method, path, token=record.token, body=body, content_type=content_type
                )
            except (OSError, http.client.HTTPException):
                with self._lock:
                    self.cut += 1
                time.sleep(chance.uniform(0.02, 0.2))
                continue
            with self._lock:
                self.statuses[answer.status] += 1
            if answer.status in {200, 201}:
                return answer.status
            if answer.status not in {429, 503}:
                with self._lock:
                    self.unexpected.append((method, answer.status, answer.body.decode(errors="replace")))
                return answer.status
            time.sleep(chance.uniform(0.02, 0.2))
        return None


def visit_request(record: Record) -> tuple[str, bytes, str]:
    """Give path, body and content type with which a phone sends a visit."""
    body = json.dumps(record.body(record), ensure_ascii=False).encode()
    return f"/api/v1/visits/{record.visit_id}", body, "application/json"


def photo_request(record: Record, photo: Picture) -> tuple[str, bytes, str]:
    """Give path, body and content type with which a phone sends a photo."""
    head = (
        f'--x\r\nContent-Disposition: form-data; name="photo_id"\r\n\r\n{photo.photo_id}\r\n'
        f'--x\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n'
    )
    body = head.encode() + photo.data + b"\r\n--x--\r\n"
    return f"/api/v1/visits/{record.visit_id}/photos", body, "multipart/form-data; boundary=x"


def children(pid: int) -> list[int]:
    """Give the process ids of the children of a process."""
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            found += [int(word) for word in task.read_text().split()]
    return found


def command(pid: int) -> bytes:
    """Give the command line of a process, empty when it is gone."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


def free_port() -> int:
    """Find a port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
