"""What is no photo, is broken, too large or made to be slow is refused, and refused soon."""

import io
import struct
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from server.errors import Refusal
from server.photos.imaging import examine, render
from server.photos.intake_limits import (
    PhotoLimits,
    PhotoTooLarge,
    PhotoTooManyPixels,
    PhotoType,
    PhotoUnreadable,
)
from tests.photos.builders import (
    NOT_PHOTOS,
    chunk,
    encoded,
    exif,
    many_scans,
    phone_jpeg,
    plain_png,
    scene,
    segment,
    text_bomb_png,
)

LIMITS = PhotoLimits()
KINDS = ["JPEG", "PNG", "WEBP", "HEIF"]


@pytest.mark.parametrize("name", NOT_PHOTOS)
def test_what_is_no_photo_is_refused_by_its_content(name: str, tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(NOT_PHOTOS[name])
    with pytest.raises(PhotoType) as caught:
        examine(path, limits=LIMITS)
    assert (caught.value.kind, caught.value.code()) == (415, "photo_type")
    with pytest.raises(PhotoType):
        render(NOT_PHOTOS[name], 320, limits=LIMITS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_photo_cut_off_anywhere_is_unreadable(kind: str) -> None:
    data = phone_jpeg() if kind == "JPEG" else encoded(scene(), kind, exif=exif())
    for cut in [*range(16, len(data), max(1, len(data) // 60)), *range(len(data) - 12, len(data))]:
        with pytest.raises(PhotoUnreadable) as caught:
            examine(data[:cut], limits=LIMITS)
        assert (caught.value.kind, caught.value.code()) == (422, "photo_unreadable")


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xd8\xff\xd9",
        b"\xff\xd8" + segment(0xE1, exif()) + b"\xff\xd9",
        b"\xff\xd8\xff" + bytes(1000),
        b"\xff\xd8" + b"\xff" * 100_000,
        encoded(scene(), "JPEG").replace(b"\xff\xc0", b"\xff\xc9"),
        encoded(scene(), "JPEG").replace(b"\xff\xc0", b"\xff\xc3"),
        encoded(scene(), "JPEG").replace(b"\x00\xf0\x01\x40", b"\x00\x00\x01\x40"),
        b"\x89PNG\r\n\x1a\n" + chunk(b"IEND", b""),
        plain_png(0, 10, 8, 2, b""),
        plain_png(100, 100, 8, 2, b"\0" * 50),
        plain_png(10, 10, 8, 2, b"\0" * 310).replace(b"IDAT", b"IDAX"),
        plain_png(10, 10, 3, 7, b"\0" * 310),
        b"RIFF" + struct.pack("<I", 30) + b"WEBPVP8 " + bytes(22),
        b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100),
    ],
)
def test_a_hollow_photo_is_unreadable(data: bytes) -> None:
    with pytest.raises(PhotoUnreadable):
        examine(data, limits=LIMITS)
    with pytest.raises(PhotoUnreadable):
        render(data, 320, limits=LIMITS)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(kind=st.sampled_from(KINDS), data=st.data())
def test_no_damage_does_anything_but_refuse(kind: str, data: st.DataObject) -> None:
    photo = bytearray(encoded(scene(64, 48), kind, exif=exif(6)))
    for _ in range(data.draw(st.integers(1, 20))):
        photo[data.draw(st.integers(0, len(photo) - 1))] = data.draw(st.integers(0, 255))
    try:
        examine(bytes(photo), limits=LIMITS)
        render(bytes(photo), 320, limits=LIMITS)
    except Refusal as refusal:
        assert isinstance(refusal, PhotoType | PhotoUnreadable | PhotoTooManyPixels)  # noqa: PT017


def test_more_bytes_than_taken_are_too_large(tmp_path: Path) -> None:
    data = encoded(scene(), "JPEG") + bytes(LIMITS.max_bytes)
    path = tmp_path / "photo"
    path.write_bytes(data)
    for source in (data, path, io.BytesIO(data)):
        with pytest.raises(PhotoTooLarge) as caught:
            examine(source, limits=LIMITS)
        assert caught.value.kind == 413
    assert examine(data[: LIMITS.max_bytes], limits=LIMITS).width == 320


@pytest.mark.parametrize(("width", "height"), [(10_000, 6_000), (60_000, 10), (65_500, 65_500)])
def test_more_pixels_than_taken_are_refused_before_decoding(width: int, height: int) -> None:
    jpeg = encoded(scene(), "JPEG").replace(b"\x00\xf0\x01\x40", struct.pack(">HH", height, width))
    png = plain_png(width, height, 8, 2, b"")
    for data in (jpeg, png):
        began = time.process_time()
        with pytest.raises(PhotoTooManyPixels) as caught:
            examine(data, limits=LIMITS)
        assert time.process_time() - began < 0.1
        assert (caught.value.kind, caught.value.code()) == (422, "photo_too_many_pixels")


@pytest.mark.parametrize("size", [(4032, 3024), (8160, 6120), (8192, 6144)])
def test_the_largest_photos_of_phones_are_taken(size: tuple[int, int]) -> None:
    facts = examine(encoded(Image.new("RGB", size, "gray"), "JPEG"), limits=LIMITS)
    assert (facts.width, facts.height) == size


@pytest.mark.parametrize(
    "data",
    [many_scans(3000), many_scans(101), b"".join([many_scans(95)[:-2], b"\xff\xda" * 10, b"\xff\xd9"])],
)
def test_a_jpeg_of_thousands_of_scans_is_refused_at_once(data: bytes) -> None:
    began = time.process_time()
    with pytest.raises((PhotoTooManyPixels, PhotoUnreadable)):
        examine(data, limits=LIMITS)
    assert time.process_time() - began < 0.1


def test_the_costliest_scans_that_are_taken_end_in_time() -> None:
    data = many_scans(80, (3600, 3000))
    began = time.process_time()
    examine(data, limits=LIMITS)
    assert time.process_time() - began < 2


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xd8" + b"\xff" * 10_000_000 + encoded(scene(), "JPEG")[2:],
        b"\xff\xd8" + segment(0xFE, b"") * 2_500_000 + encoded(scene(), "JPEG")[2:],
        encoded(scene(), "JPEG")[:-2] + segment(0xFE, b"") * 2_500_000 + b"\xff\xd9",
        encoded(scene(), "JPEG")[:-2] + b"\xff\x00" * 5_000_000 + b"\xff\xd9",
        plain_png(4, 4, 8, 2, (b"\0" + bytes(12)) * 4, extra=chunk(b"tEXt", b"") * 800_000),
        text_bomb_png(),
    ],
    ids=["fill", "comments", "comments-after", "stuffing", "chunks", "text-bomb"],
)
def test_a_file_made_to_be_slow_is_not(data: bytes) -> None:
    began = time.process_time()
    try:
        examine(data, limits=LIMITS)
    except Refusal as refusal:
        assert isinstance(refusal, PhotoUnreadable)  # noqa: PT017
    assert time.process_time() - began < 1
