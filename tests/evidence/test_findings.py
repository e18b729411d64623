"""Findings reach the reviewer, follow from the facts that are on file, and bind nobody."""

from uuid import uuid4

from server.permissions import Role
from tests.builders.world import World
from tests.evidence.conftest import HOME, Township


def test_a_visit_at_home_says_so_to_the_reviewer_and_nothing_to_the_visitor(township: Township) -> None:
    visit = township.record(township.person(**HOME))
    found = township.findings(visit)
    assert found["fence_inside"]["severity"] == "info"
    assert found["fence_inside"]["evidence"]["radius_m"] == 200
    assert "200米" in found["fence_inside"]["title"]
    assert "findings" not in township.phone.get(f"/visits/{visit}").json


def test_a_visit_elsewhere_is_a_warning(township: Township) -> None:
    visit = township.record(township.person(30.95, 119.4172))
    found = township.findings(visit)["fence_outside"]
    assert found["severity"] == "warning"
    assert 6000 < found["evidence"]["distance_m"] < 7000


def test_a_home_that_is_set_later_is_judged_too(township: Township) -> None:
    person = township.person()
    visit = township.record(person)
    assert township.findings(visit)["fence_unclear"]["evidence"]["doubt"] == "no_home"
    township.reviewer.put(f"/people/{person}/home", {**HOME, "datum": "gcj02", "accuracy_m": 10})
    assert "fence_inside" in township.findings(visit)
    assert "fence_unclear" not in township.findings(visit)


def test_travel_that_nobody_can_make_is_found_on_both_whichever_came_first(township: Township) -> None:
    near, far = township.person(**HOME), township.person(30.70, 119.4172)
    there = {"latitude": 30.70, "longitude": 119.4172, "accuracy_m": 25, "datum": "gcj02"}
    later = township.record(
        far,
        occurred_at="2026-03-05T09:35:00+08:00",
        ended_at="2026-03-05T09:50:00+08:00",
        location=there,
    )
    assert "travel_impossible" not in township.findings(later)
    first = township.record(near)
    for visit in (first, later):
        found = township.findings(visit)["travel_impossible"]
        assert found["severity"] == "warning"
        assert found["evidence"]["trips"][0]["minutes"] == 4


def test_a_withdrawn_visit_is_compared_with_nothing(township: Township) -> None:
    near, far = township.person(**HOME), township.person(30.70, 119.4172)
    there = {"latitude": 30.70, "longitude": 119.4172, "accuracy_m": 25, "datum": "gcj02"}
    first = township.record(near)
    wrong = township.record(far, location=there)
    assert "travel_impossible" in township.findings(first)
    answer = township.phone.post(
        f"/visits/{wrong}/decisions", {"decision": "withdraw", "revision": 1, "reason": "填错了"}
    )
    assert answer.status_code == 201, answer.json
    assert "travel_impossible" not in township.findings(first)


def test_the_queue_shows_only_what_has_the_finding(township: Township) -> None:
    inside = township.record(township.person(**HOME))
    outside = township.record(township.person(30.95, 119.4172))
    answer = township.reviewer.get("/reviews/queue", finding="fence_outside")
    assert [one["id"] for one in answer.json["items"]] == [str(outside)]
    whole = township.reviewer.get("/reviews/queue").json["items"]
    assert {one["id"] for one in whole} == {str(inside), str(outside)}
    assert township.reviewer.get("/reviews/queue", finding="no_such_thing").json["items"] == []


def test_a_death_on_file_finds_whoever_was_met_after_it(township: Township, world: World) -> None:
    person = township.person(**HOME)
    visit = township.record(person)
    assert "met_after_death" not in township.findings(visit)
    chief = world.phone(world.worker(Role.CHIEF, "341882003"))
    answer = chief.post(f"/people/{person}/death", {"died_on": "2026-03-01"})
    assert answer.status_code == 200, answer.json
    assert township.findings(visit)["met_after_death"]["evidence"]["days_after"] == 4


def test_an_unknown_visit_is_not_judged(township: Township) -> None:
    assert township.reviewer.get(f"/visits/{uuid4()}").status_code == 404
