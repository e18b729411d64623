"""A visit is stored once, whatever the network does: repeats, parallel sends, reordering, corrections (CONTRACT §4)."""

import random
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select

from server.ledger.models import Event
from server.permissions import Role
from server.visits.models import PastRevision, Visit
from tests.builders.visits import a_hazard, a_photo, a_visit_body, an_absence, usual_answers
from tests.builders.world import QIANCUN, SHENGPING, Phone, World


@pytest.fixture
def phone(world: World) -> Phone:
    return world.phone(world.worker())


def body(phone: Phone, person: UUID, **changes: Any) -> dict[str, Any]:
    return a_visit_body(person, **{"visitors": [str(phone.actor.worker_id)]} | changes)


def told(world: World, action: str) -> int:
    with world.work() as work:
        return work.session.scalar(select(func.count(Event.id)).where(Event.action == action)) or 0


def stored(world: World, table: Any = Visit) -> int:
    with world.work() as work:
        return work.session.scalar(select(func.count()).select_from(table)) or 0


def decide(world: World, visit: UUID, decision: str, revision: int = 1) -> None:
    reviewer = world.phone(world.worker(Role.REVIEWER, SHENGPING))
    asked = {"decision": decision, "reason": "请补充", "revision": revision}
    assert reviewer.post(f"/visits/{visit}/decisions", asked).status_code == 201


def test_five_at_once_are_one(world: World, phone: Phone) -> None:
    person, visit = world.person(phone.actor), uuid4()
    sent = body(phone, person, photos=[a_photo()])
    phones = [Phone(world.app, phone.token, phone.actor) for _ in range(5)]
    with ThreadPoolExecutor(5) as pool:
        answers = list(pool.map(lambda one: one.put(f"/visits/{visit}", sent), phones))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 200, 201]
    assert len({answer.text for answer in answers}) == 1
    assert (stored(world), told(world, "visit.recorded")) == (1, 1)


def test_five_different_ones_at_once_leave_one_and_four_conflicts(world: World, phone: Phone) -> None:
    person, visit = world.person(phone.actor), uuid4()
    phones = [Phone(world.app, phone.token, phone.actor) for _ in range(5)]
    with ThreadPoolExecutor(5) as pool:
        answers = list(
            pool.map(
                lambda one: one[1].put(f"/visits/{visit}", body(phone, person, notes=f"第{one[0]}份")),
                enumerate(phones),
            )
        )
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409]
    assert (stored(world), told(world, "visit.recorded")) == (1, 1)


def test_corrections_at_once_leave_one(world: World, phone: Phone) -> None:
    person, visit = world.person(phone.actor), uuid4()
    assert phone.put(f"/visits/{visit}", body(phone, person)).status_code == 201
    phones = [Phone(world.app, phone.token, phone.actor) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        answers = list(
            pool.map(
                lambda one: one[1].put(
                    f"/visits/{visit}", body(phone, person, notes=str(one[0])), revision=1
                ),
                enumerate(phones),
            )
        )
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
    assert {answer.json["code"] for answer in answers if answer.status_code == 409} == {"stale_revision"}
    assert (stored(world, PastRevision), told(world, "visit.corrected")) == (1, 1)


def test_twenty_sends_out_of_order_with_corrections_between_are_one_record(
    world: World, phone: Phone
) -> None:
    person, visit = world.person(phone.actor), uuid4()
    bodies = [body(phone, person, notes=f"第{number}稿") for number in range(3)]
    assert phone.put(f"/visits/{visit}", bodies[0]).status_code == 201
    late = [0] * 9 + [1] * 6
    random.Random(20260305).shuffle(late)
    seen = []
    for number, which in enumerate(late):
        known = 0 if number < 3 else 1 if number < 8 else 2
        if number in {3, 8}:
            answer = phone.put(f"/visits/{visit}", bodies[known], revision=known)
            assert (answer.status_code, answer.json["revision"]) == (200, known + 1), answer.json
        answer = phone.put(f"/visits/{visit}", bodies[min(which, known)])
        assert (answer.status_code, answer.json["notes"]) == (200, bodies[known]["notes"]), answer.json
        seen.append(answer.json["revision"])
    assert seen == sorted(seen)
    assert seen[-1] == 3
    assert (stored(world), stored(world, PastRevision)) == (1, 2)
    assert (told(world, "visit.recorded"), told(world, "visit.corrected")) == (1, 2)


def test_a_repeat_months_later_is_a_repeat(world: World, phone: Phone) -> None:
    person, visit = world.person(phone.actor), uuid4()
    sent = body(phone, person)
    first = phone.put(f"/visits/{visit}", sent)
    world.clock.move(days=200)
    again = world.phone(phone.actor).put(f"/visits/{visit}", sent)
    assert again.status_code == 200
    assert again.json == first.json
    assert stored(world) == 1


def test_the_same_facts_written_otherwise_are_the_same_record(world: World, phone: Phone) -> None:
    person, visit = world.person(phone.actor), uuid4()
    sent = body(phone, person)
    assert phone.put(f"/visits/{visit}", sent).status_code == 201
    turned = dict(reversed([(name, value) for name, value in sent.items() if value is not None]))
    turned |= {"occurred_at": "2026-03-05T01:12:00Z", "person_id": str(person).upper()}
    assert phone.put(f"/visits/{str(visit).upper()}", turned).status_code == 200


def test_another_body_is_a_conflict_that_names_every_field_that_differs(world: World, phone: Phone) -> None:
    person, visit = world.person(phone.actor), uuid4()
    first = body(phone, person, problems=[a_hazard()], photos=[a_photo()], notes="旧")
    assert phone.put(f"/visits/{visit}", first).status_code == 201
    other = body(
        phone,
        person,
        problems=[a_hazard(description="另一句")],
        photos=[a_photo()],
        notes="新的一句",
        location=first["location"] | {"accuracy_m": 26},
        answers=usual_answers() | {"food": "poor"},
        conclusion="attention",
    )
    answer = phone.put(f"/visits/{visit}", other)
    assert (answer.status_code, answer.json["code"]) == (409, "visit_conflict"), answer.json
    assert set(answer.json["errors"]) == {
        "problems",
        "notes",
        "location.accuracy_m",
        "answers.food",
        "conclusion",
    }
    assert "新的一句" not in answer.text
    assert "旧" not in str(answer.json["errors"])
    assert phone.get(f"/visits/{visit}").json["notes"] == "旧"


def test_a_correction_keeps_what_it_replaces_and_repeats(world: World, phone: Phone) -> None:
    person, visit = world.person(phone.actor), uuid4()
    first, second = body(phone, person), body(phone, person, notes="更正后")
    assert phone.put(f"/visits/{visit}", first).status_code == 201
    for _ in range(3):
        answer = phone.put(f"/visits/{visit}", second, revision=1)
        assert (answer.status_code, answer.json["revision"], answer.json["notes"]) == (200, 2, "更正后")
    late = phone.put(f"/visits/{visit}", first)
    assert (late.status_code, late.json["revision"], late.json["notes"]) == (200, 2, "更正后")
    stale = phone.put(f"/visits/{visit}", body(phone, person, notes="第三稿"), revision=1)
    assert (stale.status_code, stale.json["code"], stale.json["revision"]) == (409, "stale_revision", 2)
    ahead = phone.put(f"/visits/{visit}", body(phone, person, notes="第三稿"), revision=3)
    assert (ahead.status_code, ahead.json["code"]) == (409, "stale_revision")
    assert (stored(world, PastRevision), told(world, "visit.corrected")) == (1, 1)


def test_only_its_recorder_corrects_a_visit(world: World, phone: Phone) -> None:
    colleague = world.phone(world.worker())
    stranger = world.phone(world.worker(area=QIANCUN))
    person, visit = world.person(phone.actor, colleague.actor), uuid4()
    assert phone.put(f"/visits/{visit}", body(phone, person)).status_code == 201
    changed = body(phone, person, notes="别人的话")
    assert colleague.put(f"/visits/{visit}", changed, revision=1).status_code == 409
    assert stranger.put(f"/visits/{visit}", changed, revision=1).status_code == 404
    assert phone.get(f"/visits/{visit}").json["notes"] is None


def test_an_accepted_visit_is_closed_and_a_returned_one_comes_back(world: World, phone: Phone) -> None:
    person = world.person(phone.actor)
    accepted, returned = uuid4(), uuid4()
    for visit in (accepted, returned):
        assert phone.put(f"/visits/{visit}", body(phone, person)).status_code == 201
    decide(world, accepted, "accept")
    answer = phone.put(f"/visits/{accepted}", body(phone, person, notes="晚了"), revision=2)
    assert (answer.status_code, answer.json["code"]) == (409, "visit_closed")
    assert phone.put(f"/visits/{accepted}", body(phone, person)).json["state"] == "accepted"
    decide(world, returned, "return")
    shown = phone.get(f"/visits/{returned}").json
    assert (shown["state"], shown["state_reason"], shown["duty"]["state"]) == ("returned", "请补充", "met")
    answer = phone.put(f"/visits/{returned}", body(phone, person, notes="补充"), revision=2)
    assert (answer.status_code, answer.json["state"], answer.json["revision"]) == (200, "submitted", 3)
    assert answer.json["state_reason"] is None


def test_a_correction_does_not_change_whom_the_visit_was_to(world: World, phone: Phone) -> None:
    person, other, visit = world.person(phone.actor), world.person(phone.actor), uuid4()
    assert phone.put(f"/visits/{visit}", body(phone, person)).status_code == 201
    answer = phone.put(f"/visits/{visit}", body(phone, other), revision=1)
    assert (answer.status_code, list(answer.json["errors"])) == (422, ["person_id"])


def test_a_correction_of_what_is_not_there_is_not_found(world: World, phone: Phone) -> None:
    person = world.person(phone.actor)
    assert phone.put(f"/visits/{uuid4()}", body(phone, person), revision=1).status_code == 404
    assert stored(world) == 0


def test_a_correction_from_met_to_not_met_opens_the_duty_again(world: World, phone: Phone) -> None:
    person, visit = world.person(phone.actor), uuid4()
    assert phone.put(f"/visits/{visit}", body(phone, person)).json["duty"]["state"] == "met"
    attempt = body(
        phone, person, outcome="not_met", identity_checked_by=None, answers={}, absence=an_absence()
    )
    duty = phone.put(f"/visits/{visit}", attempt, revision=1).json["duty"]
    assert (duty["state"], duty["done"], duty["attempts"]) == ("open", 0, 1)


def test_a_photo_of_another_visit_cannot_be_declared(world: World, phone: Phone) -> None:
    person = world.person(phone.actor)
    assert phone.put(f"/visits/{uuid4()}", body(phone, person, photos=[a_photo()])).status_code == 201
    answer = phone.put(f"/visits/{uuid4()}", body(phone, person, photos=[a_photo()]))
    assert (answer.status_code, answer.json["code"]) == (409, "photo_conflict")
    assert stored(world) == 1
