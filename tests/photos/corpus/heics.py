"""HEICs as iPhones build them, and HEICs whose boxes lie."""

import struct
from collections.abc import Callable

from tests.photos.builders import encoded, exif, heic, scene
from tests.photos.corpus.jpegs import HTML, ZIP, directory, tiff
from tests.photos.heif_boxes import (
    AUXILIARY,
    Coded,
    Item,
    box,
    boxes,
    exif_item,
    find,
    full,
    grid,
    grid_file,
    heif,
    mirror,
    picture,
    size_box,
    tile,
    turn,
)

Maker = Callable[[], bytes]


def one(*more: bytes) -> bytes:
    return heif([picture(1, tile(), *more)])


def with_properties(*properties: bytes) -> bytes:
    coded = tile()
    return heif([Item(1, b"hvc1", coded.data, (box(b"hvcC", coded.configuration), *properties))])


def lie(width: int, height: int) -> bytes:
    return with_properties(size_box(width, height))


def tiled(links: list[int], *, rows: int = 2, columns: int = 2, size: tuple[int, int] = (640, 480)) -> bytes:
    """A grid whose tiles are the items named, of which 2 and 3 are pictures."""
    whole = grid(1, rows, columns, *size)
    return heif(
        [whole, picture(2, tile(), hidden=True), picture(3, tile(), hidden=True)], links=[(b"dimg", 1, links)]
    )


def exif_file(block: bytes) -> bytes:
    return heif([picture(1, tile()), exif_item(2, block)], links=[(b"cdsc", 2, [1])])


def renamed(name: bytes, other: bytes) -> bytes:
    return one().replace(name, other, 1)


def resized(*path: bytes, size: int) -> bytes:
    """Make one box say that it has another size."""
    data = one()
    begin, _ = find(data, *path)
    return data[: begin - 8] + struct.pack(">I", size) + data[begin - 4 :]


def poked_configuration(at: int, value: bytes) -> bytes:
    coded = tile()
    changed = coded.configuration[:at] + value + coded.configuration[at + len(value) :]
    return heif([picture(1, Coded(coded.width, coded.height, changed, coded.data))])


def poked_data(at: int) -> bytes:
    coded = tile()
    data = (
        coded.data[:at]
        + bytes((byte * 31 + 17) % 256 for byte in coded.data[at : at + 8])
        + coded.data[at + 8 :]
    )
    return heif([picture(1, Coded(coded.width, coded.height, coded.configuration, data))])


def cuts() -> list[int]:
    data = one()
    begin, end = find(data, b"meta")
    inner = [at for _, a, b in boxes(data, begin + 4, end) for at in (a - 4, a, a + 2, b)]
    return sorted({12, 20, *inner, *(b - 1 for _, _, b in boxes(data)), len(data) * 3 // 4})


DEEP = b""
for _ in range(2000):
    DEEP = box(b"meta", DEEP[:60_000])
PATHS = [(b"meta",), (b"meta", b"iloc"), (b"meta", b"iprp"), (b"meta", b"iprp", b"ipco"), (b"meta", b"iprp", b"ipco", b"hvcC"), (b"mdat",)]  # fmt: skip
BROKEN: dict[str, Maker] = {
    **{f"cut-{at}": (lambda a=at: one()[:a]) for at in cuts()},
    **{
        f"size-{b'-'.join(path).decode()}-{size:x}": (lambda p=path, s=size: resized(*p, size=s))
        for path in PATHS
        for size in (0, 1, 7, 0x7FFF_FFFF, 0xFFFF_FFFF)
    },
    **{f"location-{shift:x}": (lambda s=shift: heif([picture(1, tile())], shift=s)) for shift in (9, 1 << 20, 0x7FFF_0000, 0xFFFF_0000)},
    **{f"length-{length:x}": (lambda x=length: heif([picture(1, tile())], length_of={1: x})) for length in (0, 1, 5, 1 << 20, 0xFFFF_FFFF)},
    **{f"says-{w}x{h}": (lambda w=w, h=h: lie(w, h)) for w, h in [(0, 0), (1, 1), (0xFFFF_FFFF, 0xFFFF_FFFF), (65535, 65535), (8192, 6144), (30000, 1)]},
    **{f"configuration-{at}": (lambda a=at: poked_configuration(a, b"\xff\xff\xff")) for at in range(0, 110, 3)},
    **{f"data-{at}": (lambda a=at: poked_data(a)) for at in (0, 4, 8, 40, 400, 2000)},
    "film-without-one": lambda: heif([picture(1, tile())], brands=b"mif1\0\0\0\0mif1heicmsf1"),
    "no-configuration": lambda: heif([Item(1, b"hvc1", tile().data, (size_box(320, 240),))]),
    "empty-configuration": lambda: heif([Item(1, b"hvc1", tile().data, (box(b"hvcC"), size_box(320, 240)))]),
    "no-size": with_properties,
    "no-primary": lambda: heif([picture(1, tile())], primary=77),
    "primary-is-exif": lambda: heif([picture(1, tile()), exif_item(2, exif(6))], primary=2),
    "no-items": lambda: heif([]),
    "grid-to-itself": lambda: tiled([1, 1, 1, 1]),
    "grid-to-nobody": lambda: tiled([70, 71, 72, 73]),
    "grid-of-few": lambda: tiled([2, 3]),
    "grid-256x256": lambda: tiled([2, 3], rows=256, columns=256, size=(81920, 61440)),
    "grid-65535": lambda: tiled([2, 3, 2, 3], size=(65535, 65535)),
    "grid-large": lambda: tiled([2, 3, 2, 3], size=(8192, 6144)),
    "grid-0": lambda: tiled([2, 3, 2, 3], size=(0, 0)),
    "grids-in-a-ring": lambda: heif(
        [grid(1, 1, 1, 640, 480), grid(2, 1, 1, 640, 480)], links=[(b"dimg", 1, [2]), (b"dimg", 2, [1])]
    ),
    "identity-ring": lambda: heif(
        [Item(1, b"iden", b"", (size_box(9, 9),)), Item(2, b"iden", b"", (size_box(9, 9),))],
        links=[(b"dimg", 1, [2]), (b"dimg", 2, [1])],
    ),
    "overlay-huge": lambda: heif(
        [Item(1, b"iovl", b"\0\1" + bytes(8) + b"\xff" * 16, (size_box(9000, 9000),)), picture(2, tile())], links=[(b"dimg", 1, [2])]
    ),
    "property-unknown": lambda: one().replace(b"ipma", b"ipmz"),
    "property-index": lambda: one().replace(b"\x81\x82", b"\xff\xfe"),
    "clap-by-zero": lambda: one(box(b"clap", bytes(32))),
    "clap-huge": lambda: one(box(b"clap", struct.pack(">8I", 0x7FFF_FFFF, 1, 0x7FFF_FFFF, 1, 0, 1, 0, 1))),
    "deep": lambda: box(b"ftyp", b"heic\0\0\0\0mif1heic") + DEEP,
    "av1-called-heic": lambda: encoded(scene(), "AVIF").replace(b"avif", b"heic", 1),
    "jpeg-inside": lambda: heif([Item(1, b"jpeg", encoded(scene(), "JPEG"), (size_box(320, 240),))]),
    "unknown-codec": lambda: heif([Item(1, b"vvc1", tile().data, (size_box(320, 240),))]),
    "film": lambda: b"\0\0\0\x18ftyphevc\0\0\0\0msf1hevc" + box(b"moov", bytes(500)),
}  # fmt: skip
GENUINE: dict[str, Maker] = {
    "phone": lambda: heic(exif=exif(6)),
    "built": one,
    "grid": lambda: grid_file(tile(), 2, 3, exif=exif(6)),
    "grid-shared-tiles": lambda: tiled([2, 3, 2, 3]),
    "grid-cropped": lambda: tiled([2, 3, 2, 3], size=(600, 450)),
    "turned-and-mirrored": lambda: one(turn(1), mirror(1)),
    "exif-both": lambda: heif([picture(1, tile(), turn(3)), exif_item(2, exif(6))], links=[(b"cdsc", 2, [1])]),
    "several": lambda: heif([picture(at, tile()) for at in range(1, 6)], primary=3),
    "thumbnail": lambda: heif([picture(1, tile()), picture(2, tile(30), hidden=True)], links=[(b"thmb", 2, [1])]),
    "depth": lambda: heif([picture(1, tile()), picture(2, tile(30), full(b"auxC", AUXILIARY), hidden=True)], links=[(b"auxl", 2, [1])]),
    "alpha": lambda: encoded(scene().convert("RGBA"), "HEIF", quality=70),
    "aspect-0": lambda: one(box(b"pasp", bytes(8))),
    "many-items": lambda: heif([picture(1, tile()), *[exif_item(at, b"") for at in range(2, 900)]]),
    "exif-garbage": lambda: exif_file(b"Exif\0\0II*\0" + b"\xff" * 200),
    "exif-loop": lambda: exif_file(b"Exif\0\0" + tiff((0x8769, 4, 1, 8), (0x8825, 4, 1, 8), following=8)),
    "exif-nested": lambda: exif_file(b"Exif\0\0" + tiff((0x8769, 4, 1, 26), more=directory((0xA005, 4, 1, 8)))),
    "then-zip": lambda: one() + box(b"free", ZIP),
    "then-html": lambda: one() + box(b"free", HTML),
}  # fmt: skip
FILES: dict[str, Maker] = {**BROKEN, **GENUINE}
TAKEN = {*GENUINE}
