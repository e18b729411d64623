"""No page of a list walks through everybody or sorts them: an index gives its order, for the first page and a deep one."""

import datetime as dt
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Select, event, text

from server.people.terms import Category
from server.visits.listing import Asked as AskedVisits
from server.visits.listing import page_of
from server.visits.terms import VisitState
from server.worklists.queries import Asked, overdue_page
from tests.builders.world import GUANGDE, SHENGPING, TUANSHAN, World

AREAS = (GUANGDE, SHENGPING, TUANSHAN)
VALUES = {
    "last_at": dt.datetime(2026, 2, 1, tzinfo=dt.UTC),
    "last_on": dt.date(2026, 1, 31),
    "day": dt.date(2026, 3, 5),
    "category": Category.TEKUN_DISPERSED,
}


def plan_of(world: World, wanted: Select[*tuple[Any, ...]], **more: Any) -> list[str]:
    """Ask the database how it would read a page if walking a table and sorting were as dear as among millions."""
    values = {**VALUES, "worker_id": uuid4(), "last_id": uuid4(), **more}
    said: list[tuple[str, Any]] = []
    with world.work() as work:
        connection = work.session.connection()

        def note(_connection: object, _cursor: object, statement: str, parameters: Any, *_: object) -> None:
            said.append((statement, parameters))

        event.listen(world.house.engine, "before_cursor_execute", note)
        work.session.execute(wanted, values)
        event.remove(world.house.engine, "before_cursor_execute", note)
        statement, parameters = said[-1]
        if world.house.engine.dialect.name == "sqlite":
            rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            return [row[3] for row in rows]
        for costly in ("enable_seqscan", "enable_bitmapscan", "enable_sort"):
            connection.execute(text(f"SET LOCAL {costly} = off"))
        return [row[0] for row in connection.exec_driver_sql(f"EXPLAIN {statement}", parameters)]


def walks(plan: list[str], table: str) -> list[str]:
    """Name the steps that read a whole table, or sort what an index should have given in order."""
    signs = (f"Seq Scan on {table}", f"SCAN {table}", "Sort", "TEMP B-TREE FOR ORDER BY")
    return [line for line in plan if any(sign in line for sign in signs) and "USING" not in line]


@pytest.mark.parametrize("after", [False, True], ids=["first", "deep"])
@pytest.mark.parametrize("state", [False, True], ids=["any", "returned"])
@pytest.mark.parametrize("area", AREAS)
def test_a_page_of_visits_follows_an_index(world: World, area: str, state: bool, after: bool) -> None:
    asked = AskedVisits(area, state=VisitState.RETURNED if state else None, after=after)
    plan = plan_of(world, page_of(asked))
    assert plan
    assert walks(plan, "visits") == [], plan


@pytest.mark.parametrize("after", [False, True], ids=["first", "deep"])
@pytest.mark.parametrize("area", AREAS)
def test_a_page_of_overdue_people_follows_an_index(world: World, area: str, after: bool) -> None:
    plan = plan_of(world, overdue_page(Asked(area, after=after)))
    assert plan
    assert walks(plan, "d") == walks(plan, "duties d") == [], plan


def test_a_visitors_own_lists_begin_with_their_people(world: World) -> None:
    own = AskedVisits(None, after=True)
    for wanted, table in ((page_of(own), "visits"), (overdue_page(Asked(None)), "duties d")):
        plan = plan_of(world, wanted)
        assert not [line for line in plan if f"Seq Scan on {table}" in line], plan
        assert not [line for line in plan if line.startswith(f"SCAN {table.split()[-1]}")], plan
