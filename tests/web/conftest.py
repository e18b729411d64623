"""What tests of the pages may ask for: a browser's client without a browser, and a real one."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyotp
import pytest
from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.test import TestResponse

from server.accounts import managing
from server.permissions import Actor, Role
from tests.builders.world import SHENGPING, World
from tests.engines.chromium import Chromium, Page, chromium

PASSWORD = "correct-horse-battery"


@dataclass
class Account:
    """A browser user: who, by what name, and the secret of their one-time codes."""

    world: World
    actor: Actor
    username: str
    secret: str

    def otp(self) -> str:
        """Give a code that was not used yet: half a minute passes first."""
        self.world.clock.move(seconds=30)
        return pyotp.TOTP(self.secret).at(self.world.clock())


class Browser:
    """A client that keeps cookies and says where its forms come from, as browsers do."""

    def __init__(self, app: Flask) -> None:
        self.client = app.test_client()

    def get(self, path: str, **query: Any) -> TestResponse:
        """Open a page."""
        return self.client.get(f"/web{path}", query_string=query, headers={"Sec-Fetch-Site": "same-origin"})

    def post(self, path: str, form: Any = None, **headers: str) -> TestResponse:
        """Send a form from a page of ours."""
        sent = {"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.post(f"/web{path}", data=form or {}, headers=sent)

    def sign_in(self, account: Account, password: str = PASSWORD) -> TestResponse:
        """Sign in as somebody."""
        form = {"username": account.username, "password": password, "otp": account.otp()}
        return self.post("/sign-in", form)


def browser_user(
    world: World, role: Role = Role.REVIEWER, area: str = SHENGPING, username: str | None = None
) -> Account:
    """Add a worker who signs in at a browser."""
    name = username or f"{role.value}-{len(role.value)}"
    actor = world.worker(role, area, username=name, password=PASSWORD)
    with world.work() as work:
        address = managing.require_otp(work, actor.worker_id)
    return Account(world, actor, name, pyotp.parse_uri(address).secret)


@pytest.fixture
def reviewer(world: World) -> Account:
    """Give a reviewer of the township who signs in at a browser."""
    return browser_user(world)


@pytest.fixture
def browser(app: Flask) -> Browser:
    """Give a browser that nobody has signed in at."""
    return Browser(app)


@pytest.fixture
def at_desk(browser: Browser, reviewer: Account) -> Browser:
    """Give a browser at which the reviewer has signed in."""
    assert browser.sign_in(reviewer).status_code == 303
    return browser


@pytest.fixture(scope="session")
def engine() -> Iterator[Chromium]:
    """Give a real browser, one for the whole run."""
    with chromium() as running:
        yield running


class _Quiet(WSGIRequestHandler):
    def log(self, *_: Any) -> None:
        """Say nothing: paths are nobody's business."""


@pytest.fixture
def address(app: Flask) -> Iterator[str]:
    """Serve the application under test on loopback; gives its address."""
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def tab(engine: Chromium) -> Iterator[Page]:
    """Give a real tab in a profile of its own."""
    with engine.page() as page:
        yield page


def sign_in(tab: Page, address: str, account: Account) -> None:
    """Sign in as a person would: by typing."""
    tab.go(f"{address}/web/sign-in")
    tab.fill("#username", account.username)
    tab.fill("#password", PASSWORD)
    tab.fill("#otp", account.otp())
    tab.press("Enter", leads_away=True)
