"""The pages of office work in a real browser: read by everybody, led by keyboard, and nothing to complain of."""

import pytest

from server.permissions import Role
from tests.builders.world import GUANGDE, World
from tests.engines.chromium import Page
from tests.web.conftest import browser_user, sign_in
from tests.web.test_audit import signed
from tests.web.test_in_chromium import look

pytestmark = pytest.mark.browser


@pytest.fixture
def template(sqlite_town: object) -> object:
    """Give SQLite alone: what a browser does with a page does not depend on the database."""
    return sqlite_town


def test_the_auditors_pages_can_be_read_by_everybody(tab: Page, address: str, world: World) -> None:
    auditor = browser_user(world, Role.AUDITOR, GUANGDE)
    visitor = world.worker()
    people = [world.person(visitor) for _ in range(4)]
    world.phone(visitor).get("/worklist")
    signed(world)
    sign_in(tab, address, auditor)
    wrong = look(tab, address, "/web/", "auditor-home")
    wrong += look(tab, address, "/web/audit", "audit")
    wrong += look(tab, address, f"/web/audit/looks?person_id={people[0]}", "audit-looks")
    wrong += look(tab, address, "/web/audit/checkpoint", "audit-checkpoint")
    wrong += look(tab, address, "/web/audit/inclusion?seq=3", "audit-inclusion")
    assert (wrong, tab.complaints()) == ([], [])
    wrong += look(tab, address, "/web/audit?person_id=x", "audit-wrong")
    assert wrong == []
    tab.go(f"{address}/web/audit?person_id=x")
    assert tab.js("document.querySelector('#person_id').getAttribute('aria-invalid')") == "true"
