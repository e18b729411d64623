"""Accepting many records at once from the queue: those without doubt, each told of by itself."""

import html
import re
from uuid import UUID, uuid4

import pytest

from tests.builders.world import QIANCUN, World
from tests.web.conftest import Browser
from tests.web.test_reviewing import decided
from tests.web.town import HOME, Town, town


@pytest.fixture
def there(world: World) -> Town:
    """Give the town."""
    return town(world)


def plain_record(there: Town, day: int) -> UUID:
    """Record a visit about which nothing is found: at home, in its own words, as long as it takes."""
    place = {"latitude": HOME["latitude"] + day / 100_000, "longitude": HOME["longitude"]}
    return there.record(
        there.people[3],
        occurred_at=f"2026-03-0{day}T09:12:00+08:00",
        ended_at=f"2026-03-0{day}T09:40:00+08:00",
        client_created_at=f"2026-03-0{day}T09:41:00+08:00",
        location={**place, "accuracy_m": 8, "datum": "gcj02", "taken_at": f"2026-03-0{day}T09:13:00+08:00"},
        notes=("被子晒过，米缸有半缸。", "腿脚比上月好，自己烧火。")[day % 2],
    )


def chosen_in(page: str) -> list[str]:
    """Give what the boxes of a queue page would send."""
    return re.findall(r'name="picked" value="([^"]+)"', page)


def test_many_plain_records_are_accepted_at_once_and_each_is_told_of(at_desk: Browser, there: Town) -> None:
    plain = [plain_record(there, day) for day in (2, 3)]
    at_desk.get("/queue")  # who reads judges what waits
    boxes = chosen_in(at_desk.get("/queue").text)
    assert {f"{visit}@1" for visit in plain} <= set(boxes)
    assert f"{there.visits[1]}@1" not in boxes, "a record with a warning is looked at by itself"
    refused = f"{there.visits[1]}@1"
    page = at_desk.post("/queue/acceptances", {"picked": [*(f"{visit}@1" for visit in plain), refused]})
    assert page.status_code == 200
    assert "选了 3 条，通过 2 条，其余保持原样" in page.text
    assert "未通过" in page.text
    assert decided(there.world) == [("accept", 1), ("accept", 1)]
    again = at_desk.post("/queue/acceptances", {"picked": [f"{visit}@1" for visit in plain]})
    assert "选了 2 条，通过 0 条" in again.text
    assert "刚刚被更新过" not in again.text, "who presses twice is told that it is accepted"
    assert len(decided(there.world)) == 2
    left = at_desk.get("/queue").text
    assert not any(str(visit) in left for visit in plain)


@pytest.mark.parametrize(
    "chosen", [[], ["x"], ["x@1"], ["@"], [f"{uuid4()}"], [f"{uuid4()}@0"]], ids=range(6)
)
def test_a_choice_that_is_none_is_refused_on_the_queue_itself(
    at_desk: Browser, there: Town, chosen: list[str]
) -> None:
    page = at_desk.post("/queue/acceptances", {"picked": chosen})
    assert page.status_code == 422
    assert "请勾选 1 到 200 条记录" in page.text
    assert str(there.visits[0]) in page.text, "the queue stands there again"
    assert decided(there.world) == []


def test_the_filters_of_the_queue_go_along_with_a_choice(at_desk: Browser, there: Town) -> None:
    page = at_desk.get("/queue", village=QIANCUN)
    assert "acceptances" not in page.text, "nothing to choose"
    page = at_desk.get("/queue", village="341882003200")
    action = html.unescape(re.search(r'id="bulk"[^>]*action="([^"]+)"', page.text)[1])  # type: ignore[index]
    assert action == "/web/queue/acceptances?village=341882003200"
    told = at_desk.post(action.removeprefix("/web"), {"picked": chosen_in(page.text)})
    assert told.status_code == 200
    assert 'href="/web/queue?village=341882003200"' in told.text


def test_a_record_out_of_sight_is_told_as_not_there(at_desk: Browser, there: Town, world: World) -> None:
    page = at_desk.post("/queue/acceptances", {"picked": [f"{uuid4()}@1"]})
    assert page.status_code == 200
    assert "选了 1 条，通过 0 条" in page.text


def test_a_choice_that_comes_from_elsewhere_is_refused(at_desk: Browser, there: Town) -> None:
    form = {"picked": chosen_in(at_desk.get("/queue").text)}
    answer = at_desk.post(
        "/queue/acceptances", form, Sec_Fetch_Site="cross-site", Origin="https://evil.example"
    )
    assert answer.status_code == 403
    assert decided(there.world) == []
