"""CPU-seconds and memory of a tree of processes, read from /proc (Linux)."""

import os
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Self

TICKS = os.sysconf("SC_CLK_TCK")
PROC = Path("/proc")


def tree(root: int) -> list[int]:
    """List a process and everything that descends from it."""
    children: dict[int, list[int]] = {}
    for entry in PROC.iterdir():
        if entry.name.isdecimal():
            with suppress(OSError):
                children.setdefault(int(_fields(int(entry.name))[1]), []).append(int(entry.name))
    found = [root]
    for pid in found:
        found += children.get(pid, [])
    return found


def cpu_seconds(root: int) -> float:
    """Add up the CPU-seconds that a tree has used, those of its ended (and collected) children included."""
    ticks = 0
    for pid in tree(root):
        with suppress(OSError):
            ticks += sum(int(one) for one in _fields(pid)[11:15])
    return ticks / TICKS


def memory_mb(root: int) -> dict[int, float]:
    """Give the resident megabytes of each process of a tree, shared pages counted in proportion (PSS)."""
    found = {}
    for pid in tree(root):
        with suppress(OSError, StopIteration):
            lines = (PROC / str(pid) / "smaps_rollup").read_text().splitlines()
            found[pid] = int(next(line for line in lines if line.startswith("Pss:")).split()[1]) / 1024
    return found


class MemoryPeak:
    """Watches a tree in a thread of its own; `each` is the largest process seen, `together` all at one moment (MB)."""

    def __init__(self, root: int, every_s: float = 0.5) -> None:
        self.each = self.together = 0.0
        self._root, self._every_s = root, every_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        for seen in self._looks():
            self.each = max(self.each, *seen.values(), 0.0)
            self.together = max(self.together, sum(seen.values()))

    def _looks(self) -> Iterator[dict[int, float]]:
        yield memory_mb(self._root)
        while not self._stop.wait(self._every_s):
            yield memory_mb(self._root)


def _fields(pid: int) -> list[str]:
    """Give the fields of /proc/PID/stat from the third on (state, parent, ...)."""
    return (PROC / str(pid) / "stat").read_text().rpartition(") ")[2].split()
