"""Whoever steals the database, without the key ring, can sign in with nothing that it holds (TRUST §1)."""

import base64
import itertools
import json
import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pyotp
import pytest
from flask import Flask
from sqlalchemy import Engine, inspect, select, table, text

from server.accounts import managing, passwords, totp
from server.accounts.identity_refusals import Identity
from server.accounts.limits import FAILED_SIGN_INS_OF_ADDRESS
from server.accounts.models import Worker
from server.accounts.passwords import HashingSlots
from server.db import VAULT
from server.permissions import Role
from tests.builders.clock import Clock
from tests.builders.world import SHENGPING, World

PASSWORD = "correct horse battery"


@pytest.fixture
def thief(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the thief try as often as they like, and quickly: only what they try is in question."""
    monkeypatch.setattr(passwords.verify_or_burn, "__kwdefaults__", {"slots": HashingSlots(64, 30)})
    monkeypatch.setattr(
        "server.accounts.signing_in.FAILED_SIGN_INS_OF_ACCOUNT",
        type(FAILED_SIGN_INS_OF_ADDRESS)("a", 10**9, FAILED_SIGN_INS_OF_ADDRESS.window),
    )
    monkeypatch.setattr(
        "server.accounts.signing_in.FAILED_SIGN_INS_OF_ADDRESS",
        type(FAILED_SIGN_INS_OF_ADDRESS)("b", 10**9, FAILED_SIGN_INS_OF_ADDRESS.window),
    )
    monkeypatch.setattr("server.accounts.signing_in.TICKET_TRIES", 10**9)


def cells(engine: Engine) -> set[str | bytes]:
    """Read every text and every run of bytes from every table, as the driver gives them."""
    found: set[str | bytes] = set()
    with engine.connect() as connection:
        for schema in (None, VAULT):
            names = inspect(connection).get_table_names(schema)
            assert names
            for name in names:
                for row in connection.execute(select(text("*")).select_from(table(name, schema=schema))):
                    for cell in row:
                        if isinstance(cell, str | bytes | memoryview):
                            found.add(bytes(cell) if isinstance(cell, memoryview) else cell)
                        elif isinstance(cell, UUID):
                            found.add(str(cell))
                        elif cell is not None and not isinstance(cell, int | float):
                            found.add(json.dumps(cell, default=str))
        assert inspect(connection).get_table_names()
    return found


def guises(cell: str | bytes) -> Iterator[str]:
    """Write a cell in every way in which it may be a token, a code, a secret or a password."""
    if isinstance(cell, bytes):
        yield cell.hex()
        yield base64.b64encode(cell).decode()
        yield base64.urlsafe_b64encode(cell).decode().rstrip("=")
        yield base64.b32encode(cell).decode().rstrip("=")
        cell = cell.decode("utf-8", "ignore")
    yield cell
    yield from cell.replace("$", ".").split(".")


@pytest.mark.slow
def test_nothing_in_a_stolen_database_signs_anybody_in(
    app: Flask, world: World, clock: Clock, thief: None
) -> None:
    world.worker(username="chief1", password=PASSWORD)
    second = world.worker(Role.CHIEF, SHENGPING, username="chief2", password=PASSWORD)
    secret = totp.new_secret(world.house.tools.random_bytes)
    with world.work() as work:
        row = work.session.get_one(Worker, second.worker_id)
        key = work.keys.fetch_one(work.session, row.data_key_id)
        assert key is not None
        row.totp_sealed = key.seal(secret, table="workers", column="totp_sealed", row=row.id)
    app.extensions["identity_providers"]["wechat"] = lambda code: Identity("wechat", "wxtest", code)
    client = app.test_client()

    def post(path: str, **body: Any) -> int:
        return client.post(f"/api/v1{path}", json=body).status_code

    ticket = client.post("/api/v1/auth/wechat", json={"code": "openid-of-somebody"}).json["bind_ticket"]  # type: ignore[index]
    live = world.phone(world.worker()).token
    with world.work(world.boss) as work:
        code, _ = managing.invite(work, world.worker().worker_id)
    at_browser = {"username": "chief2", "password": PASSWORD, "otp": pyotp.TOTP(secret).at(clock())}
    token = client.post("/api/v1/auth/password", json=at_browser).json["token"]  # type: ignore[index]
    clock.move(minutes=5)

    stolen = cells(world.house.engine)
    written = {guise for cell in stolen for guise in guises(cell) if guise}
    assert len(written) > 300
    for kept in (PASSWORD, ticket, live, token, code, code.replace("-", ""), secret, "openid-of-somebody"):
        assert kept not in written
        assert not any(kept in one for one in written)
    tokens = {one[:43] for one in written if len(one) in range(43, 60)}
    signed_in = [
        one
        for one in written | tokens
        if not re.search("[\\r\\n]", one)
        if client.get(
            "/api/v1/me", headers={"Authorization": f"Bearer {one.encode().decode('latin-1')}"}
        ).status_code
        != 401
    ]
    assert signed_in == []
    short = {one for one in written if len(one) <= 128}
    assert len(short) > 200
    for one in short:
        assert post("/auth/wechat/bind", bind_ticket=one, invite_code=code) in {401, 422}
        assert post("/auth/wechat/bind", bind_ticket=ticket, invite_code=one[:32]) in {403, 422}
    hashes = {one for one in written if one.startswith("$argon2") or len(one) in range(16, 64)}
    for one in itertools.islice(sorted(hashes), 60):
        assert post("/auth/password", username="chief1", password=one) in {401, 422}
    for one in short:
        try:
            guessed = pyotp.TOTP(one.rstrip("=")).at(clock())
        except (ValueError, TypeError):
            continue
        assert guessed != pyotp.TOTP(secret).at(clock())
    # The control: what was never stored works.
    assert client.get("/api/v1/me", headers={"Authorization": f"Bearer {live}"}).status_code == 200
    assert post("/auth/wechat/bind", bind_ticket=ticket, invite_code=code) == 200
    again = {**at_browser, "otp": pyotp.TOTP(secret).at(clock())}
    assert post("/auth/password", **again) == 200
