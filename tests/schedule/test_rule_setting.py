"""Visit rules are versions: a period uses the one in force on its first day, and what has begun is not touched."""

import datetime as dt
from typing import Any
from uuid import uuid4

from sqlalchemy import select

from server.permissions import Role
from server.schedule.models import Duty
from tests.builders.world import GUANGDE, SHENGPING, World


def version(**changes: Any) -> dict[str, Any]:
    """Write a rule for the dispersed: twice a month from April."""
    return {
        "id": str(uuid4()),
        "key": "tekun_dispersed",
        "area_code": GUANGDE,
        "category": "tekun_dispersed",
        "unit": "month",
        "required": 2,
        "in_person": 1,
        "alert_days": [10, 5],
        "effective_from": "2026-04-01",
        "source_doc_no": "广民〔2026〕1号",
        **changes,
    }


def test_a_version_holds_from_its_first_period_and_never_before(world: World) -> None:
    person = world.person()
    boss = world.phone(world.boss)
    sent = version()
    assert boss.post("/visit-rules", sent).status_code == 201
    assert boss.post("/visit-rules", sent).status_code == 200
    assert boss.post("/visit-rules", {**sent, "required": 3}).status_code == 409
    world.clock.set("2026-04-02T09:00:00+08:00")
    world.phone(world.worker(Role.CHIEF, SHENGPING)).get("/overdue")
    with world.work() as work:
        work.changed_people.add(person)
    with world.work() as work:
        duties = work.session.execute(
            select(Duty.period_start, Duty.required, Duty.exit_on)
            .where(Duty.person_id == person)
            .order_by(Duty.period_start)
        ).all()
    assert [(str(row.period_start), row.required, row.exit_on) for row in duties] == [
        ("2026-01-01", 1, None),
        ("2026-02-01", 1, None),
        ("2026-03-01", 1, None),
        ("2026-04-01", 2, None),
    ]


def test_only_the_first_day_of_a_period_that_has_not_begun(world: World) -> None:
    boss = world.phone(world.boss)
    for day in ("2026-03-01", "2026-03-05", "2026-04-02", "2020-01-01"):
        answer = boss.post("/visit-rules", version(effective_from=day))
        assert (answer.status_code, list(answer.json["errors"])) == (422, ["effective_from"]), day
    week = version(
        key="w", unit="iso_week", effective_from="2026-04-06", tag="high_risk_elder", category=None
    )
    assert boss.post("/visit-rules", week).status_code == 201
    assert boss.post("/visit-rules", version(in_person=3)).status_code == 422
    assert boss.post("/visit-rules", version(area_code="341881")).status_code == 422


def test_the_history_is_listed_and_only_the_administrator_adds(world: World) -> None:
    world.phone(world.boss).post("/visit-rules", version())
    world.phone(world.boss).post("/visit-rules", version(required=4))  # a typing error put right in time
    chief = world.phone(world.worker(Role.CHIEF, SHENGPING))
    items = [one for one in chief.get("/visit-rules").json["items"] if one["key"] == "tekun_dispersed"]
    assert [(one["area_code"], one["required"]) for one in items] == [("", 1), (GUANGDE, 4)]
    assert chief.post("/visit-rules", version()).status_code == 403
    assert dt.date.fromisoformat(items[1]["effective_from"]) == dt.date(2026, 4, 1)
