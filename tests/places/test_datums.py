"""The shift between GPS and Chinese maps, against figures that others have published."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from server.places.datums import from_gcj02, place_of, to_gcj02
from server.places.distance import distance_m
from server.places.terms import Datum, Fix, Point

# WGS-84 latitude and longitude, then GCJ-02.
PUBLISHED = [
    # googollee/eviltransform, python/test.py: Shanghai, Shenzhen, Beijing
    (31.1774276, 121.5272106, 31.17530398364597, 121.531541859215),
    (22.543847, 113.912316, 22.540796131694766, 113.9171764808363),
    (39.911954, 116.377817, 39.91334545536069, 116.38404722455657),
    # wandergis/coordtransform, README.md: Beijing
    (39.915, 116.404, 39.91640428150164, 116.41024449916938),
    # wgs2mars 2.0.0, test/test.js: Fuzhou
    (26.0240049, 119.3122312, 26.02096344048847, 119.31705425869873),
]

# Clear of the edges of the bounding box, where a shifted place may lie on its other side.
china = st.builds(Point, st.floats(0.85, 55.8), st.floats(72.02, 137.8))
anhui = st.builds(Point, st.floats(29.4, 34.65), st.floats(114.9, 119.65))


@pytest.mark.parametrize(("latitude", "longitude", "gcj_latitude", "gcj_longitude"), PUBLISHED)
def test_published_places_are_shifted_as_published(
    latitude: float, longitude: float, gcj_latitude: float, gcj_longitude: float
) -> None:
    assert to_gcj02(Point(latitude, longitude)) == pytest.approx(
        (gcj_latitude, gcj_longitude), rel=0, abs=1e-12
    )


@pytest.mark.parametrize(("latitude", "longitude", "gcj_latitude", "gcj_longitude"), PUBLISHED)
def test_published_places_are_found_again(
    latitude: float, longitude: float, gcj_latitude: float, gcj_longitude: float
) -> None:
    assert distance_m(from_gcj02(gcj_latitude, gcj_longitude), Point(latitude, longitude)) < 1e-6


def test_the_inverse_is_exact_where_the_common_single_step_is_not() -> None:
    # wandergis/coordtransform, README.md: gcj02towgs84 of 116.404, 39.915 by a single step.
    single_step = Point(39.91359571849836, 116.39775550083061)
    found = from_gcj02(39.915, 116.404)
    assert 0.05 < distance_m(single_step, found) < 0.1
    assert to_gcj02(found) == pytest.approx((39.915, 116.404), rel=0, abs=1e-10)


@given(china)
@example(Point(35.0, 105.0))
@example(Point(54.75, 111.0))
def test_there_and_back_is_within_twenty_micrometres_anywhere_in_china(place: Point) -> None:
    assert distance_m(from_gcj02(*to_gcj02(place)), place) < 2e-5


@given(anhui)
def test_there_and_back_is_within_one_micrometre_in_anhui(place: Point) -> None:
    assert distance_m(from_gcj02(*to_gcj02(place)), place) < 1e-6


@given(anhui)
def test_the_shift_around_anhui_is_five_to_six_hundred_metres(place: Point) -> None:
    # CONTRACT §9 names 496 to 599 m; the box of degrees round the province reaches a few metres further.
    assert 490 < distance_m(place, Point(*to_gcj02(place))) < 605


@pytest.mark.parametrize(
    ("latitude", "longitude"),
    [(39.7392, -104.9903), (-33.87, 151.21), (0, 0), (90, 180), (-90, -180), (56.0, 100.0), (30.0, 72.0)],
)
def test_outside_of_china_nothing_is_shifted(latitude: float, longitude: float) -> None:
    assert to_gcj02(Point(latitude, longitude)) == (latitude, longitude)
    assert from_gcj02(latitude, longitude) == Point(latitude, longitude)


def test_a_fix_says_where_it_lies_in_either_datum() -> None:
    place = Point(30.8931, 119.4172)
    assert place_of(Fix(30.8931, 119.4172, Datum.WGS84)) == place
    assert distance_m(place_of(Fix(*to_gcj02(place), Datum.GCJ02)), place) < 1e-6
    assert distance_m(place_of(Fix(30.8931, 119.4172, Datum.GCJ02)), place) > 490
