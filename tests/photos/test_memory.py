"""How much memory a photo takes while it is taken in (issue: at most 20 MB for one of 300 kB)."""

import os
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest

from bench import phone
from tests.photos.sending import Scene, picture, send

MEGABYTE = 1024
STATUS = Path("/proc/self/status")
DRAWERS = """
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from bench import phone
from server.photos.imaging import render_all
from server.photos.intake_limits import PhotoLimits
from tests.photos.test_memory import kilobytes
[large] = phone.pictures(1)
def draw(_):
    return render_all(large, (320, 1600), limits=PhotoLimits())
draw(0)
Path("/proc/self/clear_refs").write_text("5")
before = kilobytes("VmRSS")
with ThreadPoolExecutor(8) as eight:
    assert len(list(eight.map(draw, range(64)))) == 64
print(kilobytes("VmHWM") - before)
"""


def kilobytes(line: str) -> int:
    return int(STATUS.read_text().split(f"{line}:")[1].split()[0])


def test_a_photo_of_300_kb_adds_at_most_20_mb_while_it_is_taken_in(scene: Scene) -> None:
    send(scene.phone, scene.visit, picture())  # what is loaded once, at the first photo
    [large] = phone.pictures(1)
    assert len(large) > 280_000
    added = []
    for _ in range(3):
        Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
        before = kilobytes("VmRSS")
        photo = uuid4()
        assert send(scene.phone, scene.visit, phone.unique(large, str(photo)), photo).status_code == 201
        added.append(kilobytes("VmHWM") - before)
    assert max(added) <= 20 * MEGABYTE, added


@pytest.mark.slow
def test_eight_first_looks_at_once_add_at_most_80_mb() -> None:
    environment = {**os.environ, "MALLOC_ARENA_MAX": "2"}  # as the shipped unit sets it
    said = subprocess.run([sys.executable, "-c", DRAWERS], env=environment, capture_output=True, check=True)
    assert int(said.stdout) <= 80 * MEGABYTE, said.stdout
