"""Lists of plans, checks and rectifications, a page at a time, and the worksheet of one checker."""

import datetime as dt
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import and_, or_, select

from server.http import paging
from server.ledger.work import Work
from server.people.models import Person
from server.people.sight import is_the_house, within_sight
from server.regions.queries import inside
from server.spotchecks.models import SpotCheck, SpotCheckPlan
from server.spotchecks.planning import plan_in_sight
from server.spotchecks.rectification_models import Rectification
from server.spotchecks.showing import checks_shown, plan_shown, questions_shown, rectifications_shown
from server.spotchecks.sight import rectifications_seen
from server.spotchecks.states import WAITS_FOR_OWNER, WAITS_FOR_RECHECK
from server.spotchecks.terms import RectificationState, SpotCheckState

MOST_ON_PAPER = 200


@dataclass(frozen=True, slots=True)
class CheckFilters:
    """Which checks: of a plan, in a state, given to the actor."""

    plan_id: UUID | None = None
    state: SpotCheckState | None = None
    mine: bool = False


@dataclass(frozen=True, slots=True)
class RectificationFilters:
    """Which rectifications: in a state, in an area, late ones only, of a plan."""

    state: RectificationState | None = None
    village: str | None = None
    late: bool = False
    plan_id: UUID | None = None


def plans_page(work: Work, *, limit: int, cursor: str | None) -> dict[str, Any]:
    """List the plans that concern the actor's area, the latest month first; annulled ones stay in it."""
    after = paging.decode(cursor, (dt.date.fromisoformat, UUID))
    wanted = select(SpotCheckPlan)
    if not is_the_house(work):
        area = work.actor.area_code
        around = [area[:length] for length in (6, 9) if length < len(area)]
        wanted = wanted.where(or_(inside(SpotCheckPlan.area_code, area), SpotCheckPlan.area_code.in_(around)))
    if after is not None:
        month, last = after
        same = and_(SpotCheckPlan.period_start == month, SpotCheckPlan.id < last)
        wanted = wanted.where(or_(SpotCheckPlan.period_start < month, same))
    rows = work.session.scalars(
        wanted.order_by(SpotCheckPlan.period_start.desc(), SpotCheckPlan.id.desc()).limit(limit + 1)
    ).all()
    kept, next_cursor = paging.page(rows, limit, lambda plan: (plan.period_start, plan.id))
    work.looked("spot_check.plans_read", "spot_check_plans", plans=[plan.id for plan in kept])
    return {"items": plan_shown(work, kept), "next_cursor": next_cursor}


def checks_page(work: Work, filters: CheckFilters, *, limit: int, cursor: str | None) -> dict[str, Any]:
    """List the checks of people within sight, in the order of their plans and ranks."""
    after = paging.decode(cursor, (UUID, int))
    if filters.plan_id is not None:
        plan_in_sight(work, filters.plan_id)
    wanted = (
        select(SpotCheck, Person)
        .join(Person, Person.id == SpotCheck.person_id)
        .where(within_sight(work))
        .order_by(SpotCheck.plan_id, SpotCheck.ordinal)
        .limit(limit + 1)
    )
    if filters.plan_id is not None:
        wanted = wanted.where(SpotCheck.plan_id == filters.plan_id)
    if filters.state is not None:
        wanted = wanted.where(SpotCheck.state == filters.state)
    if filters.mine:
        wanted = wanted.where(SpotCheck.checker_id == work.actor.worker_id)
    if after is not None:
        plan_id, ordinal = after
        same = and_(SpotCheck.plan_id == plan_id, SpotCheck.ordinal > ordinal)
        wanted = wanted.where(or_(SpotCheck.plan_id > plan_id, same))
    rows = work.session.execute(wanted).all()
    kept, next_cursor = paging.page(rows, limit, lambda row: (row[0].plan_id, row[0].ordinal))
    work.looked("spot_checks.read", "spot_checks", people=[check.person_id for check, _ in kept])
    return {"items": checks_shown(work, kept), "next_cursor": next_cursor}


def rectifications_page(
    work: Work, filters: RectificationFilters, *, limit: int, cursor: str | None
) -> dict[str, Any]:
    """List rectifications within sight, the latest first; a visitor sees those that they own."""
    after = paging.decode(cursor, (UUID,))
    wanted = (
        select(Rectification, Person)
        .join(Person, Person.id == Rectification.person_id)
        .where(rectifications_seen(work))
        .order_by(Rectification.id.desc())
        .limit(limit + 1)
    )
    if filters.state is not None:
        wanted = wanted.where(Rectification.state == filters.state)
    if filters.village is not None:
        wanted = wanted.where(inside(Rectification.village_code, filters.village))
    if filters.plan_id is not None:
        wanted = wanted.where(Rectification.plan_id == filters.plan_id)
    if filters.late:
        owed = WAITS_FOR_OWNER | WAITS_FOR_RECHECK
        wanted = wanted.where(Rectification.due_on < work.today, Rectification.state.in_(owed))
    if after is not None:
        wanted = wanted.where(Rectification.id < after[0])
    rows = work.session.execute(wanted).all()
    kept, next_cursor = paging.page(rows, limit, lambda row: (row[0].id,))
    work.looked("rectifications.read", "rectifications", people=[one.person_id for one, _ in kept])
    return {"items": rectifications_shown(work, kept), "next_cursor": next_cursor}


def worksheet(work: Work, plan_id: UUID) -> dict[str, Any]:
    """Give what a checker takes along on paper: whom to reach, how, and what to ask; nothing of what was recorded."""
    plan = plan_in_sight(work, plan_id)
    rows = work.session.execute(
        select(SpotCheck, Person)
        .join(Person, Person.id == SpotCheck.person_id)
        .where(
            within_sight(work),
            SpotCheck.plan_id == plan.id,
            SpotCheck.checker_id == work.actor.worker_id,
            SpotCheck.state == SpotCheckState.ASSIGNED,
        )
        .order_by(Person.village_code, SpotCheck.ordinal)
        .limit(MOST_ON_PAPER + 1)
    ).all()
    kept = rows[:MOST_ON_PAPER]
    work.looked(
        "spot_check.worksheet_read", "spot_check_plan", plan.id, people=[one.person_id for one, _ in kept]
    )
    return {
        "plan_id": plan.id,
        "period": f"{plan.period_start:%Y-%m}",
        "items": checks_shown(work, kept),
        "questions": questions_shown(),
        "more": len(rows) > len(kept),
    }
