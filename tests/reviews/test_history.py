"""What became of a record, what differs from the visit before, and which record comes next."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from server.permissions import Role
from server.reviews.differences import changes, read
from server.visits.answer_terms import Food
from tests.builders.world import QIANCUN, SHENGPING, TUANSHAN, Phone, World
from tests.visits.test_recording import body


@pytest.fixture
def phone(world: World) -> Phone:
    return world.phone(world.worker())


@pytest.fixture
def reviewer(world: World) -> Phone:
    return world.phone(world.worker(Role.REVIEWER, SHENGPING))


def record(phone: Phone, person: UUID, **changes: Any) -> str:
    visit = str(uuid4())
    answer = phone.put(f"/visits/{visit}", body(person, phone.actor.worker_id, **changes))
    assert answer.status_code == 201, answer.json
    return visit


def test_the_history_tells_each_body_each_decision_who_and_when(
    world: World, phone: Phone, reviewer: Phone
) -> None:
    person, visit = world.person(phone.actor), str(uuid4())
    sent = body(person, phone.actor.worker_id)
    assert phone.put(f"/visits/{visit}", sent).status_code == 201
    world.clock.move(minutes=10)
    asked = {"decision": "return", "reason": "请写明用药情况", "revision": 1}
    assert reviewer.post(f"/visits/{visit}/decisions", asked).status_code == 201
    world.clock.move(minutes=10)
    answers = {"food": "poor", "housing_safety": "risk", "medicine_have": "yes"}
    corrected = {**sent, "answers": answers, "notes": "每天服降压药"}
    assert phone.put(f"/visits/{visit}", corrected, revision=2).status_code == 200
    world.clock.move(minutes=10)
    assert (
        reviewer.post(f"/visits/{visit}/decisions", {"decision": "accept", "revision": 3}).status_code == 201
    )
    told = reviewer.get(f"/visits/{visit}/history").json
    assert [(one["kind"], one["revision"], one["at"][11:16]) for one in told["items"]] == [
        ("recorded", 1, "12:00"),
        ("decided", 2, "12:10"),
        ("corrected", 3, "12:20"),
        ("decided", 4, "12:30"),
    ]
    returned, correction, accepted = told["items"][1:]
    assert (returned["decision"], returned["state"], returned["reason"]) == (
        "return",
        "returned",
        "请写明用药情况",
    )
    assert returned["by"] == {"id": str(reviewer.actor.worker_id), "name": reviewer.actor.name}
    assert (accepted["decision"], accepted["reason"]) == ("accept", None)
    assert {one["path"]: (one["before_text"], one["after_text"]) for one in correction["changes"]} == {
        "answers.food": (Food("adequate").label, Food("poor").label),  # type: ignore[call-arg]
        "answers.medicine_have": ("未询问", "有"),
        "notes": ("一切正常", "每天服降压药"),
    }


def test_a_visit_is_compared_with_the_latest_that_counts_before_it(
    world: World, phone: Phone, reviewer: Phone
) -> None:
    person, other = world.person(phone.actor), world.person(phone.actor)
    times: dict[str, Any] = {"ended_at": None, "location": None, "no_location_reason": "no_signal"}
    old = record(phone, person, occurred_at="2026-02-01T09:00:00+08:00", answers={"food": "lacking"}, **times)
    wrong = record(phone, person, occurred_at="2026-02-20T09:00:00+08:00", answers={"food": "poor"}, **times)
    record(phone, other, occurred_at="2026-02-21T09:00:00+08:00", **times)
    visit = record(phone, person, answers={"food": "adequate", "housing_safety": "safe"})
    asked = {"decision": "void", "reason": "走错了人家", "revision": 1}
    assert reviewer.post(f"/visits/{wrong}/decisions", asked).status_code == 201
    told = reviewer.get(f"/visits/{visit}/comparison").json
    assert (told["previous"]["visit_id"], told["previous"]["state"]) == (old, "submitted")
    assert {one["path"]: (one["before"], one["after"]) for one in told["changes"]} == {
        "answers.food": ("lacking", "adequate"),
        "answers.housing_safety": (None, "safe"),
    }
    assert reviewer.get(f"/visits/{old}/comparison").json == {
        "visit_id": old,
        "previous": None,
        "changes": [],
    }


def test_history_and_comparison_are_for_reviewers(world: World, phone: Phone) -> None:
    visit = record(phone, world.person(phone.actor))
    for path in ("history", "comparison"):
        assert phone.get(f"/visits/{visit}/{path}").status_code == 403


def test_the_queue_has_parts_and_leaves_out_what_one_cannot_decide(
    world: World, phone: Phone, reviewer: Phone
) -> None:
    person = world.person(phone.actor)
    fresh = record(phone, person)
    world.clock.move(minutes=1)
    sent_back = record(phone, person, notes="二")
    own = record(reviewer, person, notes="三")
    named = record(
        phone, person, notes="四", visitors=[str(phone.actor.worker_id), str(reviewer.actor.worker_id)]
    )

    def items(**query: Any) -> list[str]:
        return [one["id"] for one in reviewer.get("/reviews/queue", **query).json["items"]]

    asked = {"decision": "return", "reason": "请补充", "revision": 1}
    assert reviewer.post(f"/visits/{sent_back}/decisions", asked).status_code == 201
    assert set(items()) == {fresh, named}
    assert own not in items()
    may = {one["id"]: one["may_decide"] for one in reviewer.get("/reviews/queue").json["items"]}
    assert may == {fresh: True, named: False}
    assert items(part="returned") == [sent_back]
    assert items(part="resubmitted") == []
    corrected = body(person, phone.actor.worker_id, notes="补充好了")
    assert phone.put(f"/visits/{sent_back}", corrected, revision=2).status_code == 200
    assert items(part="resubmitted") == [sent_back]
    assert items(part="returned") == []
    assert set(items(worker=str(phone.actor.worker_id))) == {fresh, sent_back, named}
    assert items(worker=str(uuid4())) == []
    assert items(village=QIANCUN) == []
    assert set(items(village=TUANSHAN)) == {fresh, sent_back, named}
    assert items(village="341882100") == []
    assert reviewer.get("/reviews/queue", part="everything").status_code == 422


def test_the_next_record_is_the_one_behind_and_then_the_first(
    world: World, phone: Phone, reviewer: Phone
) -> None:
    visits = []
    for _ in range(3):
        visits.append(record(phone, world.person(phone.actor)))
        world.clock.move(minutes=1)

    def following(**query: Any) -> str | None:
        answer = reviewer.get("/reviews/next", **query)
        assert answer.status_code == 200
        return answer.json["visit_id"]  # type: ignore[no-any-return]

    assert following() == visits[0]
    assert following(after=visits[0]) == visits[1]
    assert following(after=visits[2]) == visits[0]
    for visit in visits[:2]:
        assert (
            reviewer.post(f"/visits/{visit}/decisions", {"decision": "accept", "revision": 1}).status_code
            == 201
        )
    assert following(after=visits[1]) == visits[2]
    assert following(after=visits[2]) is None
    assert reviewer.get("/reviews/next", after=str(uuid4())).status_code == 404


def test_a_difference_knows_a_truth_value_from_a_number_and_reads_well() -> None:
    one = {"answers": {"leak": True, "satisfaction": 1}, "needs": [{"kind": "care"}], "purposes": ["routine"]}
    other = {"answers": {"leak": 1, "satisfaction": 1}, "needs": [], "purposes": ["routine", "review"]}
    told = {change["path"]: (change["before_text"], change["after_text"]) for change in changes(one, other)}
    assert told == {
        "answers.leak": ("是", "1"),
        "needs": ("1项", "—"),
        "purposes": ("例行走访", "例行走访、复核"),
    }
    assert changes(one, one) == []
    assert read({"latitude": 1.0}) == "有"
