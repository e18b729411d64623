"""Heavy pictures are decoded one at a time on a host, and light ones never wait for them."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from PIL import Image

from server.photos import decoding_room
from server.photos.imaging import examine, render
from server.photos.intake_limits import PhotoLimits
from tests.photos.builders import encoded, phone_jpeg

LIMITS = PhotoLimits()
OTHER_PROCESS = """
from server.photos.decoding_room import alone_on_this_host
with alone_on_this_host():
    print("holding", flush=True)
    input()
"""


def gray(kind: str, size: tuple[int, int], **options: object) -> bytes:
    return encoded(Image.new("RGB", size, "gray"), kind, **options)


HEAVY: dict[str, Callable[[], bytes]] = {
    "progressive JPEG": lambda: gray("JPEG", (2400, 2000), progressive=True),
    "PNG": lambda: gray("PNG", (2400, 2000), compress_level=1),
    "WebP": lambda: gray("WEBP", (2400, 2000), lossless=True, method=0),
    "HEIC": lambda: gray("HEIF", (2400, 2000), quality=20),
}
LIGHT: dict[str, Callable[[], bytes]] = {
    "JPEG of a phone": phone_jpeg,
    "large JPEG": lambda: gray("JPEG", (8192, 6144)),
    "small PNG": lambda: gray("PNG", (1600, 1200)),
    "lossy WebP": lambda: gray("WEBP", (2400, 2000), method=0),
    "small HEIC": lambda: gray("HEIF", (640, 480)),
}


@contextmanager
def another_process_decodes() -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-c", OTHER_PROCESS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "holding\n"
        try:
            yield process
        finally:
            process.kill()


def begun(work: Callable[[], object]) -> tuple[threading.Thread, list[object]]:
    done: list[object] = []
    thread = threading.Thread(target=lambda: done.append(work()))
    thread.start()
    return thread, done


@pytest.mark.parametrize("kind", HEAVY)
@pytest.mark.slow
def test_a_heavy_picture_waits_for_the_gate(kind: str) -> None:
    data, gate = HEAVY[kind](), threading.Semaphore(0)
    for work in (
        lambda: examine(data, limits=LIMITS, gate=gate),
        lambda: render(data, 320, limits=LIMITS, gate=gate),
    ):
        thread, done = begun(work)
        thread.join(0.5)
        assert done == []
        gate.release()
        thread.join(60)
        assert len(done) == 1
        assert gate.acquire(blocking=False)


@pytest.mark.parametrize("kind", LIGHT)
def test_a_light_picture_waits_for_nobody(kind: str) -> None:
    data, shut = LIGHT[kind](), threading.Semaphore(0)
    with another_process_decodes():
        assert examine(data, limits=LIMITS, gate=shut).width > 0
        assert render(data, 320, limits=LIMITS, gate=shut)


@pytest.mark.slow
def test_a_heavy_picture_waits_for_the_one_of_another_process_and_not_for_a_dead_one() -> None:
    data, began = HEAVY["PNG"](), time.monotonic()
    for _ in range(decoding_room.LIGHT_AT_ONCE + 2):
        examine(data, limits=LIMITS)
    enough = 0.5 + 3 * (time.monotonic() - began)
    with another_process_decodes() as process:
        waiting = [
            begun(lambda: examine(data, limits=LIMITS)) for _ in range(decoding_room.LIGHT_AT_ONCE + 2)
        ]
        waiting[0][0].join(enough)
        assert [done for _, done in waiting] == [[]] * len(waiting)
        # Those who wait keep no place that a light one needs.
        assert examine(phone_jpeg(), limits=LIMITS).width == 320
        process.kill()
        for thread, done in waiting:
            thread.join(60)
            assert len(done) == 1


def test_a_refused_picture_leaves_the_room_free() -> None:
    broken = HEAVY["PNG"]().replace(b"IDAT", b"IDAX")
    cut = HEAVY["HEIC"]()[:-30]
    for data in (broken, cut):
        for _ in range(decoding_room.LIGHT_AT_ONCE + 2):
            with pytest.raises(Exception, match="照片"):
                examine(data, limits=LIMITS, gate=threading.Semaphore(1))
    assert examine(HEAVY["PNG"](), limits=LIMITS, gate=threading.Semaphore(1)).width == 2400


def test_few_small_pictures_are_drawn_at_once_and_nobody_who_uploads_waits_for_them() -> None:
    data = phone_jpeg()
    for _ in range(decoding_room.DRAWN_AT_ONCE):
        assert decoding_room.drawn.acquire(timeout=60)
    try:
        thread, done = begun(lambda: render(data, 320, limits=LIMITS))
        thread.join(0.5)
        assert done == []
        assert examine(data, limits=LIMITS).width == 320
    finally:
        for _ in range(decoding_room.DRAWN_AT_ONCE):
            decoding_room.drawn.release()
    thread.join(60)
    assert len(done) == 1


def test_a_picture_that_cannot_be_drawn_leaves_its_place() -> None:
    broken = HEAVY["PNG"]().replace(b"IDAT", b"IDAX")
    for _ in range(decoding_room.DRAWN_AT_ONCE + 1):
        with pytest.raises(Exception, match="照片"):
            render(broken, 320, limits=LIMITS)
    assert render(phone_jpeg(), 320, limits=LIMITS)
