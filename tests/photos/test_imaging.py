"""Photos as phones send them are taken and shown upright without metadata; everything else is told apart."""

import datetime as dt
import io

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from server.photos.imaging import examine, hamming, render, render_all
from server.photos.intake_limits import (
    PhotoLimits,
)
from server.photos.terms import ExifFacts
from tests.photos.builders import (
    SECRET,
    animated,
    encoded,
    exif,
    heic,
    phone_jpeg,
    png_with_text,
    scene,
    segment,
    segments,
    sixteen_bit_png,
    turned,
)

LIMITS = PhotoLimits()
KINDS = ["JPEG", "PNG", "WEBP", "HEIF"]


def look(data: bytes, box: int = 320) -> Image.Image:
    image = Image.open(io.BytesIO(render(data, box, limits=LIMITS)))
    image.load()
    return image


def corners(image: Image.Image) -> list[str]:
    width, height = image.size
    names = {(1, 0, 0): "red", (0, 1, 0): "green", (0, 0, 1): "blue", (1, 1, 1): "white", (0, 0, 0): "black"}
    places = [
        (width // 4, height // 4),
        (width * 3 // 4, height // 4),
        (width // 4, height * 3 // 4),
        (width * 3 // 4, height * 3 // 4),
    ]
    small = image.convert("RGB").reduce(4)
    seen = [small.getpixel((x // 4, y // 4)) for x, y in places]
    return [names[tuple(int(level > 128) for level in pixel)] for pixel in seen]


UPRIGHT = ["red", "green", "blue", "white"]


@pytest.mark.parametrize("kind", KINDS)
def test_each_format_of_a_phone_is_examined_and_shown(kind: str) -> None:
    data = encoded(scene(), kind)
    facts = examine(data, limits=LIMITS)
    assert (facts.format.value, facts.width, facts.height, facts.frames) == (
        {"HEIF": "heic"}.get(kind, kind.lower()), 320, 240, 1,
    )  # fmt: skip
    assert facts.exif == ExifFacts()
    assert corners(look(data)) == UPRIGHT


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_all_eight_orientations_are_shown_upright(kind: str, orientation: int) -> None:
    data = encoded(turned(scene(), orientation), kind, exif=exif(orientation))
    facts = examine(data, limits=LIMITS)
    assert (facts.width, facts.height, facts.exif.orientation) == (320, 240, orientation)
    shown = look(data)
    assert shown.size == (320, 240)
    assert corners(shown) == UPRIGHT
    assert hamming(facts.dhash, examine(encoded(scene(), kind), limits=LIMITS).dhash) <= 3


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_a_heic_is_turned_once(orientation: int) -> None:
    data = heic(turned(scene(), orientation), exif=exif(orientation))
    facts = examine(data, limits=LIMITS)
    assert (facts.width, facts.height) == (320, 240)
    assert corners(look(data)) == UPRIGHT
    assert facts.exif.make == "HUAWEI"


@pytest.mark.parametrize(
    "data",
    [
        encoded(scene().convert("CMYK"), "JPEG"),
        encoded(scene(), "JPEG", progressive=True),
        encoded(scene(), "JPEG", subsampling=0, quality=100),
        encoded(scene().convert("RGBA"), "PNG"),
        encoded(scene().quantize(64), "PNG"),
        encoded(scene().convert("RGBA"), "WEBP", lossless=True),
        encoded(scene().convert("RGBA"), "HEIF"),
        phone_jpeg() + b"\0" * 500 + b"ftypmp42 a motion photo's film " * 100,
        phone_jpeg() + encoded(scene(), "JPEG"),
        encoded(scene(), "MPO", save_all=True, append_images=[scene()]),
        animated("PNG"),
        animated("WEBP"),
    ],
    ids=[
        "cmyk",
        "progressive",
        "444",
        "rgba",
        "palette",
        "lossless",
        "heic-alpha",
        "motion",
        "two",
        "mpo",
        "apng",
        "anim",
    ],
)
def test_odd_but_genuine_pictures_are_shown_as_they_are(data: bytes) -> None:
    facts = examine(data, limits=LIMITS)
    assert (facts.width, facts.height) == (320, 240)
    assert corners(look(data)) == UPRIGHT


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA"])
@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_every_colour_mode_is_decoded(kind: str, mode: str) -> None:
    data = encoded(scene().convert(mode), kind)
    assert examine(data, limits=LIMITS).width == 320
    assert look(data).mode in {"L", "RGB"}


def test_padding_between_the_segments_of_a_camera_is_passed_over() -> None:
    plain = encoded(scene(), "JPEG")
    padded = plain[:2] + segment(0xE1, exif(6)) + bytes(40) + b"\xff" * 7 + plain[2:]
    assert examine(padded, limits=LIMITS).exif.orientation == 6


def test_frames_are_counted_and_the_first_is_shown() -> None:
    assert [examine(animated(kind), limits=LIMITS).frames for kind in ("PNG", "WEBP")] == [3, 3]


def test_sixteen_bits_are_not_clipped_to_white() -> None:
    shown = look(sixteen_bit_png()).convert("L")
    assert [abs(shown.getpixel((x, 100)) - x * 255 // 319) <= 6 for x in (5, 80, 160, 240, 314)] == [True] * 5


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_what_is_transparent_becomes_white(mode: str) -> None:
    clear = Image.new("RGBA", (64, 64), (0, 0, 0, 0)).convert(mode)
    assert look(encoded(clear, "PNG")).convert("L").getextrema()[0] > 250
    palette = Image.new("P", (64, 64), 0)
    assert look(encoded(palette, "PNG", transparency=0)).convert("L").getextrema()[0] > 250


def test_a_picture_with_other_primaries_is_converted_to_srgb() -> None:
    # Green and blue change places in this profile, so a viewer who ignored it would show another picture.
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    green, blue = profile.index(b"gXYZ"), profile.index(b"bXYZ")
    profile[green : green + 4], profile[blue : blue + 4] = b"bXYZ", b"gXYZ"
    data = encoded(scene(), "JPEG", icc_profile=bytes(profile))
    assert corners(look(data)) == ["red", "blue", "green", "white"]


def test_a_broken_profile_does_not_hide_a_photo() -> None:
    assert corners(look(encoded(scene(), "JPEG", icc_profile=b"nonsense" * 50))) == UPRIGHT


@pytest.mark.parametrize("box", [320, 1600])
@pytest.mark.parametrize(
    "data",
    [phone_jpeg(6, (2000, 1500)), png_with_text(scene(), exif=exif(), icc_profile=b"x" + SECRET),
     encoded(scene(), "WEBP", exif=exif(), xmp=SECRET), heic(exif=exif(), xmp=SECRET),
     encoded(scene().convert("L"), "JPEG", comment=SECRET, exif=exif(), dpi=(300, 300)),
     encoded(scene().convert("CMYK"), "JPEG", comment=SECRET)],
    ids=["jpeg", "png", "webp", "heic", "gray", "cmyk"],
)  # fmt: skip
def test_a_rendition_holds_pixels_and_nothing_else(data: bytes, box: int) -> None:
    made = render(data, box, limits=LIMITS)
    assert SECRET not in made
    assert b"Exif" not in made
    assert b"HUAWEI" not in made
    found = segments(made)
    assert {marker for marker, _ in found} <= {0xE0, 0xDB, 0xC0, 0xC4}
    assert [body for marker, body in found if marker == 0xE0] == [b"JFIF\0\1\1\0\0\1\0\1\0\0"]
    assert made.endswith(b"\xff\xd9")
    assert b"\xff\xfe" not in made[made.index(b"\xff\xda") :]


@pytest.mark.parametrize(
    ("size", "box", "shown"),
    [
        ((2000, 1500), 320, (320, 240)),
        ((1500, 2000), 320, (240, 320)),
        ((4000, 300), 1600, (1600, 120)),
        ((100, 80), 320, (100, 80)),
        ((3, 2000), 320, (1, 320)),
        ((1, 1), 320, (1, 1)),
    ],
)
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_rendition_fits_its_box_and_is_never_enlarged(
    size: tuple[int, int], box: int, shown: tuple[int, int], kind: str
) -> None:
    data = encoded(Image.new("RGB", size, "gray"), kind)
    assert look(data, box).size == shown
    assert (examine(data, limits=LIMITS).width, examine(data, limits=LIMITS).height) == size


def test_one_decoding_makes_all_boxes() -> None:
    made = render_all(phone_jpeg(6, (2000, 1500)), (320, 1600), limits=LIMITS)
    assert {box: Image.open(io.BytesIO(data)).size for box, data in made.items()} == {
        320: (320, 240),
        1600: (1600, 1200),
    }


def test_facts_of_the_camera_are_read() -> None:
    facts = examine(phone_jpeg(6), limits=LIMITS).exif
    assert facts == ExifFacts(
        taken_at_raw="2026:03:14 09:26:53",
        taken_at=dt.datetime(2026, 3, 14, 9, 26, 53),  # noqa: DTZ001
        offset="+08:00",
        make="HUAWEI",
        model="ELE-AL00",
        software="ELE-AL00 10.1",
        latitude=30.8935,
        longitude=119.417,
        orientation=6,
    )
    assert facts.as_json()["taken_at"] == "2026-03-14T09:26:53"
    assert ExifFacts().as_json() == {}


@pytest.mark.parametrize(
    "taken_at", ["0000:00:00 00:00:00", "2026:13:40 99:99:99", "    :  :     :  :  ", "昨天", "\0\0\0"]
)
def test_a_strange_date_is_unknown_not_an_error(taken_at: str) -> None:
    data = encoded(scene(), "JPEG", exif=exif(taken_at=taken_at.encode()))
    assert examine(data, limits=LIMITS).exif.taken_at is None


def test_a_name_in_exif_is_cleaned_and_short() -> None:
    data = encoded(scene(), "JPEG", exif=exif(make="A\x01B\n" + "x" * 5000))
    assert examine(data, limits=LIMITS).exif.make == "AB" + "x" * 62


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_broken_exif_never_hides_a_photo(data: st.DataObject) -> None:
    block = bytearray(exif(6))
    for _ in range(data.draw(st.integers(1, 12))):
        block[data.draw(st.integers(6, len(block) - 1))] = data.draw(st.integers(0, 255))
    plain = encoded(scene(64, 48), "JPEG")
    facts = examine(plain[:2] + segment(0xE1, bytes(block)) + plain[2:], limits=LIMITS)
    assert {facts.width, facts.height} == {64, 48}


def test_the_same_picture_hashes_alike_and_others_do_not() -> None:
    original = examine(phone_jpeg(1, (2000, 1500)), limits=LIMITS).dhash
    smaller = examine(render(phone_jpeg(1, (2000, 1500)), 320, limits=LIMITS), limits=LIMITS).dhash
    other = examine(encoded(scene().rotate(90, expand=True), "PNG"), limits=LIMITS).dhash
    assert hamming(original, smaller) <= 4
    assert hamming(original, other) > 10
    assert hamming(0, 2**64 - 1) == hamming(-1, 0) == 64


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
def test_distance_is_the_same_for_signed_hashes(one: int, other: int) -> None:
    def signed(value: int) -> int:
        return value - 2**64 if value >> 63 else value

    assert hamming(one, other) == hamming(signed(one), signed(other)) == hamming(other, one)


def test_a_file_is_read_from_its_beginning() -> None:
    file = io.BytesIO(phone_jpeg())
    file.seek(100)
    assert examine(file, limits=LIMITS).width == 320
