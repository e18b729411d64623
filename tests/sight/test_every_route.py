"""Every route of the url map for everybody who may ask: nothing leaks, in body, in effort or in time (TRUST §1).

`test_matrix.py` asks about files those who may ask at all. Here: whoever may not get in is told the same about each
kind of person; what is out of sight costs the statements of what is not there; and every other route, a new one too,
is asked with the ids of hidden people in its body.
"""

import re
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from server.permissions import Actor, Can, Role, may
from tests.architecture.test_statements import counted as all_statements
from tests.builders.world import GUANGDE, Phone, World
from tests.conftest import Template
from tests.faults.sizes import seen, size
from tests.http.test_mass_assignment import document, whole_example
from tests.sight.test_matrix import KINDS, ROLES, SEEN_BY, Target, Township, ask, looks, subjects, township

__all__ = ["township"]
BLIND = (Role.ADMINISTRATOR, Role.AUDITOR)
ROUNDS = size("FAULT_SIGHT_ROUNDS", short=9, long=200)
PERSONAL = {
    "person_id": "person",
    "household_id": "person",
    "visit_id": "visit",
    "photo_id": "photo",
    "problem_id": "problem",
}
ANY_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


VALUE = re.compile(r"X?'[^']*'|\bNULL\b|\b\d+(\.\d+)?\b")


@pytest.fixture
def template(sqlite_town: Template) -> Template:
    """Give SQLite alone, which tells every statement that it is sent; test_matrix.py asks both databases."""
    return sqlite_town


@contextmanager
def counted(world: World) -> Iterator[list[str]]:
    """Gather what the database itself sees during the block, without the values; empty columns are left out of inserts."""
    found: list[str] = []
    with all_statements(world) as seen_there:
        yield found
    found += [
        one.split(" (", 1)[0] if one.startswith("INSERT") else VALUE.sub("?", " ".join(one.split()))
        for one in seen_there
    ]


def outsiders(township: Township) -> dict[str, Phone]:
    """Give those who get no further than the door: nobody, and a token that was revoked."""
    gone = township.world.phone(township.askers[Role.CHIEF])
    assert gone.delete("/auth/session").status_code == 204
    nobody = Actor(UUID(int=3), Role.VISITOR, GUANGDE)
    return {"revoked": gone, "nobody": Phone(township.world.app, "", nobody)}


def test_whoever_may_not_get_in_is_told_the_same_about_each_kind(app: Flask, township: Township) -> None:
    world = township.world
    phones = {role.value: world.phone(world.worker(role, GUANGDE)) for role in BLIND}
    phones |= {role.value: phone for role, phone in township.phones.items()} | outsiders(township)
    wrong, asked = [], 0
    for name, phone in phones.items():
        for method, path, needs in subjects(app):
            expected = 401 if name in {"revoked", "nobody"} else 403
            if expected == 403 and may(phone.actor.role, needs):
                assert name not in BLIND
                continue
            with counted(world) as first:
                told = looks(ask(phone, method, path, township.targets["not there"]))
            for kind in sorted(KINDS - {"not there"}):
                asked += 1
                with counted(world) as statements:
                    answer = looks(ask(phone, method, path, township.targets[kind]))
                if answer != told or answer[0] != expected or statements != first:
                    wrong.append((name, method, path, kind, answer[0], len(statements), len(first)))
    assert wrong == []
    assert asked > 500


def test_what_is_out_of_sight_costs_what_is_not_there(app: Flask, township: Township) -> None:
    wrong, asked = [], 0
    for role in ROLES:
        phone = township.phones[role]
        for method, path, needs in subjects(app):
            if not may(role, needs):
                continue
            ask(phone, method, path, township.targets["not there"])  # what a process learns once
            with counted(township.world) as nothing:
                ask(phone, method, path, township.targets["not there"])
            assert len(nothing) > 2
            for kind in sorted(KINDS - SEEN_BY[role] - {"not there"}):
                asked += 1
                with counted(township.world) as statements:
                    ask(phone, method, path, township.targets[kind])
                # Sending a visit, what is there is looked at from the other end: as many reads, in another order.
                same = statements == nothing or (method == "PUT" and len(statements) == len(nothing))
                if not same:
                    wrong.append((role.value, method, path, kind, statements, nothing))
    assert not wrong, f"{len(wrong)} of {asked}: {sorted({one[1:3] for one in wrong})}, first: {wrong[0]}"
    assert asked > 100


def others(app: Flask) -> list[tuple[str, str, Can, Any]]:
    """List every operation that takes no id of a file in its path, with a body that fits."""
    spec = document(app)
    about_files = {(method, path) for method, path, _ in subjects(app)}
    found = []
    for rule in app.url_map.iter_rules():
        path = rule.rule.removeprefix("/api/v1")
        if path == rule.rule or rule.endpoint.startswith(("docs.", "api-docs.")):
            continue
        described = re.sub(r"<(?:[^:<>]+:)?([^<>]+)>", r"{\1}", rule.rule)
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            if (method, path) in about_files or path == "/auth/session":
                continue
            operation = spec["paths"][described][method.lower()]  # a route that is not described fails here
            content = operation.get("requestBody", {}).get("content", {}).get("application/json")
            body = whole_example(content["schema"], spec["components"]["schemas"]) if content else None
            found.append((method, path, Can(operation["x-needs"]), body))
    assert len(found) > 25
    return found


def about(body: Any, target: Target, name: str = "") -> Any:
    """Put the ids of a target wherever a body names a person, a visit or a photo."""
    if isinstance(body, dict):
        return {key: about(value, target, key) for key, value in body.items()}
    if isinstance(body, list):
        return [about(value, target, name.removesuffix("s")) for value in body]
    return str(getattr(target, PERSONAL[name])) if name in PERSONAL else body


def send(phone: Phone, method: str, path: str, body: Any) -> TestResponse:
    path = re.sub(r"<uuid:\w+>", str(UUID(int=9)), path)
    path = re.sub(r"<\w+>", "a.key", path)
    if method in {"POST", "PUT"}:
        return getattr(phone, method.lower())(path, body)  # type: ignore[no-any-return]
    return getattr(phone, method.lower())(path)  # type: ignore[no-any-return]


def test_no_other_route_tells_of_anybody_out_of_sight(app: Flask, township: Township) -> None:
    world = township.world
    phones = {role: world.phone(world.worker(role, GUANGDE)) for role in BLIND} | township.phones
    asked_by: list[tuple[str, Phone, set[str]]] = [
        (role.value, phone, KINDS - SEEN_BY.get(role, set()) - {"not there"})
        for role, phone in phones.items()
    ]
    asked_by += [(name, phone, KINDS - {"not there"}) for name, phone in outsiders(township).items()]
    wrong = []
    for name, phone, hidden in asked_by:
        for method, path, needs, body in others(app):
            if name == Role.ADMINISTRATOR and path in {"/regions/merges", "/regions/renames"}:
                continue  # these change the regions for whoever asks next; they name nobody
            nothing = send(phone, method, path, about(body, township.targets["not there"]))
            if name in {"revoked", "nobody"} and needs is not Can.ANYONE and nothing.status_code != 401:
                wrong.append((name, method, path, nothing.status_code))
            ids = {
                str(one)
                for kind in hidden
                for one in (
                    township.targets[kind].person,
                    township.targets[kind].visit,
                    township.targets[kind].photo,
                    township.targets[kind].problem,
                )
            }
            told = {one for one in ids if one.encode() in nothing.data}
            if told:
                wrong.append((name, method, path, "unasked", told))
            if about(body, township.targets["own"]) == body:
                continue  # nobody can be named in it
            for kind in sorted(hidden):
                answer = send(phone, method, path, about(body, township.targets[kind]))
                if shape(answer) != shape(nothing):
                    wrong.append((name, method, path, kind, answer.text, nothing.text))
    assert wrong == []


def shape(answer: TestResponse) -> tuple[object, ...]:
    return answer.status_code, ANY_ID.sub("id", answer.get_data(as_text=True) if answer.is_json else "")


@pytest.mark.slow
def test_what_is_out_of_sight_takes_the_time_of_what_is_not_there(app: Flask, township: Township) -> None:
    """Medians of turns about, by processor time: the statements are the same, and so is the work on them."""
    phone, rows = township.phones[Role.VISITOR], []
    reads = [
        (method, path)
        for method, path, needs in subjects(app)
        if method == "GET" and may(Role.VISITOR, needs)
    ]
    assert len(reads) >= 5
    for method, path in reads:
        taken: dict[str, list[float]] = {"not there": [], "far": []}
        for _ in range(ROUNDS):
            for kind, times in taken.items():
                began = time.process_time()
                assert ask(phone, method, path, township.targets[kind]).status_code == 404
                times.append(time.process_time() - began)
        medians = {kind: statistics.median(times) * 1000 for kind, times in taken.items()}
        rows.append((path, medians["far"], medians["not there"]))
    seen(
        "out of sight and not there, ms",
        "; ".join(f"{path} {far:.2f} {none:.2f}" for path, far, none in rows),
    )
    ratios = [far / none for _, far, none in rows]
    assert all(0.7 < ratio < 1.4 for ratio in ratios), rows
    assert 0.85 < statistics.median(ratios) < 1.15, rows
