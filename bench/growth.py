"""How each cost grows from 10,000 people to 100,000 to 1,000,000, as figures and as a plot of each curve."""

import statistics
from dataclasses import replace

from bench import measuring, million, pages
from bench.drawing import Curve, draw
from bench.main_job import targets_of
from bench.measuring import Figure, Plan
from bench.pages import of
from bench.server import ROOT
from bench.store import Store, serving, store

SIZES = (10_000, 100_000, 1_000_000)
PLOTS = ROOT / "docs" / "plots"


def growth(plan: Plan) -> list[Figure]:
    """Measure the same requests on stores of each size with 8 clients (counts by village with one)."""
    every: list[Figure] = []
    curves: dict[str, Curve] = {}
    for people in (size for size in SIZES if size <= max(plan.people, SIZES[0])):
        with store(of(people), plan.keep) as kept, serving(kept, plan.shape) as server:
            for work, clients, job in _jobs(kept):
                figures = measuring.measure(
                    server, replace(plan, clients=(clients,)), f"{work} ({people:,})", job
                )
                middle = statistics.median(one.cpu for one in figures)
                curves.setdefault(work, Curve(work)).points.append((people, middle))
                every += figures
    PLOTS.mkdir(exist_ok=True)
    for curve in curves.values():
        (PLOTS / f"{curve.file_name}.svg").write_text(draw(curve), encoding="utf-8")
    return every


def _jobs(kept: Store) -> list[tuple[str, int, dict[str, object]]]:
    found = [(work, 8, job) for work, job in pages.jobs(kept).items()]
    found += [(work, clients[-1], job) for work, clients, job in million.jobs(kept)]
    # Last: what it records waits to be judged, and whoever reads a visit meanwhile would help.
    found.append(("record a visit", 8, {"deed": "record", "photos": 0, "targets": targets_of(kept)}))
    return found
