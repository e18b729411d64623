"""Checks and rectifications of people out of sight look like none, and leave a trace (CONTRACT §1, TRUST §1)."""

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select

from server.ledger.models import Event
from server.permissions import Role
from server.spotchecks.models import SpotCheck
from tests.builders.world import GUANGDE, Phone, World
from tests.spotchecks.case import AFTER, WITHIN, Case
from tests.spotchecks.test_rectifying import Rectified

Ask = Callable[[Case, Phone, str], Any]
STEP = {"revision": 1, "text": "x"}
BY_CHECK: dict[str, Ask] = {
    "read": lambda _, phone, one: phone.get(f"/spot-checks/{one}"),
    "reassign": lambda _, phone, one: phone.put(
        f"/spot-checks/{one}/checker", {"worker_id": str(phone.actor.worker_id), "revision": 1}
    ),
    "submit": lambda case, phone, one: case.submit(one, phone),
    "give up": lambda _, phone, one: phone.post(
        f"/spot-checks/{one}/not-possible", {"reason": "dead", "revision": 1}
    ),
    "judge": lambda _, phone, one: phone.post(
        f"/spot-checks/{one}/judgements", {"result": "pass", "revision": 1, "reason": "x"}
    ),
}
BY_RECTIFICATION: dict[str, Ask] = {
    "read": lambda _, phone, one: phone.get(f"/rectifications/{one}"),
    **{
        step: lambda _, phone, one, step=step: phone.post(  # type: ignore[misc]
            f"/rectifications/{one}/steps", {"step": step, **STEP}
        )
        for step in ("notify", "answer", "recheck", "close")
    },
}


def traces(world: World, person: UUID) -> int:
    with world.work() as work:
        wanted = select(func.count()).where(Event.action == "refused.out_of_sight", Event.person_id == person)
        return work.session.scalar(wanted) or 0


def looks(answer: Any) -> tuple[int, dict[str, Any]]:
    return answer.status_code, {name: one for name, one in answer.json.items() if name != "request_id"}


@pytest.mark.parametrize("ask", BY_CHECK)
def test_a_check_out_of_sight_looks_like_none(world: World, ask: str) -> None:
    case = Case(world)
    case.go(share=100, count=1)
    check = case.checks()[0]
    person = UUID(check["person"]["person_id"])
    far = world.phone(world.worker(Role.CHIEF, "341882100"))
    nothing = looks(BY_CHECK[ask](case, far, str(uuid4())))
    before = traces(world, person)
    assert looks(BY_CHECK[ask](case, far, check["id"])) == nothing
    assert nothing[0] == 404
    assert traces(world, person) == before + 1
    assert far.get("/spot-checks").json["items"] == []
    found = BY_CHECK[ask](case, case.chief, check["id"])
    assert found.status_code != 404


@pytest.mark.parametrize("ask", BY_RECTIFICATION)
def test_a_rectification_out_of_sight_looks_like_none(world: World, ask: str) -> None:
    found = Rectified(world)
    for phone in (
        world.phone(world.worker(Role.CHIEF, "341882100")),
        world.phone(world.worker()),  # a visitor of the same village: neither theirs nor their record
    ):
        nothing = looks(BY_RECTIFICATION[ask](found.case, phone, str(uuid4())))
        before = traces(world, found.person)
        assert looks(BY_RECTIFICATION[ask](found.case, phone, found.id)) == nothing
        assert nothing[0] == 404
        assert traces(world, found.person) == before + 1


def test_a_township_sees_of_the_countys_plan_its_own_checks_only(world: World) -> None:
    case = Case(world)
    sent = {"area_code": GUANGDE, "period": "2026-04", "share": 100}
    assert case.inspector.put(f"/spot-checks/plans/{case.plan}", sent).status_code == 201
    assert case.commit().status_code == 200
    case.at(WITHIN)
    case.visitors.append(world.worker(area="341882100009"))
    case.visit(2)
    case.at(AFTER)
    assert case.freeze().status_code == 200
    assert case.draw().status_code == 200
    assert len(case.checks()) == 6
    assert {one["village"]["code"][:9] for one in case.checks(case.chief)} == {"341882003"}
    assert case.assign().json["assigned"] == 4
    with world.work() as work:
        states = dict(
            work.session.execute(select(SpotCheck.state, func.count()).group_by(SpotCheck.state)).all()
        )
    assert states == {"assigned": 4, "drawn": 2}
    pages = [case.inspector.get("/spot-checks", plan_id=case.plan, limit=4).json]
    pages.append(
        case.inspector.get("/spot-checks", plan_id=case.plan, limit=4, cursor=pages[0]["next_cursor"]).json
    )
    assert [len(page["items"]) for page in pages] == [4, 2]
    assert pages[1]["next_cursor"] is None
    assert case.inspector.get("/spot-checks", cursor="%%").status_code == 422
    assert case.inspector.get("/spot-checks", plan_id=uuid4()).status_code == 404
