"""Escalation of problems: each level that an overdue problem reaches is told of once, for each due date.

The level itself follows from the due date and the day, and is shown by every list; what is recorded here is when the
house first said so.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select, tuple_

from server.ledger.work import Work
from server.prepared import insert_once
from server.problems.models import NOT_RECKONED, Problem, ProblemEscalation
from server.problems.policy import ESCALATE, escalation_steps

BATCH = 500


def escalate_problems(work: Work) -> dict[int, int]:
    """Record each level that an overdue problem has reached; returns how many by level.

    Safe to run at any time and in parallel: the row of (problem, due date, level) is the claim.
    """
    counts: Counter[int] = Counter(dict.fromkeys(range(1, len(ESCALATE) + 1), 0))
    wanted = (
        select(Problem.id, Problem.person_id, Problem.village_code, Problem.due_on)
        .where(Problem.closed_at.is_(None), Problem.due_on < work.today, Problem.due_on > NOT_RECKONED)
        .order_by(Problem.due_on, Problem.id)
        .limit(BATCH)
    )
    last: tuple[Any, ...] | None = None
    while True:
        page = wanted if last is None else wanted.where(tuple_(Problem.due_on, Problem.id) > tuple_(*last))
        problems = work.session.execute(page).all()
        if not problems:
            return dict(counts)
        last = (problems[-1].due_on, problems[-1].id)
        for row in _claimed(work, problems):
            counts[row.level] += 1
            work.tell(
                "problem.escalated",
                "problem",
                row.problem_id,
                person_id=row.person_id,
                payload={"level": row.level, "days_overdue": row.days_overdue},
            )
        work.close_lines()


def _claimed(work: Work, problems: Sequence[Any]) -> Sequence[Any]:
    reached = [
        {
            "problem_id": problem.id,
            "due_on": problem.due_on,
            "level": level,
            "person_id": problem.person_id,
            "village_code": problem.village_code,
            "days_overdue": (work.today - problem.due_on).days,
            "escalated_at": work.now,
        }
        for problem in problems
        for level, days in enumerate(escalation_steps(work, problem.village_code), 1)
        if (work.today - problem.due_on).days >= days
    ]
    if not reached:
        return []
    insert: Any = insert_once(ProblemEscalation)(work.session.get_bind().dialect.name)
    row = ProblemEscalation.__table__.c
    claim = insert.values(reached).returning(row.problem_id, row.level, row.person_id, row.days_overdue)
    found: Sequence[Any] = work.session.execute(claim).all()
    return found
