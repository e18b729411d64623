"""Problems on pages: found by filter, answered, checked by somebody else, closed; and few see what is restricted."""

import re
from uuid import UUID

import pytest
from flask import Flask

from server.permissions import Role
from tests.builders.world import GUANGDE, SHENGPING, World
from tests.web.conftest import Browser
from tests.web.test_sight import at_browser
from tests.web.test_spot_checks import follow, hidden, said
from tests.web.town import CANARY, Town, town


@pytest.fixture
def there(world: World) -> Town:
    return town(world)


def desk(app: Flask, world: World, role: Role, area: str = SHENGPING) -> Browser:
    return at_browser(app, world, world.worker(role, area))


def raised(there: Town, severity: str = "high", **more: object) -> UUID:
    """Record a visit that finds a problem; gives the problem's id."""
    problem = {
        "code": "old_wiring",
        "severity": severity,
        "description": CANARY[:200],
        "fixed_on_site": False,
    }
    there.visits.append(
        there.record(there.people[0], problems=[problem | more], no_photo_reason="老人不愿意拍照")
    )
    found = there.chief.get("/problems", limit=200).json
    assert found is not None
    return UUID(next(one["id"] for one in found["items"] if one["visit_id"] == str(there.visits[-1])))


def test_a_problem_is_answered_checked_by_another_and_closed_on_pages(
    app: Flask, world: World, there: Town
) -> None:
    problem = raised(there)
    at = f"/problems/{problem}"
    owner = at_browser(app, world, there.visitor)
    reviewer = desk(app, world, Role.REVIEWER)
    listed = reviewer.get("/problems", severity="high").text
    assert f"/web{at}" in listed
    assert "<script>window.bad" not in listed
    page = owner.get(at).text
    assert "&lt;script&gt;window.bad" in page
    assert "转交" not in page
    step = {"step": "answer", "revision": hidden(page, "revision"), "note": CANARY}
    answered = follow(owner, owner.post(f"{at}/steps", step))
    assert "已提交整改情况" in answered
    assert "<script>window.bad" not in answered
    assert "已提交整改情况" in follow(owner, owner.post(f"{at}/steps", step))  # the second click
    assert answered.count("&lt;script&gt;window.bad") == owner.get(at).text.count("&lt;script&gt;window.bad")
    other = {"step": "answer", "revision": step["revision"], "note": "另一个说法"}
    stale = owner.post(f"{at}/steps", other)
    assert stale.status_code == 409
    assert "请刷新后再看" in said(stale)
    own = owner.post(f"{at}/steps", {"step": "close", "revision": "2"})
    assert own.status_code == 403
    page = reviewer.get(at).text
    closed = follow(
        reviewer,
        reviewer.post(f"{at}/steps", {"step": "close", "revision": hidden(page, "revision"), "note": ""}),
    )
    assert "已核查关闭" in closed
    assert f"/web{at}" not in reviewer.get("/problems").text
    assert f"/web{at}" in reviewer.get("/problems", state="closed").text


def test_a_step_that_does_not_say_what_it_must_is_refused_with_what_was_typed(
    app: Flask, world: World, there: Town
) -> None:
    problem = raised(there)
    at = f"/problems/{problem}"
    chief = desk(app, world, Role.CHIEF)
    revision = hidden(chief.get(at).text, "revision")
    for form, status, sentence in (
        ({"step": "answer", "note": " "}, 422, "请写明整改情况"),
        ({"step": "answer", "note": "长" * 10_000}, 422, "最多2000个字"),
        ({"step": "assign", "note": "请处理"}, 422, "转交时须选择人员"),
        ({"step": "assign", "note": "请处理", "worker_id": str(UUID(int=7))}, 422, "不在岗"),
        ({"step": "reopen", "note": "没改好"}, 409, "不能这样处理"),
        ({"step": "withdraw"}, 422, "不能手动提交"),
        ({"step": "dance"}, 422, "只能是"),
    ):
        answer = chief.post(f"{at}/steps", {"revision": revision, **form})
        assert answer.status_code == status, (form, said(answer))
        assert sentence in said(answer), (form, said(answer))
        if form["step"] in {"answer", "assign"}:
            assert form["note"][:5] in answer.text
    assert hidden(chief.get(at).text, "revision") == revision


def test_a_problem_is_handed_to_a_worker_who_is_offered(app: Flask, world: World, there: Town) -> None:
    problem = raised(there)
    at = f"/problems/{problem}"
    chief = desk(app, world, Role.CHIEF)
    page = chief.get(at).text
    offered = re.findall(r'<option value="([0-9a-f-]{36})"', page)
    assert str(there.visitor.worker_id) in offered
    form = {
        "step": "assign",
        "revision": hidden(page, "revision"),
        "note": "请尽快",
        "worker_id": str(there.visitor.worker_id),
    }
    assert "指定人员" in follow(chief, chief.post(f"{at}/steps", form))


def test_what_is_suspected_is_seen_by_few(app: Flask, world: World, there: Town) -> None:
    problem = raised(there, severity="urgent", code="abuse_suspected")
    assert desk(app, world, Role.REVIEWER).get(f"/problems/{problem}").status_code == 200
    assert "限制查看" in desk(app, world, Role.CHIEF).get("/problems", restricted="true").text
    other = at_browser(app, world, world.worker())
    assert other.get(f"/problems/{problem}").status_code == 404
    far = desk(app, world, Role.REVIEWER, "341882100")
    assert far.get(f"/problems/{problem}").status_code == 404
    county = desk(app, world, Role.COUNTY_INSPECTOR, GUANGDE)
    seen = county.get(f"/problems/{problem}")
    assert seen.status_code == 200
    assert "<details" not in seen.text
    for role in (Role.ADMINISTRATOR, Role.AUDITOR):
        assert desk(app, world, role, GUANGDE).get("/problems").status_code == 403
