"""The pages in a real browser: they work, they can be read by everybody, and the browser has nothing to complain of."""

import json
import os
from pathlib import Path

import pytest
from flask import Flask

from server.web.showing import HEADERS
from tests.engines.chromium import Page
from tests.web.conftest import Account, sign_in

pytestmark = pytest.mark.browser
AXE = (Path(__file__).parent / "vendor" / "axe-4.14.1.min.js").read_text(encoding="utf-8")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]
SHOTS = os.environ.get("WEB_SHOTS")


@pytest.fixture
def template(sqlite_town: object) -> object:
    """Give SQLite alone: what a browser does with a page does not depend on the database."""
    return sqlite_town


def findings(tab: Page) -> list[str]:
    """Give what axe finds seriously wrong with the page that is shown."""
    tab.js(f"{AXE}; null")
    found = tab.js(
        f"axe.run(document, {{runOnly: {json.dumps(RULES)}}}).then(r => r.violations.map(v => "
        "({id: v.id, impact: v.impact, nodes: v.nodes.map(n => n.html.slice(0, 160))})))"
    )
    return [f"{one['id']}: {one['nodes']}" for one in found if one["impact"] in {"serious", "critical"}]


def look(tab: Page, address: str, path: str, name: str) -> list[str]:
    """Open a page in both sizes and on a phone; gives what is wrong with it. `WEB_SHOTS` names where pictures go."""
    wrong = []
    for size in ("usual", "large"):
        tab.go(f"{address}{path}")
        if tab.js("document.documentElement.classList.contains('large')") != (size == "large"):
            tab.submit("form[action$='/text-size'] button")
            tab.go(f"{address}{path}")
        assert tab.js("document.documentElement.classList.contains('large')") == (size == "large")
        if "系统出错" in tab.text():
            wrong.append(f"{name} {size}: broken")
        wrong += [f"{name} {size}: {one}" for one in findings(tab)]
        for width in (1280, 390):
            tab.resize(width, 900)
            if tab.js("document.documentElement.scrollWidth > document.documentElement.clientWidth + 1"):
                wrong.append(f"{name} {size} {width}: wider than the window")
            if SHOTS:
                tab.picture(Path(SHOTS) / f"{name}-{size}-{width}.png")
        tab.resize(1280, 900)
    tab.submit("form[action$='/text-size'] button")
    return wrong


def test_a_person_signs_in_with_the_keyboard_alone(tab: Page, address: str, reviewer: Account) -> None:
    tab.go(f"{address}/")
    assert tab.js("location.pathname") == "/web/sign-in"
    assert tab.js("document.activeElement.id") == "username"
    sign_in(tab, address, reviewer)
    assert tab.js("location.pathname") == "/web/"
    assert tab.js("document.cookie") == ""
    tab.press("Tab")
    assert tab.js("document.activeElement.textContent") == "跳到正文"
    tab.press("Enter")
    assert tab.js("location.hash") == "#main"
    assert tab.complaints() == []


def test_the_first_pages_can_be_read_by_everybody(tab: Page, address: str, reviewer: Account) -> None:
    wrong = look(tab, address, "/web/sign-in", "sign-in")
    sign_in(tab, address, reviewer)
    wrong += look(tab, address, "/web/", "home")
    assert (wrong, tab.complaints()) == ([], [])
    assert look(tab, address, "/web/nowhere", "nowhere") == []


TRIAL = (
    "<!doctype html><title>x</title><p id=styled style='color:#ff0000' onclick='window.bad=1'>x</p>"
    "<style>#styled{color:#ff0000}</style><script>window.bad=1</script><img src=http://127.0.0.1:9/x.png>"
    "<script src=data:text/javascript,window.bad=1></script>"
)


def test_the_policy_is_obeyed(app: Flask, tab: Page, address: str) -> None:
    app.add_url_rule("/trial", "trial", lambda: (TRIAL, HEADERS))
    tab.go(f"{address}/trial")
    tab.click("#styled")
    assert tab.js("window.bad") is None
    assert tab.js("getComputedStyle(document.querySelector('#styled')).color") != "rgb(255, 0, 0)"
    refused = [one for one in tab.complaints() if "Content Security Policy" in one]
    assert len(refused) >= 6, refused
