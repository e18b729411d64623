"""JPEGs that are damaged, hostile, old-fashioned, or hide something."""

import struct
from collections.abc import Callable
from itertools import pairwise

from PIL import Image, ImageCms

from tests.photos.builders import SECRET, encoded, exif, many_scans, phone_jpeg, scene, segment

Maker = Callable[[], bytes]
HTML = b"<!DOCTYPE html><script>alert(document.cookie)</script>"
PHP = b"<?php system($_GET['c']); ?>"
ZIP = b"PK\x03\x04\x14\0\0\0\0\0" + bytes(16) + b"\5\0\0\0a.txtHELLOPK\5\6" + bytes(18)


def plain(**options: object) -> bytes:
    return encoded(scene(160, 120), "JPEG", quality=80, **options)


def parts(data: bytes) -> list[tuple[int, bytes]]:
    """Segments of a JPEG: marker and everything from it to the next; the last is the scan with its end."""
    found, at = [], 2
    while data[at + 1] != 0xDA:
        after = at + 2 + int.from_bytes(data[at + 2 : at + 4])
        found.append((data[at + 1], data[at:after]))
        at = after
    return [*found, (0xDA, data[at:])]


def joined(segments: list[tuple[int, bytes]]) -> bytes:
    return b"\xff\xd8" + b"".join(part for _, part in segments)


def without(marker: int) -> bytes:
    return joined([part for part in parts(plain()) if part[0] != marker])


def doubled(marker: int) -> bytes:
    return joined([part for one in parts(plain()) for part in ([one, one] if one[0] == marker else [one])])


def replaced(marker: int, change: Callable[[bytes], bytes], data: bytes | None = None) -> bytes:
    """Change the bodies of one kind of segment."""
    made = []
    for number, part in parts(data or plain()):
        if number == marker == 0xDA:
            length = int.from_bytes(part[2:4])
            made.append((number, segment(marker, change(part[4 : 2 + length])) + part[2 + length :]))
        else:
            made.append((number, segment(marker, change(part[4:])) if number == marker else part))
    return joined(made)


def sized(width: int, height: int) -> bytes:
    return replaced(0xC0, lambda body: body[:1] + struct.pack(">HH", height, width) + body[5:])


def renamed_frame(marker: int, data: bytes | None = None) -> bytes:
    return joined(
        [
            (n, b"\xff" + bytes([marker]) + p[2:] if n in {0xC0, 0xC2} else p)
            for n, p in parts(data or plain())
        ]
    )


def with_segment(marker: int, *bodies: bytes) -> bytes:
    data = plain()
    return data[:2] + b"".join(segment(marker, body) for body in bodies) + data[2:]


def with_exif(block: bytes) -> bytes:
    return with_segment(0xE1, b"Exif\0\0" + block)


def directory(*entries: tuple[int, int, int, int], following: int = 0) -> bytes:
    return (
        struct.pack("<H", len(entries))
        + b"".join(struct.pack("<HHII", *entry) for entry in entries)
        + struct.pack("<I", following)
    )


def tiff(*entries: tuple[int, int, int, int], following: int = 0, more: bytes = b"") -> bytes:
    return b"II*\0\x08\0\0\0" + directory(*entries, following=following) + more


def profiles(*bodies: bytes) -> list[bytes]:
    return [b"ICC_PROFILE\0" + bytes([at + 1, len(bodies)]) + body for at, body in enumerate(bodies)]


def srgb() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def lying_profile() -> bytes:
    """Every tag says that it has four thousand million bytes."""
    data = bytearray(srgb())
    for at in range(132, 132 + 12 * struct.unpack_from(">I", data, 128)[0], 12):
        struct.pack_into(">II", data, at + 4, 0xFFFF_FF00, 0xFFFF_FFFF)
    return bytes(data)


def clut_profile() -> bytes:
    """A table of 255 points in each of 15 dimensions, as its header says."""
    table = (
        b"mft2"
        + bytes(4)
        + bytes([15, 3, 255, 0])
        + bytes(36)
        + struct.pack(">HH", 4096, 4096)
        + bytes(60_000)
    )
    header = bytearray(srgb()[:128])
    header[16:24] = b"RGB Lab "
    body = struct.pack(">I4sII", 1, b"A2B0", 144, len(table)) + table
    struct.pack_into(">I", header, 0, 128 + len(body))
    return bytes(header) + body


def extra_tables(count: int) -> bytes:
    return replaced(0xC4, lambda body: body * count)


CUTS = {
    f"cut-{number}-{where}": (lambda at=at: phone_jpeg()[:at])
    for number, (begin, end) in enumerate(
        pairwise([0, *(phone_jpeg().index(part) for _, part in parts(phone_jpeg()))])
    )
    for where, at in (("before", begin), ("in", begin + 3), ("short", end - 1))
}
FRAMES = {f"frame-{marker:x}": (lambda m=marker: renamed_frame(m)) for marker in range(0xC1, 0xD0)}
ODD_FRAMES: dict[str, Maker] = {
    "12-bit": lambda: replaced(0xC0, lambda body: b"\x0c" + body[1:]),
    "12-bit-extended": lambda: renamed_frame(0xC1, replaced(0xC0, lambda body: b"\x0c" + body[1:])),
    "16-bit": lambda: replaced(0xC0, lambda body: b"\x10" + body[1:]),
    "no-components": lambda: replaced(0xC0, lambda body: body[:5] + b"\0"),
    "255-components": lambda: replaced(0xC0, lambda body: body[:5] + b"\xff" + body[6:]),
    "components-cut": lambda: replaced(0xC0, lambda body: body[:8]),
    "sampling-0": lambda: replaced(0xC0, lambda body: body[:7] + b"\0" + body[8:]),
    "sampling-f": lambda: replaced(0xC0, lambda body: body[:7] + b"\xff" + body[8:]),
    "sampling-4x4": lambda: replaced(0xC0, lambda body: body[:7] + b"\x44" + body[8:]),
    "sampling-31": lambda: replaced(0xC0, lambda body: body[:7] + b"\x31" + body[8:]),
    "table-9": lambda: replaced(0xC0, lambda body: body[:8] + b"\x09" + body[9:]),
    "same-component": lambda: replaced(0xC0, lambda body: body[:9] + body[6:7] + body[10:]),
    "no-frame": lambda: without(0xC0),
    "two-frames": lambda: doubled(0xC0),
    "no-huffman": lambda: without(0xC4),
    "no-quantisation": lambda: without(0xDB),
    "zero-quantisation": lambda: replaced(0xDB, lambda body: body[:1] + bytes(64)),
    "quantisation-cut": lambda: replaced(0xDB, lambda body: body[:20]),
    "quantisation-15": lambda: replaced(0xDB, lambda body: b"\x0f" + body[1:]),
    "huffman-overflow": lambda: replaced(0xC4, lambda body: body[:1] + b"\xff" * 16 + body[17:]),
    "huffman-cut": lambda: replaced(0xC4, lambda body: body[:10]),
    "huffman-15": lambda: replaced(0xC4, lambda body: b"\x1f" + body[1:]),
    "huffman-many": lambda: extra_tables(50),
    "scan-0": lambda: replaced(0xDA, lambda body: b"\0" + body[1:]),
    "scan-4": lambda: replaced(0xDA, lambda body: b"\4" + body[1:]),
    "scan-unknown": lambda: replaced(0xDA, lambda body: body[:1] + b"\x77" + body[2:]),
    "scan-tables": lambda: replaced(0xDA, lambda body: body[:2] + b"\xff" + body[3:]),
    "scan-spectrum": lambda: replaced(0xDA, lambda body: body[:-3] + b"\x3f\0\xff"),
    "scan-cut": lambda: replaced(0xDA, lambda body: body[:3]),
    "restart-1": lambda: with_segment(0xDD, b"\0\1"),
    "restart-cut": lambda: with_segment(0xDD, b"\1"),
    "restart-max": lambda: with_segment(0xDD, b"\xff\xff"),
    "number-of-lines": lambda: sized(160, 0)[:-2] + segment(0xDC, b"\0\x78") + b"\xff\xd9",
    "only-one-scan-of-ten": lambda: (
        phone_jpeg(progressive=True).split(b"\xff\xda")[0]
        + b"\xff\xda"
        + phone_jpeg(progressive=True).split(b"\xff\xda")[1]
        + b"\xff\xd9"
    ),
    "scans-3000": lambda: many_scans(3000),
    "scans-3000-large": lambda: many_scans(3000, (4000, 3000)),
    "scans-100": lambda: many_scans(90, (1600, 1200)),
    "progressive-as-sequential": lambda: renamed_frame(0xC0, plain(progressive=True)),
    "two-beginnings": lambda: b"\xff\xd8" + plain(),
    "end-in-the-middle": lambda: plain()[:900] + b"\xff\xd9" + plain()[900:],
    "junk-between": lambda: plain()[:2] + b"\0\xffjunk" * 50 + plain()[2:],
    "fill": lambda: plain()[:2] + b"\xff" * 1_000_000 + plain()[2:],
    **{
        f"size-{w}x{h}": (lambda w=w, h=h: sized(w, h))
        for w, h in [(0, 0), (0, 9), (9, 0), (65535, 65535), (65535, 1), (1, 65535), (8192, 6144), (30000, 1)]
    },
}
METADATA: dict[str, Maker] = {
    "exif-empty": lambda: with_exif(b""),
    "exif-loop": lambda: with_exif(tiff((0x8769, 4, 1, 8), (0x8825, 4, 1, 8), following=8)),
    "exif-offset": lambda: with_exif(b"II*\0\xf0\xff\xff\xff" + bytes(40)),
    "exif-counts": lambda: with_exif(tiff(*[(tag, 5, 0xFFFF_FFFF, 8) for tag in range(2000)])),
    "exif-negative": lambda: with_exif(tiff((0x8769, 9, 1, 0xFFFF_FFFF), (0x112, 9, 1, 0xFFFF_FFFA))),
    "exif-gps-by-zero": lambda: with_exif(
        tiff(
            (0x8825, 4, 1, 26),
            more=directory((1, 2, 2, 0x4E), (2, 5, 3, 80), (3, 2, 2, 0x45), (4, 5, 3, 80)) + bytes(60),
        )
    ),
    "exif-big-endian-lie": lambda: with_exif(b"MM\0*" + tiff((0x112, 3, 1, 6))[4:]),
    "exif-bigtiff": lambda: with_exif(b"II+\0\x08\0\0\0" + bytes(64)),
    "exif-twice": lambda: with_segment(0xE1, exif(6), exif(3)),
    "exif-thumbnail": lambda: with_segment(0xE1, exif(1) + phone_jpeg()),
    **{
        f"orientation-{value}": (lambda v=value: with_exif(tiff((0x112, 3, 1, v))))
        for value in (0, 9, 255, 65535)
    },
    "app-64k": lambda: with_segment(0xE5, *[SECRET * 3640] * 180),
    "comments": lambda: with_segment(0xFE, *[HTML] * 3000),
    "xmp-extended": lambda: with_segment(0xE1, *[b"http://ns.adobe.com/xmp/extension/\0" + SECRET] * 100),
    "mpf-garbage": lambda: with_segment(0xE2, b"MPF\0II*\0\xff\xff\xff\x7f" + bytes(50)),
    "mpo": lambda: encoded(scene(), "MPO", save_all=True, append_images=[scene(), scene()]),
    "photoshop": lambda: with_segment(0xED, b"Photoshop 3.0\x008BIM" + b"\xff" * 60),
    "photoshop-zero": lambda: with_segment(0xED, b"Photoshop 3.0\x008BIM\x03\xed\0\0\0\0\0\x10" + bytes(16)),
    "jfif-density-0": lambda: replaced(0xE0, lambda _: b"JFIF\0\1\1\1\0\0\0\0\xff\xff"),
    "icc-garbage": lambda: with_segment(0xE2, *profiles(b"nonsense" * 1000)),
    "icc-255-parts": lambda: with_segment(0xE2, *profiles(*[bytes(65_000)] * 150)),
    "icc-lie": lambda: with_segment(0xE2, *profiles(lying_profile())),
    "icc-table": lambda: with_segment(0xE2, *profiles(clut_profile())),
    "icc-cut": lambda: with_segment(0xE2, *profiles(srgb()[:200])),
    "icc-other-space": lambda: with_segment(0xE2, *profiles(srgb().replace(b"RGB ", b"CMYK", 1))),
    **{
        f"adobe-{mode}-{transform}": (
            lambda m=mode, t=transform: encoded(scene(160, 120).convert(m), "JPEG").replace(
                b"\xff\xda", segment(0xEE, b"Adobe\0\x64\0\0\0\0" + bytes([t])) + b"\xff\xda"
            )
        )
        for mode in ("RGB", "CMYK", "L")
        for transform in (0, 1, 2, 9)
    },
}
POLYGLOTS: dict[str, Maker] = {
    "then-zip": lambda: plain() + ZIP,
    "then-html": lambda: plain() + HTML,
    "then-php": lambda: plain() + PHP,
    "then-film": lambda: plain() + b"\0\0\0\x18ftypmp42" + bytes(500_000),
    "comment-php": lambda: with_segment(0xFE, PHP),
    "comment-html": lambda: with_segment(0xFE, b"--><h1>" + HTML),
    "comment-js": lambda: b"\xff\xd8\xff\xe0\x2f\x2a" + bytes(0x2F28) + plain()[20:] + b"*/alert(1)//",
    "app-zip": lambda: with_segment(0xE9, ZIP),
    "before-end": lambda: plain()[:-2] + HTML + b"\xff\xd9",
}
GENUINE: dict[str, Maker] = {
    "phone": phone_jpeg,
    "progressive": lambda: phone_jpeg(progressive=True),
    "cmyk": lambda: encoded(scene().convert("CMYK"), "JPEG"),
    "gray": lambda: encoded(scene().convert("L"), "JPEG"),
    "restarts": lambda: plain(restart_marker_blocks=3),
    "1x1": lambda: encoded(Image.new("RGB", (1, 1)), "JPEG"),
    "30000x1": lambda: encoded(Image.new("RGB", (30000, 1)), "JPEG"),
    "1x30000": lambda: encoded(Image.new("RGB", (1, 30000)), "JPEG"),
    "arithmetic-claims-none": lambda: with_segment(0xE6, b"\xff\xd8\xff\xcc\xff\xda\xff\xd9"),
}
FILES: dict[str, Maker] = {**CUTS, **FRAMES, **ODD_FRAMES, **METADATA, **POLYGLOTS, **GENUINE}
TAKEN = {*METADATA, *POLYGLOTS, *GENUINE, "fill", "scans-100"} - {"comment-js"}
