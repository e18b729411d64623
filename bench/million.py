"""A million people with twelve months of duties: the overdue list, the counts by village, and opening a month."""

import datetime as dt
import json
import os
import resource
import subprocess
import sys
import time
from dataclasses import replace
from http.client import HTTPConnection
from typing import Any

import psycopg

from bench import measuring, meter, phone
from bench.measuring import Figure, Plan
from bench.pages import of
from bench.server import ROOT, Running, house_of
from bench.store import Store, plain, serving, store
from server.db import unit_of_work
from server.ledger.work import Work
from server.permissions import Role
from server.schedule.opening import ensure_open
from server.schedule.periods import next_period, period_of
from server.schedule.terms import PeriodUnit
from server.tools import SHANGHAI, Tools, business_day

PEOPLE = 1_000_000


def overdue(plan: Plan) -> list[Figure]:
    """Read the first page of the overdue list and the counts by village; look that a visit is seen in the next read."""
    with store(of(PEOPLE), plan.keep) as kept, serving(kept, plan.shape) as server:
        figures = []
        for work, clients, job in jobs(kept):
            figures += measuring.measure(server, replace(plan, clients=clients), work, job)
        print(f"a visit is reflected in the next read: {reflected(kept, server)}", flush=True)
        return figures


def jobs(kept: Store) -> list[tuple[str, tuple[int, ...], dict[str, Any]]]:
    """Name the reads: who asks, what, and how many at once."""
    inspector, chief = kept.tokens[Role.COUNTY_INSPECTOR], kept.tokens[Role.CHIEF]
    first, by_village = "/overdue?limit=50", "/overdue/summary"
    return [
        ("overdue, first page, county", (1, 8), _read(inspector, first)),
        ("overdue, first page, township", (1, 8), _read(chief, first)),
        ("overdue, counts by village, county", (1,), _read(inspector, by_village)),
        ("overdue, counts by village, township", (1,), _read(chief, by_village)),
    ]


def _read(token: str, path: str) -> dict[str, Any]:
    return {"deed": "read", "targets": [[token, path]]}


def reflected(kept: Store, server: Running) -> bool:
    """Visit the first person on a visitor's overdue list, and say whether they have left it in the next read."""
    connection = HTTPConnection("127.0.0.1", server.port, timeout=60)
    for worker, token in kept.phones:
        items = _ask(connection, "GET", "/overdue?limit=200", token)["items"]
        if items:
            person = items[0]["person"]["person_id"]
            body = phone.visit(person, worker, 0, [])
            _ask(connection, "PUT", f"/visits/{kept.house.tools.new_id()}", token, body)
            left = _ask(connection, "GET", "/overdue?limit=200", token)["items"]
            return person not in {one["person"]["person_id"] for one in left}
    return False


def _ask(connection: HTTPConnection, method: str, path: str, token: str, body: bytes | None = None) -> Any:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    connection.request(method, f"/api/v1{path}", body, headers)
    answer = connection.getresponse()
    said = answer.read()
    if answer.status >= 300:
        raise RuntimeError(f"{method} {path}: {answer.status} {said[:300]!r}")
    return json.loads(said)


def opening(plan: Plan) -> list[dict[str, Any]]:
    """Open next month for everybody, in a process of its own, and take it back; as often as the plan says."""
    told = []
    with store(of(PEOPLE), plan.keep) as kept:
        month = next_period(
            PeriodUnit.MONTH, period_of(PeriodUnit.MONTH, business_day(kept.house.tools.now()))
        )
        url = plain(kept.environment["DATABASE_URL"])
        for _ in range(plan.runs):
            _rest(url, month.start)
            before = meter.cpu_seconds(kept.database.pid)
            done = subprocess.run(
                [sys.executable, "-m", "bench.million", month.start.isoformat()],
                cwd=ROOT,
                env={**os.environ, **kept.environment},
                stdout=subprocess.PIPE,
                check=True,
            )
            run = json.loads(done.stdout.splitlines()[-1])
            run["database_cpu_s"] = round(meter.cpu_seconds(kept.database.pid) - before, 1)
            print(run, flush=True)
            told.append(run)
        _rest(url, month.start)
    return told


def _rest(url: str, month: dt.date) -> None:
    """Take the opened month back, and bring the database to rest."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("DELETE FROM duties WHERE period_start >= %s", (month,))
        connection.execute("DELETE FROM opened_periods WHERE period_start >= %s", (month,))
        connection.execute("VACUUM (ANALYZE) duties")
        connection.execute("CHECKPOINT")


def main() -> None:
    """Open the periods of the day that is named, and tell the seconds and the memory of this process."""
    tools = Tools(clock=lambda: dt.datetime.combine(dt.date.fromisoformat(sys.argv[1]), dt.time(8), SHANGHAI))
    house = house_of(os.environ)
    base = _peak_mb()
    began = time.perf_counter()
    with unit_of_work(house.sessions) as session:
        work = Work(session, tools, house.keys, tools.now(), settle=house.settle)
        made = ensure_open(work)
        work.close()
    seconds = time.perf_counter() - began
    print(
        json.dumps(
            {
                "duties": made,
                "seconds": round(seconds, 2),
                "before_mb": round(base),
                "peak_mb": round(_peak_mb()),
            }
        )
    )


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
