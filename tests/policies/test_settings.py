"""Policy numbers by the API: typed by their unit, from a day on, in an area, with a source; and in the ledger."""

from typing import Any

import pytest
from sqlalchemy import select

from server.ledger.models import Event
from server.permissions import Role
from server.policies.rules import checked_value, shown_value
from server.policies.terms import NUMBERS
from tests.builders.world import GUANGDE, SHENGPING, World


def setting(value: Any, **more: Any) -> dict[str, Any]:
    """Write a new value."""
    return {"value": value, "effective_from": "2026-03-05", "source_doc_no": "广民〔2026〕2号", **more}


def value_of(phone: Any, key: str) -> Any:
    """Read the value in force."""
    return next(one["value"] for one in phone.get("/settings").json["items"] if one["key"] == key)


def test_every_default_is_a_value_of_its_unit() -> None:
    for number in NUMBERS.values():
        if number.default is not None:
            assert checked_value(number, shown_value(number, number.default)) == number.default


def test_the_nearest_area_wins_and_the_past_is_kept(world: World) -> None:
    boss, chief = world.phone(world.boss), world.phone(world.worker(Role.CHIEF, SHENGPING))
    assert value_of(chief, "fence.radius") == 200
    assert boss.put("/settings/fence.radius", setting(300)).status_code == 200
    assert boss.put("/settings/fence.radius", setting(400, area_code=SHENGPING)).json["value"] == 300
    assert (value_of(boss, "fence.radius"), value_of(chief, "fence.radius")) == (300, 400)
    later = boss.put("/settings/fence.radius", setting(500, effective_from="2026-05-01")).json
    assert [one["value"] for one in later["versions"]] == [200, 300, 500, 400]
    assert later["value"] == 300
    with world.work() as work:
        told = work.session.scalars(select(Event).where(Event.action == "policy.set")).all()
    assert len(told) == 3


def test_a_yes_or_no_is_a_truth_value_on_the_wire(world: World) -> None:
    boss = world.phone(world.boss)
    assert value_of(boss, "visits.missing_answers_refused") is False
    assert boss.put("/settings/visits.missing_answers_refused", setting(True)).json["value"] is True


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("fence.radius", "200"),
        ("fence.radius", True),
        ("fence.radius", 0),
        ("fence.radius", 10**30),
        ("fence.radius", 1.5),
        ("fence.radius", [1]),
        ("emergency.hours", 0),
        ("visits.missing_answers_refused", 1),
        ("duties.begin_on", "2026-02-30"),
        ("duties.begin_on", 20260301),
    ],
)
def test_a_value_of_another_kind_is_refused(world: World, key: str, value: Any) -> None:
    answer = world.phone(world.boss).put(f"/settings/{key}", setting(value))
    assert (answer.status_code, list(answer.json["errors"])) == (422, ["value"])


def test_neither_yesterday_nor_elsewhere_nor_by_others(world: World) -> None:
    boss = world.phone(world.boss)
    for more in ({"effective_from": "2026-03-04"}, {"area_code": "341881"}, {"area_code": "341882999"}):
        assert boss.put("/settings/fence.radius", setting(300, **more)).status_code == 422
    assert boss.put("/settings/fence.radius", setting(None)).status_code == 422
    assert boss.put("/settings/no.such", setting(300)).status_code == 404
    assert boss.put("/settings/fence.radius", {**setting(300), "source_doc_no": ""}).status_code == 422
    chief = world.phone(world.worker(Role.CHIEF, SHENGPING))
    assert chief.put("/settings/fence.radius", setting(300)).status_code == 403
    assert world.phone(world.worker()).get("/settings").status_code == 403
    assert world.phone(world.worker(Role.AUDITOR, GUANGDE)).get("/settings").status_code == 200
