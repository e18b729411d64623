"""Draws a sample that anyone can draw again from what is published: the frame as text, its digest, the seed.

The frame is one text: a head that says how to draw, then a line for each visit. Its SHA-256 is the frame digest. A visit
comes the earlier, the lower SHA-256(seed ‖ frame digest ‖ visit id) is. docs/redraw.py does the same without this code.
"""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol
from uuid import UUID

from server.spotchecks.terms import AlwaysIncluded, StratumBy, WhyDrawn

VERSION = 1
WHOLE = 100  # percent


class Digest(Protocol):
    """A hash that is being made."""

    def update(self, data: bytes, /) -> object: ...


class Line(NamedTuple):
    """One visit of a frame: where, by whom, for which category, and why it is always included ("" when it is not).

    `revision` is the body of the record that counts: what is corrected afterwards is not what is checked.
    """

    visit_id: UUID
    village: str
    visitor: UUID
    category: str
    always: AlwaysIncluded | str = ""
    revision: int = 1


COLUMNS = ("visit_id", "village", "visitor", "category", "always", "revision")


@dataclass(frozen=True, slots=True)
class HowToDraw:
    """What the head of a frame says: `share` in percent of each stratum, or a `number` of each."""

    plan_id: UUID
    period: str
    strata: tuple[StratumBy, ...] = ()
    share: int | None = None
    number: int | None = None
    every: tuple[StratumBy, ...] = ()

    def take(self, size: int) -> int:
        """Say how many of a stratum of `size` are drawn; a share is rounded up."""
        if self.number is not None:
            return min(self.number, size)
        return -(-size * (self.share or 0) // WHOLE)


@dataclass(frozen=True, slots=True)
class Drawn:
    """A visit of the sample, with its line and why it is there."""

    line: Line
    why: WhyDrawn


def commitment_of(seed: bytes, plan_id: UUID) -> bytes:
    """Commit to a seed for one plan: SHA-256(seed ‖ plan id); another plan's commitment does not fit."""
    return hashlib.sha256(seed + plan_id.bytes).digest()


def frame_text(how: HowToDraw, lines: Iterable[Line]) -> Iterator[str]:
    """Write a frame line by line, each ending in LF; `lines` come in ascending order of visit id."""
    yield from _head(how)
    yield from map(_written, lines)


def passing(digest: Digest, how: HowToDraw, lines: Iterable[Line]) -> Iterator[Line]:
    """Hand lines through, and their text to the digest: when all have passed, it is that of the frame."""
    for text in _head(how):
        digest.update(text.encode())
    for line in lines:
        digest.update(_written(line).encode())
        yield line


def _head(how: HowToDraw) -> Iterator[str]:
    yield f"# spot-check-frame {VERSION}\n"
    yield f"# plan {how.plan_id}\n"
    yield f"# period {how.period}\n"
    yield f"# strata {' '.join(how.strata)}".rstrip() + "\n"
    yield f"# share {how.share}\n" if how.number is None else f"# number {how.number}\n"
    yield f"# every {' '.join(how.every)}".rstrip() + "\n"
    yield ",".join(COLUMNS) + "\n"


def _written(line: Line) -> str:
    return ",".join(map(str, line)) + "\n"


def digest_of(text: Iterable[str]) -> bytes:
    """Give the frame digest: the SHA-256 of the frame's text in UTF-8."""
    digest = hashlib.sha256()
    for line in text:
        digest.update(line.encode())
    return digest.digest()


def draw(seed: bytes, digest: bytes, how: HowToDraw, lines: Iterable[Line]) -> list[Drawn]:
    """Draw the sample, in ascending order of rank.

    What is always included is taken whole and stands outside the strata. Of the others each stratum gives those that
    rank first, as many as its share. Then whom the promises name and chance passed over gives their first visit.
    """
    begun = hashlib.sha256(seed + digest)
    ranked: list[tuple[bytes, Line]] = []
    for line in lines:
        rank = begun.copy()
        rank.update(line.visit_id.bytes)
        ranked.append((rank.digest(), line))
    ranked.sort(key=lambda one: one[0])
    in_order = [line for _, line in ranked]
    chosen = {line.visit_id: WhyDrawn.ALWAYS for line in in_order if line.always}
    strata: dict[tuple[object, ...], list[Line]] = defaultdict(list)
    for line in in_order:
        if not line.always:
            strata[tuple(_PART[by](line) for by in how.strata)].append(line)
    for stratum in strata.values():
        chosen |= {line.visit_id: WhyDrawn.STRATUM for line in stratum[: how.take(len(stratum))]}
    for by in how.every:
        _keep_promise(_PART[by], _PROMISES[by], in_order, chosen)
    return [Drawn(line, chosen[line.visit_id]) for line in in_order if line.visit_id in chosen]


def _keep_promise(
    part: Callable[[Line], object], why: WhyDrawn, in_order: Sequence[Line], chosen: dict[UUID, WhyDrawn]
) -> None:
    served = {part(line) for line in in_order if line.visit_id in chosen}
    for line in in_order:
        if part(line) not in served:
            served.add(part(line))
            chosen[line.visit_id] = why


def _village(line: Line) -> object:
    return line.village


def _visitor(line: Line) -> object:
    return line.visitor


def _category(line: Line) -> object:
    return line.category


_PART: dict[StratumBy, Callable[[Line], object]] = {
    StratumBy.VILLAGE: _village,
    StratumBy.VISITOR: _visitor,
    StratumBy.CATEGORY: _category,
}
_PROMISES = {StratumBy.VISITOR: WhyDrawn.EVERY_VISITOR, StratumBy.VILLAGE: WhyDrawn.EVERY_VILLAGE}
