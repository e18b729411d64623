"""What waits for a reviewer (CONTRACT §6): a walk along the index that has the queue's order, whatever is asked.

Left out is what this reviewer cannot decide: what they recorded, and what they accepted first of two.
"""

import datetime as dt
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    String,
    Table,
    Uuid,
    bindparam,
    exists,
    literal,
    literal_column,
    or_,
    select,
    tuple_,
)

from server.db import UtcInstant, Word
from server.evidence.models import FindingMade
from server.http import paging
from server.ledger.work import Work
from server.prepared import Prepared, Row
from server.regions.queries import TOWNSHIP_DIGITS, inside_shortest, narrower, township_of
from server.reviews.relations import relation_of
from server.reviews.rules import Relation
from server.reviews.terms import QueueFilters, QueuePart
from server.visits.judging import catch_up
from server.visits.listing import key_of_person, written
from server.visits.models import Visit
from server.visits.showing import SHOWN_OF, shown_rows
from server.visits.sight import stored_visit
from server.visits.terms import VisitState

_VISIT = cast("Table", Visit.__table__)
_BESIDES = ("recorded_for_id", "first_accepted_by")


@dataclass(frozen=True, slots=True)
class Asked:
    """What a page is asked for, less the values: each combination has a statement of its own, made once."""

    area: str
    part: QueuePart | None
    finding: bool
    worker: bool
    after: bool
    limit: int


def queue(work: Work, filters: QueueFilters, *, limit: int, cursor: str | None) -> dict[str, Any]:
    """List what this reviewer may decide on, the longest waiting first; `returned` lists what is with the recorders.

    A finding asks for visits about which one of that code stands; some of what waits to be judged is judged first.
    """
    after = paging.decode(cursor, (dt.datetime.fromisoformat, UUID))
    rows = _read(work, filters, after, limit + 1)
    kept, next_cursor = paging.page(rows, limit, lambda visit: (visit.received_at.isoformat(), visit.id))
    named = list(dict.fromkeys(visit.person_id for visit in kept))
    work.looked("reviews.queue_read", "visits", visits=[visit.id for visit in kept], people=named)
    me = work.actor.worker_id
    may = [relation_of(cast("Visit", row), me) is Relation.OTHER for row in kept]
    items = shown_rows(work, kept)
    return {
        "items": [item | {"may_decide": one} for item, one in zip(items, may, strict=True)],
        "next_cursor": next_cursor,
    }


def next_waiting(work: Work, filters: QueueFilters, *, after: UUID | None = None) -> UUID | None:
    """Give the record that comes after one that was just decided on, in the same part of the queue; else the first."""
    place: list[Any] | None = None
    if after is not None:
        visit, _ = stored_visit(work, after)
        place = [visit.received_at, visit.id]
    rows = _read(work, filters, place, 1)
    if not rows and place is not None:
        rows = _read(work, filters, None, 1)
    return rows[0].id if rows and rows[0].id != after else None


def _read(work: Work, filters: QueueFilters, after: list[Any] | None, limit: int) -> list[Row]:
    area = narrower(work.actor.area_code, filters.village)
    if area is None:
        return []
    if filters.finding is not None:
        catch_up(work, [])
    asked = Asked(
        area,
        filters.part,
        finding=filters.finding is not None,
        worker=filters.worker is not None,
        after=after is not None,
        limit=limit,
    )
    return _prepared(asked).all(
        work.session,
        {
            "me": work.actor.worker_id,
            "worker": filters.worker,
            "finding": filters.finding,
            "last_at": after[0] if after else None,
            "last_id": after[1] if after else None,
        },
    )


@lru_cache(maxsize=1024)
def _prepared(asked: Asked) -> Prepared:
    return Prepared(page_of(asked))


def page_of(asked: Asked) -> Select[*tuple[Any, ...]]:
    """Make the statement of one page: the visits' columns, and the key of each one's person."""
    visit = _VISIT
    conditions = [inside_shortest(visit.c.village_code, asked.area), *_part(asked.part)]
    if len(asked.area) > TOWNSHIP_DIGITS:
        # A village's records lie among its township's in the order of the queue.
        conditions.append(township_of(visit.c.village_code) == literal(asked.area[:TOWNSHIP_DIGITS]))
    if asked.worker:
        conditions.append(visit.c.recorder_id == bindparam("worker", type_=Uuid()))
    if asked.finding:
        found = cast("Table", FindingMade.__table__)
        about = found.c.visit_id == visit.c.id, found.c.withdrawn_at.is_(None)
        conditions.append(exists().where(*about, found.c.code == bindparam("finding", type_=String())))
    if asked.after:
        last = tuple_(bindparam("last_at", type_=UtcInstant()), bindparam("last_id", type_=Uuid()))
        conditions.append(tuple_(visit.c.received_at, visit.c.id) > last)
    return (
        select(*[visit.c[name] for name in (*SHOWN_OF, *_BESIDES)], *key_of_person(visit))
        .where(*conditions)
        .order_by(visit.c.received_at, visit.c.id)
        .limit(written(asked.limit))
    )


def _part(part: QueuePart | None) -> list[ColumnElement[bool]]:
    """Select a part of the queue, in the words of the partial index that holds it."""
    visit = _VISIT
    state = VisitState.RETURNED if part is QueuePart.RETURNED else VisitState.SUBMITTED
    chosen: list[ColumnElement[bool]] = [
        visit.c.state == literal_column(f"'{state.value}'", Word(VisitState))
    ]
    if part is QueuePart.RETURNED:
        return chosen
    me = bindparam("me", type_=Uuid())
    chosen += [
        visit.c.recorder_id != me,
        or_(visit.c.first_accepted_by.is_(None), visit.c.first_accepted_by != me),
    ]
    if part is QueuePart.RESUBMITTED:
        chosen.append(visit.c.body_revision > literal_column("1", Integer()))
    if part is QueuePart.AWAITING_SECOND:
        accepted = visit.c.first_accepted_revision
        chosen += [accepted.is_not(None), accepted > visit.c.body_revision]
    return chosen
