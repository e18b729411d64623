"""What photos say: seen before, taken when and where, what they do not tell, and which are still to come."""

from collections.abc import Iterator, Sequence

from server.evidence.rules.nearness import place_in_time
from server.evidence.terms import Finding, FindingCode, FindingSeverity, PhotoMatch, Thresholds, VisitFacts
from server.places.distance import distance_m

SEEN_VERSION = "1"
TIME_VERSION = "1"
PLACE_VERSION = "1"
FACTS_VERSION = "1"
DEBT_VERSION = "1"
NAMED = 8
SAME = 100
"""Per cent to which two photos are alike that are the same, byte for byte or to the last gray."""


def same_bytes(facts: VisitFacts, _: Thresholds) -> Iterator[Finding]:
    """Notice a photo whose very file belongs to another visit, of whomever and whenever."""
    yield from _seen(FindingCode.PHOTO_SAME_BYTES, facts, facts.same_bytes)


def near_duplicates(facts: VisitFacts, t: Thresholds) -> Iterator[Finding]:
    """Notice a photo that shows the same picture as one of another visit, cut, brightened or saved anew."""
    exact = {(one.photo_id, one.other_photo_id) for one in facts.same_bytes}
    near = [
        one
        for one in facts.near
        if one.alike >= (t.photo_alike_own if one.is_own else t.photo_alike)
        and (one.photo_id, one.other_photo_id) not in exact
    ]
    yield from _seen(FindingCode.PHOTO_NEAR_DUPLICATE, facts, near)


def _seen(code: FindingCode, facts: VisitFacts, matches: Sequence[PhotoMatch]) -> Iterator[Finding]:
    """Both visits of a pair are worth a look; the one that is said to have happened later more so."""
    mine = place_in_time(facts.marks)
    matches = sorted(
        (one for one in matches if not one.other_is_void),
        key=lambda one: (one.other_began_at, str(one.other_visit_id), str(one.photo_id)),
    )
    if not matches:
        return
    is_later = any((one.other_began_at, str(one.other_visit_id)) < mine for one in matches)
    is_telling = any(not one.is_paper and (one.alike == SAME or not one.is_own) for one in matches)
    yield Finding(
        code,
        FindingSeverity.WARNING if is_later and is_telling else FindingSeverity.NOTICE,
        {
            "is_later": is_later,
            "photos": len({one.photo_id for one in matches}),
            "other_people": len({one.other_person_id for one in matches} - {facts.marks.person_id}),
            "matches": [
                {
                    "photo": str(one.photo_id),
                    "other_photo": str(one.other_photo_id),
                    "other_visit": str(one.other_visit_id),
                    "alike_percent": one.alike,
                }
                for one in matches[:NAMED]
            ],
        },
        SEEN_VERSION,
    )


def taken_when(facts: VisitFacts, t: Thresholds) -> Iterator[Finding]:
    """Compare when photos were taken with when the visit was: what the camera wrote, else what the phone says."""
    began = facts.marks.began_at
    ended = max(began, facts.marks.ended_at or began)
    off = []
    severity = FindingSeverity.NOTICE
    for photo in facts.photos:
        taken = photo.taken_at or photo.claimed_at
        if taken is None or photo.is_paper or facts.is_paper:
            continue
        before, after = began - taken, taken - ended
        if before <= t.photo_before and after <= t.photo_after:
            continue
        if photo.taken_at is not None:
            severity = FindingSeverity.WARNING
        off.append(
            {
                "photo": str(photo.photo_id),
                "minutes_before": max(0, int(before.total_seconds() // 60)),
                "minutes_after": max(0, int(after.total_seconds() // 60)),
                "from_camera": photo.taken_at is not None,
            }
        )
    if off:
        yield Finding(
            FindingCode.PHOTO_TIME, severity, {"photos": len(off), "times": off[:NAMED]}, TIME_VERSION
        )


def taken_where(facts: VisitFacts, t: Thresholds) -> Iterator[Finding]:
    """Compare where a camera says a photo was taken with where the visit was, the fix and every home alike."""
    mine = facts.marks.place
    known = [*facts.homes, *([mine.point] if mine else [])]
    if not known or facts.is_paper or not facts.in_person:
        return
    far = []
    for photo in facts.photos:
        if photo.place is None or photo.is_paper:
            continue
        metres = min(distance_m(photo.place, one) for one in known)
        if metres > t.photo_far_m:
            far.append({"photo": str(photo.photo_id), "distance_m": round(metres)})
    if far:
        yield Finding(
            FindingCode.PHOTO_PLACE,
            FindingSeverity.NOTICE,
            {"photos": len(far), "distances": far[:NAMED], "far_m": round(t.photo_far_m)},
            PLACE_VERSION,
        )


def facts_absent(facts: VisitFacts, _: Thresholds) -> Iterator[Finding]:
    """Say of how many photos neither time nor place is known: unknown, which WeChat makes of every photo."""
    absent = sum(not photo.has_facts for photo in facts.photos)
    if absent:
        yield Finding(
            FindingCode.PHOTO_FACTS_ABSENT,
            FindingSeverity.INFO,
            {"photos": absent, "of": len(facts.photos)},
            FACTS_VERSION,
        )


def debt(facts: VisitFacts, _: Thresholds) -> Iterator[Finding]:
    """Say which declared photos have not arrived."""
    if facts.owed:
        yield Finding(
            FindingCode.PHOTO_DEBT,
            FindingSeverity.NOTICE,
            {"photos": len(facts.owed), "owed": [str(one) for one in facts.owed[:NAMED]]},
            DEBT_VERSION,
        )


RULES = (same_bytes, near_duplicates, taken_when, taken_where, facts_absent, debt)
