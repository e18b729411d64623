"""Files and the overdue board in a real browser: readable by everybody, and numbers are revealed in their place."""

import pytest

from tests.builders.clock import Clock
from tests.builders.world import QIANCUN, World
from tests.conftest import Template
from tests.engines.chromium import Page
from tests.web.conftest import Account, sign_in
from tests.web.test_in_chromium import findings, look
from tests.web.town import Town, town

pytestmark = pytest.mark.browser


@pytest.fixture
def template(sqlite_town: Template) -> Template:
    """Give SQLite alone: what a browser does with a page does not depend on the database."""
    return sqlite_town


@pytest.fixture
def there(world: World) -> Town:
    """Give the town."""
    return town(world)


def test_files_and_the_board_can_be_read_by_everybody(
    tab: Page, address: str, reviewer: Account, there: Town, clock: Clock, world: World
) -> None:
    world.person(world.worker(area=QIANCUN), village=QIANCUN, name="钱村老人")
    clock.set("2026-04-20T10:00:00+08:00")
    sign_in(tab, address, reviewer)
    wrong = look(tab, address, "/web/archives", "archives")
    wrong += look(tab, address, f"/web/archives/{there.people[0]}", "archive")
    wrong += look(tab, address, f"/web/archives/{there.people[0]}/timeline", "timeline")
    wrong += look(tab, address, f"/web/archives/{there.people[0]}/looks", "looks")
    wrong += look(tab, address, f"/web/archives/{there.people[0]}/reveal/phone", "reveal")
    wrong += look(tab, address, "/web/overdue", "overdue")
    assert (wrong, tab.complaints()) == ([], [])


def test_a_search_is_worked_with_the_keyboard(
    tab: Page, address: str, reviewer: Account, there: Town
) -> None:
    sign_in(tab, address, reviewer)
    tab.go(f"{address}/web/archives")
    tab.fill("#query", "王阿")
    tab.press("Enter", leads_away=True)
    assert tab.js("location.search") == ""
    assert findings(tab) == []
    tab.press("j")
    tab.press("Enter", leads_away=True)
    assert str(there.people[0]) in tab.js("location.pathname")
    tab.click("#looked a")
    tab.until("document.querySelector('#looked table, #looked p')")
    assert findings(tab) == []
    assert tab.complaints() == []


def test_a_number_is_revealed_in_its_place(
    tab: Page, address: str, reviewer: Account, there: Town, clock: Clock
) -> None:
    clock.set("2026-04-20T10:00:00+08:00")
    sign_in(tab, address, reviewer)
    tab.go(f"{address}/web/overdue")
    tab.click("td:last-child .reveal a")
    tab.until("document.activeElement.name === 'reason'")
    assert findings(tab) == []
    tab.ask("Input.insertText", text="提醒走访，需要电话")
    tab.press("Enter")
    tab.until("document.querySelector('.revealed')")
    assert tab.js("document.querySelector('.revealed').textContent") == "13900000001"
    assert tab.js("location.pathname") == "/web/overdue"
    assert tab.complaints() == []
