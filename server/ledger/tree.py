"""The hash tree over the ledger (RFC 6962): roots and proofs of any size from a few short reads (docs/adr/0010).

Kept are the leaf hashes and, of the nodes above them, every eighth level: 256 hashes of one kept level side by side
are a tile. A root or a proof needs the tiles along two paths; what lies between two kept levels is hashed anew.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence

STEP = 8
"""Levels from one kept level to the next."""
WIDTH = 1 << STEP
EMPTY = hashlib.sha256().digest()
"""The root of the tree with no leaf."""

Read = Callable[[int, int, int], Sequence[bytes]]
"""Gives the hashes of a kept level (0, 8, 16 …): of at most so many complete subtrees from a place on."""


def leaf_hash(data: bytes) -> bytes:
    """Hash a leaf as RFC 6962 does: SHA-256 of a zero byte and the leaf."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash two neighbours into the node above them."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def folded(hashes: Sequence[bytes]) -> bytes:
    """Fold a power of two of neighbours into the root above them."""
    level = list(hashes)
    while len(level) > 1:
        level = [node_hash(level[place], level[place + 1]) for place in range(0, len(level), 2)]
    return level[0]


class Tree:
    """The tree as it was at any size; reads what it needs once. Leaves are counted from 0."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self._tiles: dict[tuple[int, int], list[bytes]] = {}
        self._between: dict[tuple[int, int], bytes] = {}

    def root(self, size: int) -> bytes:
        """Give the root over the first `size` leaves."""
        return self.span(0, size) if size else EMPTY

    def inclusion(self, index: int, size: int) -> list[bytes]:
        """Give the proof that leaf `index` is in the tree of `size` leaves (RFC 6962 §2.1.1), lowest hash first."""
        if not 0 <= index < size:
            raise ValueError("no such leaf in a tree of this size")
        return list(self._path(index, 0, size))[::-1]

    def consistency(self, old: int, new: int) -> list[bytes]:
        """Give the proof that the tree of `new` leaves extends that of `old` (RFC 6962 §2.1.2)."""
        if not 0 < old <= new:
            raise ValueError("a tree is compared with one that is as large or larger")
        return self._extends(old, 0, new, whole=True)

    def span(self, low: int, high: int) -> bytes:
        """Give the hash over the leaves `low` to `high` (not included) of one subtree."""
        count = high - low
        if count & (count - 1) == 0 and low % count == 0:
            return self._complete(count.bit_length() - 1, low // count)
        middle = low + _left(count)
        return node_hash(self.span(low, middle), self.span(middle, high))

    def complete(self, low: int, high: int) -> list[tuple[int, bytes]]:
        """Part leaves into the fewest complete subtrees: (level, hash), from left to right."""
        parts = []
        while low < high:
            level = min((low & -low).bit_length() - 1 if low else 63, (high - low).bit_length() - 1)
            parts.append((level, self._complete(level, low >> level)))
            low += 1 << level
        return parts

    def _path(self, index: int, low: int, high: int) -> Iterator[bytes]:
        while high - low > 1:
            middle = low + _left(high - low)
            if index < middle:
                yield self.span(middle, high)
                high = middle
            else:
                yield self.span(low, middle)
                low = middle

    def _extends(self, old: int, low: int, high: int, *, whole: bool) -> list[bytes]:
        if old == high - low:
            return [] if whole else [self.span(low, high)]
        left = _left(high - low)
        if old <= left:
            return [*self._extends(old, low, low + left, whole=whole), self.span(low + left, high)]
        return [*self._extends(old - left, low + left, high, whole=False), self.span(low, low + left)]

    def _complete(self, level: int, place: int) -> bytes:
        if level % STEP == 0:
            tile = self._tile(level, place // WIDTH)
            if place % WIDTH < len(tile):
                return tile[place % WIDTH]
            if level == 0:
                raise ValueError("no such leaf")
        known = self._between.get((level, place))
        if known is None:
            known = node_hash(self._complete(level - 1, 2 * place), self._complete(level - 1, 2 * place + 1))
            self._between[level, place] = known
        return known

    def _tile(self, level: int, number: int) -> list[bytes]:
        if (level, number) not in self._tiles:
            self._tiles[level, number] = list(self._read(level, number * WIDTH, WIDTH))
        return self._tiles[level, number]


def _left(count: int) -> int:
    """Say how many of `count` leaves are in the left subtree: the largest power of two below it."""
    return 1 << ((count - 1).bit_length() - 1)
