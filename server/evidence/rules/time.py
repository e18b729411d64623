"""What clocks say: who could not have been there, what took too little time, what was written when."""

import datetime as dt
from collections.abc import Iterator

from server.evidence.rules.nearness import (
    between,
    is_in_series,
    no_way,
    overlap,
    place_in_time,
    surely_apart_m,
)
from server.evidence.terms import Finding, FindingCode, FindingSeverity, Marks, Thresholds, VisitFacts
from server.tools import SHANGHAI, business_day

TRAVEL_VERSION = "1"
OVERLAP_VERSION = "1"
SHORT_VERSION = "1"
CLOCK_VERSION = "1"
LATER_VERSION = "1"
SERIES_VERSION = "1"
HOUR_VERSION = "1"
DEATH_VERSION = "1"
NAMED = 8


def no_time_to_travel(facts: VisitFacts, t: Thresholds) -> Iterator[Finding]:
    """Notice a visit that nobody could have reached from another of the same worker, or left for it, in time."""
    mine = facts.marks
    others = [other for other in sorted(facts.around, key=place_in_time) if no_way(mine, other, t)]
    if not others:
        return
    yield Finding(
        FindingCode.TRAVEL_IMPOSSIBLE,
        FindingSeverity.WARNING,
        {
            "visits": len(others),
            "speed_kmh": round(t.speed_kmh),
            "trips": [
                {
                    "visit": str(other.visit_id),
                    "distance_m": _apart(mine, other),
                    "minutes": int(between(mine, other).total_seconds() // 60),
                    "by_fixes": bool(mine.place and other.place and mine.place.is_fix and other.place.is_fix),
                }
                for other in others[:NAMED]
            ],
        },
        TRAVEL_VERSION,
    )


def two_at_once(facts: VisitFacts, t: Thresholds) -> Iterator[Finding]:
    """Notice two visits of one worker at once, unless they are to one household or at one place."""
    mine = facts.marks
    if not mine.goes_there:
        return
    others = [
        other
        for other in sorted(facts.around, key=place_in_time)
        if other.goes_there
        and other.person_id != mine.person_id
        and overlap(mine, other) >= t.overlap_least
        and not _together(facts, other, t)
    ]
    if not others:
        return
    is_apart = any(no_way(mine, other, t) for other in others)
    yield Finding(
        FindingCode.VISITS_OVERLAP,
        FindingSeverity.WARNING if is_apart else FindingSeverity.NOTICE,
        {
            "visits": [str(other.visit_id) for other in others[:NAMED]],
            "minutes": max(int(overlap(mine, other).total_seconds() // 60) for other in others),
            "least_min": int(t.overlap_least.total_seconds() // 60),
        },
        OVERLAP_VERSION,
    )


def too_short(facts: VisitFacts, t: Thresholds) -> Iterator[Finding]:
    """Notice a visit that took too little time for what was answered; without an end nobody can tell."""
    mine = facts.marks
    if mine.ended_at is None or not facts.is_met or facts.is_paper or mine.answers < t.answers_timed:
        return
    seconds = max(0, int((mine.ended_at - mine.began_at).total_seconds()))
    if seconds < mine.answers * t.seconds_per_answer:
        yield Finding(
            FindingCode.TOO_SHORT,
            FindingSeverity.WARNING
            if 2 * seconds < mine.answers * t.seconds_per_answer
            else FindingSeverity.NOTICE,
            {"seconds": seconds, "answers": mine.answers, "seconds_per_answer": t.seconds_per_answer},
            SHORT_VERSION,
        )


def clock_off(facts: VisitFacts, t: Thresholds) -> Iterator[Finding]:
    """Notice a phone whose clock was ahead of the server's, or that made a record before its visit began.

    A clock that is behind looks like a record that was sent late, and is no sign of anything.
    """
    mine = facts.marks
    if facts.is_paper or mine.made_at is None:
        return
    ahead = dt.timedelta(seconds=facts.clock_skew_s)
    too_early = mine.began_at - mine.made_at
    if ahead > t.clock_ahead or too_early > t.clock_ahead:
        yield Finding(
            FindingCode.CLOCK_OFF,
            FindingSeverity.NOTICE,
            {
                "ahead_s": max(0, facts.clock_skew_s),
                "made_before_s": max(0, int(too_early.total_seconds())),
                "allowed_s": int(t.clock_ahead.total_seconds()),
            },
            CLOCK_VERSION,
        )


def recorded_later(facts: VisitFacts, t: Thresholds) -> Iterator[Finding]:
    """Notice a record that, by the phone's own clock, was made long after the visit; sending late is no matter."""
    mine = facts.marks
    if facts.is_paper or mine.made_at is None:
        return
    late = mine.made_at - max(mine.began_at, mine.ended_at or mine.began_at)
    if late > t.recorded_after:
        yield Finding(
            FindingCode.RECORDED_LATER,
            FindingSeverity.NOTICE,
            {
                "hours": int(late.total_seconds() // 3600),
                "allowed_hours": int(t.recorded_after.total_seconds() // 3600),
            },
            LATER_VERSION,
        )


def written_in_series(facts: VisitFacts, t: Thresholds) -> Iterator[Finding]:
    """Notice visits of several days whose records were made one after the other, by the phone's own clock."""
    mine = facts.marks
    if facts.is_paper or mine.made_at is None or business_day(mine.made_at) == business_day(mine.began_at):
        return
    together = [
        other
        for other in sorted(facts.around, key=place_in_time)
        if is_in_series(mine, other, t)
        and other.made_at is not None
        and business_day(other.made_at) != business_day(other.began_at)
    ]
    days = {business_day(one.began_at) for one in (mine, *together)}
    if len(together) + 1 >= t.series_visits and len(days) > 1:
        yield Finding(
            FindingCode.WRITTEN_IN_SERIES,
            FindingSeverity.WARNING,
            {
                "visits": len(together) + 1,
                "days": len(days),
                "within_min": int(t.series_within.total_seconds() // 60),
                "others": [str(other.visit_id) for other in together[:NAMED]],
            },
            SERIES_VERSION,
        )


def unusual_hour(facts: VisitFacts, t: Thresholds) -> Iterator[Finding]:
    """Say that a visit was at night; fires, illnesses and calls are at night too, so this is context alone."""
    local = facts.marks.began_at.astimezone(SHANGHAI)
    if facts.in_person and (local.hour >= t.night_from or local.hour < t.night_until):
        yield Finding(
            FindingCode.UNUSUAL_HOUR,
            FindingSeverity.INFO,
            {"hour": local.hour, "minute": local.minute, "from": t.night_from, "until": t.night_until},
            HOUR_VERSION,
        )


def met_after_death(facts: VisitFacts, _: Thresholds) -> Iterator[Finding]:
    """Notice that a person is said to have been met after the day on which they are on file as dead.

    A death that another visit reported counts from that visit on. Either record may be the wrong one.
    """
    mine = facts.marks
    if not facts.is_met:
        return
    days = (business_day(mine.began_at) - facts.died_on).days if facts.died_on else 0
    reported = facts.died_in is not None and facts.died_at is not None and facts.died_at < mine.began_at
    if days > 0 or reported:
        yield Finding(
            FindingCode.MET_AFTER_DEATH,
            FindingSeverity.WARNING,
            {
                "days_after": days if days > 0 else None,
                "reported_in": str(facts.died_in) if reported else None,
            },
            DEATH_VERSION,
        )


RULES = (
    no_time_to_travel,
    two_at_once,
    too_short,
    clock_off,
    recorded_later,
    written_in_series,
    unusual_hour,
    met_after_death,
)


def _apart(one: Marks, other: Marks) -> int:
    assert one.place is not None
    assert other.place is not None
    return round(surely_apart_m(one.place, other.place))


def _together(facts: VisitFacts, other: Marks, t: Thresholds) -> bool:
    """Say whether two people are seen at once by somebody who stands before both: one household, or neighbours."""
    if facts.household_id is not None and facts.household_of.get(other.person_id) == facts.household_id:
        return True
    mine = facts.marks.place
    if mine is None or other.place is None:
        return False
    return surely_apart_m(mine, other.place) <= t.fence.radius_m
