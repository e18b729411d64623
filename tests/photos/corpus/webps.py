"""WebPs that are damaged, hostile, animated, or say one thing and hold another."""

import struct
from collections.abc import Callable
from functools import cache

from PIL import Image

from tests.photos.builders import SECRET, animated, encoded, exif, scene
from tests.photos.corpus.jpegs import HTML, PHP, ZIP, lying_profile, srgb

Maker = Callable[[], bytes]


def part(name: bytes, body: bytes, length: int | None = None) -> bytes:
    said = len(body) if length is None else length
    return name + struct.pack("<I", said) + body + b"\0" * (len(body) & 1)


def riff(*parts: bytes, length: int | None = None) -> bytes:
    body = b"WEBP" + b"".join(parts)
    return b"RIFF" + struct.pack("<I", len(body) if length is None else length) + body


def canvas(width: int, height: int, flags: int = 0) -> bytes:
    sides = b"".join(((side - 1) & 0xFF_FFFF).to_bytes(3, "little") for side in (width, height))
    return part(b"VP8X", bytes([flags, 0, 0, 0]) + sides)


@cache
def coded(*, lossless: bool = False) -> bytes:
    """The body of the VP8 or VP8L chunk of an image."""
    data = encoded(scene(160, 120), "WEBP", lossless=lossless, method=0)
    return data[20 : 20 + struct.unpack_from("<I", data, 16)[0]]


def frame(body: bytes, width: int = 160, height: int = 120, at: tuple[int, int] = (0, 0)) -> bytes:
    numbers = (at[0] // 2, at[1] // 2, width - 1, height - 1, 100)
    return part(b"ANMF", b"".join(number.to_bytes(3, "little") for number in numbers) + b"\0" + body)


def alpha_parts() -> list[bytes]:
    image = scene(160, 120).convert("RGBA")
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    data = encoded(image, "WEBP")
    found, at = [], 12
    while at < len(data):
        end = at + 8 + struct.unpack_from("<I", data, at + 4)[0]
        found.append(data[at : end + (end & 1)])
        at = end + (end & 1)
    return found


def lossy() -> bytes:
    return part(b"VP8 ", coded())


def lossless() -> bytes:
    return part(b"VP8L", coded(lossless=True))


def header(width: int, height: int) -> bytes:
    """A lossless stream of any size that holds one colour in a few bytes: its codes have a single symbol each."""
    bits, length = 0, 0
    simple = [(1, 1), (0, 1), (0, 1), (7, 8)]  # simple code, one symbol, of eight bits: 7
    fields = [(width - 1, 14), (height - 1, 14), (0, 1), (0, 3), (0, 1), (0, 1), (0, 1)]
    for value, size in [
        *fields,
        *simple[:1],
        (0, 1),
        (1, 1),
        (7, 8),
        *([(1, 1), (0, 1), (1, 1), (7, 8)] * 3),
    ]:
        bits |= value << length
        length += size
    bits |= 1 << length | 0 << (length + 1)  # the distance code: simple, one symbol, of one bit
    return b"\x2f" + bits.to_bytes((length + 16) // 8, "little") + bytes(64)


def poked(body: bytes, at: int, value: bytes) -> bytes:
    return body[:at] + value + body[at + len(value) :]


BROKEN: dict[str, Maker] = {
    **{
        f"cut-{kind}-{at}": (lambda k=kind, a=at: riff(part(b"VP8 " if k == "lossy" else b"VP8L", coded(lossless=k == "lossless")[:a])))
        for kind in ("lossy", "lossless")
        for at in (0, 1, 5, 9, 10, 11, 30, 200, 600)
    },
    **{f"riff-{length:x}": (lambda x=length: riff(lossy(), length=x)) for length in (0, 3, 4, 12, 0xFFFF_FFFF, 0xFFFF_FFF6)},
    **{
        f"chunk-{length:x}": (lambda x=length: riff(part(b"VP8 ", coded(), length=x)))
        for length in (0, 9, 0x7FFF_FFFF, 0xFFFF_FFFF)
    },
    "canvas-cut": lambda: riff(b"VP8X\x0a\0\0\0\x10\0\0", length=15),
    "canvas-short": lambda: riff(part(b"VP8X", b"\0\0"), lossy()),
    "canvas-huge": lambda: riff(canvas(1 << 24, 1 << 24), lossy()),
    "canvas-other": lambda: riff(canvas(161, 120), lossy()),
    "canvas-alone": lambda: riff(canvas(160, 120)),
    "animated-huge": lambda: riff(canvas(1 << 24, 1 << 24, 2), part(b"ANIM", bytes(6)), frame(lossy(), 1 << 24, 1 << 24)),
    "animated-cut": lambda: riff(canvas(160, 120, 2), part(b"ANIM", bytes(6)), part(b"ANMF", bytes(9))),
    "animated-hollow": lambda: riff(canvas(160, 120, 2), part(b"ANIM", bytes(6)), frame(b"")),
    "animated-nested": lambda: riff(canvas(160, 120, 2), part(b"ANIM", bytes(6)), frame(frame(lossy()))),
    "animated-other-size": lambda: riff(canvas(160, 120, 2), part(b"ANIM", bytes(6)), frame(lossy(), 161, 120)),
    "empty": riff,
    "metadata-only": lambda: riff(canvas(160, 120, 8), part(b"EXIF", exif(6))),
    "lossy-size-0": lambda: riff(part(b"VP8 ", poked(coded(), 6, bytes(4)))),
    "lossy-size-16383": lambda: riff(part(b"VP8 ", poked(coded(), 6, b"\xff\x3f\xff\x3f"))),
    "lossy-scaling": lambda: riff(part(b"VP8 ", poked(coded(), 6, b"\xa0\xc0\x78\xc0"))),
    "lossy-no-key": lambda: riff(part(b"VP8 ", poked(coded(), 0, bytes([coded()[0] | 1])))),
    "lossy-partition": lambda: riff(part(b"VP8 ", poked(coded(), 1, b"\xff\xff"))),
    "lossless-signature": lambda: riff(part(b"VP8L", poked(coded(lossless=True), 0, b"\x2e"))),
    "lossless-version": lambda: riff(part(b"VP8L", poked(coded(lossless=True), 4, b"\xff"))),
    "lossless-huge": lambda: riff(part(b"VP8L", header(16384, 16384))),
    **{
        f"lossless-codes-{n}": (lambda n=n: riff(part(b"VP8L", poked(coded(lossless=True), 5 + n, bytes([(n * 37 + 91) % 256] * 4)))))
        for n in range(40)
    },
    "alpha-garbage": lambda: riff(alpha_parts()[0], part(b"ALPH", b"\x01" + b"\xff" * 90), alpha_parts()[2]),
    "alpha-short": lambda: riff(alpha_parts()[0], part(b"ALPH", b"\0" * 10), alpha_parts()[2]),
    "chunks-many": lambda: riff(lossy(), part(b"zzzz", b"") * 100_000),
}  # fmt: skip
GENUINE: dict[str, Maker] = {
    "lossy": lambda: riff(lossy()),
    "lossless": lambda: riff(lossless()),
    "alpha": lambda: riff(*alpha_parts()),
    "alpha-lossless": lambda: encoded(scene(160, 120).convert("RGBA"), "WEBP", lossless=True),
    "exif-xmp-icc": lambda: encoded(
        scene(160, 120), "WEBP", exif=exif(6), xmp=SECRET * 100, icc_profile=srgb()
    ),
    "icc-lie": lambda: encoded(scene(160, 120), "WEBP", icc_profile=lying_profile()),
    "exif-garbage": lambda: riff(canvas(160, 120, 8), lossy(), part(b"EXIF", b"II*\0" + b"\xff" * 500)),
    "animated": lambda: animated("WEBP"),
    "animated-lossless": lambda: riff(
        canvas(160, 120, 2), part(b"ANIM", bytes(6)), *[frame(lossless())] * 500
    ),
    "animated-corner": lambda: riff(
        canvas(4000, 4000, 2), part(b"ANIM", bytes(6)), frame(lossy(), at=(3000, 3000))
    ),
    "both": lambda: riff(lossy(), lossless()),
    "twice": lambda: riff(lossy(), part(b"VP8 ", b"other")),
    "unknown": lambda: riff(lossy(), part(b"zzzz", PHP * 100)),
    "then-zip": lambda: riff(lossy()) + ZIP,
    "then-html": lambda: riff(lossy()) + HTML,
    "1x1": lambda: encoded(Image.new("RGB", (1, 1)), "WEBP"),
    "1x16383": lambda: encoded(Image.new("RGB", (1, 16383)), "WEBP", lossless=True),
    "16383x1": lambda: encoded(Image.new("RGBA", (16383, 1)), "WEBP"),
    "bomb": lambda: riff(part(b"VP8L", header(8192, 6144))),
}
FILES: dict[str, Maker] = {**BROKEN, **GENUINE}
TAKEN = {*GENUINE}
