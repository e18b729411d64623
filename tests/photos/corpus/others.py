"""What is no photo of a phone, under a photo's name."""

import struct
from collections.abc import Callable

from tests.photos.builders import NOT_PHOTOS, encoded, scene
from tests.photos.corpus.jpegs import HTML, tiff

Maker = Callable[[], bytes]


def kept(data: bytes) -> Maker:
    return lambda: data


FILES: dict[str, Maker] = {
    **{name: kept(data) for name, data in NOT_PHOTOS.items()},
    **{kind.lower(): (lambda k=kind: encoded(scene(64, 48), k)) for kind in ("ICO", "PPM", "TGA", "PCX", "DDS", "ICNS", "SGI", "PDF", "QOI")},
    "wmf": kept(b"\xd7\xcd\xc6\x9a\0\0" + bytes(100)),
    "emf": kept(struct.pack("<II", 1, 88) + bytes(32) + b" EMF" + bytes(100)),
    "psd": kept(b"8BPS\0\1" + bytes(6) + struct.pack(">HIIHH", 3, 30000, 30000, 8, 3) + bytes(40)),
    "xbm": kept(b"#define a_width 9999999\n#define a_height 9999999\nstatic char a[] = {"),
    "eps-postscript": kept(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(/etc/passwd) (r) file\n"),
    "tiff-loop": kept(tiff((256, 4, 1, 9), following=8)),
    "tiff-bomb": kept(tiff((256, 4, 1, 0xFFFF), (257, 4, 1, 0xFFFF), (258, 3, 1, 8), (259, 3, 1, 1), (273, 4, 1, 8))),
    "svg-with-mark": kept(b"\xef\xbb\xbf<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>"),
    "html-with-jpeg": lambda: HTML + encoded(scene(64, 48), "JPEG"),
    "zeros": kept(bytes(1000)),
    "script": kept(b"#!/bin/sh\nrm -rf /\n"),
    "quicktime": kept(b"\0\0\0\x14ftypqt  \0\0\0\0qt  " + bytes(100)),
    "avif-sequence": kept(b"\0\0\0\x1cftypavis\0\0\0\0avifmif1" + bytes(100)),
    "jxl": kept(b"\xff\x0a" + bytes(100)),
    "jpeg-one-byte-short": kept(b"\xff\xd8"),
}  # fmt: skip
TAKEN: set[str] = set()
