"""What pair of visits one rule or another speaks about; the same test finds whom a new fact makes worth judging again.

Every relation here is symmetrical: what A is to B, B is to A, whichever came to the server first.
"""

import datetime as dt

from server.evidence.likeness import alike
from server.evidence.terms import Marks, Place, Thresholds
from server.places.distance import distance_m

INSTANT = dt.timedelta()
KMH = 3.6


def in_order(one: Marks, other: Marks) -> tuple[Marks, Marks]:
    """Put two visits in the order in which they are said to have happened."""
    return (one, other) if place_in_time(one) <= place_in_time(other) else (other, one)


def place_in_time(one: Marks) -> tuple[dt.datetime, str]:
    """Order visits by when they began; those of the same second by their ids."""
    return one.began_at, str(one.visit_id)


def overlap(one: Marks, other: Marks) -> dt.timedelta:
    """Say for how long two visits happened at once; zero where an end is unknown."""
    if one.ended_at is None or other.ended_at is None:
        return INSTANT
    return max(INSTANT, min(one.ended_at, other.ended_at) - max(one.began_at, other.began_at))


def surely_apart_m(one: Place, other: Place) -> float:
    """Give the metres that surely lie between two places, whatever their accuracies hide."""
    return max(0.0, distance_m(one.point, other.point) - one.accuracy_m - other.accuracy_m)


def is_same_spot(one: Marks, other: Marks, t: Thresholds) -> bool:
    """Say whether two visits were located at one spot, within the days in which that is counted."""
    return (
        one.place is not None
        and other.place is not None
        and one.place.is_fix
        and other.place.is_fix
        and abs(one.began_at - other.began_at) <= t.spot_within
        and distance_m(one.place.point, other.place.point) <= t.spot_radius_m
    )


def has_same_fix(one: Marks, other: Marks, t: Thresholds) -> bool:
    """Say whether two visits that lie apart in time have the same coordinates to the last digit."""
    if one.place is None or other.place is None or not (one.place.is_fix and other.place.is_fix):
        return False
    return one.place.point == other.place.point and abs(one.began_at - other.began_at) >= t.same_fix_apart


def no_way(one: Marks, other: Marks, t: Thresholds) -> bool:
    """Say whether nobody could have gone from one visit to the other in time."""
    if one.place is None or other.place is None or not (one.goes_there and other.goes_there):
        return False
    apart = surely_apart_m(one.place, other.place)
    if apart < t.travel_least_m:
        return False
    return apart / t.speed_kmh * KMH > (between(one, other) + t.travel_slack).total_seconds()


def between(one: Marks, other: Marks) -> dt.timedelta:
    """Give the time between the end of one visit and the beginning of the next; zero when they overlap."""
    first, second = in_order(one, other)
    left = max(first.began_at, first.ended_at or first.began_at)
    return max(INSTANT, second.began_at - left)


def has_same_notes(one: Marks, other: Marks, t: Thresholds) -> bool:
    """Say whether two records about different people have the same notes, or nearly."""
    if one.person_id == other.person_id or min(one.text_length, other.text_length) < t.notes_least:
        return False
    if one.text_mark is not None and one.text_mark == other.text_mark:
        return True
    return (
        one.sketch is not None
        and other.sketch is not None
        and alike(one.sketch, other.sketch) >= t.notes_alike
    )


def has_same_answers(one: Marks, other: Marks, t: Thresholds) -> bool:
    """Say whether two records about different people have the same answers, some of them out of the ordinary."""
    return (
        one.answers_mark is not None
        and one.answers_mark == other.answers_mark
        and one.person_id != other.person_id
        and one.answers >= t.answers_least
        and one.telling >= t.answers_telling
    )


def is_in_series(one: Marks, other: Marks, t: Thresholds) -> bool:
    """Say whether two records were made in one go; visits of one day are made so by many."""
    if one.made_at is None or other.made_at is None:
        return False
    return abs(one.made_at - other.made_at) <= t.series_within


def is_related(one: Marks, other: Marks, t: Thresholds) -> bool:
    """Say whether a rule may speak about one visit because of the other."""
    return (
        overlap(one, other) > INSTANT
        or no_way(one, other, t)
        or is_same_spot(one, other, t)
        or has_same_fix(one, other, t)
        or has_same_notes(one, other, t)
        or has_same_answers(one, other, t)
        or is_in_series(one, other, t)
    )
