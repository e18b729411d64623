"""How far two places are apart, and the box of degrees round a place that an index can search."""

from dataclasses import dataclass
from math import asin, cos, degrees, radians, sin, sqrt

from server.places.terms import ANTIMERIDIAN, POLE, Point

EARTH_RADIUS_M = 6371008.8  # mean radius, IUGG
_SLACK_DEGREES = 1e-9  # a tenth of a millimetre, so that rounding never puts an edge outside of its own box
_NEAR_POLE_DEGREES = 1e-6  # where a circle nearly touches a pole, its width in degrees is ill-conditioned


def distance_m(one: Point, other: Point) -> float:
    """Measure the metres between two places along a sphere (haversine); within 0.6 % of the ellipsoid."""
    south_north = sin(radians(other.latitude - one.latitude) / 2) ** 2
    west_east = sin(radians(other.longitude - one.longitude) / 2) ** 2
    chord = south_north + cos(radians(one.latitude)) * cos(radians(other.latitude)) * west_east
    return 2 * EARTH_RADIUS_M * asin(min(1.0, sqrt(chord)))


@dataclass(frozen=True, slots=True)
class Box:
    """A range of latitudes, and one range of longitudes or, across the antimeridian, two (degrees, inclusive)."""

    south: float
    north: float
    longitudes: tuple[tuple[float, float], ...]

    def holds(self, point: Point) -> bool:
        """Say whether a place lies in the box."""
        return self.south <= point.latitude <= self.north and any(
            west <= point.longitude <= east for west, east in self.longitudes
        )


def box_around(center: Point, radius_m: float) -> Box:
    """Give the smallest box that holds every place within `radius_m` metres of `center`.

    Raises ValueError for a radius that is negative or not a number.
    """
    if not radius_m >= 0:
        raise ValueError("a radius is zero or more metres")
    angle = min(radius_m / EARTH_RADIUS_M, radians(180.0))
    south = center.latitude - degrees(angle) - _SLACK_DEGREES
    north = center.latitude + degrees(angle) + _SLACK_DEGREES
    if min(south + POLE, POLE - north) <= _NEAR_POLE_DEGREES:
        # A circle round a pole crosses every meridian.
        return Box(max(south, -POLE), min(north, POLE), ((-ANTIMERIDIAN, ANTIMERIDIAN),))
    # The circle is widest nearer to the pole than its centre, hence not simply angle / cos(latitude).
    reach = degrees(asin(min(1.0, sin(angle) / cos(radians(center.latitude))))) + _SLACK_DEGREES
    return Box(south, north, _longitudes(center.longitude - reach, center.longitude + reach))


def _longitudes(west: float, east: float) -> tuple[tuple[float, float], ...]:
    if west <= -ANTIMERIDIAN:
        return ((-ANTIMERIDIAN, east), (west + 2 * ANTIMERIDIAN, ANTIMERIDIAN))
    if east >= ANTIMERIDIAN:
        return ((west, ANTIMERIDIAN), (-ANTIMERIDIAN, east - 2 * ANTIMERIDIAN))
    return ((west, east),)
