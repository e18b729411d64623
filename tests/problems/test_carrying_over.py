"""A correction of the visit: what it names again stays the same problem, and begun work never vanishes in silence."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from server.ledger.models import Event
from server.problems.models import Problem, StepTaken
from tests.builders.world import World
from tests.remedies.test_taking_steps import LEAK, WIRING, Case


@pytest.fixture
def case(world: World) -> Case:
    return Case(world)


def correct(case: Case, revision: int, *problems: dict[str, Any], **changes: Any) -> None:
    sent = {**case.sent, "problems": list(problems), "notes": f"更正{revision}", **changes}
    answer = case.phone.put(f"/visits/{case.visit}", sent, revision=revision)
    assert answer.status_code == 200, answer.json


def states(case: Case) -> dict[str, str]:
    with case.world.work() as work:
        return {str(one.id): one.state.value for one in work.session.scalars(select(Problem))}


def test_the_same_problem_named_again_keeps_its_id_and_what_was_done(case: Case) -> None:
    (problem,) = case.find(WIRING)
    assert case.step(problem, "start", 1).status_code == 201
    correct(case, 1, {**WIRING, "description": "灶台和卧室电线老化", "severity": "urgent"})
    assert states(case) == {problem: "in_progress"}
    seen = case.seen(problem)
    assert (seen["description"], seen["severity"], seen["due_on"]) == (
        "灶台和卧室电线老化",
        "urgent",
        "2026-03-06",
    )
    assert [one["step"] for one in seen["steps"]] == ["start"]
    with case.world.work() as work:
        told = work.session.scalars(select(Event.action).where(Event.subject_id == UUID(problem))).all()
    assert told.count("problem.revised") == 1


def test_a_correction_that_changes_nothing_of_a_problem_leaves_it_alone(case: Case) -> None:
    (problem,) = case.find(WIRING)
    correct(case, 1, WIRING)
    assert (states(case), case.seen(problem)["revision"]) == ({problem: "open"}, 1)


def test_what_is_named_no_more_is_withdrawn_while_nobody_had_begun(case: Case) -> None:
    wiring, leak = case.find(WIRING, LEAK)
    correct(case, 1)
    assert states(case) == {wiring: "withdrawn", leak: "withdrawn"}


@pytest.mark.parametrize("answered", [False, True])
def test_begun_work_stays_and_says_that_the_record_names_it_no_more(case: Case, answered: bool) -> None:
    (problem,) = case.find(WIRING)
    assert case.step(problem, "start", 1).status_code == 201
    if answered:
        assert case.step(problem, "answer", 2, note="已换线").status_code == 201
    state = "answered" if answered else "in_progress"
    correct(case, 1)
    assert states(case) == {problem: state}
    last = case.seen(problem)["steps"][-1]
    assert (last["step"], last["state"], last["by"]["id"]) == (
        "unmentioned",
        state,
        str(case.visitor.worker_id),
    )


def test_a_closed_problem_stays_closed_under_a_correction(case: Case) -> None:
    (problem,) = case.find(LEAK)
    assert case.step(problem, "close", 1, by=case.reviewer).status_code == 201
    closed_at = case.seen(problem)["closed_at"]
    case.world.clock.move(hours=1)
    correct(case, 1)
    assert (states(case), case.seen(problem)["closed_at"]) == ({problem: "closed"}, closed_at)


def test_two_of_one_code_are_two_problems_and_stay_so(case: Case) -> None:
    one, two = case.find(WIRING, {**WIRING, "description": "卧室电线老化"})
    correct(case, 1, WIRING, {**WIRING, "description": "卧室电线老化"}, LEAK)
    found = states(case)
    assert {one, two} < set(found)
    assert len(found) == 3


def test_what_was_put_right_on_site_may_turn_out_not_to_be(case: Case) -> None:
    (problem,) = case.find(LEAK)
    correct(case, 1, {**LEAK, "fixed_on_site": False})
    assert states(case) == {problem: "open"}


def test_a_void_visit_takes_its_problems_along_whatever_was_done_and_says_so(case: Case) -> None:
    (problem,) = case.find(WIRING)
    assert case.step(problem, "answer", 1, note="已换线").status_code == 201
    asked = {"decision": "void", "reason": "走错了人家", "revision": 1}
    assert case.reviewer.post(f"/visits/{case.visit}/decisions", asked).status_code == 201
    assert states(case) == {problem: "withdrawn"}
    with case.world.work() as work:
        steps = work.session.scalars(select(StepTaken).order_by(StepTaken.revision)).all()
        assert [(one.step, one.state) for one in steps] == [("answer", "answered"), ("withdraw", "withdrawn")]
    refused = case.step(problem, "close", 3, by=case.reviewer)
    assert (refused.status_code, refused.json["code"]) == (409, "step_not_possible")
