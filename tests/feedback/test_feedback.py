"""A complaint or a suggestion arrives once, sealed, and only administrators read it."""

from uuid import uuid4

import pytest
from sqlalchemy import func, select

from server.db import unit_of_work
from server.feedback import service
from server.feedback.models import Feedback
from server.http.parts import Parts
from server.ledger.models import Event
from server.permissions import Role
from tests.builders.world import GUANGDE, SHENGPING, World


def count(house: Parts, kind: type[Feedback] | type[Event], **where: object) -> int:
    with unit_of_work(house.sessions) as session:
        return session.scalar(select(func.count()).select_from(kind).filter_by(**where)) or 0


def test_a_repeat_adds_nothing(world: World, house: Parts) -> None:
    phone = world.phone(world.worker())
    body = {"id": str(uuid4()), "text": "希望清单能按村组排序。", "contact": "村部"}
    first = phone.post("/feedback", body)
    assert first.status_code == 201, first.json
    world.clock.move(days=2)
    again = phone.post("/feedback", body)
    assert (again.status_code, again.json) == (200, first.json)
    assert count(house, Feedback) == 1
    assert count(house, Event, action="feedback.given") == 1


@pytest.mark.parametrize("change", [{"text": "另一条"}, {"contact": "别处"}, {"contact": None}])
def test_other_words_under_the_same_id_are_409(world: World, change: dict[str, object]) -> None:
    phone = world.phone(world.worker())
    body = {"id": str(uuid4()), "text": "一条", "contact": "村部"}
    phone.post("/feedback", body)
    answer = phone.post("/feedback", body | change)
    assert (answer.status_code, answer.json["code"]) == (409, "feedback_conflict")


def test_the_same_id_from_somebody_else_is_409_and_tells_nothing(world: World) -> None:
    body = {"id": str(uuid4()), "text": "一条"}
    world.phone(world.worker()).post("/feedback", body)
    answer = world.phone(world.worker()).post("/feedback", body)
    assert (answer.status_code, answer.json["code"]) == (409, "feedback_conflict")


def test_what_was_written_is_not_readable_in_the_database(world: World, house: Parts) -> None:
    world.phone(world.worker()).post(
        "/feedback", {"id": str(uuid4()), "text": "老人家里没有米", "contact": "13900000002"}
    )
    with unit_of_work(house.sessions) as session:
        row = session.scalars(select(Feedback)).one()
        assert "老人" not in row.text_sealed
        assert "1390" not in (row.contact_sealed or "")
        lines = session.scalars(select(Event.payload).where(Event.action == "feedback.given")).all()
        assert all("老人" not in str(line) for line in lines)


def test_administrators_page_through_all_of_it_the_latest_first(world: World) -> None:
    worker = world.worker()
    phone = world.phone(worker)
    for number in range(5):
        phone.post("/feedback", {"id": str(uuid4()), "text": f"第{number}条"})
        if number % 2:
            world.clock.move(minutes=1)
    boss = world.phone(world.worker(Role.ADMINISTRATOR, GUANGDE))
    seen: list[dict[str, object]] = []
    cursor: dict[str, str] = {}
    while True:
        page = boss.get("/feedback", limit=2, **cursor).json
        seen += page["items"]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert sorted(str(one["text"]) for one in seen) == [f"第{number}条" for number in range(5)]
    assert [one["received_at"] for one in seen] == sorted(
        (str(one["received_at"]) for one in seen), reverse=True
    )
    assert seen[0]["worker"] == {"id": str(worker.worker_id), "name": worker.name}


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMINISTRATOR])
def test_nobody_else_reads_it_but_everybody_may_write(world: World, role: Role) -> None:
    phone = world.phone(world.worker(role, SHENGPING))
    assert phone.get("/feedback").status_code == 403
    assert phone.post("/feedback", {"id": str(uuid4()), "text": "建议"}).status_code == 201


def test_a_flood_is_429_and_a_repeat_is_still_answered(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "MOST_A_DAY", 2)
    phone = world.phone(world.worker())
    bodies = [{"id": str(uuid4()), "text": f"第{number}条"} for number in range(3)]
    assert [phone.post("/feedback", body).status_code for body in bodies] == [201, 201, 429]
    assert phone.post("/feedback", bodies[0]).status_code == 200
    assert int(phone.post("/feedback", bodies[2]).headers["Retry-After"]) > 0
    world.clock.move(days=1, minutes=1)
    phone = world.phone(phone.actor)
    assert phone.post("/feedback", bodies[2]).status_code == 201
