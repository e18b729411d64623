"""Whichever way a phone was held, and however its format says so, a picture is shown upright and says nothing else."""

import io
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from PIL import Image

from server.photos.imaging import examine, render_all
from server.photos.intake_limits import PhotoLimits
from tests.photos.builders import encoded, exif, heic, scene, turned
from tests.photos.heif_boxes import coded, exif_item, heif, mirror, picture, turn
from tests.photos.test_corpus import BASICS, found_by_exiftool
from tests.photos.test_imaging import UPRIGHT, corners

LIMITS = PhotoLimits()
WIDTH, HEIGHT = 400, 300
# Turns against the clock, then which way it is mirrored (0 top to bottom, 1 left to right), as libheif does it.
BOXES = {
    1: [],
    2: [mirror(1)],
    3: [turn(2)],
    4: [mirror(0)],
    5: [turn(1), mirror(0)],
    6: [turn(3)],
    7: [turn(1), mirror(1)],
    8: [turn(1)],
}


def stored(orientation: int) -> Image.Image:
    return turned(scene(WIDTH, HEIGHT), orientation)


def built(orientation: int) -> bytes:
    """A HEIC turned by its boxes, whose EXIF asks for a turn too, as iPhones write it; only the boxes count."""
    block = exif(6 if orientation != 6 else 8)
    one = picture(1, coded(stored(orientation)), *BOXES[orientation])
    return heif([one, exif_item(2, block)], links=[(b"cdsc", 2, [1])])


FORMATS: dict[str, Callable[[int], bytes]] = {
    "jpeg": lambda o: encoded(stored(o), "JPEG", exif=exif(o), quality=88),
    "progressive jpeg": lambda o: encoded(stored(o), "JPEG", exif=exif(o), progressive=True),
    "png": lambda o: encoded(stored(o), "PNG", exif=exif(o)),
    "webp": lambda o: encoded(stored(o), "WEBP", exif=exif(o)),
    "lossless webp": lambda o: encoded(stored(o), "WEBP", exif=exif(o), lossless=True, method=0),
    "heic": lambda o: heic(stored(o), exif=exif(o)),
    "heic by its boxes": built,
}


@cache
def made(kind: str, orientation: int) -> tuple[bytes, dict[int, bytes]]:
    """A photo and its renditions."""
    data = FORMATS[kind](orientation)
    return data, render_all(data, (1600, 320), limits=LIMITS)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", FORMATS)
def test_every_orientation_of_every_format_is_shown_upright(kind: str, orientation: int) -> None:
    data, renditions = made(kind, orientation)
    facts = examine(data, limits=LIMITS)
    assert (facts.width, facts.height) == (WIDTH, HEIGHT)
    shown = {box: Image.open(io.BytesIO(one)) for box, one in renditions.items()}
    assert {box: image.size for box, image in shown.items()} == {1600: (400, 300), 320: (320, 240)}
    assert [corners(image) for image in shown.values()] == [UPRIGHT, UPRIGHT]


@pytest.mark.exiftool
@pytest.mark.parametrize("kind", FORMATS)
def test_exiftool_finds_the_basics_of_a_jpeg_and_nothing_else(kind: str, tmp_path: Path) -> None:
    for orientation in range(1, 9):
        for box, data in made(kind, orientation)[1].items():
            (tmp_path / f"{orientation}-{box}.jpg").write_bytes(data)
    assert len(list(tmp_path.iterdir())) == 16
    assert found_by_exiftool(tmp_path) == BASICS
