"""PNGs that are damaged, hostile, or use every corner of the format."""

import struct
import zlib
from collections.abc import Callable, Iterator

from PIL import Image

from tests.photos.builders import (
    animated,
    chunk,
    encoded,
    exif,
    plain_png,
    png_with_text,
    scene,
    sixteen_bit_png,
    text_bomb_png,
)
from tests.photos.corpus.jpegs import HTML, PHP, ZIP, lying_profile

Maker = Callable[[], bytes]
MAGIC = b"\x89PNG\r\n\x1a\n"
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
LEGAL = {(0, 1), (0, 2), (0, 4), (0, 8), (0, 16), (2, 8), (2, 16), (3, 1), (3, 2), (3, 4), (3, 8)} | {
    (kind, depth) for kind in (4, 6) for depth in (8, 16)
}
ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
PALETTE = chunk(b"PLTE", bytes(range(256)) * 3)


def chunks(data: bytes) -> Iterator[tuple[int, int]]:
    """Where each chunk begins and ends."""
    at = 8
    while at < len(data):
        end = at + 12 + int.from_bytes(data[at : at + 4])
        yield at, end
        at = end


def rows(width: int, height: int, depth: int, color: int, filtering: int = 0) -> bytes:
    row = (width * depth * CHANNELS.get(color, 1) + 7) // 8
    return (
        (bytes([filtering]) + bytes(at * 7 % 256 for at in range(row))) * height if width and height else b""
    )


def matrix(color: int, depth: int, interlace: int = 0, filtering: int = 0, extra: bytes = b"") -> bytes:
    palette = PALETTE[: 8 + 3 * 2 ** min(depth, 8)]
    palette = chunk(b"PLTE", palette[8:]) if color == 3 else b""
    pixels = b"".join(
        rows(-(-(40 - x) // across), -(-(30 - y) // down), depth, color, filtering)
        for x, y, across, down in (ADAM7 if interlace else [(0, 0, 1, 1)])
    )
    return plain_png(40, 30, depth, color, pixels, extra=palette + extra, interlace=interlace)


def with_chunk(name: bytes, body: bytes, *, data: bytes | None = None) -> bytes:
    plain = data or matrix(2, 8)
    return plain[:33] + chunk(name, body) + plain[33:]


def damaged(number: int, change: Callable[[bytes], bytes]) -> bytes:
    data = png_with_text(scene(64, 48), exif=exif(6))
    begin, end = list(chunks(data))[number]
    return data[:begin] + change(data[begin:end]) + data[end:]


def pixels_of(body: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", 40, 30, 8, 2, 0, 0, 0)
    return MAGIC + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


BOMB = zlib.compress(bytes(200_000_000), 9)
NUMBERS = range(len(list(chunks(png_with_text(scene(64, 48), exif=exif(6))))))
BROKEN: dict[str, Maker] = {
    **{f"cut-{n}": (lambda n=n: damaged(n, lambda part: part[:-3])[: 60 + 40 * n]) for n in NUMBERS},
    **{f"lost-{n}": (lambda n=n: damaged(n, lambda _: b"")) for n in NUMBERS},
    **{f"sum-{n}": (lambda n=n: damaged(n, lambda part: part[:-1] + b"\0")) for n in NUMBERS},
    **{
        f"length-{length:x}-{n}": (lambda n=n, x=length: damaged(n, lambda part: struct.pack(">I", x) + part[4:]))
        for n in NUMBERS
        for length in (0, 0x7FFF_FFFF, 0xFFFF_FFFF, 0xFFFF_FFF4)
    },
    **{
        f"size-{w}x{h}": (lambda w=w, h=h: plain_png(w, h, 8, 2, b"\0" * 1000))
        for w, h in [(0, 0), (1, 0), (2**31 - 1, 2**31 - 1), (2**32 - 1, 1), (50_000_000, 1), (1, 50_000_000), (65535, 1), (8192, 6144)]
    },
    **{
        f"illegal-{color}-{depth}": (lambda c=color, d=depth: matrix(c, d))
        for color in range(8)
        for depth in (0, 1, 2, 3, 4, 8, 16, 32)
        if (color, depth) not in LEGAL
    },
    "filter-5": lambda: matrix(2, 8, filtering=5),
    "filter-255": lambda: matrix(2, 8, filtering=255),
    "pixels-bomb": lambda: pixels_of(BOMB),
    "pixels-garbage": lambda: pixels_of(b"garbage" * 100),
    "pixels-empty": lambda: pixels_of(b""),
    "pixels-short": lambda: pixels_of(zlib.compress(bytes(200))),
    "pixels-sum": lambda: pixels_of(zlib.compress(rows(40, 30, 8, 2))[:-2] + b"\0\0"),
    "pixels-dictionary": lambda: pixels_of(b"\x78\xbb\0\0\0\1" + bytes(50)),
    "two-headers": lambda: matrix(2, 8)[:33] + matrix(2, 8)[8:],
    "no-palette": lambda: matrix(3, 8).replace(PALETTE, b""),
    "palette-257": lambda: matrix(3, 8).replace(PALETTE, chunk(b"PLTE", bytes(771))),
    "palette-cut": lambda: matrix(3, 8).replace(PALETTE, chunk(b"PLTE", bytes(7))),
    "palette-small": lambda: matrix(3, 8).replace(PALETTE, chunk(b"PLTE", bytes(3))),
    "transparency-long": lambda: matrix(3, 8, extra=chunk(b"tRNS", bytes(1000))),
    "transparency-empty": lambda: matrix(2, 8, extra=chunk(b"tRNS", b"")),
    "transparency-on-alpha": lambda: matrix(6, 8, extra=chunk(b"tRNS", bytes(6))),
    "apple": lambda: MAGIC + chunk(b"CgBI", b"\x50\0\x20\x02") + matrix(2, 8)[8:],
    "interlace-7": lambda: matrix(2, 8)[:28] + b"\x07" + matrix(2, 8)[29:],
    "empty-pixels-many": lambda: with_chunk(b"IDAT", b"") [:33] + chunk(b"IDAT", b"") * 15_000 + matrix(2, 8)[33:],
    "header-first-not": lambda: MAGIC + chunk(b"tEXt", b"a\0b") + matrix(2, 8)[8:],
    "animation-without-picture": lambda: with_chunk(b"acTL", bytes(8)).replace(b"IDAT", b"fdAT"),
}  # fmt: skip
GENUINE: dict[str, Maker] = {
    **{
        f"legal-{color}-{depth}-{interlace}": (lambda c=color, d=depth, i=interlace: matrix(c, d, i))
        for color, depth in sorted(LEGAL)
        for interlace in (0, 1)
    },
    **{f"filter-{n}": (lambda n=n: matrix(6, 16, 1, n)) for n in (1, 2, 3, 4)},
    "palette-transparent": lambda: matrix(3, 8, extra=chunk(b"tRNS", bytes(range(256)))),
    "gray-transparent": lambda: matrix(0, 16, extra=chunk(b"tRNS", b"\0\7")),
    "rgb-transparent": lambda: matrix(2, 16, extra=chunk(b"tRNS", bytes(6))),
    "text-bomb": text_bomb_png,
    "profile-bomb": lambda: with_chunk(b"iCCP", b"x\0\0" + BOMB),
    "profile-lie": lambda: with_chunk(b"iCCP", b"x\0\0" + zlib.compress(lying_profile())),
    "text-international-bomb": lambda: with_chunk(b"iTXt", b"k\0\1\0\0\0" + BOMB),
    "text-html": lambda: with_chunk(b"tEXt", b"Comment\0" + HTML),
    "text-many": lambda: with_chunk(b"tEXt", b"", data=None)[:33] + chunk(b"tEXt", b"k\0v") * 15_000 + matrix(2, 8)[33:],
    "physical-0": lambda: with_chunk(b"pHYs", bytes(9)),
    "gamma-0": lambda: with_chunk(b"gAMA", bytes(4)),
    "chromaticities": lambda: with_chunk(b"cHRM", b"\xff" * 32),
    "exif-garbage": lambda: with_chunk(b"eXIf", b"MM\0*" + b"\xff" * 500),
    "exif-large": lambda: with_chunk(b"eXIf", b"II*\0\x08\0\0\0" + bytes(5_000_000)),
    "animated": lambda: animated("PNG"),
    "animation-4-billion": lambda: with_chunk(b"acTL", b"\xff" * 8),
    "animation-frame": lambda: with_chunk(b"fcTL", b"\xff" * 26),
    "unknown": lambda: with_chunk(b"zzZz", PHP * 100),
    "sixteen-bit": sixteen_bit_png,
    "then-zip": lambda: matrix(2, 8) + ZIP,
    "then-html": lambda: matrix(2, 8) + HTML,
    "then-php": lambda: matrix(2, 8) + PHP,
    "1x1": lambda: encoded(Image.new("RGB", (1, 1)), "PNG"),
    "1x30000": lambda: encoded(Image.new("RGB", (1, 30_000)), "PNG"),
    "1-bit-large": lambda: encoded(Image.new("1", (8192, 6144)), "PNG", compress_level=1),
}  # fmt: skip
FILES: dict[str, Maker] = {**BROKEN, **GENUINE}
TAKEN = {*GENUINE}
