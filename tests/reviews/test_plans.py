"""No page of the queue or of problems sorts, or walks through everybody: an index gives its order."""

import datetime as dt
from typing import Any
from uuid import uuid4

import pytest

from server.permissions import Role
from server.problems.terms import ProblemFilters, ProblemState
from server.remedies import queries as problems
from server.reviews.queries import Asked, page_of
from server.reviews.terms import QueuePart
from tests.builders.world import GUANGDE, SHENGPING, TUANSHAN, World
from tests.conftest import Template
from tests.worklists.test_plans import plan_of, walks

pytestmark = pytest.mark.postgres
PARTS = (None, *QueuePart)


@pytest.fixture
def template(request: pytest.FixtureRequest) -> Template:
    """Give PostgreSQL alone. SQLite serves a township: it gathers what waits by its state, and sorts thousands at most."""
    town: Template = request.getfixturevalue("postgres_town")
    return town


@pytest.mark.parametrize("after", [False, True], ids=["first", "deep"])
@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("area", [GUANGDE, SHENGPING, TUANSHAN])
def test_a_page_of_the_queue_follows_an_index(
    world: World, area: str, part: QueuePart | None, after: bool
) -> None:
    asked = Asked(area, part, finding=False, worker=False, after=after, limit=51)
    plan = plan_of(world, page_of(asked), me=uuid4())
    assert plan
    assert walks(plan, "visits") == [], plan


def test_a_queue_of_a_finding_looks_the_finding_up(world: World) -> None:
    asked = Asked(SHENGPING, None, finding=True, worker=False, after=False, limit=51)
    plan = plan_of(world, page_of(asked), me=uuid4(), finding="too_short")
    assert walks(plan, "findings") == [], plan


@pytest.mark.parametrize("deep", [False, True], ids=["first", "deep"])
@pytest.mark.parametrize("state", [None, ProblemState.CLOSED])
@pytest.mark.parametrize("area", [GUANGDE, SHENGPING, TUANSHAN])
def test_a_page_of_problems_follows_an_index(
    world: World, area: str, state: ProblemState | None, deep: bool
) -> None:
    inspector = world.worker(Role.COUNTY_INSPECTOR, GUANGDE)
    after: list[Any] | None = None
    if deep:
        at = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
        after = [at if state else at.date(), uuid4()]
    with world.work(inspector) as work:
        wanted = problems.page_of(work, ProblemFilters(state=state, village=area), after, 51)
    plan = plan_of(world, wanted)
    assert plan
    assert walks(plan, "problems") == [], plan
