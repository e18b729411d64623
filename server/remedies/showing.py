"""Problems as the wire shows them."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select

from server.accounts.models import Worker
from server.ledger.work import Work
from server.people.models import Person
from server.problems import states
from server.problems.models import NOT_RECKONED, Problem, StepTaken
from server.problems.policy import deadlines, escalation_steps
from server.problems.rules import days_overdue, escalation
from server.regions.models import Region
from server.regions.queries import in_force
from server.remedies.finding import see_problem
from server.remedies.owners import owners_of
from server.tools import business_day
from server.vault.fields import DataKey
from server.visits.terms import DerivedProblem

TITLES = {code.value: code.label for code in DerivedProblem}


def shown(work: Work, problems: Sequence[Problem], keys: dict[UUID, DataKey | None]) -> list[dict[str, Any]]:
    """Show a page of problems; `keys` by person."""
    people = {
        row.id: row
        for row in work.session.execute(
            select(Person.id, Person.name, Person.file_no).where(
                Person.id.in_({one.person_id for one in problems})
            )
        )
    }
    villages = dict(
        work.session.execute(
            select(Region.code, Region.name).where(
                Region.code.in_({one.village_code for one in problems}), in_force(work.today)
            )
        ).all()
    )
    owners = owners_of(work, problems)
    return [
        _one(work, one, people[one.person_id], villages, owners.get(one.id), keys.get(one.person_id))
        for one in problems
    ]


def whole(work: Work, problem_id: UUID) -> dict[str, Any]:
    """Show a problem within sight with everything that was done about it, the oldest step first."""
    problem, key = see_problem(work, problem_id)
    work.looked("problem.read", "problem", problem.id, person_id=problem.person_id)
    return shown_whole(work, problem, key)


def shown_whole(work: Work, problem: Problem, key: DataKey | None) -> dict[str, Any]:
    """Show a problem with its steps."""
    work.session.flush()
    steps = work.session.scalars(
        select(StepTaken).where(StepTaken.problem_id == problem.id).order_by(StepTaken.revision)
    ).all()
    workers = {one.taken_by for one in steps} | {one.worker_id for one in steps}
    names = dict(
        work.session.execute(select(Worker.id, Worker.name).where(Worker.id.in_(workers - {None}))).all()
    )
    return shown(work, [problem], {problem.person_id: key})[0] | {
        "steps": [
            {
                "step": one.step,
                "state": one.state,
                "revision": one.revision,
                "due_on": one.due_on,
                "note": _opened(key, one.note_sealed, "problem_steps", "note_sealed", one.id),
                "visit_id": one.visit_id,
                "photo_ids": one.photo_ids,
                "worker": _worker(one.worker_id, names),
                "by": _worker(one.taken_by, names),
                "at": one.taken_at,
            }
            for one in steps
        ]
    }


def _one(
    work: Work, problem: Problem, person: Any, villages: dict[str, str], owner: Any, key: DataKey | None
) -> dict[str, Any]:
    due_on = problem.due_on
    if due_on == NOT_RECKONED:
        days = deadlines(work, problem.village_code)
        due_on = days.first(problem.severity, business_day(problem.found_at))
    overdue = days_overdue(due_on, work.today, done_with=problem.state in states.DONE_WITH)
    return {
        "id": problem.id,
        "person": {"person_id": person.id, "name": person.name, "file_no": person.file_no},
        "village": {"code": problem.village_code, "name": villages.get(problem.village_code)},
        "visit_id": problem.visit_id,
        "code": problem.code,
        "title": TITLES.get(problem.code),
        "severity": problem.severity,
        "description": _opened(key, problem.description_sealed, "problems", "description_sealed", problem.id),
        "fixed_on_site": problem.fixed_on_site,
        "restricted": problem.restricted,
        "state": problem.state,
        "owner": {"id": owner.id, "name": owner.name, "kind": owner.kind} if owner else None,
        "due_on": due_on,
        "days_overdue": overdue,
        "escalation": escalation(overdue, escalation_steps(work, problem.village_code)),
        "found_at": problem.found_at,
        "raised_at": problem.raised_at,
        "closed_at": problem.closed_at,
        "revision": problem.revision,
    }


def _worker(worker_id: UUID | None, names: dict[UUID, str]) -> dict[str, Any] | None:
    return None if worker_id is None else {"id": worker_id, "name": names.get(worker_id)}


def _opened(key: DataKey | None, sealed: str | None, table: str, column: str, row: UUID) -> str | None:
    return None if sealed is None or key is None else key.open(sealed, table=table, column=column, row=row)
