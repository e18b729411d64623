"""Who is overdue, today and on any past day (CONTRACT §7): one row a person, with the oldest overdue duty.

With today's knowledge it is one indexed read of the duties' rows. What was known at an earlier instant is derived
anew from the facts recorded until then (server/worklists/knowledge.py).
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, case, exists, func, or_, select, tuple_
from sqlalchemy.orm import aliased

from server.accounts.models import Worker
from server.errors import Invalid
from server.http import paging
from server.ledger.work import Work
from server.people.dwelling import lived, living_in, villages_of
from server.people.models import Dwelling, Pause, Person, Responsibility
from server.people.sight import AREA_ROLES, visible_to
from server.people.terms import Category, ResponsibilityKind
from server.regions.queries import inside
from server.regions.service import names
from server.schedule.models import Duty
from server.schedule.opening import ensure_open
from server.schedule.queries import overdue_now, overdue_on
from server.worklists import knowledge, people
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
    first = day.replace(day=1)
    met = and_(Duty.met_on.is_not(None), Duty.met_on <= day)
    gone = and_(Duty.exit_on.is_not(None), Duty.exit_on <= day)
    missed = and_(Duty.met_on.is_(None), or_(and_(Duty.closed_on.is_not(None), Duty.closed_on <= day), gone))
    in_month = and_(Duty.period_start <= day, Duty.due_on >= first)
    closed_this_month = and_(Duty.closed_on >= first, Duty.closed_on <= day)
    paused = exists(
        select(Pause.id).where(
            Pause.person_id == Duty.person_id,
            Pause.superseded_at.is_(None),
            Pause.from_on <= day,
            Pause.to_on >= day,
        )
    )
    waiting = and_(~met, ~missed, ~gone, Duty.due_on >= day)

    def count(condition: ColumnElement[bool]) -> ColumnElement[int]:
        return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)

    past = day < work.today
    village = Dwelling.village_code if past else Duty.village_code
    due = and_(in_month, ~and_(gone, ~met, Duty.exit_on <= Duty.due_on))
    counted = (
        select(
            village,
            count(due).label("due"),
            count(and_(due, met, Duty.met_received_at <= Duty.due_at)).label("met"),
            count(and_(due, met, Duty.met_received_at > Duty.due_at)).label("met_late"),
            count(and_(due, ~met, Duty.attempts > 0)).label("attempted_only"),
            count(overdue_on(day)).label("overdue"),
            count(
                and_(missed, Duty.due_on < day, or_(Duty.exit_on.is_(None), Duty.exit_on > Duty.due_on))
            ).label("missed"),
            count(and_(in_month, waiting, paused)).label("paused"),
        )
        .where(
            Duty.category == category,
            Duty.period_start <= day,
            or_(
                Duty.due_on >= first,
                and_(Duty.met_on.is_(None), or_(Duty.closed_on.is_(None), closed_this_month)),
            ),
            _sight(work),
        )
        .group_by(village)
        .order_by(village)
    )
    if past:
        counted = counted.join(Dwelling, and_(Dwelling.person_id == Duty.person_id, lived(day)))
    rows = work.session.execute(counted).all()
    called = names(work.session, [row.village_code for row in rows], work.today)
    counts = ("due", "met", "met_late", "attempted_only", "overdue", "missed", "paused")
    items: list[dict[str, Any]] = [
        {
            "village": {"code": row.village_code, "name": called.get(row.village_code, "")},
            **{name: int(getattr(row, name)) for name in counts},
        }
        for row in rows
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


def _sight(work: Work) -> ColumnElement[bool]:
    actor = work.actor
    if actor.role in AREA_ROLES:
        return inside(Duty.village_code, actor.area_code)
    return Duty.person_id.in_(select(Person.id).where(visible_to(actor)))


def _rows(
    work: Work, filters: Filters, day: dt.date, after: tuple[dt.date, UUID] | None, limit: int
) -> Sequence[OverdueRow]:
    if _asks_about_then(work, filters):
        return knowledge.overdue(work, filters, day, after, limit)
    condition = overdue_now(day) if day >= work.today else overdue_on(day)
    older = aliased(Duty)
    same = {column: getattr(older, column) for column in ("due_on", "met_on", "closed_on", "exit_on")}
    older_condition = and_(
        older.person_id == Duty.person_id,
        older.category == Duty.category,
        tuple_(older.due_on, older.id) < tuple_(Duty.due_on, Duty.id),
        same["met_on"].is_(None),
        or_(same["closed_on"].is_(None), same["closed_on"] > day),
        or_(same["exit_on"].is_(None), same["exit_on"] > day),
    )
    wanted = (
        select(Duty.person_id, Duty.due_on, Duty.attempts, Duty.lane)
        .where(
            Duty.category == filters.category,
            condition,
            _sight(work),
            ~exists(select(older.id).where(older_condition)),
        )
        .order_by(Duty.due_on, Duty.person_id)
        .limit(limit)
    )
    if filters.village and day < work.today:
        wanted = wanted.where(Duty.person_id.in_(living_in(filters.village, day)))
    elif filters.village:
        wanted = wanted.where(inside(Duty.village_code, filters.village))
    if after is not None:
        wanted = wanted.where(tuple_(Duty.due_on, Duty.person_id) > tuple_(after[0], after[1]))
    return [OverdueRow(row.due_on, row.person_id, row.attempts, None) for row in work.session.execute(wanted)]


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
    rows = work.session.execute(
        select(Responsibility.person_id, Worker.id, Worker.name)
        .join(Worker, Worker.id == Responsibility.worker_id)
        .where(
            Responsibility.person_id.in_(people_ids),
            Responsibility.kind == ResponsibilityKind.RESPONSIBLE,
            Responsibility.from_at <= at,
            or_(Responsibility.to_at.is_(None), Responsibility.to_at > at),
        )
    )
    return {row.person_id: {"worker_id": row.id, "name": row.name} for row in rows}
