"""What phones do all day, for tests and measurements of restarts."""

import http.client
import io
import time
from collections.abc import Iterator
from uuid import uuid4

from PIL import Image

from bench import phone
from bench.population import Visitor
from tests.deploy.processes import Process, ask

STORED = {200, 201}


class FieldWork:
    """A visit, its photo, and a look at what was stored; `told` is what was acknowledged."""

    def __init__(self, visitors: list[Visitor]) -> None:
        self._targets = [
            (one.token, str(one.worker), str(person)) for one in visitors for person in one.people
        ]
        out = io.BytesIO()
        Image.new("RGB", (320, 240), "tan").save(out, "JPEG")
        self._picture = out.getvalue()
        self.told: list[tuple[str, str, str]] = []

    def __call__(self, connection: http.client.HTTPConnection, number: int) -> Iterator[int]:
        token, worker, person = self._targets[number % len(self._targets)]
        visit, photo = str(uuid4()), str(uuid4())
        body = phone.visit(person, worker, number, [photo])
        form, kind = phone.upload(photo, phone.unique(self._picture, photo))
        for method, path, sent, content in (
            ("PUT", f"/api/v1/visits/{visit}", body, "application/json"),
            ("POST", f"/api/v1/visits/{visit}/photos", form, kind),
            ("GET", f"/api/v1/visits/{visit}", None, ""),
        ):
            status, said = ask(connection, method, path, token, sent, content)
            assert status in STORED, f"{method} {path.rpartition('/')[2]}: {status} {said[:200]!r}"
            yield status
        self.told.append((token, visit, photo))


def exchange_worker(process: Process) -> None:
    """Exchange the worker by SIGHUP, and wait until the old one is gone and the new one answers.

    granian ends the old worker after a fixed time, whether or not the new one is ready yet.
    """
    old = set(process.workers())
    process.reload()
    patience = time.monotonic() + 90
    while old & set(process.workers()) or not process.answers():
        assert time.monotonic() < patience, process.log()[-2000:]
        time.sleep(0.05)
