"""Every route declares what it needs, and nobody gets past the door without it (CONTRACT §1, TRUST §2).

The routes are walked as the application knows them, so a new one is covered the moment that it is there.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from flask import Flask
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from server.ledger.models import Event
from server.permissions import GRANTS, Can, Role, may
from tests.builders.clock import Clock
from tests.builders.world import GUANGDE, SHENGPING, TUANSHAN, World

METHODS = {"GET", "POST", "PUT", "DELETE"}
PUBLIC = {
    "/api/v1/auth/wechat",
    "/api/v1/auth/wecom",
    "/api/v1/auth/wechat/bind",
    "/api/v1/auth/password",
    "/api/v1/openapi.json",
    "/api/v1/terms",  # the vocabulary, which holds no datum
}
FRAMEWORK = {"api-docs.openapi_json"}
"""Views that flask-smorest makes, which no decorator of ours reaches: the description of the API, for everybody."""

AREAS = {Role.VISITOR: TUANSHAN, Role.REVIEWER: SHENGPING, Role.CHIEF: SHENGPING}
GARBAGE = (b"{", b"\xff\xfe", b'{"person_id": NaN}', b"")


@dataclass(frozen=True)
class Route:
    """One method on one path."""

    method: str
    path: str
    rule: str
    endpoint: str
    needs: str | None


def routes(app: Flask, prefix: str = "/") -> Iterator[Route]:
    for rule in app.url_map.iter_rules():
        if not rule.rule.startswith(prefix):
            continue
        needed = getattr(app.view_functions[rule.endpoint], "needs", None)
        path = re.sub(r"<uuid:\w+>", str(UUID(int=7)), rule.rule)
        path = re.sub(r"<[^>]+>", "x", path)
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield Route(method, path, rule.rule, rule.endpoint, needed)


def guarded(app: Flask) -> list[Route]:
    found = [route for route in routes(app, "/api/v1/") if route.rule not in PUBLIC]
    assert len(found) > 30
    return found


def send(app: Flask, route: Route, token: str | None, data: bytes = b"{", kind: str = "json") -> TestResponse:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    return app.test_client().open(
        route.path,
        method=route.method,
        data=data if route.method in {"POST", "PUT"} else None,
        content_type=f"application/{kind}",
        headers=headers,
    )


def test_every_view_declares_what_it_needs(app: Flask) -> None:
    undeclared = {route.endpoint for route in routes(app) if route.needs not in set(Can)}
    assert undeclared <= FRAMEWORK


def test_only_the_methods_of_the_contract_are_used(app: Flask) -> None:
    for rule in app.url_map.iter_rules():
        assert (rule.methods or set()) <= METHODS | {"HEAD", "OPTIONS"}, rule


def test_only_sign_in_and_the_description_are_public(app: Flask) -> None:
    public = {
        route.rule
        for route in routes(app, "/api/v1/")
        if route.needs == Can.ANYONE or route.endpoint in FRAMEWORK
    }
    assert {rule for rule in PUBLIC if "/auth/" in rule} <= public <= PUBLIC


def test_without_a_live_token_nobody_gets_further(app: Flask, world: World, clock: Clock) -> None:
    chief = world.worker(Role.CHIEF, SHENGPING)
    dead = world.phone(chief)
    assert dead.delete("/auth/session").status_code == 204
    old = world.phone(chief)
    clock.move(days=8)
    fresh = world.phone(chief).token
    tokens = {
        "none": None,
        "garbage": "garbage",
        "empty": "",
        "a stranger's": "A" * 43,
        "not ASCII": "不是令牌",
        "a live one, cut": fresh[:-1],
        "a live one, with more": fresh + "A",
        "revoked": dead.token,
        "expired": old.token,
    }
    wrong: list[tuple[object, ...]] = []
    for route in guarded(app):
        for name, token in tokens.items():
            header = None if token is None else token.encode().decode("latin-1")
            answer = send(app, route, header)
            if (answer.status_code, (answer.json or {}).get("code")) != (401, "not_signed_in"):
                wrong.append((route.method, route.rule, name, answer.status_code))
            elif answer.headers.get("WWW-Authenticate") != "Bearer":
                wrong.append((route.method, route.rule, name, "no challenge"))
    assert wrong == []


def test_a_token_of_another_kind_is_none(app: Flask, world: World) -> None:
    token = world.phone(world.worker(Role.CHIEF, SHENGPING)).token
    for header in (f"Basic {token}", token, f"Token {token}", f"Bearer\t{token} {token}"):
        answer = app.test_client().get("/api/v1/me", headers={"Authorization": header})
        assert answer.status_code == 401, header
    assert app.test_client().get(f"/api/v1/me?token={token}").status_code == 401
    client = app.test_client()
    client.set_cookie("Authorization", f"Bearer {token}")
    assert client.get("/api/v1/me").status_code == 401


def test_a_role_that_may_not_is_told_so_before_its_body_is_read(app: Flask, world: World) -> None:
    phones = {role: world.phone(world.worker(role, AREAS.get(role, GUANGDE))) for role in Role}
    wrong, refused = [], 0
    for route in guarded(app):
        assert route.needs is not None
        for role, phone in phones.items():
            if may(role, Can(route.needs)):
                continue
            for data in GARBAGE if route.method in {"POST", "PUT"} else (b"",):
                answer = send(app, route, phone.token, data)
                refused += 1
                if (answer.status_code, (answer.json or {}).get("code")) != (403, "not_allowed"):
                    wrong.append((route.method, route.rule, role, data, answer.status_code))
    assert wrong == []
    with world.work() as work:
        told = work.session.scalar(select(func.count(Event.id)).where(Event.action == "refused.role"))
    assert told == refused > 100


def test_a_role_that_may_is_not_refused_by_the_door(app: Flask, world: World) -> None:
    wrong = []
    for role in Role:
        token = world.phone(world.worker(role, AREAS.get(role, GUANGDE))).token
        for route in guarded(app):
            if route.endpoint == "accounts.sign_out" or not may(role, Can(str(route.needs))):
                continue
            status = send(app, route, token).status_code
            if status in {401, 403} or status >= 500:
                wrong.append((role, route.method, route.rule, status))
    assert wrong == []


def test_every_role_has_grants_and_every_deed_somebody_who_may() -> None:
    assert set(GRANTS) == set(Role)
    assert {can for grants in GRANTS.values() for can in grants} == set(Can)
    for role in Role:
        assert {Can.ANYONE, Can.SIGNED_IN} <= GRANTS[role]


def test_duties_are_separated() -> None:
    files = {Can.SEE_ARCHIVES, Can.SEE_VISITS, Can.SEE_PHOTOS, Can.SEE_OVERDUE, Can.SEE_WORKLIST, Can.REVEAL}
    changes = {Can.EDIT_PEOPLE, Can.RECORD_VISITS, Can.DECIDE_ON_VISITS, Can.HAND_OVER, Can.IMPORT_ROSTER}
    for role in (Role.ADMINISTRATOR, Role.AUDITOR):
        assert not GRANTS[role] & (files | changes | {Can.SEE_ORIGINALS})
    assert not GRANTS[Role.COUNTY_INSPECTOR] & (changes | {Can.SEE_ORIGINALS, Can.REVEAL})
    assert not GRANTS[Role.VISITOR] & {Can.SEE_FINDINGS, Can.SEE_ORIGINALS, Can.DECIDE_ON_VISITS}
    assert [role for role in Role if Can.READ_LEDGER in GRANTS[role]] == [Role.AUDITOR]
    assert [role for role in Role if Can.EDIT_ACCOUNTS in GRANTS[role]] == [Role.ADMINISTRATOR]


def test_what_the_routes_need_somebody_needs_and_may(app: Flask) -> None:
    for route in guarded(app):
        assert any(may(role, Can(str(route.needs))) for role in Role), route
