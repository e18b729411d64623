"""Whether two photos show the same picture, though one was saved anew, made smaller, cut, brightened, or turned.

What is kept of a photo is its picture in 32 by 32 grays, sealed under the person's key. From it come the hashes by which
an index finds candidates, and the final comparison: how alike the edges of two pictures are when one is laid over the other
in the best of many cuts. A photo taken again in the same room has other edges; the same photo in another file has the same.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from math import sqrt
from operator import mul

from PIL import Image

from server.photos.imaging import LIKENESS_EDGE

EDGE = LIKENESS_EDGE
CELLS = 8
"""Cells a side of a hash, which has a bit for each: whether a cell is brighter than the next."""
BANDS = 3
BAND_BITS = 21
"""A hash is found by any of its bands; the bits are dealt out so that a band sees the whole picture."""
WEAKEST = 2
"""Bits of a band that may as well be the other way round, because two cells are nearly equally bright."""
FINE = 16
"""Pixels a side at which pictures are compared in the end."""
FLAT = 24
"""A picture in which cells differ by less than this in all (in grays) shows nothing that could be compared."""
STEPS = (0.06, 0.03, 0.015)
MOST_STEP = 2.0
"""How many times the usual step of brightness one step counts at most."""
PROMISING = 0.4
"""How alike two pictures are at a glance when it is worth laying them over each other."""
MOST_CUT = 0.14
"""Of a side, what is tried as cut off."""

Window = tuple[float, float, float, float]
WHOLE: Window = (0.0, 0.0, 1.0, 1.0)
INNER: Window = (0.05, 0.05, 0.95, 0.95)
KEPT: tuple[Window, Window] = (WHOLE, INNER)
"""The windows of a photo whose hashes are kept."""


def _windows() -> tuple[Window, ...]:
    found = [WHOLE]
    for size in (0.95, 0.9):
        rest = 1 - size
        for across in (0.0, 0.5, 1.0):
            for down in (0.0, 0.5, 1.0):
                left, top = across * rest, down * rest
                found.append((left, top, left + size, top + size))
    return tuple(found)


ASKED = _windows()
"""The windows of a photo that are looked for among those that are kept."""
GLANCES: tuple[Window, ...] = (INNER, (0.1, 0.1, 0.9, 0.9))
ASKED_TURNED: tuple[Window, ...] = (WHOLE, (0.025, 0.025, 0.975, 0.975), INNER)
"""The same for the photo mirrored or turned, which is rare."""
TURNS = (
    Image.Transpose.FLIP_LEFT_RIGHT,
    Image.Transpose.FLIP_TOP_BOTTOM,
    Image.Transpose.ROTATE_90,
    Image.Transpose.ROTATE_180,
    Image.Transpose.ROTATE_270,
)


@dataclass(frozen=True, slots=True)
class Print:
    """The hashes of a photo's kept windows, as signed 64-bit numbers, with the bands of each."""

    hashes: tuple[int, int]
    bands: tuple[tuple[int, ...], tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Search:
    """What to look for: for each band the values that a candidate may have, and the hashes to compare it with."""

    values: tuple[frozenset[int], ...]
    hashes: tuple[int, ...]

    def bits_from(self, hashes: Sequence[int]) -> int:
        """Give the fewest bits in which one of a candidate's hashes differs from one that is looked for."""
        return min((one ^ other).bit_count() for one in self.hashes for other in hashes)


def picture(kept: bytes) -> Image.Image:
    """Give the picture that was kept."""
    return Image.frombytes("L", (EDGE, EDGE), kept)


def shows_nothing(image: Image.Image) -> bool:
    """Say whether a picture is so even (a covered lens, a wall) that it is like thousands of others."""
    return sum(abs(one) for one in _steps(image, WHOLE)) < FLAT * CELLS


def print_of(image: Image.Image) -> Print:
    """Give the hashes that a photo is found by."""
    steps = [_steps(image, window) for window in KEPT]
    hashes = tuple(_signed(_hash(one)) for one in steps)
    bands = tuple(bands_of(_hash(one)) for one in steps)
    return Print((hashes[0], hashes[1]), (bands[0], bands[1]))


def search_for(image: Image.Image) -> Search:
    """Give what a photo's twins are looked for by: in windows, mirrored and turned."""
    values: list[set[int]] = [set() for _ in range(BANDS)]
    hashes = []
    for turned, windows in _looks(image):
        for window in windows:
            steps = _steps(turned, window)
            hashes.append(_hash(steps))
            for number, band in enumerate(_bands(steps)):
                values[number] |= _near(band)
    return Search(tuple(frozenset(one) for one in values), tuple(hashes))


def alike(one: Image.Image, other: Image.Image) -> float:
    """Say how alike two pictures are, laid over each other at their best: 1 the same, under 0.6 unrelated ones."""
    theirs = _edges(other, WHOLE)
    most, best = _at_a_glance(one, other), one
    for turn in TURNS:
        turned = one.transpose(turn)
        found = _match(_edges(turned, WHOLE), theirs)
        if found > most:
            most, best = found, turned
    if most < PROMISING:
        return most
    return max(_best_cut(best, other), _best_cut(other, best))


def _at_a_glance(one: Image.Image, other: Image.Image) -> float:
    """Compare two pictures in a few cuts, which is enough to tell unrelated ones."""
    mine, theirs = _edges(one, WHOLE), _edges(other, WHOLE)
    found = [_match(mine, theirs)]
    for window in GLANCES:
        found += [_match(mine, _edges(other, window)), _match(_edges(one, window), theirs)]
    return max(found)


def _best_cut(one: Image.Image, of: Image.Image) -> float:
    """Compare a picture with the cuts of another, going on from the best of what was tried."""
    mine = _edges(one, WHOLE)
    cut = (0.0, 0.0, 0.0, 0.0)
    best = _match(mine, _edges(of, WHOLE))
    for step in STEPS:
        better = True
        while better:
            better = False
            for side in range(4):
                for change in (step, -step):
                    changed = min(MOST_CUT, max(0.0, cut[side] + change))
                    tried = (*cut[:side], changed, *cut[side + 1 :])
                    window = tried[0], tried[1], 1 - tried[2], 1 - tried[3]
                    found = _match(mine, _edges(of, window)) if tried != cut else 0.0
                    if found > best:
                        best, cut, better = found, (tried[0], tried[1], tried[2], tried[3]), True
    return best


def _edges(image: Image.Image, window: Window) -> list[float]:
    """Give the steps of brightness, across and down, of length 1 in all.

    A step counts as at most so many usual ones: a stamp or a covered corner must not outweigh the rest.
    """
    pixels = _cells(image, window, FINE, FINE)
    across = [pixels[at] - pixels[at + 1] for at in range(FINE * FINE - 1) if (at + 1) % FINE]
    down = [one - other for one, other in zip(pixels, pixels[FINE:], strict=False)]
    limit = MOST_STEP * sum(map(abs, across + down)) / (len(across) + len(down))
    steps = [min(limit, max(-limit, one)) for one in across + down]
    length = sqrt(sum(map(mul, steps, steps))) or 1.0
    return [one / length for one in steps]


def _match(one: list[float], other: list[float]) -> float:
    return float(sum(map(mul, one, other)))


def _looks(image: Image.Image) -> Iterator[tuple[Image.Image, Sequence[Window]]]:
    yield image, ASKED
    for turn in TURNS:
        yield image.transpose(turn), ASKED_TURNED


def _cells(image: Image.Image, window: Window, across: int, down: int) -> bytes:
    box = (window[0] * EDGE, window[1] * EDGE, window[2] * EDGE, window[3] * EDGE)
    return image.resize((across, down), Image.Resampling.BILINEAR, box=box).tobytes()


def _steps(image: Image.Image, window: Window) -> list[int]:
    wide = CELLS + 1
    pixels = _cells(image, window, wide, CELLS)
    return [pixels[at] - pixels[at + 1] for at in range(wide * CELLS) if (at + 1) % wide]


@cache
def _dealt() -> tuple[tuple[int, ...], ...]:
    """Deal the bits out to the bands: the 37th after the one before, which is far away in the picture."""
    order = [at * 37 % (CELLS * CELLS) for at in range(CELLS * CELLS)]
    return tuple(tuple(order[band * BAND_BITS : (band + 1) * BAND_BITS]) for band in range(BANDS))


def _bands(steps: Sequence[int]) -> list[list[int]]:
    return [[steps[at] for at in band] for band in _dealt()]


def _value(band: Sequence[int]) -> int:
    value = 0
    for step in band:
        value = value << 1 | (step > 0)
    return value


def bands_of(number: int) -> tuple[int, ...]:
    """Give the bands of a hash."""
    signs = [(number >> CELLS * CELLS - 1 - at & 1) for at in range(CELLS * CELLS)]
    return tuple(_value(band) for band in _bands(signs))


def _near(band: Sequence[int]) -> set[int]:
    """Give the value of a band, and those with one of its weakest bits the other way round."""
    value = _value(band)
    weakest = sorted(range(len(band)), key=lambda at: abs(band[at]))[:WEAKEST]
    return {value, *(value ^ 1 << len(band) - 1 - at for at in weakest)}


def _hash(steps: Sequence[int]) -> int:
    return _value(steps)


def _signed(number: int) -> int:
    return number - (1 << 64) if number >> 63 else number


def unsigned(number: int) -> int:
    """Give a stored hash as the number that it was."""
    return number & 0xFFFF_FFFF_FFFF_FFFF
