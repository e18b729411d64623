"""Draws a map: a home, where phones said they were with what they were sure of, in metres on a plane.

Everything is WGS-84. The drawing is plain numbers for an inline SVG; the same is said in words beside it, for whoever
does not see it. Where tiles are configured, browsers lay them underneath; nothing of the drawing depends on them.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from server.places.distance import EARTH_RADIUS_M, distance_m
from server.places.terms import Point

SIDE = 400.0
"""Width and height of the drawing, in its own units."""
MARGIN = 34.0
LEAST_M = 60.0
"""Half the side of the smallest stretch of land that is drawn, in metres."""
TOO_FAR = 20.0
"""Accuracy circles larger than so many times the rest do not stretch the map; they are cut off at its edge."""
DEEPEST = 18
"""The largest scale of tiles; most servers have no larger one."""
_WINDS = ("北", "东北", "东", "东南", "南", "西南", "西", "西北")


@dataclass(frozen=True, slots=True)
class Spot:
    """One place to draw: `kind` is its look (`home`, `fix`, `earlier`, `before`, `other`, `over`), `reach_m` a circle round it."""

    kind: str
    label: str
    point: Point
    reach_m: float | None = None


@dataclass(frozen=True, slots=True)
class Mark:
    """A spot as drawn; `reach` is the radius of its circle, in units of the drawing."""

    kind: str
    label: str
    x: float
    y: float
    reach: float | None


@dataclass(frozen=True, slots=True)
class Tile:
    """A square picture of the ground (Web Mercator), where it lies in the drawing."""

    address: str
    x: float
    y: float
    side: float


@dataclass(frozen=True, slots=True)
class Map:
    """A drawing: marks, a bar that is `bar_m` metres long and `bar` units wide, and the ground if there is one."""

    marks: tuple[Mark, ...]
    bar: float
    bar_m: int
    ground: tuple[Tile, ...] = ()
    side: float = SIDE


def drawn(spots: Sequence[Spot], tiles_url: str | None = None) -> Map | None:
    """Lay spots out, north up; None when there is none. `tiles_url` has `{z}`, `{x}` and `{y}` in it."""
    if not spots:
        return None
    centre = spots[0].point
    flat = [_metres(centre, spot.point) for spot in spots]
    middle = tuple((min(one[axis] for one in flat) + max(one[axis] for one in flat)) / 2 for axis in (0, 1))
    apart = max(max(abs(one[axis] - middle[axis]) for one in flat) for axis in (0, 1))
    reaches = [spot.reach_m for spot in spots if spot.reach_m is not None]
    half = max(LEAST_M, apart + min(max(reaches, default=0.0), TOO_FAR * max(apart, LEAST_M)))
    scale = (SIDE / 2 - MARGIN) / half
    marks = tuple(
        Mark(
            spot.kind,
            spot.label,
            round(SIDE / 2 + (x - middle[0]) * scale, 1),
            round(SIDE / 2 - (y - middle[1]) * scale, 1),
            None if spot.reach_m is None else round(min(spot.reach_m * scale, 4 * SIDE), 1),
        )
        for spot, (x, y) in zip(spots, flat, strict=True)
    )
    bar_m = _round_length(half / 2)
    ground = () if tiles_url is None else tuple(_tiles(tiles_url, centre, (middle[0], middle[1]), scale))
    return Map(marks, round(bar_m * scale, 1), bar_m, ground)


def way(home: Point, place: Point) -> str:
    """Say in words how far a place is from a home, and in which direction."""
    apart = distance_m(home, place)
    if apart < 1:
        return "就在住处"
    x, y = _metres(home, place)
    wind = _WINDS[round(math.degrees(math.atan2(x, y)) / 45) % 8]
    return f"在住处{wind}方向约 {length(apart)}"


def length(metres: float) -> str:
    """Write a distance as people say it."""
    if metres < 1000:  # noqa: PLR2004
        return f"{round(metres)} 米"
    return f"{metres / 1000:.1f} 公里" if metres < 100_000 else f"{round(metres / 1000)} 公里"  # noqa: PLR2004


def _metres(centre: Point, point: Point) -> tuple[float, float]:
    """Give metres east and north of a centre, as on a sheet of paper."""
    east = (point.longitude - centre.longitude + 180) % 360 - 180
    x = math.radians(east) * EARTH_RADIUS_M * math.cos(math.radians(centre.latitude))
    return x, math.radians(point.latitude - centre.latitude) * EARTH_RADIUS_M


def _tiles(url: str, centre: Point, middle: tuple[float, float], scale: float) -> Iterator[Tile]:
    """Lay the tiles that the drawing needs, at the scale at which a handful covers it."""
    latitude = centre.latitude + math.degrees(middle[1] / EARTH_RADIUS_M)
    across = math.cos(math.radians(centre.latitude)) * EARTH_RADIUS_M
    longitude = centre.longitude + math.degrees(middle[0] / across)
    round_units = 2 * math.pi * EARTH_RADIUS_M * math.cos(math.radians(latitude)) * scale
    zoom = min(DEEPEST, max(0, math.floor(math.log2(round_units / (SIDE / 3)))))
    count = 2**zoom
    side = round_units / count
    x = (longitude + 180) / 360 * count
    y = (1 - math.asinh(math.tan(math.radians(latitude))) / math.pi) / 2 * count
    reach = SIDE / 2 / side
    for row in range(max(0, math.floor(y - reach)), min(count - 1, math.floor(y + reach)) + 1):
        for column in range(math.floor(x - reach), math.floor(x + reach) + 1):
            address = (
                url.replace("{z}", str(zoom)).replace("{x}", str(column % count)).replace("{y}", str(row))
            )
            yield Tile(
                address,
                round(SIDE / 2 + (column - x) * side, 1),
                round(SIDE / 2 + (row - y) * side, 1),
                round(side, 1),
            )


def _round_length(metres: float) -> int:
    ten = 10 ** math.floor(math.log10(metres))
    return int(next(step * ten for step in (5, 2, 1) if step * ten <= metres))
