"""Bulk acceptance: only what needs no other look, each with its own decision and ledger line, told one by one."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select

from server.ledger.models import Event
from server.permissions import Role
from server.reviews import accepting
from server.reviews.models import DecisionMade
from server.visits.models import Visit
from tests.builders.world import SHENGPING, Phone, World
from tests.reviews.test_second_eyes import DEAD
from tests.visits.test_recording import body


def recorded(world: World, phone: Phone, person: UUID, **changes: Any) -> str:
    visit = str(uuid4())
    sent = body(person, phone.actor.worker_id, **changes)
    assert phone.put(f"/visits/{visit}", sent).status_code == 201
    return visit


def accept(phone: Phone, *visits: str, revision: int = 1) -> Any:
    items = [{"visit_id": one, "revision": revision} for one in visits]
    return phone.post("/reviews/acceptances", {"items": items})


@pytest.fixture
def without_findings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no record have findings; visits made in one test are otherwise at one spot and at one time."""
    monkeypatch.setattr(accepting, "doubtful", lambda _work, _ids: set())


@pytest.fixture
def reviewer(world: World) -> Phone:
    return world.phone(world.worker(Role.REVIEWER, SHENGPING))


@pytest.fixture
def phone(world: World) -> Phone:
    return world.phone(world.worker())


@pytest.mark.usefixtures("without_findings")
def test_each_record_has_its_own_decision_and_ledger_line(
    world: World, reviewer: Phone, phone: Phone
) -> None:
    visits = [recorded(world, phone, world.person(phone.actor)) for _ in range(5)]
    noise = recorded(world, phone, world.person(phone.actor))
    answer = accept(reviewer, *visits)
    assert answer.status_code == 200, answer.json
    assert [one["visit_id"] for one in answer.json["items"]] == visits
    assert {(one["accepted"], one["state"], one["revision"]) for one in answer.json["items"]} == {
        (True, "accepted", 2)
    }
    with world.work() as work:
        assert work.session.scalar(select(func.count()).select_from(DecisionMade)) == 5
        told = work.session.scalars(select(Event.subject_id).where(Event.action == "visit.accept")).all()
        assert {str(one) for one in told} == set(visits)
        assert work.session.get_one(Visit, UUID(noise)).state == "submitted"


def test_what_may_not_be_accepted_among_many_stays_as_it_was_and_says_why(
    world: World, reviewer: Phone, phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = world.person(phone.actor)
    good, signalled, death = (recorded(world, phone, person, **one) for one in ({}, {"notes": "二"}, DEAD))
    own = recorded(world, reviewer, person, notes="三")
    done = recorded(world, phone, person, notes="四")
    far = world.worker(area="341882100009")
    elsewhere = recorded(world, world.phone(far), world.person(far, village="341882100009"))
    assert accept(reviewer, done).json["items"][0]["accepted"] is True
    monkeypatch.setattr(accepting, "doubtful", lambda _work, _ids: {UUID(signalled)})
    nowhere = str(uuid4())
    items = [{"visit_id": one, "revision": 1} for one in (good, signalled, death, own, elsewhere, nowhere)]
    items += [{"visit_id": done, "revision": 2}]
    answer = reviewer.post("/reviews/acceptances", {"items": items})
    assert answer.status_code == 200
    assert [(one["accepted"], one["code"]) for one in answer.json["items"]] == [
        (True, None),
        (False, "has_findings"),
        (False, "needs_two"),
        (False, "own_record"),
        (False, "not_found"),
        (False, "not_found"),
        (False, "decision_not_possible"),
    ]
    assert answer.json["items"][4] | {"visit_id": nowhere} == answer.json["items"][5]
    with world.work() as work:
        states = {str(one.id): (one.state.value, one.revision) for one in work.session.scalars(select(Visit))}
    assert {states[one] for one in (signalled, death, own, elsewhere)} == {("submitted", 1)}


def test_a_stale_revision_is_refused_alone(world: World, reviewer: Phone, phone: Phone) -> None:
    person = world.person(phone.actor)
    visit = recorded(world, phone, person)
    corrected = {**body(person, phone.actor.worker_id), "notes": "更正"}
    assert phone.put(f"/visits/{visit}", corrected, revision=1).status_code == 200
    (item,) = accept(reviewer, visit).json["items"]
    assert (item["accepted"], item["code"], item["revision"]) == (False, "stale_revision", 2)


@pytest.mark.usefixtures("without_findings")
def test_a_double_click_accepts_once(world: World, reviewer: Phone, phone: Phone) -> None:
    visits = [recorded(world, phone, world.person(phone.actor)) for _ in range(6)]
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda turned: accept(reviewer, *turned), (visits, visits[::-1])))
    assert [one.status_code for one in answers] == [200, 200]
    for visit in visits:
        told = [
            one["accepted"] for answer in answers for one in answer.json["items"] if one["visit_id"] == visit
        ]
        assert sorted(told) == [False, True]
    with world.work() as work:
        assert work.session.scalar(select(func.count()).select_from(DecisionMade)) == 6


@pytest.mark.parametrize("items", [
    [],
    [{"visit_id": str(UUID(int=1)), "revision": 1}] * 2,
    [{"visit_id": str(UUID(int=one)), "revision": 1} for one in range(201)],
    [{"visit_id": "x", "revision": 1}],
    [{"visit_id": str(UUID(int=1))}],
    "x",
], ids=["none", "twice", "too many", "no id", "no revision", "no list"])  # fmt: skip
def test_a_bad_list_is_refused_whole(reviewer: Phone, items: Any) -> None:
    answer = reviewer.post("/reviews/acceptances", {"items": items})
    assert (answer.status_code, "errors" in answer.json) == (422, True)


def test_the_same_record_under_two_revisions_is_refused_whole(
    world: World, reviewer: Phone, phone: Phone
) -> None:
    visit = recorded(world, phone, world.person(phone.actor))
    items = [{"visit_id": visit, "revision": one} for one in (1, 2)]
    assert reviewer.post("/reviews/acceptances", {"items": items}).status_code == 422
    with world.work() as work:
        assert work.session.get_one(Visit, UUID(visit)).state == "submitted"


def test_visitors_and_inspectors_accept_nothing(world: World, phone: Phone) -> None:
    visit = recorded(world, phone, world.person(phone.actor))
    for asker in (phone, world.phone(world.worker(Role.COUNTY_INSPECTOR, "341882"))):
        assert accept(asker, visit).status_code == 403


def test_a_record_with_findings_is_never_accepted_among_many(
    world: World, reviewer: Phone, phone: Phone
) -> None:
    """Seventy kilometres in ten minutes: a person has to look at both."""
    far = {"latitude": 31.53, "longitude": 119.41, "accuracy_m": 25, "datum": "gcj02"}
    there: dict[str, Any] = {"occurred_at": "2026-03-05T09:41:00+08:00", "ended_at": None, "location": far}
    one = recorded(world, phone, world.person(phone.actor))
    other = recorded(world, phone, world.person(phone.actor), **there)
    items = {one["visit_id"]: one["code"] for one in accept(reviewer, one, other).json["items"]}
    assert items == {one: "has_findings", other: "has_findings"}
    by_hand = reviewer.post(f"/visits/{one}/decisions", {"decision": "accept", "revision": 1})
    assert by_hand.status_code == 201
