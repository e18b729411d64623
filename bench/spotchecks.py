"""Freezing a frame of 100,000 visits, drawing from it, publishing it, and drawing it again with docs/redraw.py."""

import json
import resource
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import func, select

from bench.measuring import Plan
from bench.store import COUNTY, Size, Store, store
from server.accounts.models import RoleGrant
from server.db import unit_of_work
from server.http.answer import wire_json
from server.ledger.work import Work
from server.permissions import Actor, Role
from server.spotchecks import planning, publishing
from server.spotchecks.drawing import HowToDraw, Line, digest_of, draw, frame_text
from server.spotchecks.terms import NewPlan, StratumBy
from server.tools import business_day
from server.visits.models import Visit

LINES = 100_000
STORE = Size(people=106_000, visits_each=1, months=1, people_each=300)
"""Its month holds a little more than 100,000 visits and attempts."""
REDRAW = Path(__file__).parent.parent / "docs" / "redraw.py"
Made = TypeVar("Made")


def draws(plan: Plan) -> list[dict[str, Any]]:
    """Draw from 100,000 lines without a database, and from the visits of a county on PostgreSQL."""
    told = [_pure()]
    with store(STORE, plan.keep) as kept:
        told += [_on_a_store(kept)]
    for one in told:
        print(one, flush=True)
    return told


def _pure() -> dict[str, Any]:
    lines = [
        Line(
            UUID(int=number << 64 | 7),
            f"341882{number % 300:06}",
            UUID(int=number % 3000),
            "tekun_dispersed",
            "not_met" if number % 40 == 0 else "",
        )
        for number in range(LINES)
    ]
    how = HowToDraw(UUID(int=7), "2026-04", (StratumBy.VILLAGE,), 10, every=(StratumBy.VISITOR,))
    took: dict[str, float] = {}
    digest = _timed(took, "digest", lambda: digest_of(frame_text(how, lines)))
    drawn = _timed(took, "draw", lambda: draw(bytes(32), digest, how, lines))
    tracemalloc.start()
    draw(bytes(32), digest, how, lines)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return {"where": "memory", "lines": LINES, "drawn": len(drawn), "seconds": took, "draw_mb": peak >> 20}


def _on_a_store(kept: Store) -> dict[str, Any]:
    """Plan for the month of the store's visits as if it had not begun, by two offices, up to the redrawn sample."""
    took: dict[str, float] = {}
    with unit_of_work(kept.house.sessions) as session:
        month = business_day(session.execute(select(func.max(Visit.received_at))).scalar_one()).replace(day=1)
        grants = {
            role: session.execute(
                select(RoleGrant.worker_id).where(RoleGrant.role == role).limit(1)
            ).scalar_one()
            for role in (Role.COUNTY_INSPECTOR, Role.CHIEF)
        }
    keeper, freezer = (Actor(grants[role], role, COUNTY) for role in (Role.COUNTY_INSPECTOR, Role.CHIEF))
    new = NewPlan(
        id=kept.house.tools.new_id(), area_code=COUNTY, period_start=month, strata=(StratumBy.VILLAGE,)
    )

    def at_work(actor: Actor, deed: Callable[[Work], Made]) -> Made:
        with unit_of_work(kept.house.sessions) as session:
            work = kept.house.work(session, actor)
            made = deed(work)
            work.close()
            return made

    def plan_it(work: Work) -> None:
        work.now = work.now.replace(year=month.year - 1)
        planning.make_plan(work, new)
        planning.commit_seed(work, new.id, None)

    def freeze(work: Work) -> int:
        work.now = work.now.replace(year=month.year + 1)
        return planning.freeze(work, new.id).frame_size or 0

    kept.house.keys.house_key()
    at_work(keeper, plan_it)
    size = _timed(took, "freeze", lambda: at_work(freezer, freeze))
    drawn = _timed(took, "draw", lambda: at_work(keeper, lambda work: _drawn(work, new.id)))
    with TemporaryDirectory() as folder:
        proof, frame = Path(folder) / "proof.json", Path(folder) / "frame.csv"
        proof.write_bytes(at_work(keeper, lambda work: wire_json(publishing.proof(work, new.id))))
        text = _timed(
            took, "publish", lambda: at_work(keeper, lambda work: "".join(publishing.frame(work, new.id)))
        )
        frame.write_text(text, encoding="utf-8")
        said = _timed(took, "redraw.py", lambda: subprocess.run(
            [sys.executable, "-I", REDRAW, proof, frame], capture_output=True, text=True, check=True, timeout=120
        )).stdout  # fmt: skip
        assert said.startswith("THE SAME"), said
        assert json.loads(proof.read_bytes())["plan"]["drawn_count"] == drawn
    return {
        "where": "PostgreSQL",
        "lines": size,
        "drawn": drawn,
        "seconds": took,
        "process_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10,
    }


def _drawn(work: Work, plan_id: UUID) -> int:
    return planning.reveal(work, plan_id, None).drawn_count or 0


def _timed(took: dict[str, float], name: str, deed: Callable[[], Made]) -> Made:
    began = time.perf_counter()
    made = deed()
    took[name] = round(time.perf_counter() - began, 2)
    return made
