"""The queue worked with the keyboard alone, in a real browser; broken photos and hostile texts too."""

import pytest
from sqlalchemy import select, update

from server.photos.models import Photo, Rendition
from server.reviews.models import DecisionMade
from tests.builders.world import World
from tests.conftest import Template
from tests.engines.chromium import Page
from tests.web.conftest import Account, sign_in
from tests.web.test_accepting_many import plain_record
from tests.web.test_in_chromium import look
from tests.web.town import CANARY, Town, absent, town

pytestmark = pytest.mark.browser


@pytest.fixture
def template(sqlite_town: Template) -> Template:
    """Give SQLite alone: what a browser does with a page does not depend on the database."""
    return sqlite_town


@pytest.fixture
def there(world: World) -> Town:
    """Give the town."""
    return town(world)


def test_queue_and_records_can_be_read_by_everybody(
    tab: Page, address: str, reviewer: Account, there: Town
) -> None:
    sign_in(tab, address, reviewer)
    wrong = look(tab, address, "/web/queue", "queue")
    for number, visit in enumerate(there.visits):
        wrong += look(tab, address, f"/web/visits/{visit}", f"visit-{number}")
    assert (wrong, tab.complaints()) == ([], [])


def test_the_queue_is_worked_with_the_keyboard_alone(
    tab: Page, address: str, reviewer: Account, there: Town
) -> None:
    first, second, third, fourth = there.visits
    sign_in(tab, address, reviewer)
    tab.go(f"{address}/web/queue")
    tab.press("?")
    assert tab.js("document.querySelector('#keys').open")
    tab.press("Escape")
    assert not tab.js("document.querySelector('#keys').open")
    for key, visit in (("j", first), ("j", second), ("k", first), ("k", first)):
        tab.press(key)
        assert str(visit) in tab.js("document.activeElement.getAttribute('href')")
    tab.press("Enter", leads_away=True)
    assert str(first) in tab.js("location.pathname")
    tab.press("r")
    assert tab.js("document.activeElement.id") == "return-reason"
    tab.press("a")  # writing now: a letter, not a command
    assert tab.js("document.activeElement.value") == "a"
    tab.press("Escape")
    assert tab.js("document.querySelectorAll('details[open]').length") == 0
    tab.press("a")
    assert tab.js("document.activeElement.textContent") == "确认通过"
    tab.press("Enter", leads_away=True)
    assert str(second) in tab.js("location.pathname")
    assert "已通过。" in tab.text()
    tab.press("r")
    tab.ask("Input.insertText", text="请补充照片")
    tab.press("Tab")
    tab.press("Enter", leads_away=True)
    assert str(third) in tab.js("location.pathname")
    tab.press("u", leads_away=True)
    assert tab.js("location.pathname") == "/web/queue"
    with there.world.work() as work:
        made = {row.visit_id: row.decision.value for row in work.session.scalars(select(DecisionMade))}
    assert made == {first: "accept", second: "return"}
    assert str(fourth) in tab.js("document.body.innerHTML")
    assert tab.complaints() == []


def test_plain_records_are_chosen_and_accepted_with_the_keyboard_alone(
    tab: Page, address: str, reviewer: Account, there: Town
) -> None:
    plain = plain_record(there, 2)
    sign_in(tab, address, reviewer)
    tab.go(f"{address}/web/queue")
    assert look(tab, address, "/web/queue", "queue-bulk") == []
    tab.go(f"{address}/web/queue")
    tab.js(f"document.querySelector(\"[name=picked][value^='{plain}']\").focus()")
    tab.press(" ")
    tab.press("a")
    assert tab.js("document.activeElement.textContent") == "确认通过所选"
    tab.press("Enter", leads_away=True)
    assert "选了 1 条，通过 1 条" in tab.text()
    assert tab.complaints() == []
    with there.world.work() as work:
        assert [row.visit_id for row in work.session.scalars(select(DecisionMade))] == [plain]


def test_a_double_click_sends_one_form(tab: Page, address: str, reviewer: Account, there: Town) -> None:
    sign_in(tab, address, reviewer)
    tab.go(f"{address}/web/visits/{there.visits[0]}")
    tab.press("a")
    tab.js(
        "window.__before = true; (() => { const b = document.querySelector('details[open] form button'); b.click(); b.click() })()"
    )
    tab.loaded()
    with there.world.work() as work:
        assert len(work.session.scalars(select(DecisionMade)).all()) == 1
    assert str(there.visits[1]) in tab.js("location.pathname")


def test_a_photo_that_does_not_load_says_so_in_its_place(
    tab: Page, address: str, reviewer: Account, there: Town
) -> None:
    with there.world.work() as work:
        assert not work.session.scalars(select(Rendition)).all()
        photo = work.session.scalars(select(Photo).where(Photo.blob_key.is_not(None)).limit(1)).one()
        work.session.execute(update(Photo).where(Photo.id == photo.id).values(blob_key="gone/" + "0" * 40))
    sign_in(tab, address, reviewer)
    tab.go(f"{address}/web/visits/{there.visits[1]}")
    tab.until("[...document.querySelectorAll('.no-photo')].some(e => e.textContent.includes('照片打不开'))")
    tab.until("[...document.images].some(i => i.complete && i.naturalWidth > 0)")


def test_texts_that_look_like_code_run_nowhere(
    tab: Page, address: str, reviewer: Account, there: Town
) -> None:
    visits = [
        there.record(there.people[3], notes=CANARY, needs=[{"kind": "medical", "detail": CANARY}]),
        there.record(there.people[2], **absent(CANARY)),
    ]
    sign_in(tab, address, reviewer)
    for visit in visits:
        tab.go(f"{address}/web/visits/{visit}")
        assert tab.js("window.bad") is None
        assert CANARY[:40] in tab.text()
    assert tab.complaints() == []


def test_without_a_script_everything_can_be_done(
    tab: Page, address: str, reviewer: Account, there: Town
) -> None:
    sign_in(tab, address, reviewer)
    tab.ask("Emulation.setScriptExecutionDisabled", value=True)
    tab.go(f"{address}/web/visits/{there.visits[0]}")
    tab.click("details[data-key=a] summary")
    tab.click("details[data-key=a] form button")
    tab.until(
        f"location.pathname.includes('{there.visits[1]}') && document.body?.innerText.includes('已通过。')"
    )
