"""Where the phone was: at the home, elsewhere, or nobody can tell; and many homes from one spot."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import UUID

from server.evidence.rules.nearness import has_same_fix, is_same_spot, place_in_time
from server.evidence.terms import Finding, FindingCode, FindingSeverity, Thresholds, VisitFacts
from server.places.distance import distance_m
from server.places.rules import fence
from server.places.terms import Datum, Fence, Fix, Point, Verdict

FENCE_VERSION = "1"
SPOT_VERSION = "1"
SAME_FIX_VERSION = "1"
NAMED = 8
"""How many other visits a finding names at most."""

_OTHER_DATUM = {Datum.GCJ02: Datum.WGS84, Datum.WGS84: Datum.GCJ02}


def at_the_home(facts: VisitFacts, t: Thresholds) -> Iterator[Finding]:
    """Tell what the fix says of the home: the whole verdict, also when it is that nobody can tell.

    The most favourable of all homes ever registered counts. A fix that would be inside if its datum were the other one
    cannot tell: a wrong label puts a phone 500 m away (CONTRACT §9).
    """
    if not facts.at_home or facts.is_paper:
        return
    if facts.fix is not None and not is_of_the_visit(facts.fix, facts, t):
        yield _fence(FindingCode.FENCE_UNCLEAR, {"doubt": "fix_at_another_time"})
        return
    verdict = _best(facts.fix, facts.homes, t)
    told = _told(verdict, t)
    if verdict.fence is Fence.INSIDE:
        yield _fence(FindingCode.FENCE_INSIDE, told)
    elif verdict.fence is Fence.CANNOT_TELL:
        yield _fence(FindingCode.FENCE_UNCLEAR, told | {"doubt": verdict.doubt})
    elif _may_be_mislabelled(facts, t):
        yield _fence(FindingCode.FENCE_UNCLEAR, told | {"doubt": "datum"})
    else:
        yield _fence(FindingCode.FENCE_OUTSIDE, told, FindingSeverity.WARNING)


def is_of_the_visit(fix: Fix, facts: VisitFacts, t: Thresholds) -> bool:
    """Say whether a fix was taken during the visit; one whose time is unknown is as old as the record."""
    began, ended = facts.marks.began_at, facts.marks.ended_at or facts.marks.began_at
    taken_at = fix.taken_at or facts.marks.made_at or began
    return began - t.fix_apart <= taken_at <= max(began, ended) + t.fix_apart


def many_homes_from_one_spot(facts: VisitFacts, t: Thresholds) -> Iterator[Finding]:
    """Notice records of many homes that were made at one spot, those aside whose own home is there."""
    mine = facts.marks
    if not facts.at_home or mine.place is None or not mine.place.is_fix:
        return
    if _is_home_near(facts.homes, mine.place.point, t):
        return
    spot = mine.place.point
    others: dict[UUID, UUID] = {}
    for other in sorted(facts.around, key=place_in_time):
        is_there = other.goes_there and is_same_spot(mine, other, t)
        theirs = facts.homes_of.get(other.person_id, ())
        if is_there and other.person_id != mine.person_id and not _is_home_near(theirs, spot, t):
            others.setdefault(other.person_id, other.visit_id)
    homes = {facts.household_of.get(person, person) for person in others}
    homes.add(facts.household_id or mine.person_id)
    if len(homes) < t.spot_homes:
        return
    is_known = bool(facts.homes) and all(facts.homes_of.get(person) for person in others)
    yield Finding(
        FindingCode.ONE_SPOT,
        FindingSeverity.WARNING if is_known else FindingSeverity.NOTICE,
        {
            "homes": len(homes),
            "radius_m": round(t.spot_radius_m),
            "days": t.spot_within.days,
            "visits": [str(one) for one in list(others.values())[:NAMED]],
        },
        SPOT_VERSION,
    )


def the_same_fix(facts: VisitFacts, t: Thresholds) -> Iterator[Finding]:
    """Notice coordinates that are the same to the last digit as in another visit well apart in time."""
    mine = facts.marks
    others = [other for other in sorted(facts.around, key=place_in_time) if has_same_fix(mine, other, t)]
    if others:
        yield Finding(
            FindingCode.SAME_FIX,
            FindingSeverity.NOTICE,
            {
                "visits": [str(other.visit_id) for other in others[:NAMED]],
                "apart_min": round(t.same_fix_apart.total_seconds() / 60),
            },
            SAME_FIX_VERSION,
        )


RULES = (at_the_home, many_homes_from_one_spot, the_same_fix)

_LIKED = {Fence.INSIDE: 0, Fence.CANNOT_TELL: 1, Fence.OUTSIDE: 2}


def _best(fix: Fix | None, homes: tuple[Point, ...], t: Thresholds) -> Verdict:
    verdicts = [fence(home, fix, t.fence) for home in homes] or [fence(None, fix, t.fence)]
    return min(verdicts, key=lambda one: (_LIKED[one.fence], one.distance_m or 0.0))


def _may_be_mislabelled(facts: VisitFacts, t: Thresholds) -> bool:
    assert facts.fix is not None
    other = replace(facts.fix, datum=_OTHER_DATUM[facts.fix.datum])
    return _best(other, facts.homes, t).fence is not Fence.OUTSIDE


def _is_home_near(homes: tuple[Point, ...], spot: Point, t: Thresholds) -> bool:
    return any(distance_m(home, spot) <= t.fence.radius_m + t.spot_radius_m for home in homes)


def _told(verdict: Verdict, t: Thresholds) -> dict[str, Any]:
    return {
        "distance_m": None if verdict.distance_m is None else round(verdict.distance_m),
        "accuracy_m": None if verdict.accuracy_m is None else round(verdict.accuracy_m),
        "radius_m": round(t.fence.radius_m),
    }


def _fence(
    code: FindingCode, told: dict[str, Any], severity: FindingSeverity = FindingSeverity.INFO
) -> Finding:
    return Finding(code, severity, told, FENCE_VERSION)
