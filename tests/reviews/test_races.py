"""What reviewers, recorders and those who settle do at the same moment leaves one story, and duties that tell it."""

import datetime as dt
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, text

from server.accounts.managing import grant
from server.ledger.models import Event
from server.people.models import Person
from server.people.registering import change_person
from server.people.terms import PersonChange
from server.permissions import Role
from server.reviews.models import DecisionMade
from server.schedule.models import Duty
from server.visits.duties import settle_people
from server.visits.models import Visit
from tests.builders.world import QIANCUN, SHENGPING, TUANSHAN, Phone, World
from tests.visits.test_recording import body

pytestmark = pytest.mark.slow

ROUNDS = 12
SECONDS = 60.0
ABSENT = {
    "informants": [{"relation": "neighbour", "name": "邻居", "said": "下地了"}],
    "last_seen_on": "2026-03-05",
    "whereabouts": "地里",
    "absence_reason": "field_work",
    "contact_tried": [],
    "next_try_on": "2026-03-07",
}
MISSED = {
    "outcome": "not_met", "identity_checked_by": None, "absence": ABSENT, "answers": {}, "conclusion": None, "needs": [],
}  # fmt: skip


def at_once(*deeds: Callable[[], Any]) -> list[Any]:
    """Do things at the same moment, each in a thread of its own; gives what each answered."""
    ready = threading.Barrier(len(deeds))
    answers: list[Any] = [None] * len(deeds)

    def do(number: int, deed: Callable[[], Any]) -> None:
        ready.wait(SECONDS)
        try:
            answers[number] = deed()
        except Exception as failure:  # noqa: BLE001  (the test shows it)
            answers[number] = failure

    threads = [threading.Thread(target=do, args=one, daemon=True) for one in enumerate(deeds)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SECONDS)
    return answers


def owed(world: World) -> dict[tuple[UUID, str, dt.date], tuple[Any, ...]]:
    with world.work() as work:
        return {
            (one.person_id, one.lane, one.period_start): (
                one.done, one.done_in_person, one.attempts, one.met_on, one.met_received_at, one.closed_on, one.exit_on,
                one.in_correction, one.village_code,
            )
            for one in work.session.scalars(select(Duty))
        }  # fmt: skip


def settled_anew(world: World, people: Sequence[UUID]) -> dict[tuple[UUID, str, dt.date], tuple[Any, ...]]:
    with world.work() as work:
        settle_people(work, people)
    return owed(world)


@pytest.mark.parametrize(
    ("decision", "reason"), [("accept", None), ("return", "请补充"), ("void", "误填"), ("withdraw", None)]
)
def test_a_decision_and_a_correction_at_once_leave_one_story(
    world: World, decision: str, reason: str | None
) -> None:
    visitor = world.worker()
    phone, other = world.phone(visitor), world.phone(visitor)
    reviewer = world.phone(world.worker(Role.REVIEWER, SHENGPING))
    decider = other if decision == "withdraw" else reviewer
    stories: Counter[tuple[int, int]] = Counter()
    for _ in range(ROUNDS):
        person, noise, visit = world.person(visitor), world.person(visitor), uuid4()
        sent = body(person, visitor.worker_id)
        assert phone.put(f"/visits/{visit}", sent).status_code == 201
        decided, corrected = at_once(
            lambda visit=visit: decider.post(
                f"/visits/{visit}/decisions", {"decision": decision, "reason": reason, "revision": 1}
            ),
            lambda visit=visit, sent=sent: phone.put(f"/visits/{visit}", {**sent, **MISSED}, revision=1),
        )
        story = (decided.status_code, corrected.status_code)
        stories[story] += 1
        possible = {(201, 409), (409, 200)} | ({(201, 200)} if decision == "return" else set())
        assert story in possible, (decided.json, corrected.json)
        with world.work() as work:
            stored = work.session.get_one(Visit, visit)
            made = work.session.scalars(
                select(DecisionMade.decision).where(DecisionMade.visit_id == visit)
            ).all()
            told = Counter(work.session.scalars(select(Event.action).where(Event.subject_id == visit)))
            out = stored.out_of_count_at is not None
            state, revision, counts = stored.state, stored.revision, stored.counts
        assert len(made) == told[f"visit.{decision}"] == (decided.status_code == 201)
        assert told["visit.corrected"] == (corrected.status_code == 200)
        assert revision == 1 + len(made) + (corrected.status_code == 200)
        assert counts == (corrected.status_code != 200)
        assert out == (state == "void") == (decision in {"void", "withdraw"} and decided.status_code == 201)
        rows = owed(world)
        march = next(row for key, row in rows.items() if key[0] == person and key[2] == dt.date(2026, 3, 1))
        assert march[:3] == ((0, 0, 0) if out else (1, 1, 0) if counts else (0, 0, 1))
        assert march[7] == (state == "returned")
        assert rows == settled_anew(world, [person, noise])
    assert sum(stories.values()) == ROUNDS


def test_settling_many_and_recording_at_once_overlook_nothing(world: World) -> None:
    visitor = world.worker()
    people = [world.person(visitor) for _ in range(6)]
    phones = [world.phone(visitor) for _ in range(3)]
    for turn in range(ROUNDS):
        person, second, third = (people[(turn + step) % len(people)] for step in range(3))
        happened = f"2026-0{1 + turn % 3}-0{1 + turn % 4}T09:12:00+08:00"
        times = {
            "occurred_at": happened,
            "ended_at": None,
            "location": None,
            "no_location_reason": "no_signal",
        }

        def record(phone: Phone, who: UUID, times: dict[str, Any] = times, **changes: Any) -> int:
            sent = body(who, visitor.worker_id, **{**times, **changes})
            return phone.put(f"/visits/{uuid4()}", sent).status_code

        def settle() -> int:
            with world.work() as work:
                settle_people(work, people)
            return 0

        answers = at_once(
            settle,
            partial(record, phones[0], person),
            partial(record, phones[1], second),
            partial(record, phones[2], third),
            settle,
        )
        assert answers == [0, 201, 201, 201, 0]
    with world.work() as work:
        assert len(work.session.scalars(select(Visit.id)).all()) == 3 * ROUNDS
    assert owed(world) == settled_anew(world, people)


def test_moving_and_correcting_at_once_wait_for_each_other(world: World) -> None:
    visitor = world.worker(area=SHENGPING)
    person, noise = world.person(visitor), world.person(visitor)
    phone, reviewer = world.phone(visitor), world.phone(world.worker(Role.REVIEWER, SHENGPING))
    for turn in range(ROUNDS):
        visit = uuid4()
        sent = body(person, visitor.worker_id)
        assert phone.put(f"/visits/{visit}", sent).status_code == 201
        village = QIANCUN if turn % 2 == 0 else TUANSHAN

        def move(village: str = village) -> str:
            with world.work() as work:
                revision = work.session.get_one(Person, person).revision
                change_person(work, person, PersonChange(village_code=village), revision=revision)
            return village

        corrected, moved = at_once(
            lambda visit=visit, sent=sent: phone.put(
                f"/visits/{visit}", {**sent, "notes": "补充"}, revision=1
            ),
            move,
        )
        assert (corrected.status_code, moved) == (200, village)
        decided, back = at_once(
            lambda visit=visit: reviewer.post(
                f"/visits/{visit}/decisions", {"decision": "accept", "revision": 2}
            ),
            lambda village=village: move(TUANSHAN if village == QIANCUN else QIANCUN),
        )
        assert (decided.status_code, isinstance(back, str)) == (201, True), back
        with world.work() as work:
            lie = {(one.person_id, one.village_code) for one in work.session.scalars(select(Visit))}
            live = {one.id: one.village_code for one in work.session.scalars(select(Person))}
        assert lie == {(person, live[person])}
    assert owed(world) == settled_anew(world, [person, noise])


def test_a_move_under_way_is_waited_for_and_then_nothing_is_decided(world: World) -> None:
    """On PostgreSQL the decision was let in before the move and finds it committed; SQLite lets nobody in before the move is done, which ended their session."""
    visitor = world.worker()
    person, visit = world.person(visitor), uuid4()
    assert world.phone(visitor).put(f"/visits/{visit}", body(person, visitor.worker_id)).status_code == 201
    reviewer = world.phone(world.worker(Role.REVIEWER, SHENGPING))
    asked = {"decision": "accept", "revision": 1}
    with ThreadPoolExecutor(1) as pool:
        with world.work(world.boss) as work:
            grant(work, reviewer.actor.worker_id, Role.REVIEWER, "341882101")
            work.session.flush()
            decided = pool.submit(reviewer.post, f"/visits/{visit}/decisions", asked)
            if work.session.get_bind().dialect.name == "postgresql":
                patience = time.monotonic() + SECONDS
                waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
                while not work.session.scalar(waiting):
                    assert time.monotonic() < patience
        answer = decided.result(SECONDS)
    on_postgresql = world.house.engine.dialect.name == "postgresql"
    assert answer.json["code"] == ("post_changed" if on_postgresql else "not_signed_in")
    with world.work() as work:
        assert work.session.get_one(Visit, visit).revision == 1
        assert work.session.scalars(select(DecisionMade)).all() == []
