"""The policy numbers that the visit form is checked against."""

import datetime as dt

from server.ledger.work import Work
from server.policies.service import in_force
from server.visits.rules import FormPolicy


def form_policy(work: Work, area_code: str) -> FormPolicy:
    """Read the numbers in force today for an area."""
    numbers = in_force(work)

    def number(key: str) -> int:
        return int(numbers.on(key, work.today, area_code))

    return FormPolicy(
        future_tolerance=dt.timedelta(minutes=number("visits.future_tolerance")),
        next_try_within=dt.timedelta(days=number("absence.next_try_within")),
        unseen_urgent_after=dt.timedelta(hours=number("absence.unseen_urgent_after")),
        most_photos=number("photos.most_per_visit"),
        missing_answers_refused=bool(number("visits.missing_answers_refused")),
    )


def late_after(work: Work, area_code: str) -> dt.timedelta:
    """Say after how long a visit counts as filed late."""
    return dt.timedelta(hours=int(in_force(work).on("visits.late_after", work.today, area_code)))
