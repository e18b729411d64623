"""Signing in at a browser: password and a code that is used once, a cookie that no script and no other site gets."""

import pytest
from flask import Flask
from sqlalchemy import select

from server.accounts import managing
from server.accounts.models import SignIn
from server.ledger.models import Event
from server.permissions import Role
from server.web.cookies import SESSION
from tests.builders.clock import Clock
from tests.builders.world import GUANGDE, SHENGPING, World
from tests.web.conftest import PASSWORD, Account, Browser, browser_user


def test_the_bare_address_leads_to_the_sign_in(browser: Browser) -> None:
    first = browser.client.get("/")
    assert (first.status_code, first.location) == (303, "/web/")
    second = browser.get("/")
    assert (second.status_code, second.location) == (303, "/web/sign-in?next=/web/")
    page = browser.get("/sign-in")
    assert page.status_code == 200
    assert "动态口令" in page.text


def test_password_and_code_open_a_session_in_a_cookie_of_the_strictest_sort(
    browser: Browser, reviewer: Account
) -> None:
    answer = browser.sign_in(reviewer)
    assert (answer.status_code, answer.location) == (303, "/web/")
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith(f"{SESSION}=")
    parts = {part.strip().lower() for part in cookie.split(";")[1:]}
    assert {"secure", "httponly", "path=/", "samesite=strict"} == parts
    home = browser.get("/")
    assert home.status_code == 200
    assert reviewer.actor.name in home.text


def test_a_code_opens_one_session_only(browser: Browser, reviewer: Account, app: Flask) -> None:
    form = {"username": reviewer.username, "password": PASSWORD, "otp": reviewer.otp()}
    assert browser.post("/sign-in", form).status_code == 303
    again = Browser(app).post("/sign-in", form)
    assert again.status_code == 401
    assert "用户名、密码或动态口令不对" in again.text


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({"password": "not it at all"}, 401),
        ({"otp": "000000"}, 401),
        ({"otp": ""}, 401),
        ({"username": "nobody"}, 401),
        ({"username": ""}, 422),
        ({"extra": "field"}, 422),
        ({"password": "x" * 300}, 422),
        ({"username": "a\x00b"}, 422),
    ],
    ids=["password", "code", "no code", "stranger", "no name", "unknown field", "too long", "unstorable"],
)
def test_what_is_wrong_is_said_on_the_form_and_nothing_is_opened(
    browser: Browser, reviewer: Account, wrong: dict[str, str], status: int
) -> None:
    form = {"username": reviewer.username, "password": PASSWORD, "otp": reviewer.otp()} | wrong
    answer = browser.post("/sign-in", form)
    assert answer.status_code == status
    assert 'role="alert"' in answer.text
    assert PASSWORD not in answer.text
    assert "Set-Cookie" not in answer.headers
    assert browser.get("/").status_code == 303


def test_an_account_without_codes_is_turned_away_and_told_what_to_do(browser: Browser, world: World) -> None:
    world.worker(Role.CHIEF, SHENGPING, username="chief", password=PASSWORD)
    answer = browser.post("/sign-in", {"username": "chief", "password": PASSWORD})
    assert answer.status_code == 403
    assert "还没有启用动态口令" in answer.text
    wrong = browser.post("/sign-in", {"username": "chief", "password": "wrong wrong"})
    assert wrong.status_code == 401


def test_a_session_ends_after_a_quarter_of_an_hour_and_after_eight_hours(
    at_desk: Browser, clock: Clock
) -> None:
    clock.move(minutes=14)
    assert at_desk.get("/").status_code == 200
    clock.move(minutes=16)
    ended = at_desk.get("/")
    assert ended.status_code == 303
    assert ended.location.startswith("/web/sign-in")
    assert "Max-Age=0" in ended.headers["Set-Cookie"]


def test_a_session_in_use_ends_after_eight_hours(at_desk: Browser, clock: Clock) -> None:
    for _ in range(8 * 6 - 1):
        clock.move(minutes=10)
        assert at_desk.get("/").status_code == 200
    clock.move(minutes=10)
    assert at_desk.get("/").status_code == 303


def test_signing_out_kills_the_token_and_what_the_browser_kept(at_desk: Browser, world: World) -> None:
    token = at_desk.client.get_cookie(SESSION)
    assert token is not None
    answer = at_desk.post("/sign-out")
    assert (answer.status_code, answer.headers["Clear-Site-Data"]) == (303, '"cache", "storage"')
    at_desk.client.set_cookie(SESSION, token.value, secure=True)
    assert at_desk.get("/").status_code == 303
    with world.work() as work:
        assert work.session.scalars(select(SignIn.revoked_at)).all() != [None]
        assert "session.ended" in set(work.session.scalars(select(Event.action)))


def test_disabling_an_account_empties_its_browser_at_once(
    at_desk: Browser, reviewer: Account, world: World
) -> None:
    with world.work() as work:
        managing.disable(work, reviewer.actor.worker_id)
    assert at_desk.get("/").status_code == 303


def test_the_api_knows_no_cookie_and_the_pages_no_header(at_desk: Browser, world: World) -> None:
    assert at_desk.client.get("/api/v1/me").status_code == 401
    phone = world.phone(world.worker(Role.REVIEWER, SHENGPING))
    assert phone.client.get("/web/", headers={"Authorization": f"Bearer {phone.token}"}).status_code == 303


def test_a_phones_token_opens_no_page(browser: Browser, world: World) -> None:
    phone = world.phone(world.worker(Role.REVIEWER, SHENGPING))
    browser.client.set_cookie(SESSION, phone.token, secure=True)
    assert browser.get("/").status_code == 303


@pytest.mark.parametrize(
    "following",
    [
        "https://elsewhere.example/web/",
        "//elsewhere.example",
        "/web/../api",
        "/api/v1/me",
        "javascript:alert(1)",
        "/web/\\x",
    ],
    ids=["site", "no scheme", "upwards", "api", "script", "backslash"],
)
def test_a_sign_in_leads_to_pages_of_ours_only(browser: Browser, reviewer: Account, following: str) -> None:
    form = {"username": reviewer.username, "password": PASSWORD, "otp": reviewer.otp()}
    from urllib.parse import quote

    answer = browser.post(f"/sign-in?next={quote(following)}", form)
    assert (answer.status_code, answer.location) == (303, "/web/")
    assert following not in browser.get("/sign-in", next=following).text


def test_too_many_tries_are_stopped_with_a_page(browser: Browser, world: World) -> None:
    account = browser_user(world, Role.ADMINISTRATOR, GUANGDE)
    for _ in range(10):
        form = {"username": account.username, "password": "wrong wrong", "otp": "123456"}
        assert browser.post("/sign-in", form).status_code == 401
    stopped = browser.sign_in(account)
    assert stopped.status_code == 429
    assert "操作太频繁" in stopped.text


def test_large_text_is_kept_on_the_machine(browser: Browser) -> None:
    assert '<html lang="zh-CN">' in browser.get("/sign-in").text
    answer = browser.post("/text-size", {"large": "1", "back": "/web/sign-in"})
    assert (answer.status_code, answer.location) == (303, "/web/sign-in")
    assert '<html lang="zh-CN" class="large">' in browser.get("/sign-in").text
    asked = "/web/queue?village=341882003200&limit=2"
    for page, leads_to in (
        (f"http://localhost{asked}", asked),
        (f"https://elsewhere.example{asked}", "/web/queue"),
        ("http://localhost/web/audit?village=3", "/web/queue"),
    ):
        kept = browser.post("/text-size", {"large": "1", "back": "/web/queue"}, Referer=page)
        assert kept.location == leads_to
    away = browser.post("/text-size", {"large": "0", "back": "https://elsewhere.example"})
    assert away.location == "/web/"
    assert '<html lang="zh-CN">' in browser.get("/sign-in").text
