"""Lists of visits, a page at a time (CONTRACT §4)."""

import datetime as dt
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, or_, select, tuple_

from server.http import paging
from server.ledger.work import Work
from server.people.models import Person
from server.people.sight import AREA_ROLES, visible_to
from server.regions.queries import inside
from server.visits.models import Visit
from server.visits.showing import shown
from server.visits.terms import VisitState


@dataclass(frozen=True, slots=True)
class VisitFilters:
    """Which visits: of a person, in an area, in a state, that happened in a span of instants (`to` excluded)."""

    person_id: UUID | None = None
    village: str | None = None
    state: VisitState | None = None
    since: dt.datetime | None = None
    until: dt.datetime | None = None


def visits_page(work: Work, filters: VisitFilters, *, limit: int, cursor: str | None) -> dict[str, Any]:
    """List the visits within sight, the latest first; a deep page costs what the first does."""
    after = paging.decode(cursor, (dt.datetime.fromisoformat, UUID))
    wanted = _matching(filters).where(_sight(work))
    if after is not None:
        wanted = wanted.where(tuple_(Visit.occurred_at, Visit.id) < tuple_(after[0], after[1]))
    rows = work.session.scalars(
        wanted.order_by(Visit.occurred_at.desc(), Visit.id.desc()).limit(limit + 1)
    ).all()
    kept, next_cursor = paging.page(rows, limit, lambda visit: (visit.occurred_at.isoformat(), visit.id))
    work.looked("visits.read", "visits", visits=[visit.id for visit in kept])
    return {"items": shown(work, kept), "next_cursor": next_cursor}


def _matching(filters: VisitFilters) -> Select[Visit]:
    wanted = select(Visit)
    if filters.person_id is not None:
        wanted = wanted.where(Visit.person_id == filters.person_id)
    if filters.village is not None:
        wanted = wanted.where(inside(Visit.village_code, filters.village))
    if filters.state is not None:
        wanted = wanted.where(Visit.state == filters.state)
    if filters.since is not None:
        wanted = wanted.where(Visit.occurred_at >= filters.since)
    if filters.until is not None:
        wanted = wanted.where(Visit.occurred_at < filters.until)
    return wanted


def _sight(work: Work) -> ColumnElement[bool]:
    actor = work.actor
    if actor.role in AREA_ROLES:
        return inside(Visit.village_code, actor.area_code)
    theirs = Visit.person_id.in_(select(Person.id).where(visible_to(actor)))
    return or_(theirs, Visit.recorder_id == actor.worker_id)
