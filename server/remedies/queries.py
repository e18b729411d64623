"""Lists of problems, a page at a time: what has to be seen to by due date, what is done with by when it was closed."""

import datetime as dt
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, false, or_, select, tuple_

from server.http import paging
from server.ledger.work import Work
from server.people.models import Person
from server.people.sight import AREA_ROLES, within_sight
from server.problems import states
from server.problems.models import Problem, Raised
from server.problems.terms import ProblemFilters, ProblemState
from server.regions.queries import inside_shortest, narrower
from server.remedies.finding import open_to
from server.remedies.owners import owned_by
from server.remedies.showing import shown
from server.vault.models import StoredKey


def problems_page(work: Work, filters: ProblemFilters, *, limit: int, cursor: str | None) -> dict[str, Any]:
    """List the problems within sight: those to see to, the most urgent due date first; others by when they were closed."""
    done_with = filters.state in states.DONE_WITH
    shapes = (dt.datetime.fromisoformat, UUID) if done_with else (dt.date.fromisoformat, UUID)
    after = paging.decode(cursor, shapes)
    rows = work.session.execute(page_of(work, filters, after, limit + 1)).all()

    def position(row: Any) -> tuple[str, UUID]:
        problem = row[0]
        return (problem.closed_at if done_with else problem.due_on).isoformat(), problem.id

    kept, next_cursor = paging.page(rows, limit, position)
    keys = {row[0].person_id: work.keys.unwrap(row[1], row[2]) if row[1] else None for row in kept}
    named = list(dict.fromkeys(row[0].person_id for row in kept))
    work.looked("problems.read", "problems", problems=[row[0].id for row in kept], people=named)
    return {"items": shown(work, [row[0] for row in kept], keys), "next_cursor": next_cursor}


def page_of(
    work: Work, filters: ProblemFilters, after: list[Any] | None, limit: int
) -> Select[Any, Any, Any]:
    """Make the statement of one page: the problems, and the key of each one's person."""
    wanted = _wanted(work, filters).limit(limit)
    if filters.state in states.DONE_WITH:
        wanted = wanted.where(Problem.closed_at.is_not(None)).order_by(
            Problem.closed_at.desc(), Problem.id.desc()
        )
        return wanted.where(tuple_(Problem.closed_at, Problem.id) < tuple_(*after)) if after else wanted
    wanted = wanted.where(Problem.closed_at.is_(None)).order_by(Problem.due_on, Problem.id)
    return wanted.where(tuple_(Problem.due_on, Problem.id) > tuple_(*after)) if after else wanted


def _wanted(work: Work, filters: ProblemFilters) -> Select[Any, Any, Any]:
    return (
        select(Problem, StoredKey.id, StoredKey.wrapped)
        .join(Person, Person.id == Problem.person_id)
        .outerjoin(StoredKey, StoredKey.id == Person.data_key_id)
        .where(*_within(work, filters), *_chosen(work, filters), open_to(work))
    )


def _within(work: Work, filters: ProblemFilters) -> list[ColumnElement[bool]]:
    """Select by where the problems lie; for whoever asks for an area, in the words of the indexes."""
    if work.signed_in is not None and work.actor.role in AREA_ROLES:
        area = narrower(work.actor.area_code, filters.village)
        return [false() if area is None else inside_shortest(Problem.village_code, area)]
    within = [within_sight(work)]
    if filters.village is not None:
        within.append(inside_shortest(Problem.village_code, filters.village))
    return within


def _chosen(work: Work, filters: ProblemFilters) -> list[ColumnElement[bool]]:
    chosen: list[ColumnElement[bool]] = []
    if filters.state is not None:
        chosen.append(_in_state(filters.state))
    for column, value in (
        (Problem.severity, filters.severity),
        (Problem.code, filters.code),
        (Problem.person_id, filters.person_id),
        (Problem.restricted, filters.restricted),
    ):
        if value is not None:
            chosen.append(column == value)
    if filters.overdue is not None:
        late = Problem.due_on < work.today
        chosen.append(late if filters.overdue else ~late)
    if filters.mine:
        chosen.append(owned_by(work.actor))
    return chosen


def _in_state(state: ProblemState) -> ColumnElement[bool]:
    """Select a state in the two columns that hold it (server.problems.models.state_of)."""
    withdrawn = Problem.raised_state == Raised.WITHDRAWN
    if state is ProblemState.WITHDRAWN:
        return withdrawn
    left_behind = Problem.raised_state == Raised.FIXED
    if state is ProblemState.FIXED:
        at = or_(Problem.stage == ProblemState.FIXED, left_behind & (Problem.stage == ProblemState.OPEN))
    elif state is ProblemState.OPEN:
        at = (Problem.stage == ProblemState.OPEN) & ~left_behind
    else:
        at = Problem.stage == state
    return at & ~withdrawn
