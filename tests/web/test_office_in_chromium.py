"""The pages of office work in a real browser: read by everybody, led by keyboard, and nothing to complain of."""

import base64
import re
from pathlib import Path

import pytest

from server.permissions import Role
from tests.builders.world import GUANGDE, SHENGPING, World
from tests.engines.chromium import Page
from tests.spotchecks.case import ANSWERS, Case
from tests.web.conftest import browser_user, sign_in
from tests.web.test_audit import signed
from tests.web.test_in_chromium import SHOTS, findings, look
from tests.web.town import CANARY, town

pytestmark = pytest.mark.browser


@pytest.fixture
def template(sqlite_town: object) -> object:
    """Give SQLite alone: what a browser does with a page does not depend on the database."""
    return sqlite_town


def test_the_auditors_pages_can_be_read_by_everybody(tab: Page, address: str, world: World) -> None:
    auditor = browser_user(world, Role.AUDITOR, GUANGDE)
    visitor = world.worker()
    people = [world.person(visitor) for _ in range(4)]
    world.phone(visitor).get("/worklist")
    signed(world)
    sign_in(tab, address, auditor)
    wrong = look(tab, address, "/web/", "auditor-home")
    wrong += look(tab, address, "/web/audit", "audit")
    wrong += look(tab, address, f"/web/audit/looks?person_id={people[0]}", "audit-looks")
    wrong += look(tab, address, "/web/audit/checkpoint", "audit-checkpoint")
    wrong += look(tab, address, "/web/audit/inclusion?seq=3", "audit-inclusion")
    assert (wrong, tab.complaints()) == ([], [])
    wrong += look(tab, address, "/web/audit?person_id=x", "audit-wrong")
    assert wrong == []
    tab.go(f"{address}/web/audit?person_id=x")
    assert tab.js("document.querySelector('#person_id').getAttribute('aria-invalid')") == "true"


def test_the_pages_of_a_spot_check_can_be_read_by_everybody(tab: Page, address: str, world: World) -> None:
    case = Case(world)
    chief = browser_user(world, Role.CHIEF, SHENGPING, username="head")
    reviewer = browser_user(world, Role.REVIEWER, SHENGPING, username="checker")
    case.reviewer = world.phone(reviewer.actor)
    case.go(share=100, count=2, strata=["village", "category"])
    case.chief = world.phone(chief.actor)
    assert case.assign(case.reviewer).status_code == 200
    checks = [str(one["id"]) for one in case.checks(case.reviewer, mine="true")]
    done = checks[1]
    assert (
        case.submit(done, case.reviewer, answers=ANSWERS | {"water": "well", "food": "lacking"}).status_code
        == 201
    )
    major = case.judge(done, case.chief, "major", rectify={"what": "请补访并当面核对用水、住房情况"})
    assert major.status_code == 201, major.json
    assert case.submit(checks[2], case.reviewer).status_code == 201
    sign_in(tab, address, reviewer)
    wrong = look(tab, address, f"/web/spot-checks/{checks[0]}", "check-form")
    wrong += look(tab, address, f"/web/spot-checks/plans/{case.plan}/worksheet", "worksheet")
    tab.ask("Emulation.setEmulatedMedia", media="print")
    tab.go(f"{address}/web/spot-checks/plans/{case.plan}/worksheet")
    assert tab.js("getComputedStyle(document.querySelector('.top')).display") == "none"
    printed = base64.b64decode(tab.ask("Page.printToPDF", preferCSSPageSize=True)["data"])
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) == len(checks) - 2  # one sheet of A4 each
    if SHOTS:
        (Path(SHOTS) / "worksheet.pdf").write_bytes(printed)
    tab.ask("Emulation.setEmulatedMedia", media="")
    tab.submit("form[action$='/sign-out'] button")
    sign_in(tab, address, chief)
    wrong += look(tab, address, "/web/", "chief-home")
    wrong += look(tab, address, "/web/spot-checks/plans", "plans")
    wrong += look(tab, address, "/web/spot-checks/plans/new", "plan-new")
    wrong += look(tab, address, f"/web/spot-checks/plans/{case.plan}", "plan")
    wrong += look(tab, address, f"/web/spot-checks/plans/{case.plan}/results", "plan-results")
    wrong += look(tab, address, "/web/spot-checks", "checks")
    wrong += look(tab, address, f"/web/spot-checks/{checks[2]}", "check-judging")
    wrong += look(tab, address, "/web/rectifications", "rectifications")
    wrong += look(tab, address, f"/web/rectifications/{major.json['rectification_id']}", "rectification")
    assert (wrong, tab.complaints()) == ([], [])


def test_a_check_is_judged_with_the_keyboard_alone_and_a_second_press_sends_nothing(
    tab: Page, address: str, world: World
) -> None:
    case = Case(world)
    chief = browser_user(world, Role.CHIEF, SHENGPING, username="head")
    case.go(share=100, count=1)
    case.chief = world.phone(chief.actor)
    assert case.assign(case.reviewer).status_code == 200
    check = str(case.checks(case.reviewer, mine="true")[0]["id"])
    assert case.submit(check, case.reviewer, notes=CANARY).status_code == 201
    sign_in(tab, address, chief)
    tab.go(f"{address}/web/spot-checks/{check}")
    assert tab.js("window.bad") is None
    assert CANARY[:40] in tab.text()
    tab.js("document.querySelector('input[name=result]').focus()")
    tab.press(" ")
    for _ in range(3):
        tab.press("Tab")
    assert tab.js("document.activeElement.textContent") == "确认认定"
    # Both in one breath: after the first, the page is on its way to the next.
    tab.js(
        "(() => { const form = document.querySelector('#judge ~ form'); form.requestSubmit(); form.requestSubmit() })()"
    )
    tab.until("location.search.includes('done=judged')")
    assert "已认定。" in tab.until("document.body.innerText")
    assert case.checks(case.chief, state="judged")[0]["result"] == "pass"
    assert tab.complaints() == []


def test_the_pages_of_accounts_hand_over_and_problems_can_be_read_by_everybody(
    tab: Page, address: str, world: World
) -> None:
    administrator = browser_user(world, Role.ADMINISTRATOR, GUANGDE)
    chief = browser_user(world, Role.CHIEF, SHENGPING, username="head")
    there = town(world)
    problems = [{"code": "old_wiring", "severity": "high", "description": "电线老化", "fixed_on_site": False}]
    there.record(there.people[1], problems=problems, no_photo_reason="老人不愿意拍照")
    found = there.chief.get("/problems").json
    assert found is not None
    sign_in(tab, address, chief)
    wrong = look(tab, address, "/web/", "head-home")
    wrong += look(tab, address, "/web/problems", "problems")
    wrong += look(tab, address, f"/web/problems/{found['items'][0]['id']}", "problem")
    wrong += look(tab, address, f"/web/hand-overs?from_worker={there.visitor.worker_id}", "hand-over")
    wrong += look(tab, address, f"/web/people/{there.people[0]}/responsible", "responsible")
    wrong += look(tab, address, f"/web/archives/{there.people[0]}/looks", "looks")
    tab.submit("form[action$='/sign-out'] button")
    sign_in(tab, address, administrator)
    wrong += look(tab, address, "/web/accounts", "accounts")
    wrong += look(tab, address, "/web/accounts/new", "account-new")
    wrong += look(tab, address, f"/web/accounts/{there.visitor.worker_id}", "account")
    assert (wrong, tab.complaints()) == ([], [])
    tab.go(f"{address}/web/accounts/{there.visitor.worker_id}")
    tab.click("details.step summary")
    tab.fill("#code-invite", administrator.otp())
    tab.press("Enter", leads_away=True)
    assert "邀请码（只显示这一次）" in tab.text()
    assert findings(tab) == []
    if SHOTS:
        tab.picture(Path(SHOTS) / "account-invited.png")
