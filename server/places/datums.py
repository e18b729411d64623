"""From the shifted coordinates of Chinese maps (GCJ-02) to GPS (WGS-84) and back.

The shift is a published approximation on the Krasovsky 1940 ellipsoid. It has no closed inverse; four rounds of
fixed-point iteration come within two micrometres, twenty on the meridian of 105° E, where the shift has a kink. Outside
of China's bounding box both datums are the same.
"""

from math import cos, degrees, pi, radians, sin, sqrt

from server.places.terms import Datum, Fix, Point

_AXIS_M = 6378245.0
_ECCENTRICITY_SQUARED = 0.00669342162296594323
_ROUNDS = 4
# The box that every published implementation uses: it reaches beyond the border, but phones and maps follow it.
_SOUTH, _NORTH, _WEST, _EAST = 0.8293, 55.8271, 72.004, 137.8347


def _is_shifted(latitude: float, longitude: float) -> bool:
    return _SOUTH <= latitude <= _NORTH and _WEST <= longitude <= _EAST


def _shift(latitude: float, longitude: float) -> tuple[float, float]:
    x, y = longitude - 105.0, latitude - 35.0
    common = 20 * sin(6 * pi * x) + 20 * sin(2 * pi * x)
    waves_north = 20 * sin(pi * y) + 40 * sin(pi * y / 3) + 160 * sin(pi * y / 12) + 320 * sin(pi * y / 30)
    waves_east = 20 * sin(pi * x) + 40 * sin(pi * x / 3) + 150 * sin(pi * x / 12) + 300 * sin(pi * x / 30)
    north_m = (
        -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * sqrt(abs(x)) + (common + waves_north) * 2 / 3
    )
    east_m = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * sqrt(abs(x)) + (common + waves_east) * 2 / 3
    curve = 1 - _ECCENTRICITY_SQUARED * sin(radians(latitude)) ** 2
    meridian_m = _AXIS_M * (1 - _ECCENTRICITY_SQUARED) / (curve * sqrt(curve))
    parallel_m = _AXIS_M / sqrt(curve) * cos(radians(latitude))
    return degrees(north_m / meridian_m), degrees(east_m / parallel_m)


def to_gcj02(point: Point) -> tuple[float, float]:
    """Give latitude and longitude of a place as a Chinese map or a phone in GCJ-02 shows it, in degrees."""
    if not _is_shifted(point.latitude, point.longitude):
        return point.latitude, point.longitude
    north, east = _shift(point.latitude, point.longitude)
    return point.latitude + north, point.longitude + east


def from_gcj02(latitude: float, longitude: float) -> Point:
    """Find the place that GCJ-02 shows at this latitude and longitude (degrees).

    Raises ValueError outside ±90 and ±180.
    """
    if not _is_shifted(latitude, longitude):
        return Point(latitude, longitude)
    true_latitude, true_longitude = latitude, longitude
    for _ in range(_ROUNDS):
        north, east = _shift(true_latitude, true_longitude)
        true_latitude, true_longitude = latitude - north, longitude - east
    return Point(true_latitude, true_longitude)


def place_of(fix: Fix) -> Point:
    """Say where a fix lies on the ground, whichever datum the phone sent it in."""
    if fix.datum is Datum.GCJ02:
        return from_gcj02(fix.latitude, fix.longitude)
    return Point(fix.latitude, fix.longitude)
