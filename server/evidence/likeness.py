"""How alike two notes are, from keyed marks that tell nothing to whoever has no key (TRUST §2).

A text is brought to what it says: no blanks, punctuation, or digits. Its mark is a keyed hash; its sketch the smallest
keyed hashes of all runs of three characters, by which the share of common runs is estimated.
"""

import hmac
import unicodedata
from collections.abc import Mapping
from typing import Any

RUN = 3
"""Characters of a run."""
KEPT = 48
"""Hashes of a sketch: texts with no more runs than these are compared exactly."""
WIDTH = 4
"""Bytes of a hash."""


def normal(text: str) -> str:
    """Give the letters and characters of a text alone, in one form; figures, blanks and signs say little."""
    return "".join(
        char
        for char in unicodedata.normalize("NFKC", text).casefold()
        if unicodedata.category(char)[0] == "L"
    )


def text_mark(key: bytes, text: str) -> int:
    """Give the signed 64-bit mark of a normal text."""
    return _signed(_hash(key, f"text:{text}")[:8])


def sketch(key: bytes, text: str) -> bytes:
    """Give the sketch of a normal text: its smallest hashes, ascending."""
    runs = {text[at : at + RUN] for at in range(max(1, len(text) - RUN + 1))}
    return b"".join(sorted(_hash(key, run)[:WIDTH] for run in runs)[:KEPT])


def alike(one: bytes, other: bytes) -> float:
    """Estimate the share of runs that two texts have in common, of all that either has: 0 to 1."""
    mine, theirs = _parts(one), _parts(other)
    if not mine or not theirs:
        return 0.0
    smallest = sorted(mine | theirs)[: min(KEPT, len(mine | theirs))]
    if len(mine) < KEPT and len(theirs) < KEPT:
        return len(mine & theirs) / len(mine | theirs)
    return sum(part in mine and part in theirs for part in smallest) / len(smallest)


def answers_mark(key: bytes, answers: Mapping[str, Any]) -> int:
    """Give the signed 64-bit mark of a set of answers, whatever their order."""
    told = "\n".join(f"{name}={answers[name]!r}" for name in sorted(answers))
    return _signed(_hash(key, f"answers:{told}")[:8])


def _parts(one: bytes) -> frozenset[bytes]:
    return frozenset(one[at : at + WIDTH] for at in range(0, len(one), WIDTH))


def _hash(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode("utf-8", "surrogatepass"), "sha256")


def _signed(eight: bytes) -> int:
    return int.from_bytes(eight, "big", signed=True)
