"""Who moved is counted, on a past day and by what was known then, where they lived; today's sight says who sees them."""

from collections import Counter
from uuid import UUID

import pytest
from sqlalchemy import select

from server.people.models import Dwelling, Person
from server.permissions import Role
from tests.builders.world import QIANCUN, SHENGPING, TUANSHAN, Phone, World

ELSEWHERE = "341882101001"
BEFORE = "2026-03-05T11:00:00+08:00"


def move(phone: Phone, person: UUID, village: str) -> None:
    revision = phone.get(f"/people/{person}").json["revision"]
    answer = phone.put(f"/people/{person}", {"village_code": village}, revision=revision)
    assert answer.status_code == 200, answer.json


def villages(phone: Phone, **asked: str) -> dict[str, str]:
    answer = phone.get("/overdue", **asked)
    assert answer.status_code == 200, answer.json
    return {one["person"]["person_id"]: one["person"]["village"]["code"] for one in answer.json["items"]}


def counts(phone: Phone, **asked: str) -> dict[str, int]:
    items = phone.get("/overdue/summary", **asked).json["items"]
    return {one["village"]["code"]: one["overdue"] for one in items}


@pytest.fixture
def chief(world: World) -> Phone:
    return world.phone(world.worker(Role.CHIEF, SHENGPING))


def test_after_a_move_the_past_is_as_it_was(world: World, chief: Phone) -> None:
    moves, stays = world.person(), world.person()
    world.clock.set("2026-03-10T12:00:00+08:00")
    chief = world.phone(chief.actor)
    move(chief, moves, QIANCUN)
    world.clock.set("2026-03-12T12:00:00+08:00")
    chief = world.phone(chief.actor)
    both = {str(moves): TUANSHAN, str(stays): TUANSHAN}
    for then in ({"known_at": "2026-03-09T12:00:00+08:00"}, {"as_of": "2026-03-09"}):
        assert villages(chief, **then) == both
        assert villages(chief, village=TUANSHAN, **then) == both
        assert villages(chief, village=QIANCUN, **then) == {}
    for now in ({}, {"as_of": "2026-03-10"}, {"known_at": "2026-03-10T12:00:00+08:00"}):
        assert villages(chief, **now) == both | {str(moves): QIANCUN}
        assert villages(chief, village=TUANSHAN, **now) == {str(stays): TUANSHAN}
        assert villages(chief, village=QIANCUN, **now) == {str(moves): QIANCUN}
    assert counts(chief, as_of="2026-03-09") == {TUANSHAN: 4}  # January and February, each
    assert counts(chief, as_of="2026-03-10") == counts(chief) == {TUANSHAN: 2, QIANCUN: 2}
    # what was known on the ninth of the twelfth: nobody had moved
    assert villages(chief, as_of="2026-03-12", known_at="2026-03-09T12:00:00+08:00") == both
    # and what is known now of the ninth
    assert villages(chief, as_of="2026-03-09", known_at="2026-03-12T12:00:00+08:00") == both


def test_there_and_back_in_one_day_leaves_where_they_live(world: World, chief: Phone) -> None:
    person = world.person()
    world.clock.set("2026-03-10T12:00:00+08:00")
    chief = world.phone(chief.actor)
    move(chief, person, QIANCUN)
    world.clock.set("2026-03-10T13:00:00+08:00")
    move(chief, person, TUANSHAN)
    world.clock.set("2026-03-10T14:00:00+08:00")
    assert villages(chief) == villages(chief, as_of="2026-03-09") == {str(person): TUANSHAN}
    assert villages(chief, known_at="2026-03-10T12:30:00+08:00") == {str(person): QIANCUN}


def test_a_merge_holds_from_its_day_but_was_not_known_before(world: World, chief: Phone) -> None:
    person = world.person()
    world.clock.set("2026-03-10T12:00:00+08:00")
    merged = {"codes": [TUANSHAN], "into": QIANCUN, "on": "2026-03-03"}
    assert world.phone(world.boss).post("/regions/merges", merged).status_code == 201
    world.clock.set("2026-03-10T13:00:00+08:00")
    chief = world.phone(chief.actor)
    assert villages(chief, as_of="2026-03-02") == {str(person): TUANSHAN}
    assert villages(chief, as_of="2026-03-03") == villages(chief) == {str(person): QIANCUN}
    assert villages(chief, as_of="2026-03-09", known_at="2026-03-09T12:00:00+08:00") == {
        str(person): TUANSHAN
    }


def test_who_sees_a_person_today_sees_them_then_and_nobody_else_does(world: World, chief: Phone) -> None:
    person, noise = world.person(), world.person()
    world.clock.set("2026-03-10T12:00:00+08:00")
    county = world.worker(Role.COUNTY_INSPECTOR, "341882")
    merged = {"codes": [TUANSHAN], "into": ELSEWHERE, "on": "2026-03-10"}
    assert world.phone(world.boss).post("/regions/merges", merged).status_code == 201
    world.clock.set("2026-03-12T12:00:00+08:00")
    there = world.phone(world.worker(Role.CHIEF, "341882101"))
    for then in ({"as_of": "2026-03-09"}, {"known_at": "2026-03-09T12:00:00+08:00"}):
        seen = {str(person): TUANSHAN, str(noise): TUANSHAN}
        assert villages(world.phone(chief.actor), **then) == {}
        assert villages(world.phone(chief.actor), village=TUANSHAN, **then) == {}
        assert villages(there, **then) == villages(there, village=TUANSHAN, **then) == seen
        assert villages(world.phone(county), village=SHENGPING, **then) == seen


def test_where_they_live_is_always_the_one_dwelling_without_an_end(world: World, chief: Phone) -> None:
    people = [world.person() for _ in range(3)]
    world.clock.set("2026-03-10T12:00:00+08:00")
    chief = world.phone(chief.actor)
    move(chief, people[0], QIANCUN)
    merged = {"codes": [TUANSHAN], "into": QIANCUN, "on": "2026-03-10"}
    assert world.phone(world.boss).post("/regions/merges", merged).status_code == 201
    with world.work() as work:
        now = select(Dwelling).where(Dwelling.superseded_at.is_(None), Dwelling.valid_to.is_(None))
        live = {one.person_id: one.village_code for one in work.session.scalars(now)}
        assert live == {one.id: one.village_code for one in work.session.scalars(select(Person))}
        kept = Counter(work.session.scalars(select(Dwelling.person_id)))
        assert kept == dict.fromkeys(
            people, 3
        )  # what was believed first, and the two that followed from the move
