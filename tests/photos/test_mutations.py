"""A few seconds of images damaged at random; tests/faults/test_damaged_images.py does the same for minutes."""

import subprocess
import sys
from pathlib import Path

import pytest

STEP = 10_000_000


def tried(first: int, seconds: float, children: int, folder: Path) -> list[str]:
    """Let children damage and try images side by side; gives what they counted. A dead child fails, and names its file."""
    started = [
        subprocess.Popen(
            [
                *(sys.executable, "-m", "tests.photos.mutating"),
                *(str(first + at * STEP), str(seconds), str(folder / f"diary-{at}")),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for at in range(children)
    ]
    told = []
    for at, child in enumerate(started):
        out, err = child.communicate(timeout=seconds + 300)
        assert child.returncode == 0, (
            f"died ({child.returncode}) of number {(folder / f'diary-{at}').read_text()}: {err[-500:]}"
        )
        told.append(out.strip())
    return told


@pytest.mark.slow
def test_seconds_of_random_damage_end_plainly(tmp_path: Path) -> None:
    [told] = tried(1, 5, 1, tmp_path)
    counts = dict(one.split("=") for one in told.split())
    assert int(counts["files"]) >= 50
    assert set(counts) <= {"files", "taken", "photo_type", "photo_unreadable", "photo_too_many_pixels", "slowest", "peak"}  # fmt: skip
    assert int(counts["taken"]) > 0
    assert int(counts["photo_unreadable"]) > 0
