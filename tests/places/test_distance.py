"""Distances against known ones, and boxes that miss nothing."""

import math

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from server.places.distance import EARTH_RADIUS_M, box_around, distance_m
from server.places.terms import Point

points = st.builds(Point, st.floats(-90, 90), st.floats(-180, 180))
radii = st.floats(0, 30_000_000) | st.floats(0, 5_000)
DEGREE_M = math.pi * EARTH_RADIUS_M / 180


@pytest.mark.parametrize(
    ("one", "other", "metres", "tolerance"),
    [
        # Wikipedia, "Haversine formula" and Rosetta Code: Nashville to Los Angeles airports, 2,887.26 km for 6,372.8 km
        (Point(36.12, -86.67), Point(33.94, -118.40), 2887260 * EARTH_RADIUS_M / 6372800, 10),
        # googollee/eviltransform, tests: Shanghai to Beijing, 1,078,164 m for a radius of 6,378,137 m
        (
            Point(31.17530398364597, 121.531541859215),
            Point(39.91334545536069, 116.38404722455657),
            1078164 * EARTH_RADIUS_M / 6378137,
            10,
        ),
        (Point(30, 119), Point(31, 119), DEGREE_M, 1e-6),
        (Point(0, 10), Point(0, 11), DEGREE_M, 1e-6),
        (Point(0, 179.5), Point(0, -179.5), DEGREE_M, 1e-6),
        (Point(90, 17), Point(-90, -99), 180 * DEGREE_M, 1e-6),
        (Point(90, 0), Point(90, 120), 0, 1e-6),
        (Point(30, 180), Point(30, -180), 0, 1e-6),
        (Point(0, 0), Point(0, 180), 180 * DEGREE_M, 1e-6),
    ],
)
def test_known_distances_come_out(one: Point, other: Point, metres: float, tolerance: float) -> None:
    assert distance_m(one, other) == pytest.approx(metres, rel=0, abs=tolerance)


@given(points, points)
def test_distance_is_the_same_both_ways_and_never_more_than_half_way_round(one: Point, other: Point) -> None:
    there = distance_m(one, other)
    assert there == pytest.approx(distance_m(other, one), rel=1e-9, abs=1e-9)
    assert 0 <= there <= math.pi * EARTH_RADIUS_M
    assert distance_m(one, one) == 0


@given(points, points, points)
def test_a_detour_is_never_shorter(one: Point, other: Point, by_way_of: Point) -> None:
    # Near the far side of the earth the formula is good to centimetres only.
    assert distance_m(one, other) <= distance_m(one, by_way_of) + distance_m(by_way_of, other) + 0.5


@given(points, points, radii)
@example(Point(0, 179.9999), Point(0, -179.9999), 100.0)
@example(Point(0, -180), Point(0, 180), 0.0)
@example(Point(89.9999, 0), Point(89.9999, 180), 100.0)
@example(Point(-90, 0), Point(-89.99, 123), 2_000.0)
@example(Point(60, 0), Point(61, 4), 300_000.0)
def test_whatever_lies_within_the_radius_lies_in_the_box(center: Point, place: Point, radius: float) -> None:
    reaching = max(radius, distance_m(center, place))
    assert box_around(center, reaching).holds(place)


@given(points, st.floats(0, 100_000), st.floats(0, 1), st.floats(0, 2 * math.pi))
def test_the_rim_of_the_circle_lies_in_the_box(
    center: Point, radius: float, share: float, bearing: float
) -> None:
    angle = radius * share / EARTH_RADIUS_M
    latitude = math.radians(center.latitude)
    sine = math.sin(latitude) * math.cos(angle) + math.cos(latitude) * math.sin(angle) * math.cos(bearing)
    east = math.atan2(
        math.sin(bearing) * math.sin(angle) * math.cos(latitude), math.cos(angle) - math.sin(latitude) * sine
    )
    longitude = (center.longitude + math.degrees(east) + 180) % 360 - 180
    place = Point(math.degrees(math.asin(max(-1, min(1, sine)))), longitude)
    assume(distance_m(center, place) <= radius)
    assert box_around(center, radius).holds(place)


def test_the_box_is_no_larger_than_it_must_be() -> None:
    box = box_around(Point(30, 119), 1_000)
    ((west, east),) = box.longitudes
    assert (box.north - box.south) * DEGREE_M == pytest.approx(2_000, rel=1e-4)
    assert distance_m(Point(30, west), Point(30, east)) == pytest.approx(2_000, rel=1e-3)
    assert not box.holds(Point(30.01, 119))
    assert not box.holds(Point(30, 119.011))


@pytest.mark.parametrize("longitude", [179.999, -179.999, 180, -180])
def test_a_circle_across_the_antimeridian_has_two_ranges_of_longitude(longitude: float) -> None:
    box = box_around(Point(0, longitude), 1_000)
    assert len(box.longitudes) == 2
    assert box.holds(Point(0, -179.999))
    assert box.holds(Point(0, 179.999))
    assert not box.holds(Point(0, 0))


def test_the_box_reaches_to_where_the_circle_is_widest() -> None:
    # In high latitudes that is nearer to the pole than the centre.
    latitude, angle = math.radians(80), math.radians(5)
    widest = Point(
        math.degrees(math.asin(math.sin(latitude) / math.cos(angle))),
        math.degrees(math.asin(math.sin(angle) / math.cos(latitude))),
    )
    radius = angle * EARTH_RADIUS_M
    assert distance_m(Point(80, 0), widest) == pytest.approx(radius, rel=1e-9)
    assert box_around(Point(80, 0), radius).holds(widest)


@pytest.mark.parametrize("radius", [-1, math.nan, -math.inf])
def test_a_radius_that_is_none_is_refused(radius: float) -> None:
    with pytest.raises(ValueError, match="radius"):
        box_around(Point(0, 0), radius)


def test_an_endless_radius_is_the_whole_earth() -> None:
    box = box_around(Point(30, 119), math.inf)
    assert box.holds(Point(-90, -180))
    assert box.holds(Point(90, 180))
