"""A JPEG damaged in its middle is told from a sound one, and no sound one is taken for damaged."""

import random
import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from server.photos.imaging import examine, render
from server.photos.intake_limits import PhotoLimits, PhotoUnreadable
from tests.photos.builders import encoded, phone_jpeg, scene, segment

LIMITS = PhotoLimits()
KINDS = {
    "420": lambda: encoded(scene(800, 600), "JPEG", quality=80),
    "444": lambda: encoded(scene(800, 600), "JPEG", quality=80, subsampling=0),
    "gray": lambda: encoded(scene(800, 600).convert("L"), "JPEG", quality=90),
    "cmyk": lambda: encoded(scene(800, 600).convert("CMYK"), "JPEG", quality=85),
    "own tables": lambda: encoded(scene(800, 600), "JPEG", quality=80, optimize=True),
    "phone": lambda: phone_jpeg(6, (800, 600)),
}
HARMS: dict[str, Callable[[bytes, int], bytes]] = {
    "a block of zeros": lambda data, at: data[:at] + bytes(4096) + data[at + 4096 :],
    "a block of noise": lambda data, at: data[:at] + random.Random(at).randbytes(4096).replace(b"\xff", b"\x7f") + data[at + 4096 :],
    "a block twice": lambda data, at: data[:at] + data[at - 3000 :],
    "a packet lost": lambda data, at: data[:at] + data[at + 1460 :],
    "the rest lost, an end put on": lambda data, at: data[:at].rstrip(b"\xff") + b"\xff\xd9",
}  # fmt: skip


def sound(data: bytes) -> bool:
    try:
        examine(data, limits=LIMITS)
    except PhotoUnreadable:
        return False
    return True


def restarting(rows: int = 1) -> bytes:
    return encoded(scene(320, 240), "JPEG", restart_marker_rows=rows)


@pytest.mark.parametrize("harm", HARMS)
@pytest.mark.parametrize("kind", KINDS)
def test_damage_in_the_middle_is_unreadable(kind: str, harm: str) -> None:
    data = KINDS[kind]()
    first = data.index(b"\xff\xda") + 100
    places = [first + (len(data) - 6000 - first) * at // 19 for at in range(20)]
    assert sound(data)
    # By chance a decoder finds as many blocks in what it is given as there were: one time in twenty.
    assert sum(not sound(HARMS[harm](data, place)) for place in places) >= 15


def test_a_photo_that_was_taken_in_is_shown_whatever_an_examination_would_say_today() -> None:
    data = KINDS["420"]()
    middle = len(data) // 2
    harmed = data[:middle] + bytes(4096) + data[middle + 4096 :]
    assert not sound(harmed)
    assert render(harmed, 320, limits=LIMITS).startswith(b"\xff\xd8")


@settings(max_examples=150)
@given(
    width=st.integers(1, 700),
    height=st.integers(1, 700),
    quality=st.integers(1, 100),
    subsampling=st.integers(0, 2),
    optimize=st.booleans(),
    restart=st.integers(0, 40),
    mode=st.sampled_from(["RGB", "L", "CMYK"]),
    flat=st.sampled_from([None, None, "black", "white", "gray"]),
)
def test_a_sound_jpeg_is_never_taken_for_damaged(
    width: int, height: int, quality: int, subsampling: int, optimize: bool, restart: int, mode: str, flat: str | None
) -> None:  # fmt: skip
    image = Image.new("RGB", (width, height), flat) if flat else scene(700, 700).crop((0, 0, width, height))
    more = {} if mode == "L" else {"subsampling": subsampling}
    data = encoded(image.convert(mode), "JPEG", quality=quality, optimize=optimize, restart_marker_blocks=restart, **more)  # fmt: skip
    facts = examine(data, limits=LIMITS)
    assert (facts.width, facts.height) == (width, height)


@pytest.mark.parametrize("padding", [b"\0" * 11, b"\0" * 4096, b"\xff" * 9, b"\x1a\x2b", b"\xd5" * 600])
@pytest.mark.parametrize("restart", [0, 1])
def test_what_cameras_leave_before_the_end_marker_is_no_damage(padding: bytes, restart: int) -> None:
    data = restarting() if restart else KINDS["420"]()
    assert sound(data[:-2] + padding + b"\xff\xd9")
    assert sound(data[:-2] + padding + segment(0xFE, b"a comment after the picture") + b"\xff\xd9")


def test_a_last_restart_mark_that_parts_nothing_is_no_damage() -> None:
    data = restarting(2)
    marks = sum(data.count(bytes([0xFF, mark])) for mark in range(0xD0, 0xD8))
    assert marks == 7
    assert sound(data[:-2] + b"\xff\xd7" + b"\xff\xd9")


@pytest.mark.parametrize("lost", [b"\xff\xd0", b"\xff\xd3", b"\xff\xd6"])
def test_a_restart_mark_that_is_missing_doubled_or_misplaced_is_damage(lost: bytes) -> None:
    data = restarting(2)
    at = data.index(lost, data.index(b"\xff\xda"))
    assert not sound(data[:at] + data[at + 2 :])
    assert not sound(data[:at] + lost + data[at:])
    assert not sound(data[:at] + b"\xff\xd5" + data[at + 2 :])
    assert not sound(data[:at] + b"\0\0" + data[at + 2 :])


def test_many_restart_marks_cost_little() -> None:
    data = encoded(Image.new("L", (8192, 6144)), "JPEG", restart_marker_blocks=1)
    began = time.process_time()
    assert sound(data)
    head, tail = data[: data.index(b"\xff\xda")], data[data.index(b"\xff\xda") :]
    assert not sound(head + tail[:10] + b"\xff\xd0" * 3_000_000 + tail[10:])
    assert time.process_time() - began < 1


def test_most_single_bytes_that_change_a_picture_are_noticed_where_it_is_smooth() -> None:
    chance = random.Random(4)
    smooth = scene(1632, 1224).reduce(4).resize((1632, 1224), Image.Resampling.BICUBIC)
    data = bytearray(encoded(smooth, "JPEG", quality=80))
    first, noticed = data.index(b"\xff\xda") + 100, 0
    for _ in range(60):
        at = chance.randrange(first, len(data) - 2)
        before, data[at] = data[at], chance.randrange(255)
        noticed += not sound(bytes(data))
        data[at] = before
    assert noticed >= 30
