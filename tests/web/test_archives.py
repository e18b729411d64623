"""Files and the overdue board on pages: found without a name in an address, shown whole, revealed for a reason."""

import json
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import select

from server.archives.terms import EventKind
from server.ledger.models import Event
from server.ledger.sealer import seal
from server.permissions import Role
from server.web import happened
from tests.builders.clock import Clock
from tests.builders.world import GUANGDE, QIANCUN, SHENGPING, TUANSHAN, World
from tests.web.conftest import Account, Browser, browser_user
from tests.web.town import CANARY, NAMES, Town, town


@pytest.fixture
def there(world: World) -> Town:
    """Give the town."""
    return town(world)


def told(world: World, action: str) -> list[Event]:
    with world.work() as work:
        return list(work.session.scalars(select(Event).where(Event.action == action)))


def test_nobody_is_looked_at_before_somebody_searches(at_desk: Browser, there: Town) -> None:
    page = at_desk.get("/archives")
    assert page.status_code == 200
    assert not any(name in page.text for name in NAMES)
    assert told(there.world, "archives.read") == []


def test_a_search_finds_and_leaves_nothing_of_it_in_an_address(at_desk: Browser, there: Town) -> None:
    answer = at_desk.post("/archives", {"query": "王阿", "village": "", "category": ""})
    assert answer.status_code == 200
    assert NAMES[0] in answer.text
    assert NAMES[1] not in answer.text
    assert "%E7%8E%8B" not in answer.text
    assert 'value="王阿"' in answer.text
    none = at_desk.post("/archives", {"query": "没有这个人"})
    assert "没有找到符合条件的档案" in none.text
    wrong = at_desk.post("/archives", {"query": "长" * 200})
    assert wrong.status_code == 422
    assert "最多100个字" in wrong.text


def test_a_long_list_goes_on(at_desk: Browser, there: Town) -> None:
    first = at_desk.post("/archives", {"limit": "2"}).text
    shown = [name for name in NAMES if name in first]
    assert len(shown) == 2
    cursor = first.split('name="cursor" value="')[1].split('"')[0]
    second = at_desk.post("/archives", {"limit": "2", "cursor": cursor}).text
    assert {name for name in NAMES if name in second} == set(NAMES) - set(shown)


def test_a_file_shows_what_is_known_owed_happened_and_photographed(at_desk: Browser, there: Town) -> None:
    page = at_desk.get(f"/archives/{there.people[0]}")
    assert page.status_code == 200
    for said in (
        NAMES[0], "分散供养特困人员", "升平街道团山村1号", "13900000001", there.visitor.name, "走访任务", "已完成",
        "灶台上方电线老化", "严重", "还欠 1 张", "补报", "纳入救助", "<svg", "谁看过这份档案",
    ):  # fmt: skip
        assert said in page.text, said
    for visit in there.visits[:2]:
        assert f"/web/visits/{visit}" in page.text
    assert len(told(there.world, "archive.read")) == 1


def test_the_whole_timeline_has_a_page(at_desk: Browser, there: Town) -> None:
    first = at_desk.get(f"/archives/{there.people[0]}/timeline", limit="2")
    assert first.text.count("<time>") == 2
    assert 'rel="next"' in first.text
    assert at_desk.get(f"/archives/{there.people[0]}/timeline", cursor="x").status_code == 422


def test_who_looked_is_shown_and_is_a_look(at_desk: Browser, there: Town, reviewer: Account) -> None:
    at_desk.get(f"/archives/{there.people[0]}")
    with there.world.work() as work:
        seal(work.session)
    page = at_desk.get(f"/archives/{there.people[0]}/looks")
    assert page.status_code == 200
    assert reviewer.actor.name in page.text
    assert "查看档案" in page.text
    assert len(told(there.world, "archive.looks_read")) == 1


def test_a_masked_number_is_shown_once_for_a_reason(at_desk: Browser, there: Town) -> None:
    path = f"/archives/{there.people[0]}/reveal/phone"
    form = at_desk.get(path)
    assert "为什么需要查看" in form.text
    assert "动态口令" not in form.text.split("</h1>")[1]  # just signed in
    short = at_desk.post(path, {"reason": "嗯"})
    assert short.status_code == 422
    assert told(there.world, "person.revealed") == []
    shown = at_desk.post(path, {"reason": "联系不上，需要打电话"})
    assert shown.status_code == 200
    assert "13900000001" in shown.text
    assert shown.headers["Cache-Control"] == "no-store"
    lines = told(there.world, "person.revealed")
    assert [line.person_id for line in lines] == [there.people[0]]
    assert at_desk.get(f"/archives/{there.people[0]}/reveal/everything").status_code == 404


def test_after_ten_minutes_a_code_is_asked_for_again(
    at_desk: Browser, there: Town, reviewer: Account, clock: Clock
) -> None:
    path = f"/archives/{there.people[0]}/reveal/phone"
    clock.move(minutes=9)
    at_desk.get("/archives")
    clock.move(minutes=2)
    assert 'name="otp"' in at_desk.get(path).text
    reason = {"reason": "联系不上，需要打电话"}
    for otp in ({}, {"otp": "000000"}, {"otp": "x"}):
        refused = at_desk.post(path, reason | otp)
        assert refused.status_code == 403
        assert "13900000001" not in refused.text
        assert reason["reason"] in refused.text
    code = reviewer.otp()
    assert "13900000001" in at_desk.post(path, reason | {"otp": code}).text
    assert 'name="otp"' not in at_desk.get(path).text
    clock.move(minutes=10)
    again = at_desk.post(path, reason | {"otp": code})  # used up, whatever the clock says
    assert again.status_code == 403
    assert len(told(there.world, "person.revealed")) == 1
    assert len(told(there.world, "session.proved")) == 1


def test_guessing_codes_is_stopped(at_desk: Browser, there: Town, reviewer: Account, clock: Clock) -> None:
    clock.move(minutes=11)
    path = f"/archives/{there.people[0]}/reveal/phone"
    form = {"reason": "联系不上，需要打电话", "otp": "000000"}
    seen = [at_desk.post(path, form).status_code for _ in range(11)]
    assert seen == [403] * 10 + [429]


def test_who_may_not_reveal_is_not_offered_it(app: Flask, world: World, there: Town) -> None:
    desk = Browser(app)
    desk.sign_in(browser_user(world, Role.COUNTY_INSPECTOR, GUANGDE))
    page = desk.get(f"/archives/{there.people[0]}")
    assert page.status_code == 200
    assert "13900000001" not in page.text
    assert "查看完整" not in page.text
    assert desk.post(f"/archives/{there.people[0]}/reveal/phone", {"reason": "想看一看"}).status_code == 403


def late(there: Town, clock: Clock) -> None:
    clock.set("2026-04-20T10:00:00+08:00")


def test_the_board_counts_by_village_and_names_whom_to_visit(
    app: Flask, world: World, there: Town, clock: Clock
) -> None:
    world.person(world.worker(area=QIANCUN), village=QIANCUN, name="钱村老人")
    late(there, clock)
    desk = Browser(app)
    desk.sign_in(browser_user(world))
    page = desk.get("/overdue")
    assert page.status_code == 200
    assert {name: name in page.text for name in (*NAMES, "钱村老人")} == {
        NAMES[0]: False, NAMES[1]: False, NAMES[2]: True, NAMES[3]: True, "钱村老人": True,
    }  # fmt: skip
    assert '<svg class="chart"' in page.text
    assert "139****0001" in page.text
    assert "13900000001" not in page.text
    assert there.visitor.name in page.text
    one = desk.get("/overdue", village=TUANSHAN).text
    assert "钱村老人" not in one
    assert "已按村筛选" in one


def test_the_map_of_a_village_names_the_homes_of_the_overdue_alone(
    app: Flask, world: World, there: Town, clock: Clock
) -> None:
    late(there, clock)
    desk, county = Browser(app), Browser(app)
    desk.sign_in(browser_user(world))
    drawn = desk.get("/overdue", village=TUANSHAN).text.split('<svg class="map"')[1].split("</svg>")[0]
    assert [name in drawn for name in NAMES] == [False, False, True, True]
    assert (drawn.count("map-mark map-over"), drawn.count("map-mark map-other")) == (2, 2)
    assert '<svg class="map"' not in desk.get("/overdue").text
    assert {
        len(json.loads(line.payload.partition(".")[2])["people"]) for line in told(world, "overdue.map_read")
    } == {4}
    county.sign_in(browser_user(world, Role.COUNTY_INSPECTOR, GUANGDE))
    assert '<svg class="map"' not in county.get("/overdue", village=TUANSHAN).text


def test_the_board_of_a_past_day(app: Flask, world: World, there: Town, clock: Clock) -> None:
    late(there, clock)
    desk = Browser(app)
    desk.sign_in(browser_user(world))
    page = desk.get("/overdue", as_of="2026-03-20")
    assert "2026-03-20" in page.text
    assert "（今天）" not in page.text
    assert NAMES[3] in page.text  # whom nobody saw in February
    for wrong in ({"as_of": "2026-13-01"}, {"as_of": "2030-01-01"}, {"category": "x"}, {"cursor": "x"}):
        assert desk.get("/overdue", **wrong).status_code == 422, wrong


def test_a_workers_phone_is_revealed_to_their_township(app: Flask, world: World) -> None:
    from server.accounts.managing import NewWorker, register

    world.house.keys.reserve(1)
    new = NewWorker(id=uuid4(), name="有电话的人", role=Role.VISITOR, area_code=TUANSHAN, phone="13900000009")
    with world.work() as work:
        register(work, new)
    desk, far = Browser(app), Browser(app)
    desk.sign_in(browser_user(world))
    far.sign_in(browser_user(world, Role.REVIEWER, "341882101", "far"))
    path = f"/workers/{new.id}/phone"
    assert "有电话的人" in desk.get(path).text
    assert "13900000009" in desk.post(path, {"reason": "提醒走访逾期"}).text
    assert far.get(path).status_code == 404
    assert far.post(path, {"reason": "提醒走访逾期"}).status_code == 404
    line = told(world, "worker.phone_revealed")[0]
    assert (line.subject_id, line.changes) == (new.id, False)
    assert "提醒走访逾期" not in json.dumps(line.payload, ensure_ascii=False)


def test_texts_that_look_like_code_are_texts_in_a_file_too(at_desk: Browser, there: Town) -> None:
    person = there.world.person(there.visitor, name=CANARY[:60])
    problem = {
        "code": "old_wiring",
        "severity": "low",
        "description": CANARY,
        "fixed_on_site": False,
        "photo_ids": [],
    }
    there.record(person, problems=[problem], notes=CANARY)
    for page in (
        at_desk.get(f"/archives/{person}"),
        at_desk.get(f"/archives/{person}/timeline"),
        at_desk.post("/archives", {"query": CANARY[:20]}),
        at_desk.post("/archives", {"query": "x", "village": CANARY[:12]}),
        at_desk.post(f"/archives/{person}/reveal/phone", {"reason": CANARY + "长" * 200}),
        at_desk.get("/overdue", as_of="2026-04-20"),
        at_desk.get("/queue"),
    ):
        assert "<script>window" not in page.text
        assert "<img src=x" not in page.text


def test_administrators_and_auditors_see_no_file(app: Flask, world: World, there: Town) -> None:
    for role in (Role.ADMINISTRATOR, Role.AUDITOR):
        desk = Browser(app)
        desk.sign_in(browser_user(world, role, GUANGDE))
        for path in (f"/archives/{there.people[0]}", "/archives", "/overdue", "/queue"):
            assert desk.get(path).status_code == 403
        assert "/web/archives" not in desk.get("/").text


def test_a_part_of_a_page_whose_session_ended_sends_the_whole_page_to_sign_in(
    at_desk: Browser, there: Town, clock: Clock
) -> None:
    clock.move(minutes=20)
    answer = at_desk.client.get(
        f"/web/archives/{there.people[0]}/looks",
        headers={"HX-Request": "true", "Sec-Fetch-Site": "same-origin"},
    )
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (401, "/web/sign-in")
    assert SHENGPING not in answer.text


def test_every_kind_of_line_has_words(at_desk: Browser, there: Town) -> None:
    """A finding had none, and a file with one in its timeline could not be opened."""
    assert set(happened.WORDS) == set(EventKind)
    page = at_desk.get(f"/archives/{there.people[0]}")
    assert page.status_code == 200
    at_desk.get(f"/visits/{there.visits[1]}")  # judged when it is read
    page = at_desk.get(f"/archives/{there.people[0]}")
    assert page.status_code == 200
    assert f"{EventKind.FINDING.label}" in page.text
