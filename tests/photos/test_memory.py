"""How much memory a photo takes while it is taken in (issue: at most 20 MB for one of 300 kB)."""

from pathlib import Path
from uuid import uuid4

from bench import phone
from tests.photos.sending import Scene, picture, send

MEGABYTE = 1024
STATUS = Path("/proc/self/status")


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
