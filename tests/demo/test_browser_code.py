"""The demo tells with which password and code somebody signs in to its pages."""

import datetime as dt

from demo.accounts import browser_code
from demo.state import Account, Township
from server.permissions import Role
from tests.builders.clock import Clock
from tests.builders.world import SHENGPING, World
from tests.web.conftest import PASSWORD, Browser


def test_an_account_of_the_demo_signs_in_at_a_browser(world: World, clock: Clock) -> None:
    actor = world.worker(Role.CHIEF, SHENGPING, username="chief", password=PASSWORD)
    account = Account(actor.worker_id, "chief", PASSWORD, actor.name, Role.CHIEF, SHENGPING, "demo-chief")
    township = Township(dt.date(2026, 1, 1), [account])
    for _ in range(2):
        clock.move(minutes=1)
        given = browser_code(world.house, township, "chief")
        assert given is not None
        browser = Browser(world.app)
        form = {"username": "chief", "password": given[0], "otp": given[1]}
        assert browser.post("/sign-in", form).status_code == 303
        assert "审核队列" in browser.get("/").text
    assert browser_code(world.house, township, "nobody") is None
