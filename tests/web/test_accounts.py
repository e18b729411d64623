"""Accounts on pages: every deed needs a fresh one-time code, is done once, and what is secret is shown once."""

import re
from uuid import UUID, uuid4

import pyotp
import pytest
from sqlalchemy import func, select

from server.accounts.models import RoleGrant, Worker
from server.ledger.models import Event
from server.permissions import Role
from tests.builders.world import GUANGDE, SHENGPING, TUANSHAN, World
from tests.web.conftest import PASSWORD, Account, Browser, browser_user
from tests.web.test_spot_checks import follow, hidden, said
from tests.web.town import CANARY


@pytest.fixture
def administrator(world: World) -> Account:
    return browser_user(world, Role.ADMINISTRATOR, GUANGDE)


@pytest.fixture
def at_office(browser: Browser, administrator: Account) -> Browser:
    assert browser.sign_in(administrator).status_code == 303
    return browser


def new_worker(administrator: Account, **more: str) -> dict[str, str]:
    return {
        "id": str(uuid4()),
        "name": "新来的",
        "role": "visitor",
        "area_code": TUANSHAN,
        "step_up": administrator.otp(),
        **more,
    }


def actions(world: World) -> list[str]:
    with world.work() as work:
        return list(work.session.scalars(select(Event.action).order_by(Event.id)))


def test_a_worker_is_registered_once_and_invited_with_a_code_shown_once(
    at_office: Browser, administrator: Account, world: World
) -> None:
    form = new_worker(administrator, name=CANARY[:60], phone="13900000000")
    page = follow(at_office, at_office.post("/accounts", form))
    assert "已登记。" in page
    assert "<script>window.bad" not in page
    again = at_office.post("/accounts", form | {"step_up": administrator.otp()})
    assert again.status_code == 303
    with world.work() as work:
        assert work.session.scalar(select(func.count()).where(Worker.id == UUID(form["id"]))) == 1
    at = f"/accounts/{form['id']}"
    shown = at_office.post(f"{at}/invites", {"deed": "invite", "step_up": administrator.otp()})
    assert shown.status_code == 200
    assert shown.headers["Cache-Control"] == "no-store"
    code = re.search(r'class="secret">([0-9A-Z]{5}-[0-9A-Z]{5})<', shown.text)
    assert code is not None
    later = at_office.get(at).text
    assert code.group(1) not in later
    assert "有邀请码" in later


@pytest.mark.parametrize(
    "code",
    ["", "000000", "12345", "abcdef", "used", "stolen"],
    ids=["none", "wrong", "short", "letters", "used", "another's"],
)
def test_a_deed_without_a_fresh_code_of_ones_own_is_refused_and_not_done(
    at_office: Browser, administrator: Account, world: World, code: str
) -> None:
    worker = world.worker()
    if code == "used":
        code = pyotp.TOTP(administrator.secret).at(world.clock())  # the one that opened the session
    elif code == "stolen":
        code = browser_user(world, Role.REVIEWER, SHENGPING).otp()
    answer = at_office.post(f"/accounts/{worker.worker_id}/disable", {"deed": "disable", "step_up": code})
    assert answer.status_code == 403
    assert "动态口令不对" in said(answer)
    with world.work() as work:
        assert work.session.get_one(Worker, worker.worker_id).disabled_at is None
    assert "account.disabled" not in actions(world)
    assert "step_up.refused" in actions(world)


def test_codes_cannot_be_tried_for_ever(at_office: Browser, administrator: Account, world: World) -> None:
    worker = world.worker()
    at = f"/accounts/{worker.worker_id}/disable"
    for _ in range(10):
        assert at_office.post(at, {"deed": "disable", "step_up": "000000"}).status_code == 403
    stopped = at_office.post(at, {"deed": "disable", "step_up": administrator.otp()})
    assert stopped.status_code == 429
    assert "account.disabled" not in actions(world)


def test_a_role_is_changed_once_and_the_second_who_changes_it_is_told(
    at_office: Browser, administrator: Account, world: World
) -> None:
    worker = world.worker()
    at = f"/accounts/{worker.worker_id}"
    form = {
        "deed": "role",
        "seen": hidden(at_office.get(at).text, "seen"),
        "role": "reviewer",
        "area_code": SHENGPING,
        "step_up": administrator.otp(),
    }
    page = follow(at_office, at_office.post(f"{at}/role", form))
    assert "岗位、辖区已调整" in page
    assert page.count("升平街道：") == 1
    stale = at_office.post(f"{at}/role", form | {"role": "chief", "step_up": administrator.otp()})
    assert stale.status_code == 409
    assert "刚刚被调整过" in said(stale)
    with world.work() as work:
        roles = work.session.scalars(
            select(RoleGrant.role).where(RoleGrant.worker_id == worker.worker_id)
        ).all()
    assert sorted(roles) == [Role.REVIEWER, Role.VISITOR]
    wrong = at_office.post(
        f"{at}/role",
        form
        | {
            "seen": hidden(at_office.get(at).text, "seen"),
            "area_code": "999999",
            "step_up": administrator.otp(),
        },
    )
    assert wrong.status_code == 404


def test_a_way_in_is_given_and_taken(at_office: Browser, administrator: Account, world: World) -> None:
    worker = world.worker(Role.REVIEWER, SHENGPING, username="wang", password=PASSWORD)
    at = f"/accounts/{worker.worker_id}"

    def deed(name: str, **more: str) -> str:
        answer = at_office.post(f"{at}/{name}", {"deed": name, "step_up": administrator.otp(), **more})
        return answer.text if answer.status_code == 200 else follow(at_office, answer)

    shown = re.search(r'class="secret">([A-Z2-7 ]{39})<', deed("otp"))
    assert shown is not None
    secret = shown.group(1).replace(" ", "")
    deed("password", password="a-fresh-pass-phrase")
    other = Browser(world.app)
    world.clock.move(seconds=30)
    form = {
        "username": "wang",
        "password": "a-fresh-pass-phrase",
        "otp": pyotp.TOTP(secret).at(world.clock()),
    }
    assert other.post("/sign-in", form).status_code == 303
    assert "账户已停用" in deed("disable")
    assert other.get("/").status_code == 303
    assert "账户已恢复" in deed("enable")
    assert "动态口令已取消" in deed("otp-drop")
    weak = at_office.post(
        f"{at}/password", {"deed": "password", "password": "12345", "step_up": administrator.otp()}
    )
    assert weak.status_code == 422
    assert "12345" not in weak.text


def test_nobody_shuts_out_or_promotes_themselves(
    at_office: Browser, administrator: Account, world: World
) -> None:
    at = f"/accounts/{administrator.actor.worker_id}"
    page = at_office.get(at).text
    assert "停用账户" not in page
    for name, more in (("disable", {}), ("role", {"role": "chief", "area_code": SHENGPING})):
        seen = account_grant(world, administrator)
        form = {"deed": name, "step_up": administrator.otp(), **more}
        answer = at_office.post(f"{at}/{name}", form | ({"seen": seen} if name == "role" else {}))
        assert answer.status_code == 403
        assert "不能改动自己的账户" in said(answer)
    assert at_office.get("/").status_code == 200


def account_grant(world: World, whose: Account) -> str:
    with world.work() as work:
        wanted = select(RoleGrant.id).where(
            RoleGrant.worker_id == whose.actor.worker_id, RoleGrant.to_at.is_(None)
        )
        return str(work.session.scalars(wanted).one())


def test_the_list_is_filtered_and_a_township_sees_its_own_and_changes_nothing(
    browser: Browser, reviewer: Account, administrator: Account, world: World
) -> None:
    visitor, far = world.worker(), world.worker(area="341882100")
    browser.sign_in(reviewer)
    page = browser.get("/accounts").text
    assert str(visitor.worker_id) in page
    assert str(far.worker_id) not in page
    assert "登记工作人员" not in page
    assert browser.get(f"/accounts/{far.worker_id}").status_code == 404
    own = browser.get(f"/accounts/{visitor.worker_id}")
    assert "<details" not in own.text
    assert (
        browser.post(f"/accounts/{visitor.worker_id}/disable", {"step_up": reviewer.otp()}).status_code == 403
    )
    assert str(visitor.worker_id) not in browser.get("/accounts", role="reviewer").text
    browser.post("/sign-out")
    browser.sign_in(administrator)
    listed = browser.get("/accounts", area="341882100").text
    assert str(far.worker_id) in listed
    assert str(visitor.worker_id) not in listed
    assert browser.get("/accounts", role="king").status_code == 422


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"name": ""}, "必须填写"),
        ({"name": "长" * 10_000}, "最多60个字"),
        ({"role": "king"}, "只能是"),
        ({"area_code": "999999"}, "没有这个行政区划"),
        ({"password": "12345"}, ""),
        ({"id": "x"}, "UUID"),
        ({"step_up": "000000"}, "动态口令不对"),
    ],
    ids=["no name", "long name", "role", "area", "weak", "id", "code"],
)
def test_a_worker_who_cannot_be_registered_is_refused_and_nothing_is_stored(
    at_office: Browser, administrator: Account, world: World, changes: dict[str, str], sentence: str
) -> None:
    form = new_worker(administrator) | changes
    answer = at_office.post("/accounts", form)
    assert 400 <= answer.status_code < 500
    assert sentence in answer.text
    assert "12345" not in answer.text
    with world.work() as work:
        assert work.session.scalar(select(func.count()).where(Worker.name.in_(["新来的", form["name"]]))) == 0
