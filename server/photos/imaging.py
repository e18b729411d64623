"""Checks a photo by decoding it, and makes the small pictures that people are shown.

Every library fault is `PhotoUnreadable`. A JPEG or WebP is decoded at the smallest scale that serves; a PNG or HEIC is
decoded whole, then shrunk strip by strip so that no second whole copy exists. TRUST, hostile and odd images.
"""

import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, BinaryIO

import pillow_heif
from PIL import Image, ImageCms, JpegImagePlugin, PngImagePlugin

from server.errors import Refusal
from server.photos.containers import Picture, sniff, take_apart_jpeg, take_apart_png, take_apart_webp
from server.photos.decoding_room import alone_on_this_host, drawn, light
from server.photos.exif import read_exif
from server.photos.intake_limits import PhotoLimits, PhotoTooLarge, PhotoTooManyPixels, PhotoUnreadable
from server.photos.jpeg_feed import JpegFeed
from server.photos.terms import PhotoFacts, PhotoFormat

Gate = AbstractContextManager[object]
Source = bytes | Path | BinaryIO

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SIDEWAYS = {5, 6, 7, 8}
_STRIP_PIXELS = 1 << 20
_HASH_EDGE = 64
_QUALITY = 82
LIKENESS_EDGE = 32
"""Pixels a side of the picture by which the same picture is found again."""
_SRGB = ImageCms.createProfile("sRGB")


def examine(source: Source, *, limits: PhotoLimits, gate: Gate | None = None) -> PhotoFacts:
    """Decode a whole photo and say what it is; refuses what is no photo, broken, cut off or too large.

    `gate` (a semaphore) is held while a picture that may take `limits.heavy` bytes is decoded. Raises PhotoType,
    PhotoUnreadable, PhotoTooLarge or PhotoTooManyPixels.
    """
    with _decoded(source, _HASH_EDGE, limits, gate, gray=True) as (picture, heif, small), _unreadable():
        exif = read_exif(picture.exif)
        turn = 1 if heif else exif.orientation or 1
        width, height = picture.width, picture.height
        upright = _upright(small, turn)
        return PhotoFacts(
            format=picture.format,
            width=height if turn in _SIDEWAYS else width,
            height=width if turn in _SIDEWAYS else height,
            frames=picture.frames,
            dhash=_dhash(upright),
            exif=exif,
            likeness=upright.resize((LIKENESS_EDGE, LIKENESS_EDGE), Image.Resampling.BOX).tobytes(),
        )


def render(source: Source, box: int, *, limits: PhotoLimits, gate: Gate | None = None) -> bytes:
    """Make a JPEG of at most `box` pixels a side: upright, sRGB, without any metadata; never enlarged."""
    return render_all(source, (box,), limits=limits, gate=gate)[box]


def render_all(
    source: Source, boxes: Sequence[int], *, limits: PhotoLimits, gate: Gate | None = None
) -> dict[int, bytes]:
    """Make a JPEG for each box, decoding once (a HEIC costs half a second to decode)."""
    with _decoded(source, max(boxes), limits, gate, gray=False) as (picture, heif, image), _unreadable():
        turn = 1 if heif else read_exif(picture.exif).orientation or 1
        made = {}
        for box in sorted(boxes, reverse=True):
            image.thumbnail((box, box), Image.Resampling.LANCZOS, reducing_gap=2.0)
            made[box] = _jpeg(_upright(_to_srgb(image, picture.icc), turn))
        return made


def hamming(one: int, other: int) -> int:
    """Count the bits in which two difference hashes differ: 0 the same picture, about 32 unrelated ones."""
    return ((one ^ other) & 0xFFFF_FFFF_FFFF_FFFF).bit_count()


def _read(source: Source, limits: PhotoLimits) -> bytes:
    if isinstance(source, bytes):
        data = source
    elif isinstance(source, Path):
        with source.open("rb") as file:
            data = file.read(limits.max_bytes + 1)
    else:
        source.seek(0)
        data = source.read(limits.max_bytes + 1)
    if len(data) > limits.max_bytes:
        raise PhotoTooLarge
    return data


@contextmanager
def _unreadable() -> Iterator[None]:
    try:
        yield
    except Refusal:
        raise
    except Exception as error:
        # Decoders raise nearly everything: OSError, SyntaxError, struct.error, KeyError, MemoryError, ...
        raise PhotoUnreadable from error


@contextmanager
def _decoded(
    source: Source, edge: int, limits: PhotoLimits, gate: Gate | None, *, gray: bool
) -> Iterator[tuple[Picture, bool, Image.Image]]:
    """Read, check and decode a photo; a heavy one waits for its turn, and keeps no light one waiting meanwhile.

    A place in the room is held for as long as the block works on the picture.
    """
    room = light if gray else drawn
    with room:
        data = _read(source, limits)
        with _unreadable():
            picture, heif = _take_apart(data, limits)
            is_light = picture.width * picture.height * picture.bytes_per_pixel < limits.heavy
            image = _shrunk(picture, heif, edge, gray=gray) if is_light else None
        if image is not None:
            yield picture, heif is not None, image
            return
    del data, picture, heif  # whoever waits keeps no copy of a large file; taking it apart again is quick
    with gate or nullcontext(), alone_on_this_host(), _unreadable():
        picture, heif = _take_apart(_read(source, limits), limits)
        image = _shrunk(picture, heif, edge, gray=gray)
        is_heif = heif is not None
        del heif  # it keeps the whole decoded picture
    with room:
        yield picture, is_heif, image


def _take_apart(data: bytes, limits: PhotoLimits) -> tuple[Picture, pillow_heif.HeifImage | None]:
    kind = sniff(data[:64])
    heif = None
    if kind is PhotoFormat.HEIC:
        picture, heif = _take_apart_heic(data)
    else:
        take_apart: Callable[[bytes], Picture] = {
            PhotoFormat.JPEG: take_apart_jpeg,
            PhotoFormat.PNG: take_apart_png,
            PhotoFormat.WEBP: take_apart_webp,
        }[kind]
        picture = take_apart(data)
    pixels = picture.width * picture.height
    if pixels == 0:
        raise PhotoUnreadable
    if pixels > limits.max_pixels or max(picture.width, picture.height) > limits.max_edge:
        raise PhotoTooManyPixels
    if picture.scans > limits.max_scans or (
        picture.scans > 1 and picture.scans * pixels > limits.max_scan_pixels
    ):
        raise PhotoTooManyPixels
    return picture, heif


def _take_apart_heic(data: bytes) -> tuple[Picture, pillow_heif.HeifImage]:
    file = pillow_heif.open_heif(data, convert_hdr_to_8bit=True)
    image = file[file.primary_index]
    width, height = image.size
    info: dict[str, Any] = image.info
    # libheif has turned the picture already, so the orientation in its EXIF is a fact, not an order.
    picture = Picture(
        PhotoFormat.HEIC,
        width,
        height,
        b"",
        frames=len(file),
        exif=info.get("exif"),
        icc=info.get("icc_profile"),
        bytes_per_pixel=6,
    )
    return picture, image


def _shrunk(picture: Picture, heif: pillow_heif.HeifImage | None, edge: int, *, gray: bool) -> Image.Image:
    """Decode all of a picture, to an image whose longer side is `edge` to about twice that, or as it was if smaller.

    Not upright yet. Mode L when `gray`, else RGB, L or CMYK.
    """
    if heif is not None:
        return _shrunk_heic(heif, edge, gray=gray)
    if picture.format is PhotoFormat.JPEG:
        return _shrunk_jpeg(picture, edge, gray=gray)
    if picture.format is PhotoFormat.WEBP:
        from server.photos.webp import decode_webp

        return _flat(decode_webp(picture.data, picture.width, picture.height, edge), gray=gray)
    with PngImagePlugin.PngImageFile(io.BytesIO(picture.data)) as image:
        if image.size != (picture.width, picture.height):
            raise PhotoUnreadable
        image.load()
        return _reduced(
            image.size, edge, lambda top, bottom: _flat(image.crop((0, top, image.width, bottom)), gray=gray)
        )


def _shrunk_jpeg(picture: Picture, edge: int, *, gray: bool) -> Image.Image:
    # What was taken in stays to be seen, so only the examination is strict.
    feed = JpegFeed(picture.data, picture.ends) if gray and picture.ends else None
    with JpegImagePlugin.JpegImageFile(feed or io.BytesIO(picture.data)) as image:
        # A square box would switch scaled decoding off for all but square pictures.
        shrink = edge / max(image.size)
        if shrink < 1:
            box = max(1, int(image.width * shrink)), max(1, int(image.height * shrink))
            image.draft("L" if gray else None, box)
        elif gray:
            image.draft("L", image.size)
        if feed is not None:
            feed.start()
        image.load()
        if feed is not None and not feed.fitted():
            raise PhotoUnreadable
        # The decoder's own rows: a copy of them all would be a tenth of the time and a third of the memory.
        return image.convert("L") if gray and image.mode != "L" else image


def _shrunk_heic(heif: pillow_heif.HeifImage, edge: int, *, gray: bool) -> Image.Image:
    data, stride = memoryview(heif.data), heif.stride
    (width, height), mode = heif.size, heif.mode

    def strip(top: int, bottom: int) -> Image.Image:
        rows = data[top * stride : bottom * stride]
        return _flat(Image.frombytes(mode, (width, bottom - top), rows, "raw", mode, stride), gray=gray)

    return _reduced((width, height), edge, strip)


def _reduced(size: tuple[int, int], edge: int, strip: Callable[[int, int], Image.Image]) -> Image.Image:
    width, height = size
    factor = max(1, max(size) // edge)
    rows = max(1, _STRIP_PIXELS // width // factor) * factor
    canvas: Image.Image | None = None
    for top in range(0, height, rows):
        part = strip(top, min(height, top + rows))
        if factor > 1:
            part = part.reduce(factor)
        canvas = canvas or Image.new(part.mode, (part.width, -(-height // factor)))
        canvas.paste(part, (0, top // factor))
    if canvas is None:
        raise PhotoUnreadable
    return canvas


def _flat(image: Image.Image, *, gray: bool) -> Image.Image:
    """Give 8-bit L or RGB, on white where the picture is transparent."""
    if image.mode.startswith("I"):
        # Pillow would clip 16 bits to white; the high byte is the picture.
        high = image.tobytes("raw", "I;16B")[::2]
        return Image.frombytes("L", image.size, high)
    if "transparency" in image.info or image.mode in {"RGBA", "LA", "PA", "RGBa", "La"}:
        over = image.convert("RGBA")
        flat = Image.new("RGB", image.size, "white")
        flat.paste(over, mask=over.getchannel("A"))
        image = flat
    if gray:
        return image.convert("L")
    return image if image.mode in {"L", "RGB"} else image.convert("RGB")


def _upright(image: Image.Image, orientation: int) -> Image.Image:
    turn = _TURNS.get(orientation)
    return image if turn is None else image.transpose(turn)


def _dhash(gray: Image.Image) -> int:
    pixels = gray.resize((9, 8), Image.Resampling.BOX).tobytes()
    bits = 0
    for row in range(0, 72, 9):
        for at in range(row, row + 8):
            bits = bits << 1 | (pixels[at] > pixels[at + 1])
    return bits


def _to_srgb(image: Image.Image, icc: bytes | None) -> Image.Image:
    if icc and image.mode in {"RGB", "CMYK"}:
        try:
            profile = ImageCms.ImageCmsProfile(io.BytesIO(icc))
            converted = ImageCms.profileToProfile(image, profile, _SRGB, outputMode="RGB")
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
            converted = None  # a broken profile is no reason to hide a photo
        if converted is not None:
            return converted
    return image if image.mode in {"L", "RGB"} else image.convert("RGB")


def _jpeg(image: Image.Image) -> bytes:
    # Pillow writes whatever `info` holds: comments, profiles, densities.
    image.info = {}
    out = io.BytesIO()
    image.save(out, "JPEG", quality=_QUALITY)
    return out.getvalue()
