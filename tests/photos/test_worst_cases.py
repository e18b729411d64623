"""The costliest pictures that are taken stay within two seconds of work and 512 MB, measured in a process of their own."""

import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from tests.photos.builders import chunk, encoded

pytestmark = pytest.mark.slow

WIDTH, HEIGHT = 8192, 6144
PROGRAM = """
import resource, sys
from pathlib import Path
from server.photos.imaging import examine, render_all
from server.photos.intake_limits import PhotoLimits
before = resource.getrusage(resource.RUSAGE_SELF)
if sys.argv[2] == "examine":
    print(examine(Path(sys.argv[1]), limits=PhotoLimits()).width)
else:
    print(len(render_all(Path(sys.argv[1]), (1600, 320), limits=PhotoLimits())))
after = resource.getrusage(resource.RUSAGE_SELF)
print(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
# ru_maxrss would include what the parent held when it forked.
status = Path("/proc/self/status").read_text()
print(int(status.split("VmHWM:")[1].split()[0]) / 1024)
"""
ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


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


def flat(mode: str = "RGB", size: tuple[int, int] = (WIDTH, HEIGHT)) -> Image.Image:
    return Image.new(mode, size, "gray")


CASES: dict[str, Callable[[], bytes]] = {
    "interlaced PNG": interlaced_png,
    "progressive CMYK JPEG": lambda: encoded(flat("CMYK"), "JPEG", progressive=True, subsampling=0),
    "WebP": lambda: encoded(flat("RGBA", (6000, 4300)), "WEBP", method=0),
    "HEIC": lambda: encoded(flat(), "HEIF", quality=20),
}


@pytest.mark.parametrize("case", CASES)
def test_the_costliest_pictures_stay_within_time_and_memory(case: str, tmp_path: Path) -> None:
    path = tmp_path / "photo"
    path.write_bytes(CASES[case]())
    for work in ("examine", "render"):
        told = subprocess.run(
            [sys.executable, "-c", PROGRAM, str(path), work],
            check=True,
            capture_output=True,
            text=True,
            timeout=60,
        )
        result, seconds, megabytes = told.stdout.split()
        assert int(result) in {WIDTH, 6000, 2}
        assert float(seconds) < 2
        assert float(megabytes) < 512
