"""Signing in over HTTP: strangers are invited, tokens die at once, guesses run out (CONTRACT §2)."""

from typing import Any

import pyotp
import pytest
from flask import Flask

from demo.fake_wechat import FakeWeChat
from server.accounts import managing, totp
from server.accounts.models import SignIn, Worker
from server.accounts.wechat import WeChat, WeChatApp
from server.permissions import Actor, Role
from tests.builders.clock import Clock
from tests.builders.world import World

PASSWORD = "correct horse battery"


@pytest.fixture
def fake(app: Flask, clock: Clock) -> Any:
    """Run a fake WeChat on loopback, with the application pointing at it."""
    outside = FakeWeChat("wxtest", "secret-of-tests", clock)
    with outside.running() as base_url:
        client = WeChat(WeChatApp(base_url, "wxtest", "secret-of-tests"), clock)
        app.extensions["identity_providers"]["wechat"] = client.code_to_session
        yield outside


def post(app: Flask, path: str, body: dict[str, Any]) -> Any:
    return app.test_client().post(f"/api/v1{path}", json=body)


def me(app: Flask, token: str) -> int:
    return app.test_client().get("/api/v1/me", headers={"Authorization": f"Bearer {token}"}).status_code


def invited(world: World, worker: Actor) -> str:
    with world.work(world.boss) as work:
        return managing.invite(work, worker.worker_id)[0]


def bound(app: Flask, world: World, worker: Actor, subject: str) -> str:
    ticket = post(app, "/auth/wechat", {"code": f"demo:{subject}:1"}).json["bind_ticket"]
    answer = post(app, "/auth/wechat/bind", {"bind_ticket": ticket, "invite_code": invited(world, worker)})
    assert answer.status_code == 200, answer.json
    return str(answer.json["token"])


def test_a_stranger_is_bound_by_an_invite_code_and_then_signs_in_alone(
    app: Flask, world: World, fake: FakeWeChat
) -> None:
    worker = world.worker()
    refused = post(app, "/auth/wechat", {"code": "demo:openid-1:0"})
    assert (refused.status_code, refused.json["code"]) == (403, "account_not_bound")
    token = bound(app, world, worker, "openid-1")
    assert me(app, token) == 200
    again = post(app, "/auth/wechat", {"code": "demo:openid-1:2"})
    assert again.json["worker"]["id"] == str(worker.worker_id)
    assert "openid-1" not in again.text


def test_a_code_works_once(app: Flask, world: World, fake: FakeWeChat) -> None:
    bound(app, world, world.worker(), "openid-2")
    assert post(app, "/auth/wechat", {"code": "demo:openid-2:9"}).status_code == 200
    used = post(app, "/auth/wechat", {"code": "demo:openid-2:9"})
    assert (used.status_code, used.json["code"]) == (401, "wechat_code_invalid")


def test_an_invite_code_works_once(app: Flask, world: World, fake: FakeWeChat) -> None:
    code = invited(world, world.worker())
    for number, status in ((1, 200), (2, 403)):
        ticket = post(app, "/auth/wechat", {"code": f"demo:openid-3{number}:1"}).json["bind_ticket"]
        answer = post(app, "/auth/wechat/bind", {"bind_ticket": ticket, "invite_code": code})
        assert answer.status_code == status


def test_a_ticket_dies_after_ten_minutes_and_after_five_wrong_codes(
    app: Flask, world: World, fake: FakeWeChat, clock: Clock
) -> None:
    ticket = post(app, "/auth/wechat", {"code": "demo:openid-4:1"}).json["bind_ticket"]
    for _ in range(5):
        wrong = post(app, "/auth/wechat/bind", {"bind_ticket": ticket, "invite_code": "22222-22222"})
        assert (wrong.status_code, wrong.json["code"]) == (403, "invite_invalid")
    code = invited(world, world.worker())
    dead = post(app, "/auth/wechat/bind", {"bind_ticket": ticket, "invite_code": code})
    assert (dead.status_code, dead.json["code"]) == (401, "bind_ticket_invalid")
    late = post(app, "/auth/wechat", {"code": "demo:openid-4:2"}).json["bind_ticket"]
    clock.move(minutes=11)
    assert post(app, "/auth/wechat/bind", {"bind_ticket": late, "invite_code": code}).status_code == 401


@pytest.mark.parametrize("how", ["unbind", "disable", "grant", "sign_out"])
def test_tokens_die_at_once(app: Flask, world: World, fake: FakeWeChat, how: str) -> None:
    worker = world.worker()
    token = bound(app, world, worker, "openid-5")
    if how == "sign_out":
        answer = app.test_client().delete(
            "/api/v1/auth/session", headers={"Authorization": f"Bearer {token}"}
        )
        assert answer.status_code == 204
    else:
        with world.work(world.boss) as work:
            if how == "unbind":
                managing.unbind(work, worker.worker_id)
            elif how == "disable":
                managing.disable(work, worker.worker_id)
            else:
                managing.grant(work, worker.worker_id, Role.REVIEWER, "341882003")
    assert me(app, token) == 401
    after = post(app, "/auth/wechat", {"code": "demo:openid-5:7"})
    assert after.status_code == (403 if how in {"unbind", "disable"} else 200)


def test_a_password_signs_in_and_a_wrong_one_tells_nothing(app: Flask, world: World) -> None:
    world.worker(username="chief1", password=PASSWORD)
    good = post(app, "/auth/password", {"username": "chief1", "password": PASSWORD})
    assert me(app, good.json["token"]) == 200
    wrong = post(app, "/auth/password", {"username": "chief1", "password": "not this one at all"})
    nobody = post(app, "/auth/password", {"username": "nobody", "password": "not this one at all"})
    assert (
        (wrong.status_code, wrong.json["code"])
        == (nobody.status_code, nobody.json["code"])
        == (401, "sign_in_failed")
    )


def test_guesses_run_out_for_the_account_however_many_addresses(
    app: Flask, world: World, clock: Clock
) -> None:
    world.worker(username="chief2", password=PASSWORD)
    for _ in range(10):
        post(app, "/auth/password", {"username": "chief2", "password": "wrong wrong wrong"})
    refused = post(app, "/auth/password", {"username": "chief2", "password": PASSWORD})
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) > 0
    clock.move(minutes=16)
    assert post(app, "/auth/password", {"username": "chief2", "password": PASSWORD}).status_code == 200


def test_a_one_time_code_is_asked_for_and_used_once(app: Flask, world: World, clock: Clock) -> None:
    worker = world.worker(Role.CHIEF, "341882003", username="chief3", password=PASSWORD)
    secret = totp.new_secret(world.house.tools.random_bytes)
    with world.work() as work:
        row = work.session.get_one(Worker, worker.worker_id)
        key = work.keys.fetch_one(work.session, row.data_key_id)
        assert key is not None
        row.totp_sealed = key.seal(secret, table="workers", column="totp_sealed", row=row.id)
    body = {"username": "chief3", "password": PASSWORD}
    asked = post(app, "/auth/password", body)
    assert (asked.status_code, asked.json["code"]) == (401, "otp_required")
    code = pyotp.TOTP(secret).at(clock())
    assert post(app, "/auth/password", {**body, "otp": code}).status_code == 200
    assert post(app, "/auth/password", {**body, "otp": code}).status_code == 401


def test_a_phone_session_ends_after_a_week_unused_and_after_thirty_days_at_all(
    app: Flask, world: World, clock: Clock
) -> None:
    phone = world.phone(world.worker())
    for _ in range(5):
        clock.move(days=6)
        last = phone.get("/me").status_code
    assert last == 401
    other = world.phone(world.worker())
    clock.move(days=7, minutes=10)
    assert other.get("/me").status_code == 401


def test_no_token_is_stored(app: Flask, world: World) -> None:
    phone = world.phone(world.worker())
    with world.work() as work:
        rows = work.session.query(SignIn).all()
    assert all(phone.token.encode() not in row.token_digest for row in rows)
