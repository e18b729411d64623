"""The fence: what it says, what it never says, and that the datum makes no difference."""

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from server.places.datums import to_gcj02
from server.places.rules import fence
from server.places.terms import Datum, Doubt, Fence, FencePolicy, Fix, Point, Verdict

HOME = Point(30.8931, 119.4172)
POLICY = FencePolicy(radius_m=200, worst_accuracy_m=150)
DEGREE_M = math.pi * 6371008.8 / 180


def north_of_home(metres: float, accuracy: float | None, datum: Datum = Datum.WGS84) -> Fix:
    place = Point(HOME.latitude + metres / DEGREE_M, HOME.longitude)
    if datum is Datum.GCJ02:
        return Fix(*to_gcj02(place), datum, accuracy)
    return Fix(place.latitude, place.longitude, datum, accuracy)


@pytest.mark.parametrize("datum", list(Datum))
@pytest.mark.parametrize(
    ("metres", "accuracy", "said", "doubt"),
    [
        (0, 25, Fence.INSIDE, None),
        (100, 65, Fence.INSIDE, None),
        (49, 150, Fence.INSIDE, None),
        (174, 25, Fence.INSIDE, None),
        (176, 25, Fence.CANNOT_TELL, Doubt.ON_THE_EDGE),
        (200, 5, Fence.CANNOT_TELL, Doubt.ON_THE_EDGE),
        (224, 25, Fence.CANNOT_TELL, Doubt.ON_THE_EDGE),
        (226, 25, Fence.OUTSIDE, None),
        (1_000, 25, Fence.OUTSIDE, None),
        (1_000, 150, Fence.OUTSIDE, None),
        (50, 151, Fence.CANNOT_TELL, Doubt.COARSE),
        (50, 500, Fence.CANNOT_TELL, Doubt.COARSE),
        (500, 500, Fence.CANNOT_TELL, Doubt.COARSE),
        (5_000, 500, Fence.CANNOT_TELL, Doubt.COARSE),
        (0, 0, Fence.CANNOT_TELL, Doubt.UNKNOWN_ACCURACY),
        (1_000, 0, Fence.CANNOT_TELL, Doubt.UNKNOWN_ACCURACY),
        (1_000, -1, Fence.CANNOT_TELL, Doubt.UNKNOWN_ACCURACY),
        (1_000, None, Fence.CANNOT_TELL, Doubt.UNKNOWN_ACCURACY),
        (0, math.nan, Fence.CANNOT_TELL, Doubt.UNKNOWN_ACCURACY),
        (0, math.inf, Fence.CANNOT_TELL, Doubt.UNKNOWN_ACCURACY),
    ],
)
def test_the_fence_says(
    metres: float, accuracy: float | None, said: Fence, doubt: Doubt | None, datum: Datum
) -> None:
    verdict = fence(HOME, north_of_home(metres, accuracy, datum), POLICY)
    assert (verdict.fence, verdict.doubt) == (said, doubt)
    assert verdict.distance_m == pytest.approx(metres, abs=0.001)


def test_a_right_place_under_a_wrong_datum_looks_like_not_at_home() -> None:
    # What the declared datum is for: 500 m and more of shift would accuse an honest worker.
    shifted = north_of_home(0, 25, Datum.GCJ02)
    mislabelled = Fix(shifted.latitude, shifted.longitude, Datum.WGS84, 25)
    assert fence(HOME, shifted, POLICY).fence is Fence.INSIDE
    assert fence(HOME, mislabelled, POLICY).fence is Fence.OUTSIDE


def test_without_a_home_or_a_fix_the_fence_cannot_tell() -> None:
    near = north_of_home(0, 25)
    assert fence(None, near, POLICY) == Verdict(Fence.CANNOT_TELL, None, 25, Doubt.NO_HOME)
    assert fence(HOME, None, POLICY) == Verdict(Fence.CANNOT_TELL, None, None, Doubt.NO_FIX)
    assert fence(None, None, POLICY) == Verdict(Fence.CANNOT_TELL, None, None, Doubt.NO_FIX)


@pytest.mark.parametrize("datum", list(Datum))
def test_zero_degrees_is_a_failed_fix_and_not_a_place_off_africa(datum: Datum) -> None:
    assert fence(HOME, Fix(0.0, -0.0, datum, 10), POLICY).doubt is Doubt.NO_FIX


homes = st.builds(Point, st.floats(20, 50), st.floats(80, 130))
steps = st.floats(-2_000, 2_000)
accuracies = st.none() | st.floats(-10, 2_000) | st.sampled_from([0.0, 25.0, 150.0])
policies = st.builds(FencePolicy, st.floats(10, 1_000), st.floats(5, 1_000))


def moved(home: Point, north_m: float, east_m: float) -> Point:
    east_degree_m = DEGREE_M * math.cos(math.radians(home.latitude))
    return Point(home.latitude + north_m / DEGREE_M, home.longitude + east_m / east_degree_m)


def as_sent(place: Point, accuracy: float | None) -> Fix:
    return Fix(place.latitude, place.longitude, Datum.WGS84, accuracy)


@given(homes, steps, steps, accuracies, policies)
def test_the_same_place_in_both_datums_gets_the_same_verdict(
    home: Point, north: float, east: float, accuracy: float | None, policy: FencePolicy
) -> None:
    place = moved(home, north, east)
    plain = fence(home, as_sent(place, accuracy), policy)
    shifted = fence(home, Fix(*to_gcj02(place), Datum.GCJ02, accuracy), policy)
    assert plain.distance_m is not None
    assert plain.distance_m == pytest.approx(shifted.distance_m, abs=1e-5)
    # On the very edge micrometres decide; nobody stands there.
    if plain.accuracy_m is not None:
        assume(abs(plain.distance_m + plain.accuracy_m - policy.radius_m) > 1e-4)
        assume(abs(plain.distance_m - plain.accuracy_m - policy.radius_m) > 1e-4)
    assert (plain.fence, plain.doubt, plain.accuracy_m) == (shifted.fence, shifted.doubt, shifted.accuracy_m)


@given(homes, steps, steps, st.floats(500, 100_000))
def test_an_accuracy_of_500_metres_or_worse_never_yields_outside(
    home: Point, north: float, east: float, accuracy: float
) -> None:
    assert fence(home, as_sent(moved(home, north, east), accuracy), POLICY).fence is Fence.CANNOT_TELL


@given(homes, steps, steps, accuracies, policies)
def test_outside_is_said_only_when_the_whole_circle_is(
    home: Point, north: float, east: float, accuracy: float | None, policy: FencePolicy
) -> None:
    verdict = fence(home, as_sent(moved(home, north, east), accuracy), policy)
    assert (verdict.doubt is None) == (verdict.fence is not Fence.CANNOT_TELL)
    if verdict.fence is not Fence.CANNOT_TELL:
        assert verdict.distance_m is not None
        assert verdict.accuracy_m is not None
        assert verdict.accuracy_m > 0
        nearest, farthest = verdict.distance_m - verdict.accuracy_m, verdict.distance_m + verdict.accuracy_m
        assert nearest > policy.radius_m if verdict.fence is Fence.OUTSIDE else farthest <= policy.radius_m


@given(homes, steps, steps, st.floats(0.1, 2_000), st.floats(0.1, 2_000), policies)
def test_a_worse_accuracy_never_makes_the_fence_surer(
    home: Point, north: float, east: float, one: float, other: float, policy: FencePolicy
) -> None:
    place = moved(home, north, east)
    better = fence(home, as_sent(place, min(one, other)), policy).fence
    worse = fence(home, as_sent(place, max(one, other)), policy).fence
    assert worse in {better, Fence.CANNOT_TELL}


@given(homes, steps, st.floats(1, 3), st.floats(0.1, 150))
def test_going_further_away_never_brings_anybody_inside(
    home: Point, north: float, factor: float, accuracy: float
) -> None:
    order = [Fence.INSIDE, Fence.CANNOT_TELL, Fence.OUTSIDE]
    near = fence(home, as_sent(moved(home, north, 0), accuracy), POLICY).fence
    far = fence(home, as_sent(moved(home, north * factor, 0), accuracy), POLICY).fence
    assert order.index(far) >= order.index(near)


@given(homes, steps, steps, st.floats(0.1, 150), st.floats(10, 500), st.floats(10, 500))
def test_a_wider_fence_never_turns_inside_into_outside(
    home: Point, north: float, east: float, accuracy: float, one: float, other: float
) -> None:
    order = [Fence.INSIDE, Fence.CANNOT_TELL, Fence.OUTSIDE]
    sent = as_sent(moved(home, north, east), accuracy)
    narrow = fence(home, sent, FencePolicy(radius_m=min(one, other))).fence
    wide = fence(home, sent, FencePolicy(radius_m=max(one, other))).fence
    assert order.index(wide) <= order.index(narrow)
