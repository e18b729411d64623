"""What a visitor owes, most urgent first."""

from server.permissions import Role
from tests.builders.world import QIANCUN, SHENGPING, World


def test_a_visitor_sees_whom_they_owe_and_nobody_else(world: World) -> None:
    visitor, other = world.worker(), world.worker(area=QIANCUN)
    mine = world.person(visitor)
    world.person(other, village=QIANCUN)
    answer = world.phone(visitor).get("/worklist")
    assert answer.status_code == 200, answer.json
    assert [item["person_id"] for item in answer.json["items"]] == [str(mine)]
    duty = answer.json["items"][0]["duty"]
    assert (duty["state"], duty["due_on"], duty["days_overdue"]) == ("overdue", "2026-01-31", 33)


def test_the_township_sees_one_row_a_person_with_the_oldest_overdue_duty(world: World) -> None:
    visitor = world.worker()
    person = world.person(visitor)
    chief = world.phone(world.worker(Role.CHIEF, SHENGPING))
    items = chief.get("/overdue").json["items"]
    assert [(item["person"]["person_id"], item["due_on"], item["days_overdue"]) for item in items] == [
        (str(person), "2026-01-31", 33)
    ]
    assert items[0]["responsible"]["worker_id"] == str(visitor.worker_id)
    known = chief.get("/overdue", known_at="2026-03-05T12:00:00+08:00").json["items"]
    assert known == items


def test_first_sync_sends_everything_and_the_next_nothing(world: World) -> None:
    visitor = world.worker()
    world.person(visitor)
    phone = world.phone(visitor)
    first = phone.get("/sync").json
    assert sorted(item["kind"] for item in first["items"]) == ["duty", "duty", "duty", "person"]
    second = phone.get("/sync", cursor=first["next_cursor"]).json
    third = phone.get("/sync", cursor=second["next_cursor"]).json
    assert third["items"] == []
