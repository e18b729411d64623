"""How a record comes to stand up to inspection, and a problem to be put right: told through the API, as it is lived."""

import io
from typing import Any
from uuid import UUID, uuid4

import pytest

from server.permissions import Role
from tests.builders.world import GUANGDE, SHENGPING, Phone, World
from tests.journeys.test_a_day_on_a_phone import at, picture, pull

URGENT = {"code": "bare_wire", "severity": "urgent", "description": "灶间电线裸露打火", "photo_ids": []}
HIGH = {"code": "old_wiring", "severity": "high", "description": "堂屋电线老化", "photo_ids": []}


@pytest.fixture
def phone(world: World) -> Phone:
    return world.phone(world.worker())


@pytest.fixture
def reviewer(world: World) -> Phone:
    return world.phone(world.worker(Role.REVIEWER, SHENGPING))


@pytest.fixture
def chief(world: World) -> Phone:
    return world.phone(world.worker(Role.CHIEF, SHENGPING))


def decide(by: Phone, visit: UUID, decision: str, revision: int, reason: str | None = None) -> Any:
    return by.post(
        f"/visits/{visit}/decisions", {"decision": decision, "revision": revision, "reason": reason}
    )


def queue(by: Phone, **query: Any) -> list[str]:
    return [one["id"] for one in by.get("/reviews/queue", **query).get_json()["items"]]


def test_a_death_is_returned_corrected_and_accepted_by_two(
    world: World, phone: Phone, reviewer: Phone, chief: Phone
) -> None:
    person, visit = world.person(phone.actor), uuid4()
    sent = at(world, phone, person, outcome="dead", identity_checked_by=None, answers={})
    assert phone.put(f"/visits/{visit}", sent).status_code == 201
    _, cursor = pull(phone)

    assert queue(reviewer) == [str(visit)]
    returned = decide(reviewer, visit, "return", 1, "请写明去世日期和由谁告知")
    assert (returned.status_code, returned.get_json()["state"]) == (201, "returned")
    assert queue(reviewer) == []

    (told,) = (one["data"] for one in pull(phone, cursor)[0] if one["kind"] == "visit")
    assert (told["state"], told["state_reason"]) == ("returned", "请写明去世日期和由谁告知")
    corrected = {**sent, "notes": "三月四日凌晨去世，儿子电话告知"}
    assert phone.put(f"/visits/{visit}", corrected, revision=told["revision"]).status_code == 200

    assert queue(reviewer, part="resubmitted") == [str(visit)]
    first = decide(reviewer, visit, "accept", 3).get_json()
    assert (first["state"], first["awaiting_second"]) == ("submitted", True)
    assert (queue(reviewer), queue(chief, part="awaiting_second")) == ([], [str(visit)])
    second = decide(chief, visit, "accept", first["revision"]).get_json()
    assert (second["state"], second["awaiting_second"]) == ("accepted", False)

    story = [
        (one["kind"], one.get("decision"), one["by"]["name"])
        for one in chief.get(f"/visits/{visit}/history").get_json()["items"]
    ]
    assert story == [
        ("recorded", None, phone.actor.name),
        ("decided", "return", reviewer.actor.name),
        ("corrected", None, phone.actor.name),
        ("decided", "accept", reviewer.actor.name),
        ("decided", "accept", chief.actor.name),
    ]


def test_a_problem_is_found_fixed_checked_sent_back_fixed_again_and_closed(
    world: World, phone: Phone, reviewer: Phone
) -> None:
    person, visit = world.person(phone.actor), uuid4()
    sent = at(world, phone, person, problems=[HIGH], no_photo_reason="停电")
    assert phone.put(f"/visits/{visit}", sent).status_code == 201

    (mine,) = phone.get("/problems", mine="true").get_json()["items"]
    assert (mine["state"], mine["due_on"], mine["days_overdue"]) == ("open", "2026-03-12", 0)
    steps = f"/problems/{mine['id']}/steps"
    said = {"step": "answer", "revision": 1, "note": "已换线"}
    assert phone.post(steps, said).get_json()["state"] == "answered"

    world.clock.set("2026-03-06T09:00:00+08:00")
    phone, reviewer = world.phone(phone.actor), world.phone(reviewer.actor)
    (waiting,) = reviewer.get("/problems", state="answered").get_json()["items"]
    back = reviewer.post(
        steps, {"step": "reopen", "revision": waiting["revision"], "note": "请附换线后的照片"}
    )
    assert back.get_json()["state"] == "reopened"

    world.clock.set("2026-03-07T09:00:00+08:00")
    again, photo = uuid4(), str(uuid4())
    shown = at(world, phone, person, photos=[{"id": photo, "kind": "hazard"}])
    assert phone.put(f"/visits/{again}", shown).status_code == 201
    form = {"file": (io.BytesIO(picture()), "a.png"), "photo_id": photo}
    assert phone.upload(f"/visits/{again}/photos", form).status_code == 201
    (mine,) = phone.get("/problems", mine="true").get_json()["items"]
    assert mine["state"] == "reopened"
    evidence = {"visit_id": str(again), "photo_ids": [photo], "note": "电工已换线，见照片"}
    done = phone.post(steps, {"step": "answer", "revision": mine["revision"], **evidence})
    assert done.status_code == 201, done.get_json()
    assert phone.post(steps, {"step": "close", "revision": 4}).status_code == 403

    closed = reviewer.post(steps, {"step": "close", "revision": 4, "note": "照片属实"}).get_json()
    assert (closed["state"], [one["step"] for one in closed["steps"]]) == (
        "closed",
        ["answer", "reopen", "answer", "close"],
    )
    assert phone.get("/problems", mine="true").get_json()["items"] == []
    file = reviewer.get(f"/archives/{person}").get_json()
    assert [(one["code"], one["state"]) for one in file["problems"]] == [("old_wiring", "closed")]


def test_a_problem_that_nobody_sees_to_climbs_until_somebody_does(
    world: World, phone: Phone, reviewer: Phone, chief: Phone
) -> None:
    person, visit = world.person(phone.actor), uuid4()
    sent = at(world, phone, person, problems=[URGENT], no_photo_reason="停电")
    assert phone.put(f"/visits/{visit}", sent).status_code == 201
    assert decide(reviewer, visit, "accept", 1).get_json()["awaiting_second"] is True

    for day, level in (("2026-03-06", 0), ("2026-03-07", 1), ("2026-03-13", 2), ("2026-04-05", 3)):
        world.clock.set(f"{day}T09:00:00+08:00")
        inspector = world.phone(world.worker(Role.COUNTY_INSPECTOR, GUANGDE))
        (one,) = inspector.get("/problems").get_json()["items"]
        assert (one["due_on"], one["escalation"]) == ("2026-03-06", level)
    chief, reviewer = world.phone(chief.actor), world.phone(reviewer.actor)
    (late,) = chief.get("/problems", overdue="true").get_json()["items"]
    steps = f"/problems/{late['id']}/steps"
    named = {"step": "assign", "worker_id": str(reviewer.actor.worker_id), "note": "请镇里直接处理"}
    assert chief.post(steps, {**named, "revision": 1}).status_code == 201
    said = {"step": "answer", "revision": 2, "note": "已请供电所断电改线"}
    assert reviewer.post(steps, said).status_code == 201
    assert reviewer.post(steps, {"step": "close", "revision": 3}).get_json()["code"] == "own_remedy"
    assert chief.post(steps, {"step": "close", "revision": 3}).get_json()["state"] == "closed"
    assert chief.get("/problems").get_json()["items"] == []
