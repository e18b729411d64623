"""A spot check from its plan to a closed rectification, on pages alone; and what bad forms, second clicks and code in texts get."""

import hashlib
import html
import re
from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from server.permissions import Actor, Role
from server.spotchecks.models import BackCheck, SpotCheck, SpotCheckPlan
from server.visits.models import Visit
from tests.builders.world import GUANGDE, SHENGPING, World
from tests.spotchecks.case import AFTER, ANSWERS, BEFORE, SEED, WITHIN, Case
from tests.web.conftest import Browser
from tests.web.test_sight import at_browser
from tests.web.town import CANARY

PLAN = {"area_code": SHENGPING, "period": "2026-04", "dates": "received"}


class Desk:
    """Browsers of everybody who takes part; weeks pass between the steps, so each signs in afresh."""

    def __init__(self, app: Flask, world: World) -> None:
        self.app, self.world, self.case = app, world, Case(world)
        self.plan = self.case.plan

    def of(self, role: Role) -> Browser:
        phones = {
            Role.COUNTY_INSPECTOR: self.case.inspector,
            Role.CHIEF: self.case.chief,
            Role.REVIEWER: self.case.reviewer,
        }
        return at_browser(self.app, self.world, phones[role].actor)

    def sit(self, actor: Actor) -> Browser:
        return at_browser(self.app, self.world, actor)

    def drawn(self) -> None:
        self.case.go(share=100, count=1)
        assert self.case.assign(self.case.reviewer).status_code == 200

    def check(self) -> str:
        return str(self.case.checks(self.case.reviewer, mine="true")[0]["id"])

    def count(self, model: Any) -> int:
        with self.world.work() as work:
            return work.session.scalar(select(func.count()).select_from(model)) or 0


@pytest.fixture
def desk(app: Flask, world: World) -> Desk:
    return Desk(app, world)


def said(answer: TestResponse) -> str:
    found = re.search(r'id="refusal">(.*?)</div>', answer.text, re.DOTALL)
    return html.unescape(re.sub(r"<[^>]+>", " ", found.group(1))) if found else ""


def hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found is not None, name
    return found.group(1)


def check_form(**more: str) -> dict[str, Any]:
    answers = {
        f"answers.{name}": [str(one) for one in value] if isinstance(value, list) else str(value)
        for name, value in ANSWERS.items()
    }
    return {
        "id": str(uuid4()),
        "form": "check",
        "method": "call_back",
        "occurred_at": "2026-05-06T10:00",
        "spoke_to": "person",
        "recall": "confirmed",
        "recalled_on": "2026-04-09",
        "who_came": "村里的小王",
        "notes": "电话中声音清楚",
        **answers,
        **more,
    }


def follow(browser: Browser, answer: TestResponse) -> str:
    assert answer.status_code == 303, said(answer)
    assert answer.location is not None
    return browser.client.get(answer.location).text


def test_a_spot_check_goes_from_plan_to_closed_rectification_on_pages_alone(desk: Desk) -> None:
    chief, inspector = desk.of(Role.CHIEF), desk.of(Role.COUNTY_INSPECTOR)
    form = chief.get("/spot-checks/plans/new").text
    plan_id = UUID(hidden(form, "id"))
    sent = {
        **PLAN,
        "id": str(plan_id),
        "share": "100",
        "strata": ["village", "category"],
        "always": ["death"],
    }
    assert "计划已制定" in follow(chief, chief.post("/spot-checks/plans", sent))
    assert "计划已制定" in follow(chief, chief.post("/spot-checks/plans", sent))  # the second click
    assert desk.count(SpotCheckPlan) == 1
    at = f"/spot-checks/plans/{plan_id}"
    commitment = hashlib.sha256(SEED + plan_id.bytes).hexdigest()
    page = follow(inspector, inspector.post(f"{at}/commitment", {"commitment": commitment}))
    assert commitment in page
    assert "种子由承诺人自行保管" in page
    desk.case.plan = plan_id
    desk.case.at(WITHIN)
    desk.case.visit(1)
    assert "月份还没有结束" in desk.of(Role.CHIEF).get(at).text
    desk.case.at(AFTER)
    chief, inspector, reviewer = (desk.of(one) for one in (Role.CHIEF, Role.COUNTY_INSPECTOR, Role.REVIEWER))
    frozen = follow(chief, chief.post(f"{at}/frame"))
    digest = re.search(r"摘要<br>\s*<code>([0-9a-f]{64})", frozen)
    assert digest is not None
    drawn = follow(inspector, inspector.post(f"{at}/draw", {"seed": SEED.hex()}))
    assert SEED.hex() in drawn
    csv = chief.get(f"{at}/frame.csv")
    assert hashlib.sha256(csv.data).hexdigest() == digest.group(1), (csv.status_code, csv.text)
    proof = chief.get(f"{at}/proof.json")
    assert len(proof.json["sample"]) == 2  # type: ignore[index]
    for file in (csv, proof):
        assert "attachment" in file.headers["Content-Disposition"]
        assert "测试老人" not in file.text
    assigned = chief.post(f"{at}/assignments")
    assert "已分派 2 件" in assigned.text
    first = desk.case.checks()[0]
    check, reviewer_id = str(first["id"]), str(desk.case.reviewer.actor.worker_id)
    if first["checker"]["id"] != reviewer_id:
        now = chief.get(f"/spot-checks/{check}").text
        given = {"worker_id": reviewer_id, "revision": hidden(now, "revision"), "form": "checker"}
        assert "已改派" in follow(chief, chief.post(f"/spot-checks/{check}/checker", given))
    paper = reviewer.get(f"{at}/worksheet").text
    assert "走访抽查核查表" in paper
    assert "hypertension" not in paper
    blind = reviewer.get(f"/spot-checks/{check}").text
    assert "原记录与核查对照" not in blind
    denied = check_form(
        recall="denied", recalled_on="", **{"answers.water": "well", "answers.money_received": "no"}
    )
    checked = follow(reviewer, reviewer.post(f"/spot-checks/{check}/back-checks", denied))
    assert "核查已保存" in checked
    assert "不一致" in checked
    assert desk.count(BackCheck) == 1
    assert "核查已保存" in follow(reviewer, reviewer.post(f"/spot-checks/{check}/back-checks", denied))
    assert desk.count(BackCheck) == 1
    judging = chief.get(f"/spot-checks/{check}").text
    revision = hidden(judging, "revision")
    judged = follow(
        chief,
        chief.post(
            f"/spot-checks/{check}/judgements",
            {
                "result": "major",
                "revision": revision,
                "reason": "经核实",
                "what": "请补访并当面核对",
                "form": "judge",
            },
        ),
    )
    assert "已认定。" in judged
    stale = chief.post(
        f"/spot-checks/{check}/judgements",
        {"result": "minor", "revision": revision, "reason": "改一下", "form": "judge"},
    )
    assert stale.status_code == 409
    assert "记录已被更新" in said(stale)
    assert "改一下" in stale.text or "已认定" in stale.text
    rectification = re.search(r"/web(/rectifications/[0-9a-f-]{36})", judged)
    assert rectification is not None
    at = rectification.group(1)
    with desk.world.work() as work:
        visit_id = work.session.get_one(SpotCheck, UUID(check)).visit_id
        owner_id = work.session.get_one(Visit, visit_id).recorder_id
    owner = desk.sit(next(one for one in desk.case.visitors if one.worker_id == owner_id))
    assert "测试老人" in owner.get("/rectifications").text
    for who, step, text in (
        (owner, "answer", "已补访"),
        (reviewer, "recheck", "已电话核实"),
        (chief, "close", ""),
    ):
        now = who.get(at).text
        page = follow(
            who, who.post(f"{at}/steps", {"step": step, "revision": hidden(now, "revision"), "text": text})
        )
        assert text in page
    assert "已销号" in page
    found = chief.get(f"/spot-checks/plans/{plan_id}/results", by="village").text
    assert "不一致" in found
    assert "团山村" in found
    assert "测试走访人员" not in found


def test_a_seed_that_comes_early_is_refused_kept_nowhere_and_not_shown_again(desk: Desk) -> None:
    desk.case.go(until="committed")
    answer = desk.of(Role.COUNTY_INSPECTOR).post(f"/spot-checks/plans/{desk.plan}/draw", {"seed": SEED.hex()})
    assert answer.status_code == 409
    assert "还不能公布种子" in said(answer)
    assert SEED.hex() not in answer.text
    wrong = desk.of(Role.CHIEF).post(f"/spot-checks/plans/{desk.plan}/frame")
    assert wrong.status_code == 303
    other = desk.of(Role.COUNTY_INSPECTOR).post(f"/spot-checks/plans/{desk.plan}/draw", {"seed": "ab" * 32})
    assert other.status_code == 422
    assert "种子与承诺不符" in said(other)
    assert "ab" * 32 not in other.text


def test_whoever_keeps_the_seed_does_not_freeze_and_the_page_says_who_must(desk: Desk) -> None:
    desk.case.go(until="committed")
    same = desk.of(Role.COUNTY_INSPECTOR).post(f"/spot-checks/plans/{desk.plan}/frame")
    assert same.status_code == 403
    assert "另一岗位的另一人" in said(same)


def test_a_plan_whose_frame_is_empty_is_not_frozen_and_can_be_annulled(desk: Desk) -> None:
    assert desk.case.make().status_code == 201
    assert desk.case.commit().status_code == 200
    desk.case.at(AFTER)
    chief = desk.of(Role.CHIEF)
    empty = chief.post(f"/spot-checks/plans/{desk.plan}/frame")
    assert empty.status_code == 409
    assert "名单为空" in said(empty)
    blank = chief.post(f"/spot-checks/plans/{desk.plan}/annulment", {"reason": "  "})
    assert blank.status_code == 422
    page = follow(chief, chief.post(f"/spot-checks/plans/{desk.plan}/annulment", {"reason": CANARY}))
    assert html.escape(CANARY, quote=False)[:30] in page
    assert "<script>window.bad" not in page


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"period": "2026-03"}, "月份已经开始"),
        ({"period": "soon"}, "月份应当像"),
        ({"share": "50", "number": "3"}, "只能填一项"),
        ({"share": "many"}, "整数"),
        ({"share": "500"}, "应当在"),
        ({"strata": ["village", "village"]}, "重复"),
        ({"always": ["luck"]}, "只能是"),
        ({"area_code": "341882100"}, "没有这个辖区"),
        ({"id": "x"}, "UUID"),
        ({"stranger": "1"}, "没有这一项"),
    ],
    ids=["begun", "month", "both", "word", "most", "twice", "word of ours", "elsewhere", "id", "unknown"],
)
def test_a_plan_that_cannot_be_made_is_refused_and_nothing_is_stored(
    desk: Desk, changes: Mapping[str, Any], sentence: str
) -> None:
    desk.world.clock.set(BEFORE)
    chief = desk.of(Role.CHIEF)
    answer = chief.post("/spot-checks/plans", {**PLAN, "id": str(uuid4()), **changes})
    assert 400 <= answer.status_code < 500
    assert sentence in html.unescape(answer.text)
    assert desk.count(SpotCheckPlan) == 0


def test_only_heads_of_checks_make_plans_and_an_auditor_reads_them(desk: Desk) -> None:
    assert desk.case.make().status_code == 201
    reviewer = desk.of(Role.REVIEWER)
    assert reviewer.get("/spot-checks/plans/new").status_code == 403
    assert reviewer.post("/spot-checks/plans", PLAN).status_code == 403
    auditor = desk.sit(desk.world.worker(Role.AUDITOR, GUANGDE))
    listed = auditor.get("/spot-checks/plans").text
    assert "2026-04" in listed
    assert "制定计划" not in listed
    page = auditor.get(f"/spot-checks/plans/{desk.plan}").text
    assert "抽查办法" in page
    assert "<details" not in page
    far = desk.sit(desk.world.worker(Role.CHIEF, "341882100"))
    assert far.get(f"/spot-checks/plans/{desk.plan}").status_code == 404


def test_a_back_check_that_makes_no_sense_gives_back_what_was_typed(desk: Desk) -> None:
    desk.drawn()
    reviewer, check = desk.of(Role.REVIEWER), desk.check()
    for changes, sentence in (
        ({"notes": CANARY * 60}, "最多2000个字"),
        ({"notes": "记" * 10_000}, "最多2000个字"),
        ({"occurred_at": "2026-07-01T10:00"}, "不能晚于现在"),
        ({"occurred_at": "soon"}, "应当"),
        ({"recall": "denied"}, "只有记得来过时才填写日期"),
        ({"answers.water": "whisky"}, "只能是"),
        ({"answers.satisfaction": "many"}, "整数"),
        ({"answers.notes": "x"}, "没有这个问题"),
        ({"id": "x"}, "UUID"),
    ):
        answer = reviewer.post(f"/spot-checks/{check}/back-checks", check_form(**changes))
        assert answer.status_code == 422, changes
        assert sentence in said(answer), (changes, said(answer))
        assert "村里的小王" in answer.text
        assert "<script>window.bad" not in answer.text
    assert desk.count(BackCheck) == 0
    stranger = desk.of(Role.CHIEF).post(f"/spot-checks/{check}/back-checks", check_form())
    assert stranger.status_code == 403
    assert "不是分派给您的核查" in said(stranger)


def test_texts_that_look_like_code_are_shown_as_texts(desk: Desk) -> None:
    desk.drawn()
    reviewer, chief, check = desk.of(Role.REVIEWER), desk.of(Role.CHIEF), desk.check()
    page = follow(
        reviewer,
        reviewer.post(f"/spot-checks/{check}/back-checks", check_form(notes=CANARY, who_came=CANARY[:100])),
    )
    assert "<script>window.bad" not in page
    judged = follow(
        chief,
        chief.post(
            f"/spot-checks/{check}/judgements",
            {
                "result": "major",
                "reason": CANARY,
                "what": CANARY,
                "revision": hidden(chief.get(f"/spot-checks/{check}").text, "revision"),
                "form": "judge",
            },
        ),
    )
    at = re.search(r"/web(/rectifications/[0-9a-f-]{36})", judged)
    assert at is not None
    for text in (judged, chief.get(at.group(1)).text, chief.get("/rectifications").text):
        assert "&lt;script&gt;window.bad" in text
        assert "<script>window.bad" not in text


def test_a_check_is_given_up_or_given_to_somebody_else(desk: Desk) -> None:
    desk.drawn()
    reviewer, chief, check = desk.of(Role.REVIEWER), desk.of(Role.CHIEF), desk.check()
    own = desk.case.chief.actor.worker_id
    page = chief.get(f"/spot-checks/{check}").text
    revision = hidden(page, "revision")
    assert str(own) in page
    visitor = desk.case.visitors[0].worker_id
    wrong = chief.post(
        f"/spot-checks/{check}/checker", {"worker_id": str(visitor), "revision": revision, "form": "checker"}
    )
    assert 400 <= wrong.status_code < 500
    unreached = check_form(recall="unreachable", spoke_to="nobody", recalled_on="")
    unreached = {name: text for name, text in unreached.items() if not name.startswith("answers.")}
    assert "已登记未联系上" in follow(reviewer, reviewer.post(f"/spot-checks/{check}/back-checks", unreached))
    revision = hidden(reviewer.get(f"/spot-checks/{check}").text, "revision")
    stale = reviewer.post(
        f"/spot-checks/{check}/not-possible", {"reason": "moved", "revision": "1", "form": "not-possible"}
    )
    assert stale.status_code == 409
    given_up = reviewer.post(
        f"/spot-checks/{check}/not-possible",
        {"reason": "moved", "revision": revision, "form": "not-possible"},
    )
    assert "已登记无法核查" in follow(reviewer, given_up)
    again = chief.get(f"/spot-checks/{check}").text
    taken = chief.post(
        f"/spot-checks/{check}/checker",
        {"worker_id": str(own), "revision": hidden(again, "revision"), "form": "checker"},
    )
    assert "已改派" in follow(chief, taken)


def test_a_step_of_a_rectification_without_its_text_is_refused_with_the_form(desk: Desk) -> None:
    desk.drawn()
    reviewer, chief, check = desk.of(Role.REVIEWER), desk.of(Role.CHIEF), desk.check()
    assert desk.case.submit(check, desk.case.reviewer).status_code == 201
    judged = desk.case.judge(check, desk.case.chief, "major", rectify={"what": "请补访"})
    at = f"/rectifications/{judged.json['rectification_id']}"  # type: ignore[index]
    revision = hidden(chief.get(at).text, "revision")
    for who, step, text, status in (
        (chief, "withdraw", "  ", 422),
        (chief, "withdraw", "长" * 10_000, 422),
        (chief, "close", "", 409),
        (reviewer, "withdraw", "不用了", 403),
        (reviewer, "answer", "我来答", 403),
    ):
        answer = who.post(f"{at}/steps", {"step": step, "revision": revision, "text": text})
        assert answer.status_code == status, (step, said(answer))
        assert 'id="refusal"' in answer.text
    far = desk.sit(desk.world.worker(Role.REVIEWER, "341882100"))
    assert far.get(at).status_code == 404
    assert far.get(f"/spot-checks/{check}").status_code == 404
