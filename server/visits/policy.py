"""The policy numbers that the visit form is checked against."""

import datetime as dt

from server.evidence.terms import Thresholds
from server.ledger.work import Work
from server.places.terms import FencePolicy
from server.policies.service import in_force
from server.tools import business_day
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


def thresholds(work: Work, area_code: str, at: dt.datetime) -> Thresholds:
    """Read the numbers that evidence is judged by, as they held on the day of a visit: the same visit, the same numbers."""
    numbers, day = in_force(work), business_day(at)

    def number(key: str) -> int:
        return int(numbers.on(key, day, area_code))

    def minutes(key: str) -> dt.timedelta:
        return dt.timedelta(minutes=number(key))

    return Thresholds(
        fence=FencePolicy(number("fence.radius"), number("fence.worst_accuracy")),
        fix_apart=minutes("evidence.fix_apart"),
        spot_radius_m=number("evidence.spot_radius"),
        spot_homes=number("evidence.spot_homes"),
        spot_within=dt.timedelta(days=number("evidence.spot_days")),
        same_fix_apart=minutes("evidence.same_fix_apart"),
        photo_before=minutes("evidence.photo_before"),
        photo_after=minutes("evidence.photo_after"),
        photo_far_m=number("evidence.photo_far"),
        photo_alike=number("evidence.photo_alike"),
        photo_alike_own=number("evidence.photo_alike_own"),
        speed_kmh=number("evidence.travel_speed"),
        travel_least_m=number("evidence.travel_least"),
        travel_slack=minutes("evidence.travel_slack"),
        overlap_least=minutes("evidence.overlap_least"),
        seconds_per_answer=number("evidence.seconds_per_answer"),
        answers_timed=number("evidence.answers_timed"),
        clock_ahead=minutes("evidence.clock_ahead"),
        recorded_after=dt.timedelta(hours=number("evidence.recorded_after")),
        series_visits=number("evidence.series_visits"),
        series_within=minutes("evidence.series_within"),
        night_from=number("evidence.night_from"),
        night_until=number("evidence.night_until"),
        compared_within=dt.timedelta(days=number("evidence.compared_days")),
        notes_least=number("evidence.notes_least"),
        notes_alike=number("evidence.notes_alike") / 100,
        text_least=number("evidence.text_least"),
        text_people=number("evidence.text_people"),
        answers_least=number("evidence.answers_least"),
        answers_telling=number("evidence.answers_telling"),
        answers_people=number("evidence.answers_people"),
    )
