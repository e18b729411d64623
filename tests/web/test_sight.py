"""Pages about people, visits and photos out of sight look like pages about nothing, for every role (CONTRACT §1).

The routes come from the url map: a form of a new page about a file that is missing in `FORMS` fails the test.
"""

import re
from collections.abc import Iterator
from uuid import UUID

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from server.accounts.signing_in import _open
from server.accounts.terms import SessionKind
from server.permissions import Actor, Can, Role, may
from server.web.cookies import SESSION
from tests.architecture.test_routes import Route, routes
from tests.builders.world import World
from tests.sight.test_matrix import KINDS, ROLES, SEEN_BY, SUBJECTS, Target, Township, township, traces
from tests.web.conftest import Browser

__all__ = ["township"]
ANY_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
FORMS: dict[str, dict[str, str]] = {
    "/web/visits/<uuid:visit_id>/decisions": {"decision": "return", "revision": "1", "reason": "请更正"},
    "/web/people/<uuid:person_id>/responsible": {"worker_id": str(UUID(int=8))},
    "/web/people/<uuid:person_id>/deputies": {},
    "/web/problems/<uuid:problem_id>/steps": {"step": "start", "revision": "1"},
    "/web/archives/<uuid:person_id>/reveal/<field>": {"reason": "核对身份信息"},
}
"""A form that could be obeyed, by the route that takes it."""


def about_files(app: Flask) -> Iterator[Route]:
    for route in routes(app, "/web/"):
        if set(re.findall(r"<uuid:(\w+)>", route.rule)) & SUBJECTS:
            yield route


def at_browser(app: Flask, world: World, actor: Actor) -> Browser:
    """Sign a worker in at a browser, without the form."""
    with world.work() as work:
        token = _open(work, actor, SessionKind.BROWSER, "test").token
    browser = Browser(app)
    browser.client.set_cookie(SESSION, token, secure=True)
    return browser


def ask(browser: Browser, route: Route, target: Target) -> TestResponse:
    ids = {
        "person_id": target.person,
        "visit_id": target.visit,
        "photo_id": target.photo,
        "problem_id": target.problem,
    }
    path = re.sub(r"<uuid:(\w+)>", lambda one: str(ids.get(one[1], UUID(int=9))), route.rule)
    path = path.removeprefix("/web").replace("<field>", "address")
    return browser.post(path, FORMS[route.rule]) if route.method == "POST" else browser.get(path)


def looks(answer: TestResponse) -> tuple[object, ...]:
    headers = sorted(one for one in answer.headers if one[0] not in {"X-Request-Id", "Content-Length"})
    return answer.status_code, headers, ANY_ID.sub("", answer.text)


@pytest.mark.parametrize("role", list(ROLES))
def test_what_is_out_of_sight_is_not_there(app: Flask, township: Township, role: Role) -> None:
    world, browser = township.world, at_browser(app, township.world, township.askers[role])
    for route in about_files(app):
        if not may(role, Can(str(route.needs))):
            assert ask(browser, route, township.targets["own"]).status_code == 403, route
            continue
        nothing = looks(ask(browser, route, township.targets["not there"]))
        assert nothing[0] == 404, route
        for kind in sorted(KINDS - SEEN_BY[role] - {"not there"}):
            before = traces(world, township.targets[kind].person)
            assert looks(ask(browser, route, township.targets[kind])) == nothing, (route, kind)
            assert traces(world, township.targets[kind].person) == before + 1, (route, kind)


def test_what_is_in_sight_is_shown(app: Flask, township: Township) -> None:
    for role in ROLES:
        browser = at_browser(app, township.world, township.askers[role])
        for route in about_files(app):
            if route.method != "GET" or not may(role, Can(str(route.needs))):
                continue
            for kind in sorted(SEEN_BY[role]):
                assert ask(browser, route, township.targets[kind]).status_code == 200, (role, route, kind)


def test_pages_about_files_are_asked(app: Flask) -> None:
    asked = {route.rule for route in about_files(app)}
    assert len(asked) >= 3
    assert {rule for rule in FORMS if rule not in asked} == set()
