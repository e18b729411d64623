"""Escalation: a dispersed person overdue for days is told of once at each step (first, second, third)."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select, tuple_
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite

from server.ledger.work import Work
from server.people.terms import Category
from server.policies.service import in_force
from server.schedule.models import Duty, Escalation
from server.schedule.opening import ensure_open
from server.schedule.queries import overdue_now

BATCH = 500
STEPS = {
    1: "duties.escalate_first_after",
    2: "duties.escalate_second_after",
    3: "duties.escalate_third_after",
}
"""The policy number of each step: after how many days overdue it is due."""


def escalate(work: Work) -> dict[int, int]:
    """Record each step that an overdue duty has reached, once for ever; returns how many by step.

    Safe to run at any time and in parallel: the row of (duty, step) is the claim. Never escalates what is not overdue.
    """
    ensure_open(work)
    counts: Counter[int] = Counter(dict.fromkeys(STEPS, 0))
    wanted = (
        select(Duty.id, Duty.person_id, Duty.village_code, Duty.due_on)
        .where(Duty.category == Category.TEKUN_DISPERSED, overdue_now(work.today))
        .order_by(Duty.due_on, Duty.person_id, Duty.id)
        .limit(BATCH)
    )
    last: tuple[Any, ...] | None = None
    while True:
        page = wanted
        if last is not None:
            page = page.where(tuple_(Duty.due_on, Duty.person_id, Duty.id) > tuple_(*last))
        duties = work.session.execute(page).all()
        if not duties:
            return dict(counts)
        last = (duties[-1].due_on, duties[-1].person_id, duties[-1].id)
        for row in _claimed(work, duties):
            counts[row.step] += 1
            work.tell(
                "duty.escalated",
                "duty",
                row.duty_id,
                person_id=row.person_id,
                payload={"step": row.step, "days_overdue": row.days_overdue},
            )
        work.close_lines()


def _claimed(work: Work, duties: Sequence[Any]) -> Sequence[Any]:
    numbers = in_force(work)
    reached = [
        {
            "duty_id": duty.id,
            "step": step,
            "person_id": duty.person_id,
            "village_code": duty.village_code,
            "days_overdue": (work.today - duty.due_on).days,
            "escalated_at": work.now,
        }
        for duty in duties
        for step, number in STEPS.items()
        if (work.today - duty.due_on).days >= int(numbers.on(number, work.today, duty.village_code))
    ]
    if not reached:
        return []
    dialect = work.session.get_bind().dialect.name
    insert = insert_postgresql if dialect == "postgresql" else insert_sqlite
    claim = (
        insert(Escalation)
        .values(reached)
        .on_conflict_do_nothing()
        .returning(Escalation.duty_id, Escalation.step, Escalation.person_id, Escalation.days_overdue)
    )
    return work.session.execute(claim).all()
