"""Bars for an inline SVG: plain numbers, said again in the table beside it."""

from collections.abc import Sequence
from dataclasses import dataclass

LABEL, ROOM, STEP, HEIGHT = 130.0, 420.0, 30.0, 20.0
"""Units of the drawing: room for a label, for the longest bar, from bar to bar, and of a bar."""
MOST = 40
"""Bars of one chart; a county has more villages than anybody reads as bars, so the fullest are shown."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: where it stands and how long it is."""

    label: str
    value: int
    y: float
    width: float


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars below one another; `left_out` is how many are not shown."""

    bars: tuple[Bar, ...]
    width: float
    height: float
    left_out: int
    x: float = LABEL


def bars(values: Sequence[tuple[str, int]]) -> Chart | None:
    """Lay out counts as bars, the largest first; None when there is nothing to count."""
    there = sorted((one for one in values if one[1] > 0), key=lambda one: (-one[1], one[0]))
    if not there:
        return None
    shown = there[:MOST]
    return Chart(
        tuple(
            Bar(name, value, 4 + place * STEP, round(value / shown[0][1] * ROOM, 1))
            for place, (name, value) in enumerate(shown)
        ),
        LABEL + ROOM + 60,
        len(shown) * STEP + 4,
        len(there) - len(shown),
    )
