"""Who is overdue, today and on any past day (CONTRACT §7): one row a person, with the oldest overdue duty.

With today's knowledge it is one indexed read of the duties' rows. What was known at an earlier instant is derived
anew from the facts recorded until then (server/worklists/knowledge.py).
"""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from server.errors import Invalid
from server.http import paging
from server.ledger.work import Work
from server.people.dwelling import villages_of
from server.people.sight import AREA_ROLES
from server.people.terms import Category
from server.permissions import Role
from server.regions.queries import narrower
from server.regions.service import names
from server.schedule.opening import ensure_open
from server.worklists import knowledge, people, queries
from server.worklists.queries import Asked, prepared
from server.worklists.terms import Filters, OverdueRow

EXPORT_PAGE = 200
FURTHEST_AHEAD = dt.timedelta(days=366)


def overdue(work: Work, filters: Filters, *, limit: int, cursor: str | None) -> dict[str, Any]:
    """List the overdue people, longest overdue first; the same question about the past has one answer.

    Asked about a past day, or about what was known at an instant, people are shown in the village, and found by the
    village, where they lived on that day; who may see them is decided by today's village and responsibility.
    """
    after = paging.decode(cursor, (dt.date.fromisoformat, UUID))
    day = filters.as_of or work.today
    _refuse_future(work, filters)
    ensure_open(work)
    rows = _rows(work, filters, day, (after[0], after[1]) if after else None, limit + 1)
    kept, next_cursor = paging.page(rows, limit, lambda row: (row.due_on, row.person_id))
    items = _items(work, filters, day, kept)
    work.looked("overdue.read", "overdue", as_of=day, people=[row.person_id for row in kept])
    return {"items": items, "next_cursor": next_cursor, "as_of": day, "known_at": filters.known_at}


def every_item(work: Work, filters: Filters) -> Iterator[dict[str, Any]]:
    """Give every overdue person, page by page, for the workbook; the whole list is never in memory."""
    cursor: str | None = None
    while True:
        page = overdue(work, filters, limit=EXPORT_PAGE, cursor=cursor)
        yield from page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            return


def summary(work: Work, *, category: Category, as_of: dt.date | None) -> dict[str, Any]:
    """Count by village: what was due in the month of `as_of`, and what is overdue from before.

    Counted are the duties whose window touches the month up to `as_of`, those overdue on `as_of`, and those missed
    by a visit within the month; in the village where the people lived on that day.
    """
    day = as_of or work.today
    _refuse_future(work, Filters(as_of=as_of))
    ensure_open(work)
    values = {
        "category": category,
        "day": day,
        "first": day.replace(day=1),
        "worker_id": work.actor.worker_id,
    }
    asked = _asked(work, None, past=day < work.today)
    counted: dict[str, Counter[str]] = defaultdict(Counter)
    if asked is not None:
        for row in prepared(queries.counts_by_village, asked).all(work.session, values):
            counted[row.village_code].update({name: getattr(row, name) for name in queries.COUNTS})
        for village, duties in prepared(queries.paused_by_village, asked).all(work.session, values):
            counted[village]["paused"] += duties
    called = names(work.session, counted, work.today)
    counts = (*queries.COUNTS, "paused")
    items: list[dict[str, Any]] = [
        {
            "village": {"code": village, "name": called.get(village, "")},
            **{name: counted[village][name] for name in counts},
        }
        for village in sorted(counted)
    ]
    work.looked("overdue.summary_read", "overdue", as_of=day)
    return {
        "items": items,
        "total": {name: sum(int(item[name]) for item in items) for name in counts},
        "as_of": day,
    }


def _refuse_future(work: Work, filters: Filters) -> None:
    """A day to come is answered as if nothing more happened; what will be known then cannot be asked."""
    if filters.as_of is not None and filters.as_of > work.today + FURTHEST_AHEAD:
        raise Invalid(errors={"as_of": ["日期最多晚于今天一年。"]})
    if filters.known_at is not None and filters.known_at > work.now:
        raise Invalid(errors={"known_at": ["时刻不能晚于现在。"]})


def _asks_about_then(work: Work, filters: Filters) -> bool:
    return filters.known_at is not None and filters.known_at < work.now


def _asked(work: Work, village: str | None, *, past: bool) -> Asked | None:
    """Say what is asked; None when nothing of it can be within sight. A past day asks for the village of then."""
    actor = work.actor
    here, then = (None, village) if past else (village, None)
    if actor.role is Role.VISITOR:
        return Asked(None, here, then, past=past)
    area = narrower(actor.area_code, here) if actor.role in AREA_ROLES else None
    return Asked(area, None, then, past=past) if area is not None else None


def _rows(
    work: Work, filters: Filters, day: dt.date, after: tuple[dt.date, UUID] | None, limit: int
) -> Sequence[OverdueRow]:
    if _asks_about_then(work, filters):
        return knowledge.overdue(work, filters, day, after, limit)
    asked = _asked(work, filters.village, past=day < work.today)
    if asked is None:
        return []
    asked = replace(asked, after=after is not None, limit=limit)
    values = {
        "category": filters.category,
        "day": day,
        "worker_id": work.actor.worker_id,
        "last_on": after[0] if after else None,
        "last_id": after[1] if after else None,
    }
    return [
        OverdueRow(row.due_on, row.person_id, row.attempts, None)
        for row in prepared(queries.overdue_page, asked).all(work.session, values)
    ]


def _items(work: Work, filters: Filters, day: dt.date, rows: Sequence[OverdueRow]) -> list[dict[str, Any]]:
    ids = [row.person_id for row in rows]
    then = _asks_about_then(work, filters)
    past = then or day < work.today
    villages = villages_of(work.session, ids, day, filters.known_at if then else None) if past else {}
    shown = people.shown(work, ids, villages)
    last = {} if then else people.last_met(work, ids, day)
    at = filters.known_at or work.now
    responsible = responsible_for(work, ids, at)
    return [
        {
            "person": shown[row.person_id].data,
            "responsible": responsible.get(row.person_id),
            "due_on": row.due_on,
            "days_overdue": (day - row.due_on).days,
            "attempts": row.attempts,
            "last_met_on": row.last_met_on if then else last.get(row.person_id),
        }
        for row in rows
    ]


def responsible_for(work: Work, people_ids: Sequence[UUID], at: dt.datetime) -> dict[UUID, dict[str, Any]]:
    """Name the worker who was responsible for each person at an instant."""
    rows = queries.RESPONSIBLE_AT.all(work.session, {"people": people_ids, "at": at}) if people_ids else ()
    return {row.person_id: {"worker_id": row.worker_id, "name": row.name} for row in rows}
