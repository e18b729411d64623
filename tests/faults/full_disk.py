"""Who uses a township whose disk is full: a phone and a console, and what must be left on the disk."""

import json
from collections import Counter
from collections.abc import Collection
from pathlib import Path
from uuid import uuid4

from server.permissions import Role
from tests.builders.world import SHENGPING
from tests.faults.harness import Answer, Picture, Record, call, photo_request, visit_request
from tests.faults.township import Township

PASSWORD = "a password of the tests, 4711"
ACKNOWLEDGED = frozenset({200, 201})
STORE_FULL = 507


class Clients:
    """A phone and a console that use one township's server; it may answer 200, 201 and what is `allowed`."""

    def __init__(self, town: Township, allowed: Collection[int] = (STORE_FULL,)) -> None:
        self.town = town
        self._allowed = ACKNOWLEDGED | set(allowed)
        self._name = f"chief{uuid4().hex[:8]}"
        town.world.worker(Role.CHIEF, SHENGPING, username=self._name, password=PASSWORD)
        town.house.engine.dispose()
        self.answers: Counter[int] = Counter()

    def _call(self, method: str, path: str, body: bytes | None = None, kind: str = "application/json", token: str | None = None) -> Answer:  # fmt: skip
        answer = call(self.town.server.port, method, path, token=token, body=body, content_type=kind)
        self.answers[answer.status] += 1
        assert answer.status in self._allowed, answer.body.decode()
        if answer.status == STORE_FULL:
            assert answer.json["code"] == "store_full"
            assert answer.json["detail"]
        return answer

    def visit(self, record: Record) -> int:
        record.answer = self._call("PUT", *visit_request(record), token=record.token).status
        return record.answer

    def photo(self, record: Record, picture: Picture | None = None) -> int:
        picture = picture or record.photos[0]
        picture.answer = self._call("POST", *photo_request(record, picture), token=record.token).status
        return picture.answer

    def read(self, record: Record) -> int:
        return self._call("GET", f"/api/v1/visits/{record.visit_id}", token=record.token).status

    def worklist(self) -> int:
        return self._call("GET", "/api/v1/worklist?limit=20", token=self.town.tokens[0]).status

    def sign_in(self) -> int:
        body = json.dumps({"username": self._name, "password": PASSWORD}).encode()
        return self._call("POST", "/api/v1/auth/password", body).status


def litter(uploads: Path, acknowledged: int) -> list[Path]:
    """Give the files of a store if they are other than the acknowledged ones."""
    files = [path for path in uploads.rglob("*") if path.is_file() and path.name != "filler"]
    return [] if len(files) == acknowledged else files
