"""The costliest pictures that are taken stay within two seconds of work and 512 MB, two at once in two processes too."""

import os
import random
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from PIL import Image

from tests.photos.builders import chunk, encoded, many_scans, scene
from tests.photos.heif_boxes import coded, grid_file
from tests.photos.measuring import measured

pytestmark = pytest.mark.slow

WIDTH, HEIGHT = 8192, 6144
ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
CROWD = """
import sys, threading
from pathlib import Path
from server.photos.imaging import examine
from server.photos.intake_limits import PhotoLimits
print('ready', flush=True)
input()
gate = threading.Semaphore(1)
work = lambda path: examine(Path(path), limits=PhotoLimits(), gate=gate)
threads = [threading.Thread(target=work, args=(path,)) for path in sys.argv[1:]]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
"""


def interlaced_png() -> bytes:
    """16-bit RGBA, interlaced, every row with the costliest filter."""
    packer, parts = zlib.compressobj(1), []
    for x, y, across, down in ADAM7:
        width, height = -(-(WIDTH - x) // across), -(-(HEIGHT - y) // down)
        row = b"\4" + b"\1\2\3\xfa\7\0c\1" * width
        parts += [packer.compress(row) for _ in range(height)]
    parts.append(packer.flush())
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 16, 6, 0, 0, 1)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"".join(parts)) + chunk(b"IEND", b"")
    )


def full_png(most: int = 12_000_000) -> bytes:
    """As many random bytes as may be sent, in a picture as large as may be."""
    noise = random.Random(1).randbytes(most - 300_000)
    pixels = bytes(3 * WIDTH + 1) * HEIGHT
    rows = bytearray(noise + pixels[len(noise) :])
    rows[:: 3 * WIDTH + 1] = b"\4" * HEIGHT
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 0)
    packed = zlib.compress(bytes(rows), 1)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def textured(width: int = WIDTH, height: int = HEIGHT, *, coarse: int = 1) -> Image.Image:
    piece = scene(1024 // coarse, 768 // coarse)
    if coarse > 1:
        piece = piece.resize((1024, 768), Image.Resampling.NEAREST)
    image = Image.new("RGB", (width, height))
    for y in range(0, height, 768):
        for x in range(0, width, 1024):
            image.paste(piece, (x, y))
    return image


def see_through(image: Image.Image) -> Image.Image:
    image.putalpha(textured(*image.size, coarse=4).getchannel(0))
    return image


CASES: dict[str, Callable[[], bytes]] = {
    "JPEG": lambda: encoded(textured(), "JPEG", quality=88),
    "JPEG, progressive": lambda: encoded(textured(), "JPEG", quality=80, progressive=True),
    "JPEG, progressive CMYK 4:4:4": lambda: encoded(
        textured().convert("CMYK"), "JPEG", progressive=True, subsampling=0, quality=60
    ),
    "JPEG, 80 scans of 10.8 MP": lambda: many_scans(80, (3600, 3000)),
    "PNG": lambda: encoded(textured(coarse=4), "PNG", compress_level=1),
    "PNG of 12 MB": full_png,
    "PNG, interlaced 16-bit RGBA": interlaced_png,
    "WebP, lossy": lambda: encoded(textured(), "WEBP", quality=75, method=0),
    "WebP, lossy with alpha": lambda: encoded(see_through(textured()), "WEBP", quality=60, method=0),
    "WebP, lossless": lambda: encoded(textured(coarse=4), "WEBP", lossless=True, method=0),
    "WebP, lossless with alpha": lambda: encoded(
        see_through(textured(coarse=4)), "WEBP", lossless=True, method=0
    ),
    "HEIC, 192 tiles of 512": lambda: grid_file(coded(scene(512, 512), 40), 12, 16),
    "HEIC, 64 tiles of 1024 × 768": lambda: grid_file(coded(scene(1024, 768), 40), 8, 8),
}


@pytest.mark.parametrize("case", CASES)
def test_the_costliest_pictures_stay_within_time_and_memory(case: str, tmp_path: Path) -> None:
    data = CASES[case]()
    [cost] = measured({case: data}, tmp_path)
    if table := os.environ.get("IMAGE_COSTS"):
        with Path(table).open("a") as file:
            file.write(
                f"| {case} | {len(data) / 1e6:.1f} | {cost.seconds:.2f} | {cost.wall:.2f} | {cost.megabytes:.0f} |\n"
            )
    assert cost.ended == "taken"
    assert cost.seconds < 2
    assert cost.megabytes < 512


def resident(processes: list[subprocess.Popen[bytes]]) -> int:
    total = 0
    for process in processes:
        if process.poll() is None:
            text = Path(f"/proc/{process.pid}/status").read_text()  # a zombie has one too, without the line
            total += int(text.split("VmRSS:")[1].split()[0]) if "VmRSS:" in text else 0
    return total // 1024


def test_many_heavy_pictures_at_once_in_two_processes_grow_by_less_than_512_megabytes(tmp_path: Path) -> None:
    names = [
        "JPEG, progressive CMYK 4:4:4",
        "PNG, interlaced 16-bit RGBA",
        "WebP, lossless",
        "HEIC, 192 tiles of 512",
    ]
    paths = [tmp_path / str(at) for at in range(len(names))]
    for path, name in zip(paths, names, strict=True):
        path.write_bytes(CASES[name]())
    arguments = [sys.executable, "-c", CROWD, *map(str, paths)]
    processes = [subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(2)]
    for one in processes:
        assert one.stdout is not None
        assert one.stdout.readline() == b"ready\n"
        one.stdout.close()
    most = before = resident(processes)
    for one in processes:
        assert one.stdin is not None
        one.stdin.write(b"\n")
        one.stdin.close()
    for one in processes:
        while one.poll() is None:
            most = max(most, resident(processes))
            with suppress(subprocess.TimeoutExpired):
                one.wait(0.01)
    assert [one.returncode for one in processes] == [0, 0]
    if table := os.environ.get("IMAGE_COSTS"):
        with Path(table).open("a") as file:
            file.write(f"two processes, four heavy pictures in each at once: {most - before} MB\n")
    assert most - before < 512
