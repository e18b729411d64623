"""How many statements each main request needs, so that none grows unseen, and no list asks once a row."""

import datetime as dt
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from PIL import Image
from sqlalchemy import event

from server.permissions import Actor, Role
from tests.builders.world import SHENGPING, Phone, World
from tests.conftest import Template

FEW, MANY = 3, 12
THIS_MONTH = dt.date(2026, 3, 1)


@pytest.fixture
def template(sqlite_town: Template) -> Template:
    """Give SQLite alone: the statements are the same on PostgreSQL."""
    return sqlite_town


@pytest.fixture
def visitor(world: World) -> Actor:
    return world.worker()


@pytest.fixture
def phone(world: World, visitor: Actor) -> Phone:
    """Give a phone whose process has opened the month and knows the policy numbers, as any but the first request."""
    made = world.phone(visitor)
    first = world.person(visitor)
    assert send(made, first, visitor, uuid4()) == 201
    return made


def send(phone: Phone, person: UUID, visitor: Actor, visit: UUID, **more: object) -> int:
    body = {
        "person_id": str(person),
        "method": "home",
        "purposes": ["routine"],
        "outcome": "met",
        "identity_checked_by": "known",
        "occurred_at": "2026-03-05T09:12:00+08:00",
        "ended_at": "2026-03-05T09:31:00+08:00",
        "client_created_at": "2026-03-05T09:12:04+08:00",
        "visitors": [str(visitor.worker_id)],
        "location": {"latitude": 30.8931, "longitude": 119.4172, "accuracy_m": 25, "datum": "gcj02"},
        "answers": {"food": "adequate"},
        "conclusion": "normal",
        "notes": "一切正常",
        **more,
    }
    return phone.put(f"/visits/{visit}", body).status_code


def listed(statements: list[str]) -> str:
    return "\n".join(" ".join(one.split())[:150] for one in statements)


@contextmanager
def counted(world: World) -> Iterator[list[str]]:
    """Gather the statements that the database itself sees during the block, those that open and end transactions apart."""
    seen: list[str] = []

    def note(statement: str) -> None:
        if statement.split(maxsplit=1)[0] in {"BEGIN", "COMMIT", "ROLLBACK"}:
            return
        # For every statement inside a trigger SQLite tells the one that set it off once more.
        if statement.startswith("SELECT") or statement not in seen[-1:]:
            seen.append(statement)

    def watch(connection: sqlite3.Connection, *_: object) -> None:
        connection.set_trace_callback(note)

    def leave(connection: sqlite3.Connection, *_: object) -> None:
        connection.set_trace_callback(None)

    event.listen(world.house.engine, "checkout", watch)
    event.listen(world.house.engine, "checkin", leave)
    try:
        yield seen
    finally:
        event.remove(world.house.engine, "checkout", watch)
        event.remove(world.house.engine, "checkin", leave)


def test_a_new_visit_takes_six_statements_and_its_repeat_one_more(
    world: World, visitor: Actor, phone: Phone
) -> None:
    person, visit = world.person(visitor, since=THIS_MONTH), uuid4()
    with counted(world) as statements:
        assert send(phone, person, visitor, visit) == 201
    assert len(statements) == 6, listed(statements)
    with counted(world) as statements:
        assert send(phone, person, visitor, visit) == 200
    assert len(statements) <= 8, listed(statements)


def test_a_new_visit_takes_no_more_when_many_were_made(world: World, visitor: Actor, phone: Phone) -> None:
    person = world.person(visitor, since=THIS_MONTH)
    for _ in range(FEW):
        send(phone, person, visitor, uuid4())
    with counted(world) as statements:
        assert send(phone, person, visitor, uuid4()) == 201
    assert len(statements) == 6, listed(statements)


def test_a_visit_after_missed_months_writes_each_of_their_duties(
    world: World, visitor: Actor, phone: Phone
) -> None:
    person = world.person(visitor, since=dt.date(2025, 6, 1))
    with counted(world) as statements:
        assert send(phone, person, visitor, uuid4()) == 201
    assert len(statements) == 8, listed(statements)


def test_photos_that_are_declared_take_one_more_each(world: World, visitor: Actor, phone: Phone) -> None:
    person = world.person(visitor, since=THIS_MONTH)
    photos = [{"id": str(uuid4()), "kind": "room"} for _ in range(9)]
    with counted(world) as statements:
        assert send(phone, person, visitor, uuid4(), photos=photos) == 201
    assert len(statements) == 6 + 9, listed(statements)


def test_reading_one_visit_takes_four(world: World, visitor: Actor, phone: Phone) -> None:
    visit = uuid4()
    send(phone, world.person(visitor), visitor, visit)
    with counted(world) as statements:
        assert phone.get(f"/visits/{visit}").status_code == 200
    assert len(statements) == 4, listed(statements)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Give a small photo."""
    made = tmp_path / "a.jpg"
    Image.new("RGB", (64, 48), "gray").save(made)
    return made


def upload(phone: Phone, visit: UUID, photo: str, file: Path) -> int:
    with file.open("rb") as picture:
        sent = {"photo_id": photo, "file": (picture, "a.jpg")}
        return phone.upload(f"/visits/{visit}/photos", sent).status_code


def test_a_declared_photo_takes_six_and_its_repeat_no_more(
    world: World, visitor: Actor, phone: Phone, file: Path
) -> None:
    visit, photo = uuid4(), str(uuid4())
    send(phone, world.person(visitor), visitor, visit, photos=[{"id": photo, "kind": "room"}])
    for status in (201, 200):
        with counted(world) as statements:
            assert upload(phone, visit, photo, file) == status
        assert len(statements) <= 6, listed(statements)


def test_a_photo_takes_one_more_while_others_are_owed_and_one_more_when_not_declared(
    world: World, visitor: Actor, phone: Phone, file: Path
) -> None:
    visit, photos = uuid4(), [str(uuid4()) for _ in range(9)]
    send(phone, world.person(visitor), visitor, visit, photos=[{"id": one, "kind": "room"} for one in photos])
    for photo, most in ((photos[0], 7), (str(uuid4()), 8)):
        with counted(world) as statements:
            assert upload(phone, visit, photo, file) == 201
        assert len(statements) == most, listed(statements)


def test_a_rendition_already_made_takes_three(world: World, visitor: Actor, phone: Phone, file: Path) -> None:
    visit, photo = uuid4(), str(uuid4())
    send(phone, world.person(visitor), visitor, visit)
    upload(phone, visit, photo, file)
    assert phone.get(f"/photos/{photo}", size="thumb").status_code == 200
    with counted(world) as statements:
        assert phone.get(f"/photos/{photo}", size="thumb").status_code == 200
    assert len(statements) == 3, listed(statements)


LISTS = {
    "/archives": 4,  # who, the page, its people, the ledger
    "/visits": 6,
    "/overdue": 6,
    "/overdue/summary": 5,
    "/reviews/queue": 5,
    "/worklist": 8,
}


@pytest.mark.parametrize(("path", "most"), LISTS.items())
def test_a_list_takes_as_many_for_many_people_as_for_few(
    world: World, visitor: Actor, phone: Phone, path: str, most: int
) -> None:
    asking = phone if path == "/worklist" else world.phone(world.worker(Role.REVIEWER, SHENGPING))
    counts = []
    for more in (FEW, MANY):
        for _ in range(more):
            send(phone, world.person(visitor), visitor, uuid4())
            world.person(visitor)
        asking.get(path)
        with counted(world) as statements:
            answer = asking.get(path)
        assert answer.status_code == 200, answer.json
        assert answer.json["items"]
        counts.append(len(statements))
    assert counts[0] == counts[1], listed(statements)
    assert counts[1] <= most, listed(statements)


def test_a_whole_file_takes_three_however_much_is_in_it(world: World, visitor: Actor, phone: Phone) -> None:
    person = world.person(visitor)
    for _ in range(MANY):
        send(phone, person, visitor, uuid4(), photos=[{"id": str(uuid4()), "kind": "room"}])
    phone.get(f"/archives/{person}")
    with counted(world) as statements:
        answer = phone.get(f"/archives/{person}")
    assert answer.status_code == 200, answer.json
    assert answer.json["counts"]["visits"] == MANY
    assert len(statements) == 3, listed(statements)


def test_a_sync_does_not_grow_with_the_people(world: World, visitor: Actor, phone: Phone) -> None:
    world.person(visitor)
    phone.get("/sync")
    with counted(world) as few:
        phone.get("/sync")
    for _ in range(40):
        send(phone, world.person(visitor), visitor, uuid4())
    with counted(world) as many:
        answer = phone.get("/sync")
    assert answer.status_code == 200, answer.json
    assert len([item for item in answer.json["items"] if item["kind"] == "person"]) > 40
    assert len(many) <= len(few) + 1 <= 13, listed(many)
