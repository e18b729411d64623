"""The load generator: a process of its own with one thread and one kept-alive connection for each client.

It reads one job as a line of JSON, says `ready`, waits for a line, runs, and writes its result as a line of JSON. Its
own CPU is in the result and never counted as the server's.
"""

import itertools
import json
import resource
import socket
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import uuid_utils

from bench import phone

LONGEST_WAIT_S = 60


class Line:
    """One kept-alive connection; `ask` sends a request and returns the status, the body being read and dropped."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), LONGEST_WAIT_S)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, method: str, path: str, token: str, body: bytes = b"", kind: str = "") -> int:
        """Send one request; `kind` is the content type of the body."""
        return self.read(method, path, token, body, kind)[0]

    def read(
        self, method: str, path: str, token: str, body: bytes = b"", kind: str = ""
    ) -> tuple[int, bytes]:
        """Send one request and give the body of the answer too."""
        head = f"{method} /api/v1{path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n"
        if body:
            head += f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
        self._socket.sendall(head.encode() + b"\r\n" + body)
        got = self._socket.recv(65536)
        while b"\r\n\r\n" not in got:
            got += self._more()
        top, _, rest = got.partition(b"\r\n\r\n")
        parts = [rest]
        missing = int(top.lower().split(b"content-length:")[1].split(b"\r\n")[0]) - len(rest)
        while missing > 0:
            parts.append(self._more())
            missing -= len(parts[-1])
        return int(top[9:12]), b"".join(parts)

    def _more(self) -> bytes:
        got = self._socket.recv(65536)
        if not got:
            raise ConnectionError("the server hung up")
        return got


Deed = Callable[[Line, int], Iterator[int]]


def recording(job: dict[str, Any]) -> Deed:
    """Record a new visit each time, with as many new photos as the job says."""
    targets, photos = job["targets"], job["photos"]
    pictures = phone.pictures() if photos else []

    def deed(line: Line, number: int) -> Iterator[int]:
        token, worker, person = targets[number % len(targets)]
        visit_id, photo_ids = _new_id(), [_new_id() for _ in range(photos)]
        body = phone.visit(person, worker, number, photo_ids)
        yield line.ask("PUT", f"/visits/{visit_id}", token, body, "application/json")
        for index, photo_id in enumerate(photo_ids):
            picture = phone.unique(pictures[(number + index) % len(pictures)], photo_id)
            form, kind = phone.upload(photo_id, picture)
            yield line.ask("POST", f"/visits/{visit_id}/photos", token, form, kind)

    return deed


def reading(job: dict[str, Any]) -> Deed:
    """Read one path of the job's after the other."""
    targets = job["targets"]

    def deed(line: Line, number: int) -> Iterator[int]:
        token, path = targets[number % len(targets)]
        yield line.ask("GET", path, token)

    return deed


def syncing(job: dict[str, Any]) -> Deed:
    """Let one phone after the other fetch everything that is its own, page by page."""
    tokens = job["tokens"]

    def deed(line: Line, number: int) -> Iterator[int]:
        token = tokens[number % len(tokens)]
        cursor: str | None = ""
        while cursor is not None:
            status, body = line.read("GET", f"/sync?cursor={cursor}" if cursor else "/sync", token)
            yield status
            page = json.loads(body)
            cursor = page["next_cursor"] if page["has_more"] else None

    return deed


DEEDS = {"record": recording, "read": reading, "sync": syncing}


def run(job: dict[str, Any]) -> dict[str, Any]:
    """Let `clients` do the job's deed one after the other for `seconds`; what they began they finish.

    A job of `most` deeds ends with the last of them.
    """
    deed = DEEDS[job["deed"]](job)
    numbers = iter(range(job["most"])) if "most" in job else itertools.count(job.get("first", 0))
    lines = [Line(job["port"]) for _ in range(job["clients"])]
    took: list[float] = []
    statuses: Counter[int] = Counter()
    print("ready", flush=True)
    sys.stdin.readline()
    began = time.perf_counter()
    own = _own_cpu()

    def client(line: Line) -> None:
        for number in numbers:
            start = time.perf_counter()
            if start - began >= job["seconds"]:
                return
            for status in deed(line, number):
                statuses[status] += 1
            took.append(time.perf_counter() - start)

    threads = [threading.Thread(target=client, args=(line,)) for line in lines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - began
    took.sort()
    return {
        "done": len(took),
        "seconds": seconds,
        "statuses": statuses,
        "p50_ms": _share(took, 0.5),
        "p95_ms": _share(took, 0.95),
        "p99_ms": _share(took, 0.99),
        "load_cpu_s": _own_cpu() - own,
    }


def _share(took: list[float], share: float) -> float:
    return round(1000 * took[int(share * (len(took) - 1))], 1) if took else 0.0


def _own_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _new_id() -> str:
    return str(UUID(bytes=uuid_utils.uuid7().bytes))


if __name__ == "__main__":
    print(json.dumps(run(json.loads(sys.stdin.readline()))), flush=True)
