"""Regions have dates: renamed and merged from a day on, and people move along when the day has come."""

from typing import Any

from sqlalchemy import select

from server.accounts.models import RoleGrant
from server.people.models import Household, Person
from server.permissions import Role
from server.schedule.models import Duty
from tests.archives.test_archives import add, found
from tests.builders.world import QIANCUN, SHENGPING, TUANSHAN, World
from tests.people.conftest import id_number

__all__ = ["add"]  # a fixture


def named(phone: Any, code: str, **query: object) -> list[str]:
    """Give the name that a code bears."""
    return [one["name"] for one in phone.get("/regions", area=code, **query).json["items"]]


def test_regions_are_listed_by_code_in_pages_on_any_day(world: World) -> None:
    visitor = world.phone(world.worker())
    assert [one["code"] for one in visitor.get("/regions").json["items"]] == [TUANSHAN]
    first = visitor.get("/regions", area=SHENGPING, limit=2).json
    rest = visitor.get("/regions", area=SHENGPING, cursor=first["next_cursor"]).json
    codes = [one["code"] for one in first["items"] + rest["items"]]
    assert codes[0] == SHENGPING
    assert codes == sorted(set(codes))
    assert visitor.get("/regions", area=SHENGPING, on="2019-12-31").json["items"] == []
    for query in ({"area": "34188\U0010ffff"}, {"area": ""}, {"cursor": "WyJcdTAwMDAiXQ"}):
        assert visitor.get("/regions", **query).status_code == 422


def test_a_new_name_holds_from_its_day_on(world: World) -> None:
    person = world.person()
    boss, chief = world.phone(world.boss), world.phone(world.worker(Role.CHIEF, SHENGPING))
    sent = {"code": TUANSHAN, "name": "新团山村", "on": "2026-04-01"}
    assert boss.post("/regions/renames", sent).status_code == 201
    assert boss.post("/regions/renames", sent).status_code == 201
    assert named(boss, TUANSHAN) == ["团山村"]
    assert named(boss, TUANSHAN, on="2026-04-01") == ["新团山村"]
    assert chief.get(f"/archives/{person}").json["person"]["village"]["name"] == "团山村"
    world.clock.set("2026-04-01T09:00:00+08:00")
    boss, chief = world.phone(boss.actor), world.phone(chief.actor)  # the sessions have ended meanwhile
    assert chief.get(f"/archives/{person}").json["person"]["village"]["name"] == "新团山村"
    assert boss.post("/regions/renames", {**sent, "name": "又一名"}).status_code == 422
    assert boss.post("/regions/renames", {**sent, "code": "341881001001"}).status_code == 404
    assert chief.post("/regions/renames", sent).status_code == 403


def test_a_merge_takes_people_duties_households_and_workers_along(world: World, add: Any) -> None:
    visitor = world.worker()
    person = add(1, "张明", visitor, household_number="12")
    stays = add(2, "李四", village_code=QIANCUN, household_number="12")
    boss, chief = world.phone(world.boss), world.phone(world.worker(Role.CHIEF, SHENGPING))
    sent = {"codes": [TUANSHAN], "into": QIANCUN, "on": "2026-03-05"}
    answer = boss.post("/regions/merges", sent)
    assert (answer.status_code, answer.json) == (201, {"ended": 1, "people": 1})
    assert boss.post("/regions/merges", sent).json == {"ended": 0, "people": 0}
    with world.work() as work:
        people = work.session.scalars(select(Person)).all()
        assert {one.village_code for one in people} == {QIANCUN}
        assert {one.village_code for one in work.session.scalars(select(Duty))} == {QIANCUN}
        numbers = {one.number for one in work.session.scalars(select(Household))}
        assert len(numbers) == 2
        grants = work.session.scalars(
            select(RoleGrant.area_code).where(
                RoleGrant.worker_id == visitor.worker_id, RoleGrant.to_at.is_(None)
            )
        ).all()
        assert grants == [QIANCUN]
    overdue = chief.get("/overdue", village=QIANCUN).json["items"]
    assert {item["person"]["person_id"] for item in overdue} == {str(person), str(stays)}
    assert len(world.phone(visitor).get("/worklist").json["items"]) == 1


def test_over_a_township_border_the_last_four_are_found_in_the_new_township(world: World, add: Any) -> None:
    add(1, "张明")
    boss = world.phone(world.boss)
    into = next(
        one["code"] for one in boss.get("/regions", area="341882101").json["items"] if len(one["code"]) == 12
    )
    assert boss.post("/regions/merges", {"codes": [TUANSHAN], "into": into, "on": "2026-03-01"}).json == {
        "ended": 1,
        "people": 1,
    }
    there = world.phone(world.worker(Role.CHIEF, "341882101"))
    assert found(there, query=id_number(1)[-4:]) == ["张明"]
    assert found(world.phone(world.worker(Role.CHIEF, SHENGPING))) == []


def test_a_merge_to_come_moves_nobody_before_its_day(world: World) -> None:
    person = world.person()
    boss = world.phone(world.boss)
    sent = {"codes": [TUANSHAN], "into": QIANCUN, "on": "2026-04-01"}
    assert boss.post("/regions/merges", sent).json == {"ended": 1, "people": 0}
    runner = world.app.test_cli_runner()
    assert "moved 0" in runner.invoke(args=["regions", "move"]).output
    assert named(boss, TUANSHAN) == ["团山村"]
    world.clock.set("2026-04-01T00:10:00+08:00")
    assert named(world.phone(world.boss), TUANSHAN) == []
    assert "moved 1" in runner.invoke(args=["regions", "move"]).output
    assert "moved 0" in runner.invoke(args=["regions", "move"]).output
    with world.work() as work:
        assert work.session.get_one(Person, person).village_code == QIANCUN


def test_merges_that_cannot_be_are_refused(world: World) -> None:
    boss = world.phone(world.boss)
    for codes, into, status in (
        ([SHENGPING], "341882101", 422),  # its villages first
        ([TUANSHAN], SHENGPING, 422),  # another level
        (["341882003999"], QIANCUN, 404),
        ([TUANSHAN], "341882003999", 404),
        (["341881001001"], QIANCUN, 404),
    ):
        answer = boss.post("/regions/merges", {"codes": codes, "into": into, "on": "2026-03-05"})
        assert answer.status_code == status, (codes, into, answer.json)
    early = {"codes": [TUANSHAN], "into": QIANCUN, "on": "2020-01-01"}
    assert boss.post("/regions/merges", early).status_code == 422
    assert world.phone(world.worker(Role.CHIEF, SHENGPING)).post("/regions/merges", early).status_code == 403
