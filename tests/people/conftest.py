"""People as these tests register them."""

import datetime as dt
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest

from server.people.models import Person
from server.people.registering import register_person
from server.people.terms import Category, NewEnrolment, NewPerson
from server.permissions import Actor
from tests.builders.world import TUANSHAN, World

Register = Callable[..., UUID]


def id_number(number: int, birth: str = "19500101") -> str:
    """Make a synthetic id number (area 999999) with its check digit."""
    head = f"999999{birth}{number % 1000:03d}"
    weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]
    return head + "10X98765432"[sum(int(a) * b for a, b in zip(head, weights, strict=True)) % 11]


def new_person(number: int = 1, **more: Any) -> NewPerson:
    """Describe a person of Tuanshan, dispersed extremely poor since the middle of 2025."""
    facts: dict[str, Any] = {
        "id": uuid4(),
        "name": "测试甲",
        "village_code": TUANSHAN,
        "id_number": id_number(number),
        "phone": "13900000001",
        "address": "升平街道团山村1号",
        "enrolment": NewEnrolment(uuid4(), Category.TEKUN_DISPERSED, dt.date(2025, 6, 1)),
    }
    return NewPerson(**{**facts, **more})


@pytest.fixture
def registered(world: World) -> Register:
    """Give a function that registers a person, as the house or as somebody, and gives the id."""

    def register(number: int = 1, actor: Actor | None = None, **more: Any) -> UUID:
        world.house.keys.reserve(1)
        with world.work(actor) as work:
            person: Person = register_person(work, new_person(number, **more))
        return person.id

    return register
