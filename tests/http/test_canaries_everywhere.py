"""Fifty id numbers, phones and names go through every route, in every place of a request; no log holds one (TRUST §1).

Routes come from the url map, bodies and queries from the OpenAPI document: a new route, field or filter is covered.
"""

import io
import itertools
import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote
from uuid import UUID

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from server.permissions import GRANTS, Can, Role
from tests.builders.visits import a_visit_body
from tests.builders.world import GUANGDE, SHENGPING, TUANSHAN, World
from tests.conftest import Template
from tests.http.test_canaries import IDS, NAMES, PHONES, Heard, everything, found_in, heard, listening
from tests.http.test_mass_assignment import document, whole_example

__all__ = ["heard", "listening"]
CANARIES = [*IDS[:17], *PHONES[:17], *NAMES[:16]]
AREAS = {Role.VISITOR: TUANSHAN, Role.REVIEWER: SHENGPING, Role.CHIEF: SHENGPING}
HEADERS = (
    "X-Request-Id", "User-Agent", "Accept", "Accept-Language", "Referer", "Cookie", "Range", "If-None-Match",
    "If-Modified-Since", "Origin", "X-Forwarded-For", "X-Forwarded-Host", "Forwarded", "Content-Encoding", "Expect", "X-Name",
)  # fmt: skip
TOKENS = ("{}", "Bearer {}", "Basic {}", "Bearer {} {}")


@pytest.fixture
def template(sqlite_town: Template) -> Template:
    """Give SQLite alone: what is logged does not depend on the database, but where it fails (test_canaries.py)."""
    return sqlite_town


class Singer:
    """Sends requests to one operation after the other, each with the next canary."""

    def __init__(self, app: Flask, world: World) -> None:
        self.app = app
        self.canary = itertools.cycle(CANARIES)
        self.sent = 0
        self.refused: list[tuple[str, str]] = []
        by_role = {role: world.phone(world.worker(role, AREAS.get(role, GUANGDE))) for role in Role}
        self.token = {can: by_role[next(role for role in Role if can in GRANTS[role])].token for can in Can}
        visitor = world.worker()
        person = world.person(visitor)
        body = a_visit_body(person, visitors=[str(visitor.worker_id)])
        assert world.phone(visitor).put(f"/visits/{UUID(int=77)}", body).status_code == 201
        self.ids = {
            "person_id": str(person),
            "visit_id": str(UUID(int=77)),
            "worker_id": str(visitor.worker_id),
        }

    def sing(
        self, method: str, path: str, needs: Can, operation: dict[str, Any], schemas: dict[str, Any]
    ) -> None:
        """Put canaries everywhere into requests to one operation."""
        token = {"Authorization": f"Bearer {self.token[needs]}"}
        usual = re.sub(r"\{(\w+)\}", lambda one: self.ids.get(one[1], str(UUID(int=7))), path)
        content = operation.get("requestBody", {}).get("content", {})
        for name in re.findall(r"\{(\w+)\}", path):
            self.send(
                method, usual.replace(self.ids.get(name, str(UUID(int=7))), quote(self.next())), headers=token
            )
        self.send(method, f"{usual}/{quote(self.next())}", headers=token)
        names = [one["name"] for one in operation.get("parameters", []) if one["in"] == "query"]
        for name in [*names, self.next()]:
            self.send(method, usual, headers=token, query_string={name: self.next()})
        for header in HEADERS:
            self.send(method, usual, headers=token | {header: self.next().encode().decode("latin-1")})
        for form in TOKENS:
            said = form.format(*[self.next().encode().decode("latin-1")] * 2)
            self.send(method, usual, headers={"Authorization": said})
        if "application/json" in content:
            self.bodies(method, usual, token, whole_example(content["application/json"]["schema"], schemas))
        if "multipart/form-data" in content:
            self.forms(method, usual, token)

    def bodies(self, method: str, path: str, token: dict[str, str], whole: dict[str, Any]) -> None:
        """Send a body with a canary in each place in turn, as value and as name; and what is no body."""
        for changed in changes(whole, self.next):
            answer = self.send(method, path, headers=token, json=changed)
            if answer.status_code >= 400:  # what was said in a value is not said again
                said = answer.get_data(as_text=True)
                self.refused += [
                    (path, one) for one in found_in(said) - found_in(str(list(names_of(changed))))
                ]
        self.send(method, path, headers=token, json={name: self.next() for name in whole})
        self.send(method, path, headers=token, json=[self.next()])
        self.send(
            method, path, headers=token, data=f'{{"name": "{self.next()}"', content_type="application/json"
        )
        self.send(method, path, headers=token, data=self.next(), content_type=f"text/{IDS[0]}")

    def forms(self, method: str, path: str, token: dict[str, str]) -> None:
        """Upload with canaries as file name, as name and value of fields, as type, and as the boundary."""
        for form in (
            {"file": (io.BytesIO(self.next().encode()), f"{self.next()}.jpg")},
            {"file": (io.BytesIO(b"x"), "a.csv", f"image/{IDS[1]}"), self.next(): self.next()},
            {"file": self.next(), "photo_id": self.next(), "kind": self.next(), "taken_at": self.next()},
            {self.next(): (io.BytesIO(b"x"), self.next())},
        ):
            self.send(method, path, headers=token, data=form, content_type="multipart/form-data")
        said = f"multipart/form-data; boundary={PHONES[3]}"
        self.send(method, path, headers=token, data=f"--{PHONES[3]}\r\n{self.next()}", content_type=said)

    def next(self) -> str:
        return next(self.canary)

    def send(self, method: str, path: str, **request: Any) -> TestResponse:
        self.sent += 1
        answer = self.app.test_client().open(path, method=method, **request)
        assert answer.status_code < 500 or answer.status_code == 503, (method, path, request, answer.text)
        return answer


def changes(body: Any, next_canary: Any) -> Iterator[Any]:
    """Give the body with one place after the other holding a canary: as a value, in a list, as a name."""
    if isinstance(body, dict):
        yield {**body, next_canary(): next_canary()}
        for name, value in body.items():
            yield {**body, name: next_canary()}
            yield {**body, name: [{next_canary(): next_canary()}]}
            for changed in changes(value, next_canary):
                yield {**body, name: changed}
    if isinstance(body, list):
        for changed in changes(body[0], next_canary) if body else ():
            yield [changed]


def names_of(body: Any) -> Iterator[str]:
    """Walk the names of a body, at every depth."""
    if isinstance(body, dict):
        yield from body
    for inner in body.values() if isinstance(body, dict) else body if isinstance(body, list) else ():
        yield from names_of(inner)


@pytest.mark.slow
def test_no_route_lets_a_canary_into_a_log(
    app: Flask, world: World, heard: Heard, capsys: pytest.CaptureFixture[str]
) -> None:
    spec, singer, sung = document(app), Singer(app, world), set()
    for rule in app.url_map.iter_rules():
        path = re.sub(r"<(?:[^:<>]+:)?([^<>]+)>", r"{\1}", rule.rule)
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            operation = spec["paths"].get(path, {}).get(method.lower(), {})
            sung.add((method, path))
            if path == "/api/v1/auth/session":  # signed out, everything after it would end at the door
                continue
            singer.sing(
                method,
                path,
                Can(operation.get("x-needs", "anyone")),
                operation,
                spec["components"]["schemas"],
            )
    for method in (NAMES[0].encode().decode("latin-1"), IDS[2], PHONES[4]):
        singer.send(method, "/healthz")
    logged = everything(heard, capsys)
    assert set(spec["paths"]) <= {path for _, path in sung}
    assert logged.count('"event": "request"') >= singer.sent - 1 > 2_000
    assert found_in(logged) == set()
    assert found_in(app.test_client().get("/metrics").text) == set()
    assert singer.refused == []
    assert json.loads(logged.splitlines()[0])["route"]
