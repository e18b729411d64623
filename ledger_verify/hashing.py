"""The hash tree (RFC 6962): leaves, roots while entries stream by, and proofs."""

import base64
import binascii
import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import Any

FIRST_FORM = frozenset(("seq", "at", "actor", "action", "subject", "person", "request_id", "commitment"))
SECOND_FORM = FIRST_FORM | {"v", "changes", "payload"}
STEP = 8

_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode


def is_leaf(said: Any) -> bool:
    """Say whether this is a leaf of a form that is known."""
    if not isinstance(said, dict):
        return False
    if said.get("v", 1) == 1:
        return said.keys() == FIRST_FORM
    return said["v"] == 2 and said.keys() == SECOND_FORM


def leaf_hash(said: dict[str, Any]) -> bytes:
    """Hash a leaf: SHA-256 of a zero byte and its canonical JSON."""
    return hashlib.sha256(b"\x00" + _encode(said).encode()).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash two neighbours."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def commitment_of(payload: str) -> str | None:
    """Give what a payload (nonce in base64, a dot, JSON) is committed to by; None when it is no payload."""
    if payload[24:25] != ".":
        return None
    try:
        nonce = base64.b64decode(payload[:24], validate=True)
    except (binascii.Error, ValueError):
        return None
    return hashlib.sha256(nonce + payload[25:].encode("utf-8", "surrogatepass")).hexdigest()


class Peaks:
    """A tree that grows to the right: what is kept are the roots of its complete subtrees."""

    def __init__(self) -> None:
        self.size = 0
        self.kept: dict[tuple[int, int], bytes] = {}
        self._stack: list[tuple[int, bytes]] = []

    def add(self, found: bytes, level: int = 0) -> None:
        """Add a leaf, or a complete subtree of 2^level leaves; every eighth level is kept until it is asked for."""
        self.size += 1 << level
        while self._stack and self._stack[-1][0] == level:
            found = node_hash(self._stack.pop()[1], found)
            level += 1
            if level % STEP == 0:
                self.kept[level, (self.size >> level) - 1] = found
        self._stack.append((level, found))

    def fits(self, level: int) -> bool:
        """Say whether a complete subtree of this level can stand here."""
        return 0 <= level < 63 and self.size % (1 << level) == 0

    def root(self) -> bytes:
        """Give the root over everything so far."""
        if not self._stack:
            return hashlib.sha256().digest()
        found = self._stack[-1][1]
        for _, left in reversed(self._stack[:-1]):
            found = node_hash(left, found)
        return found


def root_of_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes]) -> bytes | None:
    """Give the root that an inclusion proof leads to (RFC 9162 §2.1.3.2); None when it cannot be one."""
    if not 0 <= index < size:
        return None
    place, last, found = index, size - 1, leaf
    for one in proof:
        if last == 0:
            return None
        if place & 1 or place == last:
            found = node_hash(one, found)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            found = node_hash(found, one)
        place, last = place >> 1, last >> 1
    return found if last == 0 else None


def extends(first: int, second: int, roots: tuple[bytes, bytes], proof: Iterable[bytes]) -> bool:
    """Say whether a consistency proof shows that the tree of `second` leaves extends that of `first` (RFC 9162 §2.1.4.2)."""
    path = list(proof)
    if not 0 < first <= second:
        return False
    if first == second:
        return not path and roots[0] == roots[1]
    if first & (first - 1) == 0:
        path.insert(0, roots[0])
    if not path:
        return False
    place, last = first - 1, second - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    old = new = path[0]
    for one in path[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            old, new = node_hash(one, old), node_hash(one, new)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            new = node_hash(new, one)
        place, last = place >> 1, last >> 1
    return last == 0 and (old, new) == roots
