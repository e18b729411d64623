"""Reads over a store of some size: one visit, one archive, and pages of 50, the first and deep ones."""

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import psycopg

from bench import measuring
from bench.measuring import Figure, Plan
from bench.server import Running
from bench.store import Size, Store, plain, serving, store
from server.http import paging
from server.permissions import Role

PEOPLE = 100_000
TARGETS = 500
DEEP = (0.5, 0.6, 0.7, 0.8, 0.9)
"""How far down the list the deep pages lie."""


def of(people: int) -> Size:
    """Give the store that pages, the overdue list and the curves are measured on: a visit of each, a year of duties."""
    return Size(people, visits_each=1, months=12, people_each=300)


def pages(plan: Plan) -> list[Figure]:
    """Read one visit, one archive, and pages of 100,000 of each, with 8 clients."""
    with store(of(PEOPLE), plan.keep) as kept, serving(kept, plan.shape) as server:
        return [figure for job in jobs(kept).items() for figure in _measured(server, plan, *job)]


def _measured(server: Running, plan: Plan, work: str, job: Mapping[str, Any]) -> list[Figure]:
    return measuring.measure(server, replace(plan, clients=(8,)), work, dict(job))


def jobs(kept: Store) -> dict[str, dict[str, Any]]:
    """Name the reads of a store, as the county's inspector and a township's chief make them."""
    inspector, chief = kept.tokens[Role.COUNTY_INSPECTOR], kept.tokens[Role.CHIEF]
    with psycopg.connect(plain(kept.environment["DATABASE_URL"])) as connection:
        named = {
            "read one visit": [f"/visits/{one}" for one in _ids(connection, "visits")],
            "read one archive": [f"/archives/{one}" for one in _ids(connection, "persons")],
            "archives, first page of 50": ["/archives?limit=50"],
            "archives, deep page of 50": [f"/archives?limit=50&cursor={one}" for one in _deep_files(connection, kept)],
            "visits, first page of 50": ["/visits?limit=50"],
            "visits, deep page of 50": [f"/visits?limit=50&cursor={one}" for one in _deep_visits(connection, kept)],
        }  # fmt: skip
    found = {
        name: {"deed": "read", "targets": [[inspector, path] for path in paths]}
        for name, paths in named.items()
    }
    for name, path in (
        ("visits, a township's", "/visits?limit=50"),
        ("visits, a township's, returned", "/visits?limit=50&state=returned"),
        ("the review queue of a township", "/reviews/queue?limit=50"),
    ):
        found[name] = {"deed": "read", "targets": [[chief, path]]}
    return found


def _ids(connection: psycopg.Connection, table: str) -> list[str]:
    share = f"SELECT id FROM {table} WHERE id >= (SELECT id FROM {table} ORDER BY id OFFSET %s LIMIT 1) ORDER BY id LIMIT %s"
    total = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
    assert total is not None
    step = max(1, TARGETS // len(DEEP))
    return [str(row[0]) for depth in DEEP for row in connection.execute(share, (int(total[0] * depth), step))]


def _deep_files(connection: psycopg.Connection, kept: Store) -> Iterator[str]:
    for depth in DEEP:
        row = connection.execute(
            "SELECT village_code, file_no FROM persons ORDER BY village_code, file_no OFFSET %s LIMIT 1",
            (int(kept.size.people * depth),),
        ).fetchone()
        assert row is not None
        yield paging.encode(row)


def _deep_visits(connection: psycopg.Connection, kept: Store) -> Iterator[str]:
    for depth in DEEP:
        row = connection.execute(
            "SELECT occurred_at, id FROM visits ORDER BY occurred_at DESC, id DESC OFFSET %s LIMIT 1",
            (int(kept.size.people * kept.size.visits_each * depth),),
        ).fetchone()
        assert row is not None
        at: dt.datetime = row[0]
        yield paging.encode((at.astimezone(dt.UTC).isoformat(), str(row[1])))
