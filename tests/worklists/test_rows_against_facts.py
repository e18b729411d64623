"""The rows of duties always say what the facts say, whatever happened in whatever order.

The overdue list read from the rows is compared with the list derived anew from the facts, today and for past days.
"""

import datetime as dt
from contextlib import suppress
from uuid import UUID, uuid4

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.people.enrolling import end_enrolment
from server.people.pausing import pause
from server.people.rules import PausesOverlap
from server.people.terms import EndOfEnrolment, ExitReason, NewPause, PauseReason
from server.permissions import Actor, Role
from tests.builders.clock import Clock
from tests.builders.visits import a_visit_body
from tests.builders.world import QIANCUN, SHENGPING, TUANSHAN, Phone, World
from tests.conftest import Template, _settings

DAYS = st.integers(0, 89)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("visit"), DAYS, st.sampled_from(["met", "not_met", "dead"])),
        st.tuples(st.just("void"), st.integers(0, 9), st.just("")),
        st.tuples(st.just("correct"), st.integers(0, 9), DAYS),
        st.tuples(st.just("pause"), DAYS, st.integers(0, 40)),
        st.tuples(st.just("exit"), DAYS, st.just("")),
        st.tuples(st.just("move"), st.just(0), st.just("")),
        st.tuples(st.just("wait"), st.integers(1, 40), st.just("")),
    ),
    min_size=1,
    max_size=7,
)
BEGIN = dt.date(2026, 1, 1)


@pytest.mark.slow
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=STEPS)
def test_rows_say_what_the_facts_say(
    steps: list[tuple[str, int, object]], lasting: tuple[World, Actor, Actor]
) -> None:
    world, visitor, boss = lasting
    world.clock.instant = dt.datetime(2026, 3, 5, 4, 0, tzinfo=dt.UTC)
    phone, chief = world.phone(visitor), world.phone(boss)
    person = world.person(phone.actor)
    visits: list[UUID] = []
    for kind, number, detail in steps:
        _do(world, phone, chief, person, visits, kind, number, detail)
        phone, chief = world.phone(visitor), world.phone(boss)
    now = world.clock.instant.isoformat().replace("+00:00", "Z")
    world.clock.move(seconds=1)
    for days in (0, 1, 5, 33, 60):
        day = (world.clock.instant.date() - dt.timedelta(days=days)).isoformat()
        rows = _of(person, chief.get("/overdue", as_of=day, limit=200).json["items"])
        facts = _of(person, chief.get("/overdue", as_of=day, known_at=now, limit=200).json["items"])
        known = [{**item, "responsible": None} for item in facts]
        assert [{**item, "responsible": None} for item in rows] == known, (day, steps)
        for village in (TUANSHAN, QIANCUN):
            there = chief.get("/overdue", as_of=day, village=village, limit=200).json["items"]
            known = chief.get("/overdue", as_of=day, known_at=now, village=village, limit=200).json["items"]
            lived = [item for item in rows if item["person"]["village"]["code"] == village]
            assert _of(person, there) == lived, (day, village, steps)
            assert [item["due_on"] for item in _of(person, known)] == [item["due_on"] for item in lived]


@pytest.fixture(scope="session")
def lasting(
    sqlite_template: Template, tmp_path_factory: pytest.TempPathFactory
) -> tuple[World, Actor, Actor]:
    """Give one town for all examples; every example adds a person of its own."""
    from server.app import create_app
    from server.tools import Tools

    folder = tmp_path_factory.mktemp("lasting")
    clock = Clock(dt.datetime(2026, 1, 1, 4, 0, tzinfo=dt.UTC))
    app: Flask = create_app(_settings(sqlite_template.copy(folder), folder), Tools(clock=clock))
    world = World(app, clock)
    clock.instant = dt.datetime(2026, 3, 5, 4, 0, tzinfo=dt.UTC)
    visitor, chief = world.worker(area=SHENGPING), world.worker(Role.CHIEF, SHENGPING)
    return world, visitor, chief


def _do(
    world: World,
    phone: Phone,
    chief: Phone,
    person: UUID,
    visits: list[UUID],
    kind: str,
    number: int,
    detail: object,
) -> None:
    today = world.clock.instant.date()
    if kind == "visit":
        happened = _at(world, number)
        visit = uuid4()
        answer = phone.put(f"/visits/{visit}", _body(phone, person, str(detail), happened))
        assert answer.status_code == 201, answer.json
        visits.append(visit)
    elif kind == "void" and visits:
        visit = visits[number % len(visits)]
        revision = phone.get(f"/visits/{visit}").json["revision"]
        chief.post(f"/visits/{visit}/decisions", {"decision": "void", "reason": "有误", "revision": revision})
    elif kind == "correct" and visits:
        visit = visits[number % len(visits)]
        stored = phone.get(f"/visits/{visit}").json
        body = _body(phone, person, "met", _at(world, int(str(detail))))
        phone.put(f"/visits/{visit}", body, revision=stored["revision"])
    elif kind == "pause":
        first = BEGIN + dt.timedelta(days=number)
        with suppress(PausesOverlap), world.work(chief.actor) as work:
            pause(
                work,
                person,
                NewPause(uuid4(), PauseReason.HOSPITAL, first, first + dt.timedelta(days=int(str(detail)))),
            )
    elif kind == "exit":
        stored = chief.get(f"/people/{person}").json
        running = [one for one in stored["enrolments"] if one["valid_to"] is None]
        if running:
            with world.work(chief.actor) as work:
                end_enrolment(
                    work,
                    person,
                    UUID(running[0]["id"]),
                    EndOfEnrolment(min(BEGIN + dt.timedelta(days=number), today), ExitReason.VOLUNTARY),
                )
    elif kind == "move":
        stored = chief.get(f"/people/{person}").json
        village = QIANCUN if stored["village"]["code"] == TUANSHAN else TUANSHAN
        answer = chief.put(f"/people/{person}", {"village_code": village}, revision=stored["revision"])
        assert answer.status_code == 200, answer.json
    elif kind == "wait":
        world.clock.move(days=number)


def _at(world: World, number: int) -> str:
    happened = dt.datetime.combine(BEGIN, dt.time(2), dt.UTC) + dt.timedelta(days=number)
    return min(happened, world.clock.instant).strftime("%Y-%m-%dT%H:%M:%SZ")


def _body(phone: Phone, person: UUID, outcome: str, happened: str) -> dict[str, object]:
    absent = {
        "informants": [{"relation": "neighbour", "name": "邻居", "said": "下地了"}],
        "last_seen_on": happened[:10],
        "whereabouts": "地里",
        "absence_reason": "field_work",
        "contact_tried": [],
        "next_try_on": (dt.date.fromisoformat(happened[:10]) + dt.timedelta(days=2)).isoformat(),
    }
    met = outcome == "met"
    return a_visit_body(
        person,
        outcome=outcome,
        visitors=[str(phone.actor.worker_id)],
        occurred_at=happened,
        ended_at=None,
        client_created_at=happened,
        identity_checked_by="known" if met else None,
        absence=absent if outcome == "not_met" else None,
        answers={} if not met else {"food": "adequate"},
        conclusion="normal" if met else None,
        problems=[],
        photos=[],
        signatures=[],
        needs=[],
    )


def _of(person: UUID, items: list[dict[str, object]]) -> list[dict[str, object]]:
    return [item for item in items if item["person"]["person_id"] == str(person)]  # type: ignore[index]
