"""Runs benchmarks: `python -m bench [NAME ...] [--seconds 20] [--runs 3] [--clients 8 32] [--people 10000]`.

`--workers 2 --threads 8` shape the WSGI server. Without a name everything but the large ones runs shortly, within ten
minutes. `--keep FOLDER` keeps the large stores.
"""

import argparse
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench import (
    county,
    evidence,
    evidence_speed,
    growth,
    ledger,
    main_job,
    measuring,
    million,
    pages,
    profiling,
    restarts,
    reviewing,
    screens,
    servers,
    spotchecks,
    sync,
)
from bench.measuring import Figure, Plan
from bench.server import Shape

Benchmark = Callable[[Plan], Sequence[Figure | dict[str, Any]]]
BENCHMARKS: Mapping[str, Benchmark] = {
    "visits": lambda plan: main_job.record(plan, photos=0),
    "visit_photo": lambda plan: main_job.record(plan, photos=1),
    "visit_three_photos": lambda plan: main_job.record(plan, photos=3),
    "reads": main_job.reads,
    "profile": profiling.profiles,
    "renditions": main_job.renditions,
    "sqlite": lambda plan: main_job.record(replace(plan, clients=(8,)), photos=0, sqlite=True),
    "servers": servers.compare,
    "restarts": restarts.lose_none,
    "evidence": evidence.evidence,
}
LARGE: Mapping[str, Benchmark] = {
    "pages": pages.pages,
    "screens": screens.screens,
    "overdue": million.overdue,
    "opening": million.opening,
    "sync": sync.first_sync,
    "county": county.county,
    "growth": growth.growth,
    "spotchecks": spotchecks.draws,
    "evidence_speed": evidence_speed.speed,
    "reviewing": reviewing.reviewing,
    "ledger": ledger.ledger,
}
"""Those that need a store of their own, which takes minutes to build and is kept with `--keep FOLDER`."""
EVERY = {**BENCHMARKS, **LARGE}
SHORT = Plan(seconds=10, runs=1)
"""What runs without a name: everything within ten minutes."""
NAMED_ONLY = frozenset({"servers", "restarts"})
"""What runs only when it is named: what needs to be measured once."""


def main() -> None:
    """Run the named benchmarks, or all of them shortly."""
    asked = argparse.ArgumentParser(prog="python -m bench", description="benchmarks (docs/performance.md)")
    asked.add_argument("names", nargs="*", metavar="NAME", help=" ".join(EVERY))
    asked.add_argument("--seconds", type=float)
    asked.add_argument("--runs", type=int)
    asked.add_argument("--clients", type=int, nargs="+")
    asked.add_argument("--people", type=int)
    asked.add_argument("--keep", type=Path, help="a folder for stores that later benchmarks use again")
    asked.add_argument("--workers", type=int, default=Shape().workers)
    asked.add_argument("--threads", type=int, default=Shape().threads)
    told = asked.parse_args()
    unknown = [name for name in told.names if name not in EVERY]
    if unknown:
        asked.error(f"unknown: {', '.join(unknown)}; known: {', '.join(EVERY)}")
    plan = Plan() if told.names else SHORT
    plan = replace(
        plan,
        seconds=told.seconds or plan.seconds,
        runs=told.runs or plan.runs,
        clients=tuple(told.clients or plan.clients),
        people=told.people or plan.people,
        shape=Shape(told.workers, told.threads),
        keep=told.keep,
    )
    # Whoever ends us early (a time limit) must not leave a server behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended early"))
    measuring.head()
    kept = [
        measuring.keep(name, plan, EVERY[name](plan))
        for name in told.names or (name for name in BENCHMARKS if name not in NAMED_ONLY)
    ]
    print("raw figures:", *kept)


if __name__ == "__main__":
    main()
