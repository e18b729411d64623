"""Who sees to a problem, by when, and how far it has escalated."""

import datetime as dt
from collections.abc import Sequence

from server.problems.terms import OwnerKind


def owned_by(*, restricted: bool, for_township: bool) -> OwnerKind:
    """Say who has to see to a new problem.

    Suspected abuse, and what the village cannot put right itself (a card in a cadre's hand, somebody whom nobody has
    seen for days), go to the township; all else to whoever is responsible for the person.
    """
    return OwnerKind.CHIEF if restricted or for_township else OwnerKind.RESPONSIBLE


def days_overdue(due_on: dt.date, today: dt.date, *, done_with: bool) -> int:
    """Count the days since a problem should have been seen to; 0 while there is time, or when it is done with."""
    return 0 if done_with else max(0, (today - due_on).days)


def escalation(overdue: int, steps: Sequence[int]) -> int:
    """Give the highest level (1, 2, …) whose days are reached; 0 when none is.

    A level may be set to fewer days than one below it; it is then reached first.
    """
    return max((level for level, days in enumerate(steps, 1) if overdue >= days), default=0)
