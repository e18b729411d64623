"""What a phone gets that works offline: everything once, then what changed, and nothing of anybody else's."""

import json
import threading
from uuid import UUID, uuid4

from server.people.handing_over import hand_over
from server.people.terms import HandOver
from server.permissions import Role
from tests.builders.visits import a_visit_body
from tests.builders.world import QIANCUN, SHENGPING, Phone, World


def pull(phone: Phone, cursor: str | None = None) -> tuple[list[dict[str, object]], str]:
    """Read every page of a round."""
    items: list[dict[str, object]] = []
    while True:
        query = {"cursor": cursor} if cursor else {}
        answer = phone.get("/sync", **query)
        assert answer.status_code == 200, answer.json
        assert len(answer.data) < 256 * 1024
        items += answer.json["items"]
        cursor = answer.json["next_cursor"]
        if not answer.json["has_more"]:
            return items, cursor


def visit(phone: Phone, person: UUID) -> UUID:
    """Record a visit of today."""
    visit_id = uuid4()
    body = a_visit_body(person, visitors=[str(phone.actor.worker_id)])
    assert phone.put(f"/visits/{visit_id}", body).status_code == 201
    return visit_id


def test_nothing_comes_twice_when_nothing_changed(world: World) -> None:
    phone = world.phone(world.worker())
    world.person(phone.actor)
    _, cursor = pull(phone)
    _, cursor = pull(phone, cursor)
    assert pull(phone, cursor)[0] == []


def test_a_visit_brings_itself_and_its_duty_and_no_other_person(world: World) -> None:
    phone = world.phone(world.worker())
    mine = world.person(phone.actor)
    world.person(phone.actor)
    cursor = pull(phone, pull(phone)[1])[1]
    visit_id = visit(phone, mine)
    items, _ = pull(phone, cursor)
    assert {(item["kind"], item["data"]["person_id"]) for item in items} == {  # type: ignore[index]
        ("visit", str(mine)),
        ("duty", str(mine)),
    }
    assert [item["id"] for item in items if item["kind"] == "visit"] == [str(visit_id)]


def test_a_hand_over_shows_on_both_phones(world: World) -> None:
    old, new = world.phone(world.worker()), world.phone(world.worker())
    person = world.person(old.actor)
    visit_id = visit(old, person)
    old_cursor, new_cursor = pull(old)[1], pull(new)[1]
    world.clock.move(minutes=1)
    with world.work(world.worker(Role.CHIEF, SHENGPING)) as work:
        hand_over(work, HandOver(uuid4(), old.actor.worker_id, new.actor.worker_id, "岗位调整", (person,)))
    lost, _ = pull(old, old_cursor)
    assert all(item["data"] is None for item in lost)
    assert {("person", str(person)), ("visit", str(visit_id))} <= {
        (item["kind"], item["id"]) for item in lost
    }
    gained, _ = pull(new, new_cursor)
    assert {("person", str(person)), ("visit", str(visit_id))} <= {
        (item["kind"], item["id"]) for item in gained
    }
    assert old.get("/worklist").json["items"] == []


def test_a_returned_visit_comes_with_the_reason(world: World) -> None:
    phone = world.phone(world.worker())
    reviewer = world.phone(world.worker(Role.REVIEWER, SHENGPING))
    visit_id = visit(phone, world.person(phone.actor))
    _, cursor = pull(phone)
    reviewer.post(
        f"/visits/{visit_id}/decisions", {"decision": "return", "reason": "请补充照片", "revision": 1}
    )
    (told,) = [item for item in pull(phone, cursor)[0] if item["kind"] == "visit"]
    assert (told["data"]["state"], told["data"]["state_reason"]) == ("returned", "请补充照片")  # type: ignore[index]


def test_a_visit_returned_long_ago_comes_with_the_duty_that_phones_no_longer_keep(world: World) -> None:
    phone = world.phone(world.worker())
    reviewer = world.phone(world.worker(Role.REVIEWER, SHENGPING))
    person = world.person(phone.actor)
    visit_id = visit(phone, person)
    reviewer.post(
        f"/visits/{visit_id}/decisions", {"decision": "return", "reason": "请补充照片", "revision": 1}
    )
    world.clock.move(days=150)
    phone = world.phone(phone.actor)
    visit(phone, person)
    items, _ = pull(phone)
    (told,) = [item for item in items if item["id"] == str(visit_id)]
    duty = phone.get(f"/visits/{visit_id}").json["duty"]
    assert duty["period_start"] == "2026-03-01"
    assert told["data"]["duty"] == duty  # type: ignore[index]
    assert "2026-03-01" not in {item["data"]["period_start"] for item in items if item["kind"] == "duty"}  # type: ignore[index]


def test_a_new_month_is_told_although_nobody_wrote_anything(world: World) -> None:
    phone = world.phone(world.worker())
    world.person(phone.actor)
    _, cursor = pull(phone)
    world.clock.move(days=30)
    phone = world.phone(phone.actor)
    periods = {item["data"]["period_start"] for item in pull(phone, cursor)[0] if item["kind"] == "duty"}  # type: ignore[index]
    assert "2026-04-01" in periods


def test_three_hundred_people_come_in_pages_below_the_limit(world: World) -> None:
    phone = world.phone(world.worker())
    people = {str(world.person(phone.actor)) for _ in range(60)}
    items, _ = pull(phone)
    assert {item["id"] for item in items if item["kind"] == "person"} == people


def test_nothing_is_missed_while_others_write(world: World) -> None:
    reader, writer = world.phone(world.worker()), world.phone(world.worker())
    people = [world.person(reader.actor, writer.actor) for _ in range(8)]
    _, cursor = pull(reader)
    recorded: list[UUID] = []
    writers = [
        threading.Thread(target=lambda mine=mine: recorded.extend(_record(world, writer, mine)))  # type: ignore[misc]
        for mine in (people[:4], people[4:])
    ]
    for thread in writers:
        thread.start()
    seen: set[object] = set()
    while any(thread.is_alive() for thread in writers):
        items, cursor = pull(reader, cursor)
        seen |= {item["id"] for item in items if item["kind"] == "visit"}
    items, _ = pull(reader, cursor)
    seen |= {item["id"] for item in items if item["kind"] == "visit"}
    assert {str(visit_id) for visit_id in recorded} <= seen
    assert len(recorded) == len(people)


def test_a_cursor_from_before_a_restore_gives_everything(world: World) -> None:
    from server.http import paging

    phone = world.phone(world.worker())
    world.person(phone.actor)
    _, cursor = pull(phone)
    parts = json.loads(paging.base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    ahead = paging.encode([parts[0] + 10_000, *parts[1:]])
    assert {item["kind"] for item in pull(phone, ahead)[0]} == {"person", "duty"}


def test_another_village_never_comes(world: World) -> None:
    phone = world.phone(world.worker())
    world.person(world.worker(area=QIANCUN), village=QIANCUN)
    assert pull(phone)[0] == []


def test_a_forged_cursor_is_refused(world: World) -> None:
    phone = world.phone(world.worker())
    for cursor in ("x", "W10", "bnVsbA", "💥"):
        assert phone.get("/sync", cursor=cursor).status_code == 422


def _record(world: World, writer: Phone, people: list[UUID]) -> list[UUID]:
    phone = Phone(world.app, writer.token, writer.actor)
    return [visit(phone, person) for person in people]
