"""After an emergency people must be seen within hours; each is a duty of its own (DOMAIN §1.4 V3)."""

import datetime as dt
import json
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from server.permissions import Role
from server.schedule.models import Duty, Emergency
from tests.builders.world import GUANGDE, QIANCUN, SHENGPING, TUANSHAN, Phone, World
from tests.visits.test_recording import body

NOW = "2026-03-05T12:00:00+08:00"


def emergency(**changes: Any) -> dict[str, Any]:
    """Write a declaration: extreme weather in Shengping since noon."""
    return {
        "id": str(uuid4()),
        "kind": "extreme_weather",
        "happened_at": NOW,
        "area_code": SHENGPING,
        "note": "暴雪",
        **changes,
    }


def owed(world: World, person: UUID) -> list[Duty]:
    """Read a person's emergency duties."""
    with world.work() as work:
        return list(
            work.session.scalars(
                select(Duty).where(Duty.person_id == person, Duty.kind == "emergency").order_by(Duty.due_at)
            )
        )


@pytest.fixture
def chief(world: World) -> Phone:
    """Give the township's chief at a phone."""
    return world.phone(world.worker(Role.CHIEF, SHENGPING))


def test_everybody_in_the_area_is_owed_a_visit_within_a_day(world: World, chief: Phone) -> None:
    visitor = world.worker()
    mine, next_door = world.person(visitor), world.person(village=QIANCUN)
    elsewhere = world.person(village="341882101200")
    answer = chief.post("/emergencies", emergency())
    assert answer.status_code == 201, answer.json
    assert (answer.json["people"], answer.json["hours"]) == (2, 24)
    assert answer.json["due_at"] == "2026-03-06T12:00:00+08:00"
    for person in (mine, next_door):
        duty = owed(world, person)[0]
        assert (duty.due_on.isoformat(), duty.required) == ("2026-03-06", 1)
    assert owed(world, elsewhere) == []
    with world.work() as work:
        assert "暴雪" not in str(work.session.scalars(select(Emergency)).one().note_sealed)


def test_the_phone_learns_of_it_by_the_next_sync(world: World, chief: Phone) -> None:
    visitor = world.worker()
    world.person(visitor)
    phone = world.phone(visitor)
    cursor = phone.get("/sync").json["next_cursor"]
    chief.post("/emergencies", emergency())
    items = phone.get("/sync", cursor=cursor).json["items"]
    assert "emergency" in {item["data"]["kind"] for item in items if item["kind"] == "duty"}


def test_a_visit_within_the_day_meets_every_emergency_that_it_falls_into(world: World, chief: Phone) -> None:
    visitor = world.worker()
    person = world.person(visitor)
    chief.post("/emergencies", emergency(happened_at="2026-03-05T08:00:00+08:00"))
    chief.post("/emergencies", emergency(happened_at="2026-03-05T09:00:00+08:00", kind="disaster"))
    assert len(owed(world, person)) == 2
    answer = world.phone(visitor).put(f"/visits/{uuid4()}", body(person, visitor.worker_id))
    assert answer.status_code == 201
    assert [str(duty.met_on) for duty in owed(world, person)] == ["2026-03-05", "2026-03-05"]


def test_a_visit_filed_before_the_declaration_counts(world: World, chief: Phone) -> None:
    visitor = world.worker()
    person = world.person(visitor)
    world.phone(visitor).put(f"/visits/{uuid4()}", body(person, visitor.worker_id))
    chief.post("/emergencies", emergency(happened_at="2026-03-05T08:00:00+08:00"))
    assert str(owed(world, person)[0].met_on) == "2026-03-05"


def test_unmet_it_is_overdue_on_the_day_after_and_the_window_is_to_the_second(
    world: World, chief: Phone
) -> None:
    visitor = world.worker()
    person = world.person(visitor)
    phone = world.phone(visitor)
    sent = body(person, visitor.worker_id)
    phone.put(f"/visits/{uuid4()}", sent)  # the routine visit of the month, before it happened
    chief.post("/emergencies", emergency())
    assert phone.get("/worklist").json["items"][0]["duty"]["state"] == "due_soon"
    world.clock.set("2026-03-06T23:00:00+08:00")
    assert chief.get("/overdue").json["items"] == []
    world.clock.set("2026-03-07T00:30:00+08:00")
    items = chief.get("/overdue").json["items"]
    assert [(item["due_on"], item["days_overdue"]) for item in items] == [("2026-03-06", 1)]
    known = chief.get("/overdue", known_at="2026-03-07T00:10:00+08:00").json["items"]
    assert known == items
    late = {**sent, "occurred_at": "2026-03-06T12:00:01+08:00", "ended_at": "2026-03-06T12:20:00+08:00"}
    late["client_created_at"] = "2026-03-06T12:21:00+08:00"
    phone.put(f"/visits/{uuid4()}", late)
    assert owed(world, person)[0].met_on is None
    in_time = {**late, "occurred_at": "2026-03-06T12:00:00+08:00"}
    phone.put(f"/visits/{uuid4()}", in_time)
    assert str(owed(world, person)[0].met_on) == "2026-03-06"


def test_named_people_only_and_what_was_known_before_knows_nothing_of_it(world: World, chief: Phone) -> None:
    recently = dt.date(2026, 2, 25)  # too late to owe February
    one, other = world.person(since=recently), world.person(since=recently)
    world.clock.move(hours=1)
    answer = chief.post(
        "/emergencies",
        emergency(area_code=None, person_ids=[str(one)], kind="hospital_discharge", hours=2, note=None),
    )
    assert (answer.status_code, answer.json["people"], answer.json["area_code"]) == (201, 1, None)
    assert len(owed(world, one)) == 1
    assert owed(world, other) == []
    world.clock.move(days=3)
    before = chief.get("/overdue", as_of="2026-03-06", known_at=NOW).json["items"]
    since = chief.get("/overdue", as_of="2026-03-06", known_at="2026-03-05T13:00:00+08:00").json["items"]
    assert before == []
    assert [item["person"]["person_id"] for item in since] == [str(one)]


def test_a_repeat_is_harmless_and_another_under_the_id_is_not(world: World, chief: Phone) -> None:
    person = world.person()
    sent = emergency()
    assert chief.post("/emergencies", sent).status_code == 201
    assert chief.post("/emergencies", sent).status_code == 200
    assert len(owed(world, person)) == 1
    other = chief.post("/emergencies", {**sent, "hours": 12})
    assert (other.status_code, other.json["code"]) == (409, "emergency_conflict")


def test_what_cannot_be_is_refused(world: World, chief: Phone) -> None:
    elsewhere = world.person(village="341882101200")
    for changes, field in (
        ({"area_code": None}, "area_code"),
        ({"person_ids": [str(elsewhere)]}, "area_code"),
        ({"area_code": GUANGDE}, "area_code"),
        ({"area_code": "341882003999"}, "area_code"),
        ({"happened_at": "2026-03-05T12:30:00+08:00"}, "happened_at"),
    ):
        answer = chief.post("/emergencies", emergency(**changes))
        assert (answer.status_code, list(answer.json["errors"])) == (422, [field]), changes
    assert chief.post("/emergencies", emergency(hours=0)).status_code == 422
    unseen = chief.post("/emergencies", emergency(area_code=None, person_ids=[str(elsewhere)]))
    assert unseen.status_code == 404
    assert world.phone(world.worker(Role.REVIEWER, SHENGPING)).post("/emergencies", {}).status_code in {
        403,
        422,
    }


def test_the_command_declares_as_the_house(world: World) -> None:
    person = world.person()
    runner, number = world.app.test_cli_runner(), str(uuid4())
    told = [
        "emergencies", "declare", "--id", number, "--kind", "disaster", "--happened-at", NOW, "--area", TUANSHAN,
    ]  # fmt: skip
    first = runner.invoke(args=told)
    assert first.exit_code == 0, first.output
    assert json.loads(first.output) == {"id": number, "new": True, "people": 1}
    assert json.loads(runner.invoke(args=told).output)["new"] is False
    assert len(owed(world, person)) == 1
    assert runner.invoke(args=[*told[:7], "2026-03-05 12:00", *told[8:]]).exit_code != 0
