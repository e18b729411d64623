"""Maps: the ground is laid exactly under the drawing, and only where an administrator said from where it comes."""

import math
from dataclasses import replace

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from server.places.distance import EARTH_RADIUS_M
from server.places.terms import Point
from server.settings import Settings, SettingsError
from server.web.maps import SIDE, Spot, drawn
from tests.builders.world import World
from tests.web.conftest import Browser
from tests.web.town import Town, town

TILES = "https://tiles.example:8443/wmts/{z}/{x}/{y}.png?tk=abc"
POINTS = st.builds(Point, st.floats(18, 54, allow_nan=False), st.floats(73, 135, allow_nan=False))


@pytest.fixture
def there(world: World) -> Town:
    """Give the town."""
    return town(world)


def corner(zoom: int, x: float, y: float) -> Point:
    """Give the place of a tile's north-western corner."""
    count = 2**zoom
    latitude = math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * y / count))))
    return Point(latitude, x / count * 360 - 180)


@given(POINTS, st.floats(-0.02, 0.02), st.floats(-0.02, 0.02))
def test_tiles_cover_the_drawing_and_lie_where_their_places_are(
    point: Point, north: float, east: float
) -> None:
    spots = [
        Spot("home", "住处", point, 200),
        Spot("fix", "", Point(point.latitude + north, point.longitude + east)),
    ]
    made = drawn(spots, "https://t.example/{z}/{x}/{y}")
    assert made is not None
    assert 1 <= len(made.ground) <= 25
    assert min(one.x for one in made.ground) <= 0.1
    assert min(one.y for one in made.ground) <= 0.1
    assert max(one.x + one.side for one in made.ground) >= SIDE - 0.1
    assert max(one.y + one.side for one in made.ground) >= SIDE - 0.1
    scale = made.bar / made.bar_m
    for tile in made.ground:
        zoom, x, y = map(int, tile.address.split("/")[-3:])
        place = corner(zoom, x, y)
        east = math.radians(place.longitude - point.longitude) * math.cos(math.radians(point.latitude))
        north_of_it = math.radians(place.latitude - point.latitude)
        assert made.marks[0].x + east * EARTH_RADIUS_M * scale == pytest.approx(tile.x, abs=3)
        assert made.marks[0].y - north_of_it * EARTH_RADIUS_M * scale == pytest.approx(tile.y, abs=3)


def test_without_tiles_there_is_no_ground_and_pictures_come_from_nowhere_else(
    at_desk: Browser, there: Town
) -> None:
    page = at_desk.get(f"/visits/{there.visits[1]}")
    assert "<image" not in page.text
    assert "img-src 'self' data:;" in page.headers["Content-Security-Policy"]


def test_tiles_are_let_in_from_their_own_place_alone(app: Flask, at_desk: Browser, there: Town) -> None:
    house = app.extensions["parts"]
    app.extensions["parts"] = replace(house, settings=replace(house.settings, map_tiles_url=TILES))
    page = at_desk.get(f"/visits/{there.visits[1]}")
    assert '<image class="map-ground" href="https://tiles.example:8443/wmts/' in page.text
    assert "img-src 'self' data: https://tiles.example:8443;" in page.headers["Content-Security-Policy"]
    assert page.headers["Referrer-Policy"] == "same-origin", "the tiles' server is not told whose page it is"
    assert 'href="https://tiles' in at_desk.get(f"/archives/{there.people[0]}").text


@pytest.mark.parametrize(
    "wrong",
    [
        "http://tiles.example/{z}/{x}/{y}",
        "https://tiles.example/{z}/{x}",
        "https://tiles.example/{z}/{x}/{y}'; script-src *",
        "https://tiles.example; script-src */{z}/{x}/{y}",
    ],
    ids=["plain", "no y", "quote", "directive"],
)
def test_an_address_that_could_loosen_the_policy_is_refused_at_start(wrong: str) -> None:
    settings = Settings("sqlite://", "file:///x", "", "s" * 40, map_tiles_url=wrong)
    with pytest.raises(SettingsError, match="MAP_TILES_URL"):
        settings.check()
    replace(settings, map_tiles_url=TILES).check()


def test_places_of_earlier_visits_lie_faintly_beside_and_are_told_in_words(
    at_desk: Browser, there: Town
) -> None:
    person = there.people[0]
    last = there.record(person, occurred_at="2026-03-05T11:12:00+08:00", ended_at=None)
    page = at_desk.get(f"/visits/{last}").text
    assert "以前的定位（图上灰点）：2026-03-05" in page
    assert 'class="map-mark map-earlier"' in page
    first = at_desk.get(f"/visits/{there.visits[0]}").text
    assert "以前的定位" not in first
