"""Draws a curve as SVG: a logarithmic axis of sizes, a linear one of costs, the figures beside the points."""

import math
import re
from dataclasses import dataclass, field
from html import escape

WIDTH, HEIGHT = 420, 220
LEFT, RIGHT, TOP, BOTTOM = 60, 30, 40, 40
UNIT = "CPU-s per 1,000"


@dataclass(slots=True)
class Curve:
    """What one request costs at each size."""

    title: str
    points: list[tuple[int, float]] = field(default_factory=list)

    @property
    def file_name(self) -> str:
        """Name the curve's file."""
        return re.sub("[^a-z0-9]+", "-", self.title.lower()).strip("-")


def draw(curve: Curve) -> str:
    """Draw one curve; its axis begins at zero, so that a flat line means a flat cost."""
    sizes = [math.log10(size) for size, _ in curve.points]
    most = max(cost for _, cost in curve.points) * 1.15 or 1.0
    span = max(sizes) - min(sizes) or 1.0

    def at(size: float, cost: float) -> tuple[float, float]:
        across = LEFT + (math.log10(size) - min(sizes)) / span * (WIDTH - LEFT - RIGHT)
        return round(across, 1), round(HEIGHT - BOTTOM - cost / most * (HEIGHT - TOP - BOTTOM), 1)

    places = [at(*point) for point in curve.points]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" font-family="sans-serif" font-size="11">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        f'<text x="{LEFT}" y="18" font-size="13">{escape(curve.title)}</text><text x="{LEFT}" y="32" fill="#666">{UNIT}</text>',
        f'<path d="M{LEFT} {TOP}V{HEIGHT - BOTTOM}H{WIDTH - RIGHT}" fill="none" stroke="#999"/>',
        f'<polyline points="{" ".join(f"{x},{y}" for x, y in places)}" fill="none" stroke="#06c" stroke-width="2"/>',
    ]
    for (size, cost), (x, y) in zip(curve.points, places, strict=True):
        parts.append(f'<circle cx="{x}" cy="{y}" r="3" fill="#06c"/>')
        parts.append(f'<text x="{x}" y="{y - 8}" text-anchor="middle">{cost:.2f}</text>')
        parts.append(
            f'<text x="{x}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle" fill="#666">{size:,}</text>'
        )
    return "\n".join([*parts, "</svg>", ""])
