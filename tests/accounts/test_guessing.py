"""Guessers learn nothing from answers or effort, and get no more guesses by asking all at once (TRUST §2)."""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pyotp
import pytest
from flask import Flask
from sqlalchemy import event, update
from werkzeug.test import TestResponse

from server.accounts import managing, passwords, totp
from server.accounts.identity_refusals import Identity
from server.accounts.limits import FAILED_SIGN_INS_OF_ACCOUNT, FAILED_SIGN_INS_OF_ADDRESS
from server.accounts.models import BindTicket, Worker
from server.accounts.passwords import HashingSlots
from server.accounts.signing_in import TICKET_TRIES
from server.app import create_app
from server.permissions import Actor, Role
from server.tools import Tools
from tests.builders.clock import Clock
from tests.builders.world import SHENGPING, World

PASSWORD, WRONG = "correct horse battery", "wrong wrong wrong wrong"
MOST = FAILED_SIGN_INS_OF_ACCOUNT.most


def sign_in(app: Flask, username: str, password: str = WRONG, **headers: str) -> TestResponse:
    body = {"username": username, "password": password}
    return app.test_client().post("/api/v1/auth/password", json=body, headers=headers)


def at_once(many: int, act: Callable[[int], TestResponse]) -> Counter[int]:
    with ThreadPoolExecutor(many) as pool:
        return Counter(answer.status_code for answer in pool.map(act, range(many)))


@pytest.fixture
def quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hash as in service, but cheaply, and with slots for all: how many guesses get through is what is asked."""
    monkeypatch.setattr(passwords, "_hasher", passwords.PasswordHasher(1, 8, 1))
    monkeypatch.setattr(passwords.verify_or_burn, "__kwdefaults__", {"slots": HashingSlots(64, 30)})


@contextmanager
def effort(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Gather the passes of argon2 and the statements that the block costs."""
    seen: list[str] = []
    real = passwords._hasher

    class Counting:
        def hash(self, *args: Any, **more: Any) -> str:
            seen.append("argon2")
            return real.hash(*args, **more)

        def verify(self, *args: Any) -> bool:
            seen.append("argon2")
            return real.verify(*args)

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        seen.append(" ".join(statement.split()))

    event.listen(world.house.engine, "before_cursor_execute", note)
    with monkeypatch.context() as patch:
        patch.setattr(passwords, "_hasher", Counting())
        yield seen
    event.remove(world.house.engine, "before_cursor_execute", note)


def test_a_wrong_guess_takes_the_same_effort_whether_or_not_the_account_is_there(
    app: Flask, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.worker(username="known", password=PASSWORD)
    world.worker(username="without")
    gone = world.worker(username="disabled", password=PASSWORD)
    with world.work(world.boss) as work:
        managing.disable(work, gone.worker_id)
    sign_in(app, "first")  # what a process learns once
    efforts, answers = [], []
    for username, password in (
        ("unknown", WRONG), ("known", WRONG), ("without", WRONG), ("disabled", WRONG), ("disabled", PASSWORD),
    ):  # fmt: skip
        with effort(world, monkeypatch) as seen:
            answer = sign_in(app, username, password)
        answers.append({**answer.json, "request_id": None} if answer.json else None)
        efforts.append(seen)
    assert efforts[0].count("argon2") == 1
    assert all(one == efforts[0] for one in efforts[1:]), efforts
    assert all(one == answers[0] for one in answers)


def test_passwords_are_hashed_with_no_transaction_open(
    app: Flask, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A flood of sign-ins must not hold connections, nor on SQLite the right to write, while it waits for its turn."""
    world.worker(username="known", password=PASSWORD)
    taken: list[int] = []
    real = passwords.verify_or_burn

    def watched(*args: Any, **more: Any) -> bool:
        taken.append(world.house.engine.pool.checkedout())  # type: ignore[attr-defined]
        return real(*args, **more)

    monkeypatch.setattr(passwords, "verify_or_burn", watched)
    assert sign_in(app, "known").status_code == 401
    assert sign_in(app, "known", PASSWORD).status_code == 200
    assert taken == [0, 0]


@pytest.mark.usefixtures("quick_hashes")
def test_guesses_at_once_are_no_more_than_guesses_in_turn(app: Flask, world: World) -> None:
    world.worker(username="chief1", password=PASSWORD)
    heard = at_once(4 * MOST, lambda _: sign_in(app, "chief1"))
    assert heard == {401: MOST, 429: 3 * MOST}
    assert sign_in(app, "chief1", PASSWORD).status_code == 429


@pytest.mark.usefixtures("quick_hashes")
def test_guesses_of_many_accounts_at_once_run_out_for_the_address(app: Flask, world: World) -> None:
    most = FAILED_SIGN_INS_OF_ADDRESS.most
    heard = at_once(most + 20, lambda number: sign_in(app, f"somebody{number}"))
    assert heard == {401: most, 429: 20}


@pytest.mark.usefixtures("quick_hashes")
def test_who_signs_in_rightly_uses_up_no_guesses(app: Flask, world: World) -> None:
    world.worker(username="chief1", password=PASSWORD)
    for _ in range(2 * MOST):
        assert sign_in(app, "chief1", PASSWORD).status_code == 200
    assert at_once(8, lambda _: sign_in(app, "chief1", PASSWORD)) == {200: 8}
    assert sign_in(app, "chief1").status_code == 401


def test_who_found_no_slot_to_hash_in_uses_up_no_guess(
    app: Flask, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.worker(username="chief1", password=PASSWORD)
    slots = HashingSlots(1, 0.0)
    monkeypatch.setattr(passwords.verify_or_burn, "__kwdefaults__", {"slots": slots})
    with slots.one():
        for _ in range(2 * MOST):
            assert sign_in(app, "chief1", PASSWORD).status_code == 503
    assert sign_in(app, "chief1", PASSWORD).status_code == 200


@pytest.mark.parametrize("proxies", [0, 1])
@pytest.mark.usefixtures("quick_hashes")
def test_a_spoofed_forwarding_header_gives_no_new_guesses(app: Flask, clock: Clock, proxies: int) -> None:
    """Without a trusted proxy the header counts for nothing; with one, only what that proxy itself wrote last."""
    settings = app.extensions["parts"].settings
    behind = create_app(type(settings)(**{**settings.__dict__, "proxies": proxies}), Tools(clock=clock))
    most, heard = FAILED_SIGN_INS_OF_ADDRESS.most, Counter[int]()
    for number in range(most + 5):
        said = f"10.1.{number // 250}.{number % 250}"
        headers = {
            "X-Forwarded-For": f"{said}, 192.0.2.7" if proxies else said,
            "X-Real-IP": said,
            "Forwarded": f"for={said}",
            "X-Client-IP": said,
        }
        heard[sign_in(behind, f"somebody{number}", WRONG, **headers).status_code] += 1
    assert heard == {401: most, 429: 5}
    other = sign_in(behind, "somebody", WRONG, **{"X-Forwarded-For": "192.0.2.7, 192.0.2.8"})
    assert other.status_code == (401 if proxies else 429)
    behind.extensions["parts"].engine.dispose()


def with_totp(world: World, worker: Actor) -> str:
    secret = totp.new_secret(world.house.tools.random_bytes)
    with world.work() as work:
        row = work.session.get_one(Worker, worker.worker_id)
        key = work.keys.fetch_one(work.session, row.data_key_id)
        assert key is not None
        row.totp_sealed = key.seal(secret, table="workers", column="totp_sealed", row=row.id)
    return secret


@pytest.mark.usefixtures("quick_hashes")
def test_of_many_uses_of_one_code_at_once_one_wins(app: Flask, world: World, clock: Clock) -> None:
    secret = with_totp(world, world.worker(Role.CHIEF, SHENGPING, username="chief1", password=PASSWORD))
    code = pyotp.TOTP(secret).at(clock())
    body = {"username": "chief1", "password": PASSWORD, "otp": code}
    heard = at_once(8, lambda _: app.test_client().post("/api/v1/auth/password", json=body))
    assert heard == {200: 1, 401: 7}
    clock.move(seconds=29)  # the drift would still take it
    assert app.test_client().post("/api/v1/auth/password", json=body).status_code == 401
    older = {**body, "otp": pyotp.TOTP(secret).at(clock.instant.timestamp() - 30)}
    assert app.test_client().post("/api/v1/auth/password", json=older).status_code == 401


@pytest.fixture
def ticket(app: Flask) -> str:
    """Give a ticket of an identity that is bound to nobody."""
    app.extensions["identity_providers"]["wechat"] = lambda code: Identity("wechat", "wxtest", code)
    answer = app.test_client().post("/api/v1/auth/wechat", json={"code": str(uuid4())})
    return str((answer.json or {})["bind_ticket"])


def bind(app: Flask, ticket: str, code: str) -> TestResponse:
    return app.test_client().post(
        "/api/v1/auth/wechat/bind", json={"bind_ticket": ticket, "invite_code": code}
    )


def test_guesses_of_an_invite_code_at_once_are_no_more_than_in_turn(
    app: Flask, world: World, ticket: str
) -> None:
    heard = at_once(4 * TICKET_TRIES, lambda _: bind(app, ticket, "22222-22222"))
    assert heard == {403: TICKET_TRIES, 401: 3 * TICKET_TRIES}
    with world.work(world.boss) as work:
        code, _ = managing.invite(work, world.worker().worker_id)
    assert bind(app, ticket, code).status_code == 401


def test_of_many_uses_of_one_invite_code_at_once_one_wins(app: Flask, world: World, ticket: str) -> None:
    worker = world.worker()
    with world.work(world.boss) as work:
        code, _ = managing.invite(work, worker.worker_id)
    heard = at_once(TICKET_TRIES, lambda _: bind(app, ticket, code))
    assert heard[200] == 1
    assert sum(heard[status] for status in (401, 403)) == TICKET_TRIES - 1
    with world.work() as work:
        work.session.execute(update(BindTicket).values(used_at=None))
    assert bind(app, ticket, code).status_code != 200


def test_the_house_keeps_its_hashes_expensive() -> None:
    assert passwords._hasher.memory_cost >= 19 * 1024
    assert (passwords._hasher.time_cost, passwords.SLOTS._free._value) == (2, 2)  # type: ignore[attr-defined]
