"""Which records need a second pair of eyes: those that settings name."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select

from server.ledger.work import Work
from server.policies.service import in_force
from server.problems.models import Problem, Raised
from server.problems.terms import Severity
from server.visits.models import Visit
from server.visits.terms import Outcome


def need_two(work: Work, visits: Sequence[Visit]) -> set[UUID]:
    """Name the visits of some that two reviewers have to accept: deaths, and urgent problems."""
    numbers = in_force(work)

    def asked(key: str, visit: Visit) -> bool:
        return bool(numbers.on(key, work.today, visit.village_code))

    found = {
        visit.id
        for visit in visits
        if visit.outcome is Outcome.DEAD and asked("reviews.second_for_deaths", visit)
    }
    others = [
        visit.id for visit in visits if visit.id not in found and asked("reviews.second_for_urgent", visit)
    ]
    if others:
        found |= set(
            work.session.scalars(
                select(Problem.visit_id).where(
                    Problem.visit_id.in_(others),
                    Problem.severity == Severity.URGENT,
                    Problem.raised_state != Raised.WITHDRAWN,
                )
            )
        )
    return found
