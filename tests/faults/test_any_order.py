"""One visit from ten phones, in any order, with lost replies, corrections, decisions, hand-overs, crashes and restarts.

Hypothesis makes up the story and compares the database with a model after every step (TRUST §1 and §2, Exactly once).
"""

import datetime as dt
from contextlib import ExitStack
from pathlib import Path
from typing import Any, ClassVar
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import func, select

from server.ledger.models import Event, Pending, Position
from server.ledger.sealer import seal
from server.people.models import Responsibility
from server.people.terms import ResponsibilityKind
from server.permissions import Actor, Role
from server.schedule.models import Duty
from server.tools import SHANGHAI
from server.visits.models import PastRevision, Visit
from tests.builders.clock import Clock
from tests.builders.visits import a_visit_body, an_absence, an_attempt_body
from tests.builders.world import SHENGPING, World
from tests.engines.postgres import postgres
from tests.faults.harness import Answer
from tests.faults.sizes import seen, size
from tests.faults.stages import InProcess, Killed, Stage
from tests.faults.township import township
from tests.faults.visit_model import DEPUTY, RESPONSIBLE, STRANGER, Expected, Fate, decided, handed_over, sent

EXAMPLES = size("FAULT_STORIES", short=5, long=100)
KILLED_EXAMPLES = size("FAULT_KILLED_STORIES", short=1, long=8)
PHONES = [RESPONSIBLE] * 4 + [DEPUTY] * 3 + [STRANGER] * 3
BODIES = 6
PLACES = st.sampled_from(["", "", "", "", "statement", "before the commit", "after the commit", "reply"])

pytestmark = pytest.mark.slow


class Story(RuleBasedStateMachine):
    """What ten phones, a reviewer and a chief may do in any order, each step cut off somewhere or its reply lost."""

    stage: ClassVar[Stage]

    @initialize()
    def begin(self) -> None:
        stage, self.visit, self.fate = self.stage, uuid4(), Fate()
        workers = stage.workers
        self.person = stage.world.person(workers[RESPONSIBLE], workers[DEPUTY])
        stage.world.person(workers[RESPONSIBLE])  # noise
        self.at = (stage.world.clock() - dt.timedelta(minutes=30)).astimezone(SHANGHAI).replace(microsecond=0)
        self.known = [0] * len(PHONES)

    @rule(phone=st.integers(0, 9), body=st.integers(0, BODIES - 1), place=PLACES, at=st.integers(1, 14))
    def send(self, phone: int, body: int, place: str, at: int) -> None:
        self._send(phone, body, None, place, at)

    @rule(phone=st.integers(0, 9), body=st.integers(0, BODIES - 1), place=PLACES, at=st.integers(1, 20))
    def correct(self, phone: int, body: int, place: str, at: int) -> None:
        self._send(phone, body, self.known[phone] or 1, place, at)

    @rule(body=st.integers(0, BODIES - 1), order=st.permutations(range(10)))
    def everybody_sends_it_twice(self, body: int, order: list[int]) -> None:
        for phone in [*order, *reversed(order)]:
            self._send(phone, body, None, "", 0)

    @rule(
        decision=st.sampled_from(["accept", "return", "void"]),
        late=st.booleans(),
        place=PLACES,
        at=st.integers(1, 14),
    )
    def decide(self, decision: str, late: bool, place: str, at: int) -> None:
        self._decide(self.stage.reviewer, "", decision, max(1, self.fate.revision - late), place, at)

    @rule(phone=st.integers(0, 9), place=PLACES, at=st.integers(1, 14))
    def withdraw(self, phone: int, place: str, at: int) -> None:
        who, token = PHONES[phone], self.stage.tokens[phone]
        self._decide(token, who, "withdraw", max(1, self.fate.revision), place, at)

    @rule(to_stranger=st.booleans(), place=PLACES, at=st.integers(1, 14))
    def hand_over(self, to_stranger: bool, place: str, at: int) -> None:
        to = self.stage.workers[STRANGER if to_stranger else RESPONSIBLE].worker_id
        self._ask(
            self.stage.chief, "PUT", f"/api/v1/people/{self.person}/responsible", {"worker_id": str(to)},
            handed_over(self.fate, to_stranger=to_stranger), place, at,
        )  # fmt: skip

    @rule(chance=st.integers(0, 9))
    def restart(self, chance: int) -> None:
        if chance == 9:  # the simplest story is not one of restarts alone
            self.stage.restart()

    @invariant()
    def the_database_holds_what_the_model_says(self) -> None:
        assert self._truth() == self.fate
        if not self.fate.stored:
            return
        with self.stage.world.work() as work:
            told = dict(
                work.session.execute(
                    select(Event.action, func.count()).where(Event.subject_id == self.visit, Event.changes).group_by(Event.action)
                ).all()
            )  # fmt: skip
            assert told["visit.recorded"] == 1
            assert told.get("visit.corrected", 0) == len(self.fate.bodies) - 1
            decisions = sum(told.get(f"visit.{one}", 0) for one in ("accept", "return", "void", "withdraw"))
            assert decisions == self.fate.revision - len(self.fate.bodies)
            done = work.session.scalars(select(Duty.done).where(Duty.person_id == self.person)).all()
            counts = self.fate.state != "void" and _counts(self.fate.bodies[-1])
            assert sum(done) == int(counts)

    def teardown(self) -> None:
        with self.stage.world.work() as work:
            seal(work.session)
        with self.stage.world.work() as work:
            most, count = work.session.execute(select(func.max(Position.seq), func.count(Position.seq))).one()
            assert most == count, "the ledger has gaps"
            assert work.session.scalar(select(func.count(Pending.event_id))) == 0

    def _send(self, phone: int, body: int, revision: int | None, place: str, at: int) -> None:
        query = f"?revision={revision}" if revision else ""
        path = f"/api/v1/visits/{self.visit}{query}"
        expected = sent(self.fate, PHONES[phone], body, revision)
        answer = self._ask(self.stage.tokens[phone], "PUT", path, self._body(body), expected, place, at)
        if answer is not None and "revision" in answer.json:
            self.known[phone] = answer.json["revision"]

    def _decide(self, token: str, who: str, decision: str, revision: int, place: str, at: int) -> None:
        body = {"decision": decision, "reason": "请补充", "revision": revision}
        expected = decided(self.fate, who, decision, revision)
        self._ask(token, "POST", f"/api/v1/visits/{self.visit}/decisions", body, expected, place, at)

    def _ask(
        self, token: str, method: str, path: str, body: Any, expected: Expected, place: str, at: int
    ) -> Answer | None:
        answer = self.stage.ask(token, method, path, body, place, at)
        if answer is not None:
            code = answer.json.get("code") if answer.status >= 400 else None
            assert (answer.status, code) == (expected.status, expected.code), answer.json
            self.fate = expected.after
        else:
            applied = self.stage.applied()
            truth = self._truth()
            allowed = (
                [self.fate, expected.after] if applied is None else [expected.after if applied else self.fate]
            )
            assert truth in allowed
            self.fate = truth
        return answer

    def _body(self, number: int) -> dict[str, Any]:
        make = a_visit_body if _counts(number) else an_attempt_body
        minutes = {"occurred_at": 0, "ended_at": 20, "client_created_at": 1}
        times = {name: (self.at + dt.timedelta(minutes=more)).isoformat() for name, more in minutes.items()}
        visitors = [str(self.stage.workers[RESPONSIBLE].worker_id)]
        more: dict[str, Any] = {"location": None, "no_location_reason": "no_signal"}
        if not _counts(number):  # a real server's clock shows today, whatever the day that builders speak of
            day = self.at.date()
            seen, next_try = day - dt.timedelta(days=1), day + dt.timedelta(days=1)
            more["absence"] = an_absence(last_seen_on=seen.isoformat(), next_try_on=next_try.isoformat())
        return make(self.person, visitors=visitors, notes=f"第{number}稿", **times, **more)

    def _truth(self) -> Fate:
        """Read the fate of the visit from the database."""
        names = {actor.worker_id: name for name, actor in self.stage.workers.items()}
        with self.stage.world.work() as work:
            responsible = work.session.scalars(
                select(Responsibility.worker_id).where(
                    Responsibility.person_id == self.person,
                    Responsibility.kind == ResponsibilityKind.RESPONSIBLE,
                    Responsibility.to_at.is_(None),
                )
            ).all()
            assert len(responsible) == 1
            handed = names[responsible[0]] == STRANGER
            visits = work.session.scalars(select(Visit).where(Visit.person_id == self.person)).all()
            if not visits:
                return Fate(stranger_is_responsible=handed)
            [visit] = visits
            assert visit.id == self.visit
            past = work.session.scalars(
                select(PastRevision.fingerprint).where(PastRevision.visit_id == visit.id).order_by(PastRevision.revision)
            ).all()  # fmt: skip
            prints = self._fingerprints()
            return Fate(
                bodies=tuple(prints[one] for one in [*past, visit.fingerprint]),
                state=visit.state.value,
                revision=visit.revision,
                body_revision=visit.body_revision,
                recorder=names[visit.recorder_id],
                stranger_is_responsible=handed,
            )

    def _fingerprints(self) -> dict[bytes, int]:
        from api_schemas.visits import VisitIn
        from server.visits.body import fingerprint

        if not hasattr(self, "_prints"):
            self._prints = {fingerprint(VisitIn().load(self._body(one))): one for one in range(BODIES)}
        return self._prints


def _counts(body: int) -> bool:
    return body % 3 != 2


def cast_of(world: World) -> tuple[World, dict[str, Actor], list[str], str, str]:
    """Sign in ten phones of three workers, a reviewer and a chief."""
    workers = {name: world.worker() for name in (RESPONSIBLE, DEPUTY, STRANGER)}
    tokens = [world.phone(workers[name]).token for name in PHONES]
    others = [world.phone(world.worker(role, SHENGPING)).token for role in (Role.REVIEWER, Role.CHIEF)]
    return world, workers, tokens, others[0], others[1]


def play(stage: Stage, examples: int, steps: int, name: str) -> None:
    """Let Hypothesis tell stories on a stage."""
    told = type("ToldStory", (Story,), {"stage": stage})
    run_state_machine_as_test(
        told,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            # A story with killed processes does not happen twice the same way, so there is nothing to make smaller.
            phases=[Phase.generate],
            database=None,
        ),
    )
    seen(
        name,
        f"{examples} stories, {stage.steps} requests, {stage.crashes} crashes, 0 other than the model says",
    )


def test_one_visit_in_any_order_is_what_the_model_says(world: World, clock: Clock) -> None:
    stage = InProcess(*cast_of(world), clock=clock)
    try:
        play(stage, EXAMPLES, 40, f"any order, {world.house.engine.dialect.name}")
    finally:
        stage.end()


@pytest.mark.long
@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_one_visit_in_any_order_while_workers_are_killed(kind: str, tmp_path: Path) -> None:
    with ExitStack() as stack:
        url = f"sqlite:///{tmp_path}/app.sqlite"
        if kind == "postgresql":
            url = stack.enter_context(postgres(durable=True)).new_database()
        town = stack.enter_context(township(url, f"file://{tmp_path}/uploads", tmp_path, people=1))
        stage = Killed(*cast_of(town.world), server=town.server)
        play(stage, KILLED_EXAMPLES, 12, f"any order, workers killed, {kind}")
