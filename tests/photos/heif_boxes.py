"""Builds HEIC files box by box, as phones lay them out and as attackers would: grids, turns, several images, lies."""

import struct
from dataclasses import dataclass
from functools import cache

from PIL import Image

from tests.photos.builders import encoded, scene

AUXILIARY = b"urn:mpeg:hevc:2015:auxid:1\0"


def box(name: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I", 8 + len(body)) + name + body


def full(name: bytes, *parts: bytes, version: int = 0, flags: int = 0) -> bytes:
    return box(name, struct.pack(">I", version << 24 | flags), *parts)


def boxes(data: bytes, start: int = 0, end: int | None = None) -> list[tuple[bytes, int, int]]:
    """Name, begin and end of each box's body."""
    found, at, stop = [], start, len(data) if end is None else end
    while at + 8 <= stop:
        size = int.from_bytes(data[at : at + 4])
        found.append((data[at + 4 : at + 8], at + 8, at + size))
        at += size
    return found


def find(data: bytes, *path: bytes) -> tuple[int, int]:
    """Begin and end of the body of the first box at a path such as meta, iprp, ipco, hvcC."""
    start, end = 0, len(data)
    for name in path:
        begin, end = next((a, b) for found, a, b in boxes(data, start, end) if found == name)
        start = begin + 4 * (name == b"meta")
    return begin, end


@dataclass(frozen=True)
class Coded:
    """One HEVC picture: its decoder configuration and its bytes."""

    width: int
    height: int
    configuration: bytes
    data: bytes


def coded(image: Image.Image, quality: int = 70) -> Coded:
    """Encode an image with the real encoder and take the picture out of the file."""
    file = encoded(image, "HEIF", quality=quality)
    a, b = find(file, b"meta", b"iprp", b"ipco", b"hvcC")
    c, d = find(file, b"mdat")
    return Coded(*image.size, file[a:b], file[c:d])


@cache
def tile(quality: int = 70) -> Coded:
    """A picture of 320 × 240 with corners of four colours."""
    return coded(scene(), quality)


@dataclass(frozen=True)
class Item:
    """An item of the file: a coded picture, or other data such as a grid's or EXIF."""

    number: int
    kind: bytes
    data: bytes
    properties: tuple[bytes, ...] = ()
    hidden: bool = False


def size_box(width: int, height: int) -> bytes:
    return full(b"ispe", struct.pack(">II", width, height))


def picture(number: int, one: Coded, *more: bytes, hidden: bool = False) -> Item:
    """A coded picture; `more` properties are such as `turn(1)`."""
    properties = (box(b"hvcC", one.configuration), size_box(one.width, one.height), *more)
    return Item(number, b"hvc1", one.data, properties, hidden)


def turn(quarters: int) -> bytes:
    """Turn by so many quarters against the clock."""
    return box(b"irot", bytes([quarters]))


def mirror(axis: int) -> bytes:
    return box(b"imir", bytes([axis]))


def exif_item(number: int, block: bytes) -> Item:
    return Item(number, b"Exif", struct.pack(">I", 6) + block)


def grid(number: int, rows: int, columns: int, width: int, height: int, *more: bytes) -> Item:
    layout = struct.pack(">BBBBII", 0, 1, rows - 1, columns - 1, width, height)
    return Item(number, b"grid", layout, (size_box(width, height), *more))


def heif(
    items: list[Item],
    *,
    primary: int = 1,
    links: list[tuple[bytes, int, list[int]]] | None = None,
    brands: bytes = b"heic\0\0\0\0mif1heic",
    shift: int = 0,
    length_of: dict[int, int] | None = None,
) -> bytes:
    """Lay out a whole file. `links` are references; `shift` and `length_of` make the locations lie."""
    shared: list[bytes] = []
    associations = []
    for item in items:
        numbers = []
        for one in item.properties:
            if one not in shared:
                shared.append(one)
            numbers.append(shared.index(one) + 1)
        if numbers:
            associations.append(
                struct.pack(">HB", item.number, len(numbers)) + bytes(0x80 | n for n in numbers)
            )
    references = b"".join(
        box(kind, struct.pack(">HH", source, len(to)), *(struct.pack(">H", one) for one in to))
        for kind, source, to in links or []
    )
    infos = [
        full(b"infe", struct.pack(">HH", item.number, 0), item.kind, b"\0", version=2, flags=int(item.hidden))
        for item in items
    ]

    def meta(first: int) -> bytes:
        places, at = [], first + shift
        for item in items:
            length = (length_of or {}).get(item.number, len(item.data))
            places.append(struct.pack(">HHHII", item.number, 0, 1, at & 0xFFFF_FFFF, length))
            at += len(item.data)
        return full(
            b"meta",
            full(b"hdlr", bytes(4), b"pict", bytes(13)),
            full(b"pitm", struct.pack(">H", primary)),
            full(b"iloc", b"\x44\0", struct.pack(">H", len(items)), *places),
            full(b"iinf", struct.pack(">H", len(items)), *infos),
            *([full(b"iref", references)] if references else []),
            box(
                b"iprp",
                box(b"ipco", *shared),
                full(b"ipma", struct.pack(">I", len(associations)), *associations),
            ),
        )

    head = box(b"ftyp", brands)
    first = len(head) + len(meta(0)) + 8
    return head + meta(first) + box(b"mdat", *(item.data for item in items))


def grid_file(one: Coded, rows: int, columns: int, *more: bytes, exif: bytes | None = None) -> bytes:
    """A picture made of equal tiles, as iPhones store theirs, each tile with bytes of its own."""
    tiles = [picture(2 + at, one, hidden=True) for at in range(rows * columns)]
    whole = grid(1, rows, columns, one.width * columns, one.height * rows, *more)
    links = [(b"dimg", 1, [item.number for item in tiles])]
    items = [whole, *tiles]
    if exif is not None:
        items.append(exif_item(9000, exif))
        links.append((b"cdsc", 9000, [1]))
    return heif(items, links=links)
