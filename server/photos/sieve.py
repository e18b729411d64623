"""Which of thousands of hashes differ in few bits from one of some: counted in hundreds of them at once.

Asking pair by pair costs a tenth of a microsecond each, which for thousands of candidates and thirty hashes is more than
all else that is done for a photo. Here hashes stand side by side in one whole number, 64 bits each.
"""

import struct
from collections.abc import Sequence

LANE = 8
"""Bytes of a hash."""
AT_ONCE = 500
"""Hashes in one number; more no longer fit the processor's nearest memory."""


def near(asked: Sequence[int], hashes: Sequence[int], most_bits: int) -> list[int]:
    """Give the places of those `hashes` (unsigned, 64 bits) that differ from one of `asked` in at most so many bits."""
    return [
        start + place
        for start in range(0, len(hashes), AT_ONCE)
        for place in _near(asked, hashes[start : start + AT_ONCE], most_bits)
    ]


def _near(asked: Sequence[int], hashes: Sequence[int], most_bits: int) -> list[int]:
    count = len(hashes)
    each = int.from_bytes(b"\1\0\0\0\0\0\0\0" * count, "little")
    odd, pairs, halves = (
        int.from_bytes(bytes([one]) * (LANE * count), "little") for one in (0x55, 0x33, 0x0F)
    )
    lowest, far, rest = 0xFF * each, 0x80 * each, (0x7F - most_bits) * each
    packed = int.from_bytes(struct.pack(f"<{count}Q", *hashes), "little")
    for one in asked:
        bits = packed ^ one * each
        bits -= bits >> 1 & odd
        bits = (bits & pairs) + (bits >> 2 & pairs)
        bits = bits + (bits >> 4) & halves
        # The lowest byte of each hash gathers the others; what a neighbour leaves in the higher ones is not read.
        bits += bits >> 8
        bits += bits >> 16
        bits += bits >> 32
        far &= (bits & lowest) + rest
    told = far.to_bytes(LANE * count, "little")[::LANE]
    return [place for place, one in enumerate(told) if not one]
