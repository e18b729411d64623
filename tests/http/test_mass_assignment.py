"""A column of a table is no field of a body unless its schema says so: refused, and nothing written (TRUST §1).

Bodies come from the OpenAPI document, at every depth; columns from the tables. Whatever is added to either is covered.
"""

import copy
import hashlib
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from PIL import Image
from sqlalchemy import select

from server.http.examples import example_of, resolved
from server.permissions import GRANTS, Can, Role
from server.tables import METADATA
from tests.builders.visits import a_visit_body
from tests.builders.world import GUANGDE, SHENGPING, TUANSHAN, Phone, World
from tests.faults.sizes import LONG

COLUMNS = sorted({column.name for table in METADATA.sorted_tables for column in table.columns})
WRITTEN_BY_REFUSALS = {"ledger_events", "ledger_pending", "ledger_positions", "attempt_counts"}
AREAS = {Role.VISITOR: TUANSHAN, Role.REVIEWER: SHENGPING, Role.CHIEF: SHENGPING}
UNKNOWN = "没有这一项，请检查名称。"
VALUES = ("x", 1, None, True, [], {}, str(UUID(int=5)), "2026-03-05T09:12:00+08:00")
Steps = tuple[str | int, ...]


@dataclass(frozen=True)
class Body:
    """One operation with a JSON body, and a body that fits its schema."""

    method: str
    path: str
    needs: Can
    schema: dict[str, Any]
    valid: dict[str, Any]


def document(app: Flask) -> dict[str, Any]:
    spec: dict[str, Any] = app.test_client().get("/api/v1/openapi.json").json  # type: ignore[assignment]
    return spec


def bodies(spec: dict[str, Any]) -> list[Body]:
    found = []
    for path, item in spec["paths"].items():
        for method, operation in item.items():
            content = operation.get("requestBody", {}).get("content", {}) if method != "parameters" else {}
            if "application/json" in content:
                schema = content["application/json"]["schema"]
                valid = whole_example(schema, spec["components"]["schemas"])
                filled = re.sub(r"\{\w+\}", str(UUID(int=7)), path)
                found.append(Body(method.upper(), filled, Can(operation["x-needs"]), schema, valid))
    assert len(found) > 25
    return found


def whole_example(schema: dict[str, Any], schemas: dict[str, Any]) -> Any:
    """Give a value that fits a schema and holds every field, at every depth."""
    schema = dict(resolved(schema, schemas))
    if "anyOf" in schema:
        return whole_example(schema["anyOf"][0], schemas)
    if "properties" in schema:
        return {name: whole_example(inner, schemas) for name, inner in schema["properties"].items()}
    if "items" in schema:
        return [whole_example(schema["items"], schemas)]
    return example_of(schema, schemas)


def places(
    schema: dict[str, Any], schemas: dict[str, Any], at: Steps = ()
) -> Iterator[tuple[Steps, set[str]]]:
    """Walk every object of a body, with the steps that lead to it and the fields that it has."""
    schema = dict(resolved(schema, schemas))
    if "anyOf" in schema:
        yield from places(schema["anyOf"][0], schemas, at)
    if "properties" in schema:
        yield at, set(schema["properties"])
        for name, inner in schema["properties"].items():
            yield from places(inner, schemas, (*at, name))
    if "items" in schema:
        yield from places(schema["items"], schemas, (*at, 0))


def with_fields(body: Any, at: Steps, fields: dict[str, Any]) -> Any:
    changed = inner = copy.deepcopy(body)
    for step in at:
        inner = inner[step]
    inner |= fields
    return changed


def digests(world: World) -> dict[str, tuple[int, str]]:
    """Give the number of rows and a digest of all tables that a refused request must not touch."""
    found = {}
    with world.house.engine.connect() as connection:
        for table in METADATA.sorted_tables:
            if table.name in WRITTEN_BY_REFUSALS:
                continue
            rows = sorted(repr(tuple(row)) for row in connection.execute(select(table)))
            found[table.fullname] = (len(rows), hashlib.sha256("\n".join(rows).encode()).hexdigest())
    assert len(found) > 25
    return found


@pytest.fixture
def phones(world: World) -> dict[Can, Phone]:
    """Give, for each kind of deed, somebody who may do it."""
    visitor = world.worker()
    person = world.person(visitor)
    visit = a_visit_body(person, visitors=[str(visitor.worker_id)])
    assert world.phone(visitor).put(f"/visits/{UUID(int=77)}", visit).status_code == 201
    by_role = {role: world.phone(world.worker(role, AREAS.get(role, GUANGDE))) for role in Role}
    return {can: by_role[next(role for role in Role if can in GRANTS[role])] for can in Can}


def send(phone: Phone, body: Body, sent: Any) -> tuple[int, dict[str, list[str]]]:
    query = (
        {"revision": 1}
        if body.method == "PUT" and "people/" in body.path and body.path.count("/") == 4
        else {}
    )
    answer = getattr(phone, body.method.lower())(body.path.removeprefix("/api/v1"), sent, **query)
    return answer.status_code, (answer.json or {}).get("errors", {})


def test_every_column_in_every_body_is_refused_by_name(
    app: Flask, world: World, phones: dict[Can, Phone]
) -> None:
    spec, wrong, asked = document(app), [], 0
    before = digests(world)
    for body in bodies(spec):
        for at, known in places(body.schema, spec["components"]["schemas"]):
            foreign = [name for name in COLUMNS if name not in known]
            fields = {name: VALUES[number % len(VALUES)] for number, name in enumerate(foreign)}
            status, errors = send(phones[body.needs], body, with_fields(body.valid, at, fields))
            asked += len(foreign)
            named = {".".join(map(str, (*at, name))) for name in foreign}
            missing = named - set(errors)
            if status != 422 or missing:
                wrong.append((body.method, body.path, at, status, sorted(missing)[:5]))
    assert wrong == []
    assert asked > 5_000
    assert digests(world) == before


def test_each_column_alone_is_refused(app: Flask, world: World, phones: dict[Can, Phone]) -> None:
    """One at a time, beside a body that lacks nothing: in the long form every one, else a share of them."""
    spec, wrong = document(app), []
    before = digests(world)
    for number, body in enumerate(bodies(spec)):
        (at, known), *_ = places(body.schema, spec["components"]["schemas"])
        foreign = [name for name in COLUMNS if name not in known]
        for name in foreign if LONG else foreign[number % 17 :: 17]:
            for value in VALUES if LONG else VALUES[:1]:
                status, errors = send(phones[body.needs], body, with_fields(body.valid, at, {name: value}))
                if status != 422 or errors.get(name) != [UNKNOWN]:
                    wrong.append((body.method, body.path, name, value, status, errors.get(name)))
    assert wrong == []
    assert digests(world) == before


def test_a_column_is_no_field_of_an_upload_either(app: Flask, world: World, phones: dict[Can, Phone]) -> None:
    picture = io.BytesIO()
    Image.new("RGB", (64, 48)).save(picture, "PNG")
    before = digests(world)
    phone = phones[Can.RECORD_FOR_OTHERS]
    for name in COLUMNS:
        if name in {"photo_id", "kind", "taken_at", "sha256"}:
            continue
        form = {"photo_id": str(UUID(int=8)), name: "1", "file": (io.BytesIO(picture.getvalue()), "a.png")}
        answer = phone.upload(f"/visits/{UUID(int=77)}/photos", form)
        assert (answer.status_code, (answer.json or {})["errors"]) == (422, {name: [UNKNOWN]}), name
    assert digests(world) == before


def test_the_same_bodies_without_a_column_are_not_refused_for_one(
    app: Flask, world: World, phones: dict[Can, Phone]
) -> None:
    """The control: the bodies to which columns are added have no unknown field of their own."""
    for body in bodies(document(app)):
        _, errors = send(phones[body.needs], body, body.valid)
        assert UNKNOWN not in [said for sentences in errors.values() for said in sentences], body.path
