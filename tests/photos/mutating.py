"""Damages seeds at random, in a child process that works until its time is up; the same number damages the same way."""

import random
import resource
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from server.errors import Refusal
from server.photos.imaging import examine, render_all
from server.photos.intake_limits import PhotoLimits
from tests.photos.builders import animated, encoded, exif, heic, scene
from tests.photos.corpus import webps
from tests.photos.heif_boxes import grid_file, tile

LIMITS = PhotoLimits()
LONGEST = 2.0
NUMBERS = [
    b"\0",
    b"\xff",
    b"\x7f",
    b"\x80",
    b"\0\0",
    b"\xff\xff",
    b"\x7f\xff\xff\xff",
    b"\xff\xff\xff\xff",
    b"\0\0\0\1",
]


def seeds() -> list[bytes]:
    small, gray = scene(96, 72), scene(96, 72).convert("L")
    return [
        encoded(small, "JPEG", exif=exif(6)),
        encoded(small, "JPEG", progressive=True, subsampling=0),
        encoded(small.convert("CMYK"), "JPEG", restart_marker_blocks=3),
        encoded(gray, "JPEG", optimize=True),
        encoded(small, "PNG", exif=exif(3)),
        encoded(small.quantize(16), "PNG", transparency=3),
        animated("PNG"),
        encoded(small, "WEBP", exif=exif(8), method=0),
        encoded(small, "WEBP", lossless=True, method=0),
        webps.FILES["alpha"](),
        webps.FILES["animated-lossless"]()[:20_000],
        heic(small, exif=exif(6)),
        grid_file(tile(10), 1, 2),
    ]


def harmed(data: bytes, chance: random.Random, other: bytes) -> bytes:
    """Do one to eight harms: turned bits, odd numbers, blocks lost, doubled, moved, or taken from another file."""
    work = bytearray(data)
    for _ in range(chance.randint(1, 8)):
        # Headers matter more than pixels.
        at = chance.randrange(min(len(work), chance.choice([64, 700, len(work)])) or 1)
        size = chance.choice([1, 2, 4, 16, 200])
        match chance.randrange(7):
            case 0:
                work[at : at + 1] = bytes([chance.randrange(256)])
            case 1:
                number = chance.choice(NUMBERS)
                work[at : at + len(number)] = number
            case 2:
                del work[at : at + size]
            case 3:
                work[at:at] = work[at : at + size]
            case 4:
                begin = chance.randrange(len(other))
                work[at : at + size] = other[begin : begin + size]
            case 5:
                work[at:at] = chance.randbytes(size)
            case _:
                work = work[: max(at, 12)] if chance.random() < 0.2 else work
        work = work or bytearray(b"\0")
    return bytes(work)


def mutants(number: int) -> Iterator[tuple[int, bytes]]:
    pool = seeds()
    while True:
        chance = random.Random(number)
        yield number, harmed(chance.choice(pool), chance, chance.choice(pool))
        number += 1


def ended(data: bytes) -> str:
    try:
        examine(data, limits=LIMITS)
        render_all(data, (1600, 320), limits=LIMITS)
    except Refusal as refusal:
        return refusal.code()
    return "taken"


def main(first: int, seconds: float, diary: Path) -> None:
    """Damage and try until `seconds` are over; a file that takes too long ends the process, as a crash does.

    The diary holds the number of the file in hand.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
    until, counts, slowest = time.monotonic() + seconds, Counter[str](), 0.0
    for number, data in mutants(first):
        diary.write_text(str(number), encoding="ascii")
        signal.alarm(60)
        began = time.process_time()
        counts[ended(data)] += 1
        slowest = max(slowest, time.process_time() - began)
        if slowest > 2 * LONGEST:
            raise SystemExit(f"number {number} took {slowest:.1f} s")
        if time.monotonic() > until:
            break
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    told = " ".join(f"{name}={count}" for name, count in sorted(counts.items()))
    sys.stdout.write(f"files={counts.total()} {told} slowest={slowest:.2f}s peak={peak}MB\n")


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]), Path(sys.argv[3]))
