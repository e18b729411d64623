"""Runs a job against a server some times over, and tells the medians as a table and the raw figures as JSON."""

import json
import platform
import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from bench.meter import MemoryPeak
from bench.server import ROOT, Running, Shape
from server.tools import Tools

RESULTS = ROOT / "bench" / "results"


@dataclass(frozen=True, slots=True)
class Plan:
    """How long and how often each figure is taken, with how many clients, over how many people."""

    seconds: float = 20
    runs: int = 3
    clients: tuple[int, ...] = (8, 32)
    people: int = 10_000
    shape: Shape = field(default_factory=Shape)
    keep: Path | None = None
    """Where stores are kept for the next benchmark; None: they are deleted after this one."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One run. CPU is in seconds per 1,000 pieces of work; memory in MB."""

    work: str
    clients: int
    per_second: float
    server_cpu: float
    database_cpu: float
    later_cpu: float
    load_cpu: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    largest_process_mb: float
    server_mb: float
    statuses: dict[str, int]

    @property
    def cpu(self) -> float:
        """CPU-seconds per 1,000 of server, database and background work together."""
        return self.server_cpu + self.database_cpu + self.later_cpu


SHOWN = (
    *("cpu", "server_cpu", "database_cpu", "later_cpu", "load_cpu", "per_second"),
    *("p50_ms", "p95_ms", "p99_ms", "largest_process_mb", "server_mb"),
)


def measure(
    server: Running,
    plan: Plan,
    work: str,
    job: dict[str, Any],
    *,
    before: Callable[[], None] = lambda: None,
) -> list[Figure]:
    """Run one job as the plan says, print the median for each number of clients, and give every run.

    `before` is done before each run and belongs to none.
    """
    figures = []
    for clients in plan.clients:
        before()
        _once(server, work, {**job, "clients": clients, "seconds": min(3, plan.seconds)})  # warm caches
        server.settle_down()
        mine = []
        for _ in range(plan.runs):
            before()
            mine.append(_once(server, work, {**job, "clients": clients, "seconds": plan.seconds}))
            server.settle_down()
        show(mine)
        figures += mine
    return figures


def show(figures: list[Figure]) -> None:
    """Print the medians of some runs as one line of a table."""
    middle = {name: statistics.median(getattr(one, name) for one in figures) for name in SHOWN}
    spread = f"{min(one.cpu for one in figures):.2f}–{max(one.cpu for one in figures):.2f}"
    bad = sum(count for one in figures for status, count in one.statuses.items() if status >= "3")
    print(
        f"| {figures[0].work} | {figures[0].clients} | {middle['cpu']:.2f} ({spread}) "
        f"| {middle['server_cpu']:.2f} + {middle['database_cpu']:.2f} + {middle['later_cpu']:.2f} "
        f"| {middle['per_second']:.0f} | {middle['p50_ms']:.0f} / {middle['p95_ms']:.0f} / {middle['p99_ms']:.0f} "
        f"| {middle['largest_process_mb']:.0f} / {middle['server_mb']:.0f} | {middle['load_cpu']:.2f} | {bad} |",
        flush=True,
    )


def head() -> None:
    """Print the table's head."""
    print(
        "| work | clients | CPU-s per 1,000 (min–max) | server + database + later | a second "
        "| p50 / p95 / p99 ms | largest / all MB | load's own CPU | refused |\n" + "|---" * 9 + "|",
        flush=True,
    )


def keep(name: str, plan: Plan, figures: Sequence[Figure | dict[str, Any]]) -> Path:
    """Write every run as JSON into bench/results/."""
    RESULTS.mkdir(exist_ok=True)
    now = Tools().now()
    path = RESULTS / f"{name}-{now:%Y%m%dT%H%M%S}.json"
    raw = {
        "name": name,
        "at": now.isoformat(),
        "machine": platform.platform(),
        "python": platform.python_version(),
        "plan": asdict(plan),
        "runs": [one if isinstance(one, dict) else {**asdict(one), "cpu": one.cpu} for one in figures],
    }
    path.write_text(json.dumps(raw, indent=1, ensure_ascii=False, default=str))
    return path


def _once(server: Running, work: str, job: dict[str, Any]) -> Figure:
    with subprocess.Popen(
        [sys.executable, "-m", "bench.load"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as load:
        assert load.stdin is not None
        assert load.stdout is not None
        load.stdin.write(json.dumps({**job, "port": server.port}) + "\n")
        load.stdin.flush()
        if load.stdout.readline() != "ready\n":
            raise RuntimeError("the load generator did not start")
        with MemoryPeak(server.pid) as memory:
            before = server.cpu()
            load.stdin.write("go\n")
            load.stdin.flush()
            result = json.loads(load.stdout.readline())
            after = server.cpu()
    later = server.seal_ledger()
    each = 1000 / max(1, result["done"])
    return Figure(
        work=work,
        clients=job["clients"],
        per_second=result["done"] / result["seconds"],
        server_cpu=(after[0] - before[0]) * each,
        database_cpu=(after[1] - before[1]) * each,
        later_cpu=later * each,
        load_cpu=result["load_cpu_s"] * each,
        p50_ms=result["p50_ms"],
        p95_ms=result["p95_ms"],
        p99_ms=result["p99_ms"],
        largest_process_mb=memory.each,
        server_mb=memory.together,
        statuses=result["statuses"],
    )
