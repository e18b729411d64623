"""Reads the outside of a photo file: its format, size and metadata, before anything is decoded.

What goes on to the JPEG and PNG decoders is stripped of metadata, so a bomb in a text chunk or a strange EXIF block
never meets a library, and nothing after the end of the picture does.
"""

import re
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

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
_EOI, _SOS, _APP0, _APP1, _APP2, _APP14, _APP15, _COM = 0xD9, 0xDA, 0xE0, 0xE1, 0xE2, 0xEE, 0xEF, 0xFE
# Baseline, extended and progressive Huffman; arithmetic coding and lossless JPEGs come from no phone and cost much.
_FRAMES_TAKEN = {0xC0, 0xC1, 0xC2}
_FRAMES = {0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC8, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF}
_TABLES = {0xC4, 0xDB, 0xDD}
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


def take_apart_jpeg(data: bytes) -> Picture:
    """Walk the segments of a JPEG up to its end marker; PhotoUnreadable when one is missing or cut off."""
    kept, profile = [data[:2]], {}
    exif: bytes | None = None
    size: tuple[int, int] | None = None
    at = 2
    for _ in range(_MAX_PARTS):
        at = _next_marker(data, at)
        marker, body, after = _segment(data, at)
        if marker == _SOS:
            break
        if marker in _FRAMES:
            if size or marker not in _FRAMES_TAKEN or len(body) < 6:  # noqa: PLR2004
                raise PhotoUnreadable
            _, height, width, _ = struct.unpack_from(">BHHB", body)
            size = width, height
        elif marker == _APP1 and body.startswith(b"Exif\0") and exif is None:
            exif = body
        elif marker == _APP2 and body.startswith(b"ICC_PROFILE\0") and len(body) > 14:  # noqa: PLR2004
            profile[body[12]] = body[14:]
        elif marker not in _BETWEEN_SCANS:
            raise PhotoUnreadable
        if marker in _TABLES or marker in _FRAMES or marker in {_APP0, _APP14}:
            kept.append(data[at:after])
        at = after
    if size is None or marker != _SOS:
        raise PhotoUnreadable
    scans, end = _scans(data, at)
    icc = b"".join(profile[number] for number in sorted(profile))
    kept.append(data[at:end])
    return Picture(
        PhotoFormat.JPEG,
        *size,
        b"".join(kept),
        scans=scans,
        exif=exif,
        icc=icc if len(icc) < _MAX_METADATA else None,
    )


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


def _scans(data: bytes, at: int) -> tuple[int, int]:
    """Count the scans from the first on, and find the end of the picture."""
    scans = 0
    for _ in range(_MAX_PARTS):
        marker = data[at + 1]
        if marker == _EOI:
            return scans, at + 2
        if marker == _SOS:
            scans += 1
        elif marker not in _BETWEEN_SCANS:
            raise PhotoUnreadable
        _, _, after = _segment(data, at)
        at = _next_marker(data, after)
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
    """Walk the chunks of a WebP; PhotoUnreadable when the file is shorter than it says."""
    end = 8 + int.from_bytes(data[4:8], "little")
    if end > len(data):
        raise PhotoUnreadable
    frames = 0
    found: dict[bytes, memoryview] = {}
    for name, body in _webp_chunks(memoryview(data)[:end]):
        frames += name == b"ANMF"
        found.setdefault(name, body)
    size = next((read(found[name]) for name, read in _WEBP_SIZES.items() if name in found), None)
    if size is None:
        raise PhotoUnreadable
    exif, icc = (
        bytes(found[name]) if len(found.get(name, b"")) in range(1, _MAX_METADATA) else None
        for name in (b"EXIF", b"ICCP")
    )
    return Picture(PhotoFormat.WEBP, *size, data[:end], frames=max(1, frames), exif=exif, icc=icc)


def _webp_chunks(view: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    at = 12
    for _ in range(_MAX_PARTS):
        if at + 8 > len(view):
            return
        name, length = bytes(view[at : at + 4]), int.from_bytes(view[at + 4 : at + 8], "little")
        if at + 8 + length > len(view):
            raise PhotoUnreadable
        yield name, view[at + 8 : at + 8 + length]
        at += 8 + length + (length & 1)
    raise PhotoUnreadable


def _canvas_size(body: memoryview) -> tuple[int, int]:
    return 1 + int.from_bytes(body[4:7], "little"), 1 + int.from_bytes(body[7:10], "little")


def _lossy_size(body: memoryview) -> tuple[int, int]:
    width, height = struct.unpack_from("<HH", body, 6)
    return width & 0x3FFF, height & 0x3FFF


def _lossless_size(body: memoryview) -> tuple[int, int]:
    bits = int.from_bytes(body[1:5], "little")
    return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)


_WEBP_SIZES: dict[bytes, Callable[[memoryview], tuple[int, int]]] = {
    b"VP8X": _canvas_size,
    b"VP8 ": _lossy_size,
    b"VP8L": _lossless_size,
}
