"""Problems found on visits: raised with the visit, carried over when it is corrected, withdrawn with it.

What a correction names again stays the same problem, with everything that was done about it. What it names no more is
withdrawn while nobody had begun; once somebody has, it stays and says so, because a correction must not make work on
a problem vanish.
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Protocol, TypeVar
from uuid import UUID

from sqlalchemy import select

from server.ledger.work import Work
from server.people.terms import Living
from server.problems import states
from server.problems.models import Problem, Raised, StepTaken
from server.problems.policy import deadlines
from server.problems.rules import owned_by
from server.problems.terms import Deadlines, ProblemState, ProblemStep, Severity
from server.tools import business_day
from server.vault.fields import DataKey

Place = tuple[str, int]
"""Which problem of a visit: its code, and which one of that code."""
One = TypeVar("One", bound="Coded")


class Coded(Protocol):
    """What has a code."""

    @property
    def code(self) -> str: ...


class Found(Protocol):
    """A problem as a visit found it; `restricted` for what only reviewers may see, `for_township` for what it owns."""

    @property
    def code(self) -> str: ...
    @property
    def severity(self) -> Severity: ...
    @property
    def description(self) -> str | None: ...
    @property
    def fixed_on_site(self) -> bool: ...
    @property
    def restricted(self) -> bool: ...
    @property
    def for_township(self) -> bool: ...
    @property
    def due_on(self) -> dt.date | None: ...


def raise_problems(
    work: Work,
    visit_id: UUID,
    revision: int,
    person: Living,
    key: DataKey | None,
    found: Iterable[Found],
    found_at: dt.datetime,
) -> None:
    """Raise what a visit's revision found; what an earlier revision raised already is carried over."""
    days = None
    there = _standing(work, visit_id) if revision > 1 else {}
    for place, one in _placed(found):
        days = days or deadlines(work, person.village_code)
        problem = there.pop(place, None)
        if problem is None:
            _raise(work, visit_id, revision, person, key, one, found_at, days)
        else:
            _carry_over(work, problem, revision, key, one, found_at, days)
    for problem in there.values():
        _no_longer_named(work, problem)


def withdraw_of_visit(work: Work, visit_id: UUID) -> None:
    """Withdraw a visit's problems, whatever was done about them: the visit was withdrawn or voided."""
    for problem in _standing(work, visit_id).values():
        by_the_house(work, problem, ProblemStep.WITHDRAW)


def by_the_house(work: Work, problem: Problem, step: ProblemStep) -> None:
    """Take a step that follows from what became of the visit."""
    before = problem.state
    problem.put(states.after(before, step), problem.closed_at or work.now)
    work.session.add(
        StepTaken(
            problem_id=problem.id,
            revision=problem.revision,
            id=work.new_id(),
            person_id=problem.person_id,
            step=step,
            state=problem.state,
            due_on=problem.due_on,
            photo_ids=[],
            taken_by=work.actor_id,
            taken_at=work.now,
        )
    )
    work.tell(
        "problem.withdrawn" if step is ProblemStep.WITHDRAW else f"problem.{step}",
        "problem",
        problem.id,
        person_id=problem.person_id,
        payload={"from": before, "to": problem.state, "revision": problem.revision},
    )


def _standing(work: Work, visit_id: UUID) -> dict[Place, Problem]:
    """Read what a visit raised and nobody withdrew."""
    rows = work.session.scalars(
        select(Problem)
        .where(Problem.visit_id == visit_id, Problem.raised_state != Raised.WITHDRAWN)
        .order_by(Problem.raised_at, Problem.id)
        .with_for_update()
    )
    return dict(_placed(rows))


def _placed(many: Iterable[One]) -> Iterator[tuple[Place, One]]:
    seen: Counter[str] = Counter()
    for one in many:
        seen[one.code] += 1
        yield (one.code, seen[one.code]), one


def _raise(
    work: Work,
    visit_id: UUID,
    revision: int,
    person: Living,
    key: DataKey | None,
    one: Found,
    found_at: dt.datetime,
    days: Deadlines,
) -> None:
    problem_id = work.new_id()
    state = ProblemState.FIXED if one.fixed_on_site else ProblemState.OPEN
    problem = Problem(
        id=problem_id,
        person_id=person.id,
        visit_id=visit_id,
        visit_revision=revision,
        village_code=person.village_code,
        code=one.code,
        severity=one.severity,
        description_sealed=_sealed(problem_id, key, one.description),
        fixed_on_site=one.fixed_on_site,
        restricted=one.restricted,
        owner_kind=owned_by(restricted=one.restricted, for_township=one.for_township),
        due_on=_due(work, one, found_at, days),
        fixed_by=work.actor_id if one.fixed_on_site else None,
        revision=0,
        found_at=found_at,
        raised_at=work.now,
    )
    problem.put(state, work.now)
    work.session.add(problem)
    work.tell(
        "problem.raised",
        "problem",
        problem_id,
        person_id=person.id,
        key=key,
        payload={"visit": visit_id, "code": one.code, "severity": one.severity, "due_on": problem.due_on},
    )


def _carry_over(
    work: Work,
    problem: Problem,
    revision: int,
    key: DataKey | None,
    one: Found,
    found_at: dt.datetime,
    days: Deadlines,
) -> None:
    """Let a problem go on under a correction of its visit; what was done about it stays done."""
    was = (problem.severity, _opened(problem, key), problem.fixed_on_site, problem.restricted, problem.due_on)
    if was[:2] != (one.severity, one.description):
        problem.description_sealed = _sealed(problem.id, key, one.description)
    due_on = _due(work, one, found_at, days)
    problem.severity, problem.found_at, problem.visit_revision = one.severity, found_at, revision
    problem.restricted = problem.restricted or one.restricted
    if problem.state in states.NOT_BEGUN:
        problem.fixed_on_site, problem.due_on = one.fixed_on_site, due_on
        state = ProblemState.FIXED if one.fixed_on_site else ProblemState.OPEN
        if state is not problem.state:
            problem.put(state, work.now)
            problem.fixed_by = work.actor_id if one.fixed_on_site else None
    elif problem.state not in states.DONE_WITH:
        problem.due_on = min(problem.due_on, due_on)
    if was == (one.severity, one.description, problem.fixed_on_site, problem.restricted, problem.due_on):
        return
    problem.revision += 1
    work.tell(
        "problem.revised",
        "problem",
        problem.id,
        person_id=problem.person_id,
        key=key,
        payload={"severity": [was[0], one.severity], "description": [was[1], one.description]},
    )


def _no_longer_named(work: Work, problem: Problem) -> None:
    begun = problem.state not in states.NOT_BEGUN
    by_the_house(work, problem, ProblemStep.UNMENTIONED if begun else ProblemStep.WITHDRAW)


def _due(work: Work, one: Found, found_at: dt.datetime, days: Deadlines) -> dt.date:
    if one.fixed_on_site:
        return days.to_check(work.today)
    return days.first(one.severity, business_day(found_at), one.due_on)


def _sealed(problem_id: UUID, key: DataKey | None, description: str | None) -> str | None:
    if not description or key is None:
        return None
    return key.seal(description, table="problems", column="description_sealed", row=problem_id)


def _opened(problem: Problem, key: DataKey | None) -> str | None:
    if problem.description_sealed is None or key is None:
        return None
    return key.open(problem.description_sealed, table="problems", column="description_sealed", row=problem.id)
