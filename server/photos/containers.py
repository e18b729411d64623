"""Reads the outside of a photo file: its format, size and metadata, before anything is decoded.

What goes on to the JPEG, PNG and WebP decoders is stripped of metadata, so a bomb in a text chunk or a strange EXIF
block never meets a library, and nothing after the end of the picture does.
"""

import re
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from server.photos.intake_limits import PhotoType, PhotoUnreadable
from server.photos.terms import PhotoFormat

_MAX_METADATA = 1 << 20
# A file cut into millions of empty parts would cost seconds; cameras and libraries write a few thousand at most.
_MAX_PARTS = 20_000
_HEVC = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx"}
_HEIF = _HEVC | {b"mif1", b"msf1"}
_PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
# Headers and pixels; acTL and its frames are left out, so an animation shows its first picture.
_PNG_KEPT = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"}
_NEXT_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_RESTART = re.compile(rb"\xff([\xd0-\xd7])")
_RESTARTS = bytes(range(0xD0, 0xD8))
_DRI, _EOI, _SOS, _COM = 0xDD, 0xD9, 0xDA, 0xFE
_APP0, _APP1, _APP2, _APP14, _APP15 = 0xE0, 0xE1, 0xE2, 0xEE, 0xEF
# Baseline, extended and progressive Huffman; arithmetic coding and lossless JPEGs come from no phone and cost much.
_FRAMES_TAKEN = {0xC0, 0xC1, 0xC2}
_FRAMES = {0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC8, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF}
_SEQUENTIAL = {0xC0, 0xC1}
_TABLES = {0xC4, 0xDB, _DRI}
_BETWEEN_SCANS = _TABLES | {0xDC, _COM} | set(range(_APP0, _APP15 + 1))


@dataclass(frozen=True, slots=True)
class Picture:
    """A photo file taken apart: pixels as stored (not upright), and `data`, which holds the picture alone."""

    format: PhotoFormat
    width: int
    height: int
    data: bytes
    frames: int = 1
    scans: int = 1
    exif: bytes | None = None
    icc: bytes | None = None
    ends: int | None = None
    """Where in `data` the coded bytes of a JPEG of one sequential scan end; None for every other picture."""
    bytes_per_pixel: int = 5
    """How much memory decoding takes at most, for each pixel as stored."""


@dataclass(frozen=True, slots=True)
class _Frame:
    """What a JPEG's frame header says: how it is coded, its size, and the size of a unit of its scans."""

    marker: int
    width: int
    height: int
    components: int
    across: int
    down: int

    def units(self) -> int:
        return -(-self.width // self.across) * -(-self.height // self.down)


def sniff(head: bytes) -> PhotoFormat:
    """Know a format by its first 64 bytes; PhotoType for any other."""
    if head.startswith(b"\xff\xd8\xff"):
        return PhotoFormat.JPEG
    if head.startswith(_PNG_MAGIC):
        return PhotoFormat.PNG
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return PhotoFormat.WEBP
    if head[4:8] == b"ftyp":
        size = min(int.from_bytes(head[:4]), len(head))
        brands = {head[8:12]} | {head[at : at + 4] for at in range(16, size, 4)}
        if head[8:12] in _HEIF and (brands & _HEVC or b"avif" not in brands):
            return PhotoFormat.HEIC
    raise PhotoType


@dataclass(slots=True)
class _Head:
    """What the segments of a JPEG before its first scan say."""

    frame: _Frame | None = None
    interval: int = 0
    exif: bytes | None = None
    profile: dict[int, bytes] = field(default_factory=dict)

    def note(self, marker: int, body: bytes) -> None:
        if marker in _FRAMES:
            if self.frame:
                raise PhotoUnreadable
            self.frame = _frame(marker, body)
        elif marker == _DRI:
            self.interval = int.from_bytes(body[:2])
        elif marker == _APP1 and body.startswith(b"Exif\0"):
            self.exif = self.exif or body
        elif marker == _APP2 and body.startswith(b"ICC_PROFILE\0") and len(body) > 14:  # noqa: PLR2004
            self.profile[body[12]] = body[14:]
        elif marker not in _BETWEEN_SCANS:
            raise PhotoUnreadable

    def icc(self) -> bytes | None:
        profile = b"".join(self.profile[number] for number in sorted(self.profile))
        return profile if len(profile) < _MAX_METADATA else None


def take_apart_jpeg(data: bytes) -> Picture:
    """Walk the segments of a JPEG up to its end marker; PhotoUnreadable when one is missing or cut off."""
    head, at = _Head(), 2
    kept: list[bytes | memoryview] = [data[:2]]
    for _ in range(_MAX_PARTS):
        at = _next_marker(data, at)
        marker, body, after = _segment(data, at)
        if marker == _SOS:
            break
        head.note(marker, body)
        if marker in _TABLES or marker in _FRAMES or marker in {_APP0, _APP14}:
            kept.append(data[at:after])
        at = after
    frame = head.frame
    if frame is None or marker != _SOS:
        raise PhotoUnreadable
    scans, first, end = _scans(data, at)
    whole = scans == 1 and frame.marker in _SEQUENTIAL and body[:1] == bytes([frame.components])
    if whole and head.interval:
        _check_restarts(data, after, first, -(-frame.units() // head.interval) - 1)
    before = sum(map(len, kept))
    kept.append(memoryview(data)[at:end])
    while data[first - 1] == 0xFF:  # fill before the next marker  # noqa: PLR2004
        first -= 1
    return Picture(
        PhotoFormat.JPEG,
        frame.width,
        frame.height,
        b"".join(kept),
        scans=scans,
        exif=head.exif,
        icc=head.icc(),
        ends=before + first - at if whole else None,
        # Several scans are gathered as coefficients of 16 bits; one is decoded at a small scale, row by row.
        bytes_per_pixel=0 if whole else 2 * frame.components + 1,
    )


def _frame(marker: int, body: bytes) -> _Frame:
    if marker not in _FRAMES_TAKEN or len(body) < 9:  # noqa: PLR2004
        raise PhotoUnreadable
    _, height, width, components = struct.unpack_from(">BHHB", body)
    factors = body[7 : 6 + 3 * components : 3]
    if components == 1:  # the units of a scan of one component are its blocks, whatever its factors say
        return _Frame(marker, width, height, 1, 8, 8)
    across, down = max(factor >> 4 for factor in factors), max(factor & 15 for factor in factors)
    return _Frame(marker, width, height, components, 8 * (across or 1), 8 * (down or 1))


def _check_restarts(data: bytes, begin: int, end: int, wanted: int) -> None:
    """Refuse a scan in which restart marks are missing or out of order: the decoder would fill the gaps with gray."""
    marks = b"".join(mark[1] for mark in islice(_RESTART.finditer(data, begin, end), wanted + 2))
    order = (_RESTARTS * (wanted // 8 + 2))[: wanted + 1]
    if marks not in {order, order[:-1]}:  # some cameras write a last one that parts nothing
        raise PhotoUnreadable


def _next_marker(data: bytes, at: int) -> int:
    """Find the next marker, past fill bytes and the padding that some cameras leave."""
    found = _NEXT_MARKER.search(data, at)
    if found is None:
        raise PhotoUnreadable
    return found.start()


def _segment(data: bytes, at: int) -> tuple[int, bytes, int]:
    if data[at : at + 1] != b"\xff" or at + 4 > len(data):
        raise PhotoUnreadable
    length = int.from_bytes(data[at + 2 : at + 4])
    after = at + 2 + length
    if length < 2 or after > len(data):  # noqa: PLR2004
        raise PhotoUnreadable
    return data[at + 1], data[at + 4 : after], after


def _scans(data: bytes, at: int) -> tuple[int, int, int]:
    """Count the scans from the first on, and find the ends of the first scan and of the picture."""
    scans = first = 0
    for _ in range(_MAX_PARTS):
        marker = data[at + 1]
        if marker == _EOI:
            return scans, first, at + 2
        if marker == _SOS:
            scans += 1
        elif marker not in _BETWEEN_SCANS:
            raise PhotoUnreadable
        _, _, after = _segment(data, at)
        at = _next_marker(data, after)
        first = first or at
    raise PhotoUnreadable


def take_apart_png(data: bytes) -> Picture:
    """Walk the chunks of a PNG, checking each sum; PhotoUnreadable when one is wrong or the end is missing."""
    kept, exif, frames = [_PNG_MAGIC], None, 1
    size: tuple[int, int] | None = None
    for name, body, chunk in _png_chunks(data):
        if name == b"IHDR" and len(body) == 13:  # noqa: PLR2004
            size = struct.unpack_from(">II", body)
        elif name == b"eXIf" and len(body) < _MAX_METADATA:
            exif = bytes(body)
        elif name == b"acTL" and len(body) == 8:  # noqa: PLR2004
            frames = max(1, struct.unpack_from(">I", body)[0])
        if name in _PNG_KEPT:
            kept.append(chunk)
    if size is None:
        raise PhotoUnreadable
    return Picture(PhotoFormat.PNG, *size, b"".join(kept), frames=frames, exif=exif)


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, memoryview, bytes]]:
    view, at = memoryview(data), len(_PNG_MAGIC)
    for number in range(_MAX_PARTS):
        length, end = int.from_bytes(view[at : at + 4]), at + 12 + int.from_bytes(view[at : at + 4])
        name = bytes(view[at + 4 : at + 8])
        if end > len(data) or (number == 0) != (name == b"IHDR"):
            raise PhotoUnreadable
        body = view[at + 8 : at + 8 + length]
        if name in _PNG_KEPT and zlib.crc32(view[at + 4 : end - 4]) != int.from_bytes(view[end - 4 : end]):
            raise PhotoUnreadable
        yield name, body, data[at:end]
        if name == b"IEND":
            return
        at = end
    raise PhotoUnreadable


def take_apart_webp(data: bytes) -> Picture:
    """Walk the chunks of a WebP and take out its first picture; PhotoUnreadable when the file is shorter than it says."""
    end = 8 + int.from_bytes(data[4:8], "little")
    if end > len(data):
        raise PhotoUnreadable
    frames: list[memoryview] = []
    found: dict[bytes, memoryview] = {}
    for name, body in _webp_chunks(memoryview(data)[12:end]):
        if name == b"ANMF":
            frames.append(body)
        found.setdefault(name, body)
    parts, said = found, _canvas_size(found[b"VP8X"]) if b"VP8X" in found else None
    if frames:
        parts, said = dict(_webp_chunks(frames[0][16:])), _frame_size(frames[0])
    name = next((name for name in _WEBP_SIZES if name in parts), b"")
    if not name:
        raise PhotoUnreadable
    size = _WEBP_SIZES[name](parts[name])
    if said not in {None, size}:
        raise PhotoUnreadable
    alpha = parts.get(b"ALPH") if name == b"VP8 " else None
    return Picture(
        PhotoFormat.WEBP,
        *size,
        _still_webp(size, name, parts[name], alpha),
        frames=max(1, len(frames)),
        exif=_metadata(found, b"EXIF"),
        icc=_metadata(found, b"ICCP"),
        bytes_per_pixel=5 if name == b"VP8L" else 3 if alpha else 1,
    )


def _metadata(chunks: dict[bytes, memoryview], name: bytes) -> bytes | None:
    body = chunks.get(name)
    return bytes(body) if body and len(body) < _MAX_METADATA else None


def _webp_chunks(view: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    at = 0
    for _ in range(_MAX_PARTS):
        if at + 8 > len(view):
            return
        name, length = bytes(view[at : at + 4]), int.from_bytes(view[at + 4 : at + 8], "little")
        if at + 8 + length > len(view):
            raise PhotoUnreadable
        yield name, view[at + 8 : at + 8 + length]
        at += 8 + length + (length & 1)
    raise PhotoUnreadable


def _still_webp(size: tuple[int, int], name: bytes, body: memoryview, alpha: memoryview | None) -> bytes:
    """Write a WebP of one picture and nothing else."""
    chunks = [(name, body)]
    if alpha is not None:
        width, height = ((side - 1).to_bytes(3, "little") for side in size)
        chunks = [(b"VP8X", memoryview(b"\x10\0\0\0" + width + height)), (b"ALPH", alpha), *chunks]
    parts: list[bytes | memoryview] = [b"WEBP"]
    for head, content in chunks:
        parts += [head, len(content).to_bytes(4, "little"), content, b"\0" * (len(content) & 1)]
    inside = b"".join(parts)
    return b"RIFF" + len(inside).to_bytes(4, "little") + inside


def _canvas_size(body: memoryview) -> tuple[int, int]:
    return 1 + int.from_bytes(body[4:7], "little"), 1 + int.from_bytes(body[7:10], "little")


def _frame_size(body: memoryview) -> tuple[int, int]:
    return 1 + int.from_bytes(body[6:9], "little"), 1 + int.from_bytes(body[9:12], "little")


def _lossy_size(body: memoryview) -> tuple[int, int]:
    width, height = struct.unpack_from("<HH", body, 6)
    return width & 0x3FFF, height & 0x3FFF


def _lossless_size(body: memoryview) -> tuple[int, int]:
    bits = int.from_bytes(body[1:5], "little")
    return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)


_WEBP_SIZES: dict[bytes, Callable[[memoryview], tuple[int, int]]] = {
    b"VP8 ": _lossy_size,
    b"VP8L": _lossless_size,
}
