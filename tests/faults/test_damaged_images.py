"""Images damaged at random, for as long as one likes: every one ends in a picture or a plain refusal.

FAULT_IMAGE_SECONDS is how long (`make faults` says 600), FAULT_IMAGE_SEED where it begins (the clock by default; it is told).
"""

import os
import time
from pathlib import Path

import pytest

from tests.photos.test_mutations import tried

pytestmark = pytest.mark.slow

SECONDS = float(os.environ.get("FAULT_IMAGE_SECONDS", "10"))
CHILDREN = 2


def test_no_damage_found_in_minutes_kills_or_holds_up_a_process(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    first = int(os.environ.get("FAULT_IMAGE_SEED", time.time_ns() // 1_000_000))
    told = tried(first, SECONDS, CHILDREN, tmp_path)
    with capsys.disabled():
        print("", f"damaged images from number {first} on:", *told, sep="\n  ")  # noqa: T201
