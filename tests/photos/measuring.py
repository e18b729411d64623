"""Examines and renders files in a process of its own, so that a crash is a dead child and each file's cost is seen.

`python -m tests.photos.measuring FOLDER RENDITIONS` does every file of a folder and says a line before and after each.
"""

import json
import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from server.errors import Refusal
from server.photos.imaging import examine, render_all
from server.photos.intake_limits import PhotoLimits

ADDRESS_SPACE = 4 << 30
BOXES = (1600, 320)


@dataclass(frozen=True)
class Cost:
    """What became of one file: how it ended, CPU-seconds of the dearer of the two steps, megabytes that it added."""

    name: str
    ended: str
    seconds: float
    wall: float
    megabytes: float


def measured(files: dict[str, bytes], folder: Path) -> list[Cost]:
    """Measure each file; renditions are left in `folder`/renditions."""
    given, made = folder / "given", folder / "renditions"
    given.mkdir(parents=True)
    made.mkdir()
    for name, data in files.items():
        (given / name).write_bytes(data)
    costs: list[Cost] = []
    for _ in range(20):  # a child that dies is followed by another, which begins behind the deadly file
        done = subprocess.run(
            [sys.executable, "-m", "tests.photos.measuring", str(given), str(made)],
            check=False,
            capture_output=True,
            text=True,
            timeout=600,
        )
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        costs += [Cost(**line) for line in lines if "ended" in line]
        if done.returncode == 0:
            return costs
        deadly = lines[-1]["name"] if lines else "nothing"
        costs.append(Cost(deadly, f"died: {done.returncode} {done.stderr[-300:]}", 0, 0, 0))
        for cost in costs:
            (given / cost.name).unlink(missing_ok=True)
    return costs


def _memory(kind: str) -> float:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split(f"{kind}:")[1].split()[0]) / 1024


def _try(path: Path, made: Path) -> tuple[str, float]:
    """Take a photo in and show it, as two requests would."""
    ended, dearest = "taken", 0.0
    for step in (
        lambda: examine(path, limits=PhotoLimits()),
        lambda: render_all(path, BOXES, limits=PhotoLimits()),
    ):
        began = time.process_time()
        try:
            result = step()
        except Refusal as refusal:
            ended = refusal.code() if ended == "taken" else ended
            result = None
        except BaseException as error:  # noqa: BLE001
            ended = f"fault: {type(error).__name__}: {error}"
            result = None
        dearest = max(dearest, time.process_time() - began)
        if isinstance(result, dict):
            for box, data in result.items():
                (made / f"{path.name}.{box}.jpg").write_bytes(data)
    return ended, dearest


def _say(line: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def main(given: Path, made: Path) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    for path in sorted(given.iterdir()):
        _say({"name": path.name})
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the high-water mark starts anew
        before, began = _memory("VmRSS"), time.monotonic()
        ended, seconds = _try(path, made)
        wall, grown = time.monotonic() - began, _memory("VmHWM") - before
        _say({"name": path.name, "ended": ended, "seconds": seconds, "wall": wall, "megabytes": grown})


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
