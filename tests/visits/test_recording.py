"""A visit is stored once, however often it is sent (CONTRACT §4)."""

import datetime as dt
from uuid import uuid4

from sqlalchemy import select, update

from server.permissions import Role
from server.schedule.models import Duty
from tests.builders.world import SHENGPING, World


def body(person: object, visitor: object, **changes: object) -> dict[str, object]:
    """Write a routine home visit as a phone sends it."""
    return {
        "person_id": str(person),
        "method": "home",
        "purposes": ["routine"],
        "outcome": "met",
        "identity_checked_by": "known",
        "occurred_at": "2026-03-05T09:12:00+08:00",
        "ended_at": "2026-03-05T09:31:00+08:00",
        "client_created_at": "2026-03-05T09:12:04+08:00",
        "visitors": [str(visitor)],
        "location": {"latitude": 30.8931, "longitude": 119.4172, "accuracy_m": 25, "datum": "gcj02"},
        "no_location_reason": None,
        "answers": {"food": "adequate", "housing_safety": "risk", "medicine_have": "not_asked"},
        "needs": [{"kind": "medical", "detail": "需要配药"}],
        "problems": [],
        "absence": None,
        "conclusion": "attention",
        "notes": "一切正常",
        "signatures": [],
        "photos": [],
        "no_photo_reason": None,
        **changes,
    }


def test_where_somebody_must_be_seen_in_person_a_call_is_not_enough(world: World) -> None:
    visitor = world.worker()
    person, easier = world.person(visitor), world.person(visitor)
    with world.work() as work:
        work.session.execute(update(Duty).where(Duty.person_id == person).values(in_person=1))
    phone = world.phone(visitor)
    remote: dict[str, object] = {
        "method": "video", "outcome": "remote_met", "location": None, "no_location_reason": "not_required",
    }  # fmt: skip
    states = {}
    for who, change in ((person, remote), (easier, remote), (person, {})):
        answer = phone.put(f"/visits/{uuid4()}", body(who, visitor.worker_id, **change))
        assert answer.status_code == 201, answer.json
        states[who, len(states)] = answer.json["duty"]["state"]
    assert states == {(person, 0): "open", (easier, 1): "met", (person, 2): "met"}
    with world.work() as work:
        march = Duty.period_start == dt.date(2026, 3, 1)
        rows = work.session.execute(select(Duty.person_id, Duty.done, Duty.done_in_person).where(march))
        assert {tuple(row) for row in rows} == {(person, 2, 1), (easier, 1, 0)}


def test_a_repeat_answers_with_the_stored_record_and_adds_nothing(world: World) -> None:
    visitor = world.worker()
    person = world.person(visitor)
    phone, visit = world.phone(visitor), uuid4()
    sent = body(person, visitor.worker_id)
    first = phone.put(f"/visits/{visit}", sent)
    assert first.status_code == 201, first.json
    assert first.json["duty"]["state"] == "met"
    again = phone.put(f"/visits/{visit}", sent)
    assert (again.status_code, again.json) == (200, first.json)
    assert phone.get("/worklist").json["items"] == []
    other = phone.put(f"/visits/{visit}", {**sent, "notes": "另一份"})
    assert other.status_code == 409
    assert (other.json["code"], list(other.json["errors"])) == ("visit_conflict", ["notes"])


def test_a_void_visit_opens_the_duty_again_and_both_instants_are_remembered(world: World) -> None:
    visitor = world.worker()
    person = world.person(visitor)
    phone, visit = world.phone(visitor), uuid4()
    reviewer = world.phone(world.worker(Role.REVIEWER, SHENGPING))
    phone.put(f"/visits/{visit}", body(person, visitor.worker_id))
    assert reviewer.get("/overdue").json["items"] == []
    world.clock.move(days=1)
    answer = reviewer.post(
        f"/visits/{visit}/decisions", {"decision": "void", "reason": "记录有误", "revision": 1}
    )
    assert answer.status_code == 201, answer.json
    assert answer.json["duty"]["state"] in {"open", "due_soon"}
    assert [item["due_on"] for item in reviewer.get("/overdue").json["items"]] == ["2026-01-31"]
    assert reviewer.get("/overdue", known_at="2026-03-05T13:00:00+08:00").json["items"] == []


def test_visits_are_listed_to_the_township_where_the_person_lives_now(world: World) -> None:
    from server.people.registering import change_person
    from server.people.terms import PersonChange

    visitor = world.worker()
    person = world.person(visitor)
    visit = uuid4()
    world.phone(visitor).put(f"/visits/{visit}", body(person, visitor.worker_id))
    before = world.phone(world.worker(Role.REVIEWER, SHENGPING))
    after = world.phone(world.worker(Role.REVIEWER, "341882001"))
    assert [one["id"] for one in before.get("/visits").json["items"]] == [str(visit)]
    with world.work() as work:
        change_person(work, person, PersonChange(village_code="341882001001"), revision=1)
    assert before.get("/visits").json["items"] == []
    assert [one["id"] for one in after.get("/visits").json["items"]] == [str(visit)]


def test_a_returned_visit_leaves_its_duty_met_but_in_correction_until_it_is_sent_again(world: World) -> None:
    visitor = world.worker()
    person = world.person(visitor)
    phone, visit = world.phone(visitor), uuid4()
    reviewer = world.phone(world.worker(Role.REVIEWER, SHENGPING))
    sent = body(person, visitor.worker_id)
    assert phone.put(f"/visits/{visit}", sent).json["duty"]["in_correction"] is False
    returned = reviewer.post(
        f"/visits/{visit}/decisions", {"decision": "return", "reason": "请补充", "revision": 1}
    ).json
    assert (returned["duty"]["state"], returned["duty"]["in_correction"]) == ("met", True)
    again = phone.put(f"/visits/{visit}", {**sent, "notes": "已补充"}, revision=1)
    assert again.status_code == 200, again.json
    assert (again.json["duty"]["state"], again.json["duty"]["in_correction"]) == ("met", False)
