"""A county's year: 50,000 people, 14 months of duties, 700,000 visits with their ledger lines, generated and timed."""

import time
from typing import Any

import psycopg

from bench.measuring import Plan
from bench.store import Size, disk_mb, plain, store

STORE = Size(people=50_000, visits_each=14, months=14, people_each=20)
TABLES = ("persons", "visits", "duties", "ledger_positions", "ledger_pending")


def county(plan: Plan) -> list[dict[str, Any]]:
    """Generate the county's year (again, unless it is kept) and tell how long each part took."""
    began = time.perf_counter()
    with store(STORE, plan.keep) as kept:
        seconds = time.perf_counter() - began
        with psycopg.connect(plain(kept.environment["DATABASE_URL"])) as connection:
            rows = {name: _count(connection, name) for name in TABLES}
        told = {
            "seconds": round(seconds, 1),
            "built_s": kept.built_s,
            "rows": rows,
            "disk_mb": round(disk_mb(kept)),
        }
    print(told, flush=True)
    return [told]


def _count(connection: psycopg.Connection, table: str) -> int:
    row = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
    return int(row[0]) if row else 0
