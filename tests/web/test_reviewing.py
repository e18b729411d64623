"""Working through the queue on pages: the same decisions as over the API, and what goes wrong is said on the page."""

import html
import re
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import select

from server.ledger.models import Event
from server.permissions import Role
from server.photos.models import Photo
from server.reviews.models import DecisionMade
from server.visits.models import Visit
from tests.builders.visits import usual_answers
from tests.builders.world import GUANGDE, QIANCUN, SHENGPING, World
from tests.visits.test_recording import body
from tests.web.conftest import Browser, browser_user
from tests.web.town import CANARY, NAMES, Town, absent, town

ANY_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@pytest.fixture
def there(world: World) -> Town:
    """Give the town."""
    return town(world)


def decided(world: World) -> list[tuple[str, int]]:
    with world.work() as work:
        rows = work.session.scalars(select(DecisionMade).order_by(DecisionMade.decided_at))
        return [(row.decision.value, row.revision) for row in rows]


def test_the_queue_shows_who_what_and_since_when(at_desk: Browser, there: Town) -> None:
    page = at_desk.get("/queue")
    assert page.status_code == 200
    assert [name in page.text for name in NAMES] == [True, True, True, False]  # the fourth was not visited
    places = [page.text.index(f"/web/visits/{visit}") for visit in there.visits]
    assert places == sorted(places)
    for said in ("团山村", "见到本人", "未遇见", "补报", "欠照片 1", there.visitor.name):
        assert said in page.text


def test_the_queue_is_filtered_by_village_and_paged(at_desk: Browser, there: Town) -> None:
    assert str(there.visits[0]) in at_desk.get("/queue", village="341882003200").text
    other = at_desk.get("/queue", village=QIANCUN)
    assert "没有待审核的记录" in other.text
    assert "清除" in other.text
    assert at_desk.get("/queue", village="x").status_code == 422
    assert at_desk.get("/queue", cursor="%%%").status_code == 422
    page = at_desk.get("/queue", limit="2")
    assert str(there.visits[2]) not in page.text
    following = html.unescape(page.text.split('rel="next" href="')[1].split('"')[0])
    assert str(there.visits[2]) in at_desk.client.get(following).text


def test_a_record_shows_answers_photos_place_and_what_was_said(at_desk: Browser, there: Town) -> None:
    page = at_desk.get(f"/visits/{there.visits[1]}")
    assert page.status_code == 200
    for said in (
        NAMES[0], "独居", "未询问", "门口台阶松动", "灶台上方电线老化", "还没有收到", "安全隐患照片",
        "在住处东北方向约", "不在住处范围内", "<svg", "需要配药", "例行走访",
    ):  # fmt: skip
        assert said in page.text, said
    with there.world.work() as work:
        looks = set(work.session.scalars(select(Event.action).where(Event.changes.is_(False))))
    assert "visit.read" in looks


def test_what_changed_since_the_last_visit_and_what_became_of_the_record(
    at_desk: Browser, there: Town
) -> None:
    person = there.people[3]
    there.record(person, occurred_at="2026-02-03T09:12:00+08:00", ended_at=None)
    visit, sent = (
        uuid4(),
        body(person, there.visitor.worker_id, answers={**usual_answers(), "food": "lacking"}),
    )
    assert there.phone.put(f"/visits/{visit}", sent).status_code == 201
    sent["notes"] = "米缸空了"
    assert there.phone.put(f"/visits/{visit}", sent, revision=1).status_code == 200
    form = {"decision": "return", "revision": "2", "reason": "请写明缺什么"}
    assert at_desk.post(f"/visits/{visit}/decisions", form).status_code == 303
    page = at_desk.get(f"/visits/{visit}").text
    compared = page.split('id="before"')[1].split("</section>")[0]
    assert [said in compared for said in ("2026-02-03 09:12", "食物", "充足", "缺乏")] == [True] * 4
    story = page.split('id="story"')[1].split("</section>")[0]
    places = [story.index(said) for said in ("填报", "更正", "米缸空了", "退回更正", "请写明缺什么")]
    assert places == sorted(places)
    assert "这是第一次走访" in at_desk.get(f"/visits/{there.visits[2]}").text


def test_findings_stand_beside_the_record_and_filter_the_queue(at_desk: Browser, there: Town) -> None:
    page = at_desk.get(f"/visits/{there.visits[1]}").text
    assert "请核实是否在住处见到本人" in page
    assert "提示供人核实，不评价走访人员" in page
    outside = at_desk.get("/queue", finding="fence_outside").text
    assert str(there.visits[1]) in outside
    assert str(there.visits[0]) not in outside
    assert '<option value="fence_outside" selected>' in outside


def test_a_record_without_location_says_why_and_blames_nobody(at_desk: Browser, there: Town) -> None:
    page = at_desk.get(f"/visits/{there.visits[2]}")
    assert "没有定位（室内无法定位）。没有定位不表示没有走访。" in page.text
    assert "老人不愿意拍照" in page.text
    attempt = at_desk.get(f"/visits/{there.visits[3]}")
    assert "知情人：邻居 邻居老张" in attempt.text


def test_deciding_leads_to_the_record_that_waits_next(at_desk: Browser, there: Town) -> None:
    first, second, third, fourth = there.visits
    answer = at_desk.post(f"/visits/{first}/decisions", {"decision": "accept", "revision": "1"})
    assert (answer.status_code, answer.location) == (303, f"/web/visits/{second}?done=accept")
    assert "已通过。" in at_desk.client.get(answer.location).text
    sent = {"decision": "return", "revision": "1", "reason": "请补充第三张照片"}
    answer = at_desk.post(f"/visits/{second}/decisions?village=341882003200", sent)
    assert answer.location == f"/web/visits/{third}?done=return&village=341882003200"
    sent = {"decision": "void", "revision": "1", "reason": "重复填报"}
    assert at_desk.post(f"/visits/{third}/decisions", sent).location == f"/web/visits/{fourth}?done=void"
    last = at_desk.post(f"/visits/{fourth}/decisions", {"decision": "accept", "revision": "1"})
    assert last.location == "/web/queue?done=accept"
    assert decided(there.world) == [("accept", 1), ("return", 1), ("void", 1), ("accept", 1)]
    items = there.phone.get("/sync").json["items"]
    returned = next(item["data"] for item in items if item["kind"] == "visit" and item["id"] == str(second))
    assert (returned["state"], returned["state_reason"]) == ("returned", "请补充第三张照片")


def test_a_reason_that_is_missing_or_too_long_is_asked_for_and_nothing_typed_is_lost(
    at_desk: Browser, there: Town
) -> None:
    visit = there.visits[1]
    missing = at_desk.post(
        f"/visits/{visit}/decisions", {"decision": "return", "revision": "1", "reason": " "}
    )
    assert missing.status_code == 422
    assert "请写明原因" in missing.text
    long = "很长的原因。" * 1700
    answer = at_desk.post(
        f"/visits/{visit}/decisions", {"decision": "return", "revision": "1", "reason": long}
    )
    assert answer.status_code == 422
    assert "最多500个字" in answer.text
    assert long in answer.text
    assert '<details name="decide" data-key="r" open>' in answer.text
    assert decided(there.world) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"decision": "burn"},
        {"revision": "x"},
        {"revision": "0"},
        {"revision": "1" * 40},
        {"extra": "1"},
        {"revision": ""},
    ],
    ids=["word", "no number", "zero", "huge", "unknown", "none"],
)
def test_a_form_that_was_changed_is_refused(at_desk: Browser, there: Town, wrong: dict[str, str]) -> None:
    form = {"decision": "accept", "revision": "1"} | wrong
    answer = at_desk.post(f"/visits/{there.visits[0]}/decisions", form)
    assert answer.status_code == 422
    assert decided(there.world) == []


def test_fields_that_come_twice_are_refused(at_desk: Browser, there: Town) -> None:
    answer = at_desk.client.post(
        f"/web/visits/{there.visits[0]}/decisions",
        data="decision=accept&decision=void&revision=1&reason=x",
        content_type="application/x-www-form-urlencoded",
        headers={"Sec-Fetch-Site": "same-origin"},
    )
    assert answer.status_code == 422
    assert decided(there.world) == []


def test_pressing_twice_decides_once(at_desk: Browser, there: Town) -> None:
    form = {"decision": "accept", "revision": "1"}
    first = at_desk.post(f"/visits/{there.visits[0]}/decisions", form)
    second = at_desk.post(f"/visits/{there.visits[0]}/decisions", form)
    assert (first.status_code, second.status_code) == (303, 303)
    assert second.location == first.location
    assert "已通过" in at_desk.get(f"/visits/{there.visits[0]}").text
    assert decided(there.world) == [("accept", 1)]


def test_whoever_was_slower_sees_what_the_record_is_now(app: Flask, at_desk: Browser, there: Town) -> None:
    other = Browser(app)
    other.sign_in(browser_user(there.world, Role.CHIEF, SHENGPING))
    visit = there.visits[0]
    form = {"decision": "void", "revision": "1", "reason": "重复"}
    assert at_desk.get(f"/visits/{visit}").status_code == 200
    assert (
        other.post(f"/visits/{visit}/decisions", {"decision": "accept", "revision": "1"}).status_code == 303
    )
    late = at_desk.post(f"/visits/{visit}/decisions", form)
    assert late.status_code == 409
    assert "记录已被更新" in late.text
    assert "已通过</span>" in late.text
    assert ">重复</textarea>" in late.text
    assert 'name="revision" value="2"' in late.text
    assert decided(there.world) == [("accept", 1)]


def test_a_correction_in_between_is_seen_before_it_is_decided_on(at_desk: Browser, there: Town) -> None:
    visit, sent = uuid4(), body(there.people[3], there.visitor.worker_id)
    assert there.phone.put(f"/visits/{visit}", sent).status_code == 201
    at_desk.get(f"/visits/{visit}")
    changed = {**sent, "notes": "老人说药吃完了"}
    assert there.phone.put(f"/visits/{visit}", changed, revision=1).status_code == 200
    answer = at_desk.post(f"/visits/{visit}/decisions", {"decision": "accept", "revision": "1"})
    assert answer.status_code == 409
    assert "老人说药吃完了" in answer.text
    assert decided(there.world) == []


def test_nobody_decides_on_their_own_record(at_desk: Browser, there: Town, reviewer: object) -> None:
    account = reviewer
    phone = there.world.phone(account.actor)  # type: ignore[attr-defined]
    visit = uuid4()
    sent = body(there.people[3], account.actor.worker_id)  # type: ignore[attr-defined]
    assert phone.put(f"/visits/{visit}", sent).status_code == 201
    page = at_desk.get(f"/visits/{visit}")
    assert "由其他审核人员处理" in page.text
    assert "确认通过" not in page.text
    answer = at_desk.post(f"/visits/{visit}/decisions", {"decision": "accept", "revision": "1"})
    assert answer.status_code == 403
    assert "不能审核自己" in answer.text


def test_out_of_sight_looks_like_not_there(app: Flask, world: World, there: Town) -> None:
    far = Browser(app)
    far.sign_in(browser_user(world, Role.REVIEWER, "341882101"))
    hidden, nothing = far.get(f"/visits/{there.visits[0]}"), far.get(f"/visits/{uuid4()}")
    assert (hidden.status_code, nothing.status_code) == (404, 404)
    assert ANY_ID.sub("", hidden.text) == ANY_ID.sub("", nothing.text)
    form = {"decision": "accept", "revision": "1"}
    assert far.post(f"/visits/{there.visits[0]}/decisions", form).status_code == 404
    with world.work() as work:
        photo = work.session.scalars(select(Photo.id).where(Photo.blob_key.is_not(None))).first()
    assert far.get(f"/photos/{photo}").status_code == 404
    assert decided(world) == []


def test_a_reviewer_who_was_moved_away_in_mid_decision_is_signed_out(
    at_desk: Browser, there: Town, reviewer: object
) -> None:
    from server.accounts.managing import grant

    at_desk.get(f"/visits/{there.visits[0]}")
    with there.world.work() as work:
        grant(work, reviewer.actor.worker_id, Role.REVIEWER, "341882101")  # type: ignore[attr-defined]
    form = {"decision": "return", "revision": "1", "reason": "写了半天的话"}
    answer = at_desk.post(f"/visits/{there.visits[0]}/decisions", form)
    assert answer.status_code == 401
    assert "写了半天的话" in answer.text
    assert decided(there.world) == []


def test_inspectors_look_and_decide_nothing(app: Flask, world: World, there: Town) -> None:
    desk = Browser(app)
    desk.sign_in(browser_user(world, Role.COUNTY_INSPECTOR, GUANGDE))
    assert desk.get("/queue").status_code == 403
    page = desk.get(f"/visits/{there.visits[1]}")
    assert page.status_code == 200
    assert "确认通过" not in page.text


def test_photos_are_shown_by_the_cookie_and_leave_their_line(at_desk: Browser, there: Town) -> None:
    with there.world.work() as work:
        photo = work.session.scalars(select(Photo.id).where(Photo.blob_key.is_not(None))).first()
        missing = work.session.scalars(select(Photo.id).where(Photo.blob_key.is_(None))).first()
    for size in ("thumb", "screen"):
        answer = at_desk.get(f"/photos/{photo}", size=size)
        assert (answer.status_code, answer.mimetype) == (200, "image/jpeg")
    assert at_desk.get(f"/photos/{photo}", size="huge").status_code == 404
    assert at_desk.get(f"/photos/{missing}").status_code == 404
    assert (
        at_desk.get(f"/photos/{photo}", size="original")
        .headers["Content-Disposition"]
        .startswith("attachment")
    )
    with there.world.work() as work:
        actions = list(work.session.scalars(select(Event.action)))
    assert actions.count("photo.read") == 2
    assert actions.count("photo.original_read") == 1


def test_texts_that_look_like_code_are_texts(at_desk: Browser, there: Town) -> None:
    visit = there.record(
        there.people[3],
        notes=CANARY,
        village_assistant=CANARY[:90],
        no_photo_reason=CANARY,
        needs=[{"kind": "medical", "detail": CANARY}],
        problems=[{"code": "old_wiring", "severity": "high", "description": CANARY, "fixed_on_site": False, "photo_ids": []}],
        signatures=[{"signer": "witness", "manner": "sign", "name": CANARY[:90], "reason": CANARY}],
    )  # fmt: skip
    page = at_desk.get(f"/visits/{visit}")
    assert page.status_code == 200
    assert page.text.count("&lt;script&gt;window.bad=1&lt;/script&gt;") >= 7
    for unescaped in ("<script>window", "<img src=x", "<svg onload"):
        assert unescaped not in page.text
    assert "{{7*7}}" in page.text
    sent = {"decision": "return", "revision": "1", "reason": CANARY}
    assert at_desk.post(f"/visits/{visit}/decisions", sent).status_code == 303
    after = at_desk.get(f"/visits/{visit}").text
    assert "<script>window" not in after
    assert html.escape(CANARY, quote=False)[:60] in after.replace("&#34;", '"').replace("&#39;", "'")


def test_a_note_as_long_as_a_note_may_be_is_shown_whole(at_desk: Browser, there: Town) -> None:
    note = "没有标点也没有空格的长句" * 333
    visit = there.record(there.people[3], notes=note)
    page = at_desk.get(f"/visits/{visit}")
    assert note in page.text
    too_long = body(there.people[3], there.visitor.worker_id, notes="长" * 10_000)
    assert there.phone.put(f"/visits/{uuid4()}", too_long).status_code == 422


def test_an_attempts_informants_may_say_anything(at_desk: Browser, there: Town) -> None:
    visit = there.record(there.people[3], **absent(CANARY))
    page = at_desk.get(f"/visits/{visit}").text
    assert "<script>window" not in page
    assert page.count("&lt;script&gt;") >= 2


def test_a_void_record_offers_no_decision(at_desk: Browser, there: Town) -> None:
    visit = there.visits[0]
    at_desk.post(f"/visits/{visit}/decisions", {"decision": "void", "revision": "1", "reason": "重复"})
    page = at_desk.get(f"/visits/{visit}").text
    assert "已作废" in page
    assert "确认作废" not in page
    with there.world.work() as work:
        assert work.session.get_one(Visit, visit).revision == 2
