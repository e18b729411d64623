"""Handing people over on pages: all or nothing, once, and with a clear word when somebody was quicker."""

import re
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select

from server.people.models import Responsibility
from server.people.terms import ResponsibilityKind
from server.permissions import Actor, Role
from tests.builders.world import GUANGDE, QIANCUN, SHENGPING, World
from tests.web.conftest import Browser
from tests.web.test_sight import at_browser
from tests.web.test_spot_checks import follow, hidden, said
from tests.web.town import CANARY


class Village:
    """Two visitors, three people of the first, and a chief at a browser."""

    def __init__(self, app: Flask, world: World) -> None:
        self.app, self.world = app, world
        self.giver, self.taker, self.other = world.worker(), world.worker(), world.worker(area=QIANCUN)
        self.people = [world.person(self.giver, name=name) for name in ("王阿公", CANARY[:60], "李秀英")]
        self.chief: Browser = at_browser(app, world, world.worker(Role.CHIEF, SHENGPING))

    def page(self) -> str:
        return self.chief.get("/hand-overs", from_worker=self.giver.worker_id).text

    def form(self, *people: UUID, to: Actor | None = None, **more: object) -> dict[str, object]:
        page = self.page()
        return {
            "id": hidden(page, "id"),
            "from_worker": str(self.giver.worker_id),
            "to_worker": str((to or self.taker).worker_id),
            "person_ids": [str(one) for one in people],
            "reason": "王某调岗",
            "sure": "1",
            **more,
        }

    def held(self, worker: Actor) -> set[UUID]:
        with self.world.work() as work:
            return set(
                work.session.scalars(
                    select(Responsibility.person_id).where(
                        Responsibility.worker_id == worker.worker_id, Responsibility.to_at.is_(None)
                    )
                )
            )


@pytest.fixture
def village(app: Flask, world: World) -> Village:
    return Village(app, world)


def test_people_are_handed_over_once_however_often_the_form_is_sent(village: Village) -> None:
    page = village.page()
    assert len(re.findall(r'name="person_ids" value="[0-9a-f-]{36}"[^>]* checked', page)) == 3
    assert "<script>window.bad" not in page
    form = village.form(*village.people[:2])
    assert "已移交" in follow(village.chief, village.chief.post("/hand-overs", form))
    assert "已移交" in follow(village.chief, village.chief.post("/hand-overs", form))  # the second click
    assert village.held(village.taker) == set(village.people[:2])
    assert village.held(village.giver) == {village.people[2]}


def test_when_somebody_was_quicker_nothing_is_handed_over_and_the_page_is_fresh(village: Village) -> None:
    form = village.form(*village.people)
    assert village.chief.post("/hand-overs", village.form(village.people[0])).status_code == 303
    stale = village.chief.post("/hand-overs", form)
    assert stale.status_code == 409
    assert "责任人已变更" in said(stale)
    assert "王某调岗" in stale.text
    assert str(village.people[0]) not in stale.text
    assert village.held(village.taker) == {village.people[0]}


@pytest.mark.parametrize(
    ("changes", "status", "sentence"),
    [
        ({"sure": ""}, 422, "勾选确认"),
        ({"person_ids": []}, 422, "至少选择一人"),
        ({"reason": ""}, 422, "必须填写"),
        ({"reason": "长" * 10_000}, 422, "最多200个字"),
        ({"to_worker": ""}, 422, "必须填写"),
        ({"to_worker": str(UUID(int=7))}, 422, "不能负责"),
        ({"from_worker": "x"}, 422, "UUID"),
        ({"person_ids": [str(UUID(int=7))]}, 404, "没有找到"),
    ],
    ids=[
        "not sure",
        "nobody",
        "no reason",
        "long reason",
        "to nobody",
        "stranger",
        "no id",
        "unknown person",
    ],
)
def test_what_cannot_be_handed_over_is_refused_whole(
    village: Village, changes: dict[str, object], status: int, sentence: str
) -> None:
    answer = village.chief.post("/hand-overs", village.form(*village.people) | changes)
    assert answer.status_code == status
    assert sentence in answer.text
    assert village.held(village.giver) == set(village.people)
    assert village.held(village.taker) == set()


def test_a_worker_whose_area_lacks_the_village_cannot_take_over(village: Village) -> None:
    answer = village.chief.post("/hand-overs", village.form(*village.people, to=village.other))
    assert answer.status_code == 422
    assert "该人员不能负责" in said(answer)
    assert village.held(village.other) == set()


def test_responsible_and_deputies_are_set_and_the_second_chief_is_told(village: Village) -> None:
    at = f"/people/{village.people[0]}"
    seen = hidden(village.chief.get(f"{at}/responsible").text, "seen")
    form = {"worker_id": str(village.taker.worker_id), "seen": seen}
    assert "已指定责任人" in follow(village.chief, village.chief.post(f"{at}/responsible", form))
    assert "已指定责任人" in follow(village.chief, village.chief.post(f"{at}/responsible", form))
    third = village.world.worker()
    stale = village.chief.post(f"{at}/responsible", {"worker_id": str(third.worker_id), "seen": seen})
    assert stale.status_code == 409
    assert "刚刚被调整过" in said(stale)
    deputies = [str(one.worker_id) for one in (village.giver, third)]
    page = follow(village.chief, village.chief.post(f"{at}/deputies", {"worker_ids": deputies}))
    assert page.count(" checked>") == 2
    both = village.chief.post(f"{at}/deputies", {"worker_ids": [str(village.taker.worker_id)]})
    assert both.status_code == 422
    assert "不能同时是代理责任人" in said(both)
    assert "已设定" in follow(village.chief, village.chief.post(f"{at}/deputies", {}))
    with village.world.work() as work:
        kinds = work.session.scalars(
            select(Responsibility.kind).where(
                Responsibility.person_id == village.people[0], Responsibility.to_at.is_(None)
            )
        ).all()
    assert kinds == [ResponsibilityKind.RESPONSIBLE]


def test_only_a_chief_hands_over_and_only_whom_they_see(village: Village) -> None:
    for role, area in ((Role.REVIEWER, SHENGPING), (Role.ADMINISTRATOR, GUANGDE), (Role.AUDITOR, GUANGDE)):
        browser = at_browser(village.app, village.world, village.world.worker(role, area))
        assert browser.get("/hand-overs").status_code == 403
    far = at_browser(village.app, village.world, village.world.worker(Role.CHIEF, "341882100"))
    page = far.get("/hand-overs", from_worker=village.giver.worker_id).text
    assert "没有可移交的对象" in page
    assert str(village.giver.worker_id) not in page
