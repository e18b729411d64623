"""What is asked of the overdue list, and what it answers with."""

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from server.people.terms import Category


@dataclass(frozen=True, slots=True)
class Filters:
    """Which overdue people: `village` any area code, `as_of` a past day, `known_at` what was known at an instant."""

    category: Category = Category.TEKUN_DISPERSED
    village: str | None = None
    as_of: dt.date | None = None
    known_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True, order=True)
class OverdueRow:
    """One overdue person with the oldest overdue duty."""

    due_on: dt.date
    person_id: UUID
    attempts: int
    last_met_on: dt.date | None
