"""Searching the ledger (查留痕): by person, worker, subject, action and period; ids and times, no personal datum.

`search(work(), Sought(actor_id=…, since=…), limit=50, cursor=None)` gives `{"items": […], "next_cursor"}`, the latest
first. A person's entries are those about them and the lists that named them. An entry that is not positioned yet has
`seq` None; it has one within about a second.
"""

import datetime as dt
from typing import Any

from sqlalchemy import Select, select, tuple_, union

from server.auditing.terms import Sought
from server.http import paging
from server.ledger.models import Event, Look, Position
from server.ledger.payloads import people_named
from server.ledger.work import Work


def search(work: Work, sought: Sought, *, limit: int, cursor: str | None) -> dict[str, Any]:
    """List the entries that an auditor looks for, the latest first; that they looked is an entry itself."""
    before = paging.decode(cursor, (dt.datetime.fromisoformat, int))
    if before is not None and before[0].tzinfo is None:
        before = None
    wanted = _wanted(sought).limit(limit + 1)
    if before is not None:
        wanted = wanted.where(tuple_(Event.at, Event.id) < tuple_(before[0], before[1]))
    rows = work.session.execute(wanted).all()
    kept, next_cursor = paging.page(rows, limit, lambda row: (row[0].at.isoformat(), row[0].id))
    work.looked(
        "ledger.searched",
        "ledger",
        sought={
            name: str(value) for name in Sought.__slots__ if (value := getattr(sought, name)) is not None
        },
    )
    return {"items": [_shown(event, seq) for event, seq in kept], "next_cursor": next_cursor}


def _wanted(sought: Sought) -> Select[*tuple[Any, ...]]:
    wanted = (
        select(Event, Position.seq)
        .outerjoin(Position, Position.event_id == Event.id)
        .order_by(Event.at.desc(), Event.id.desc())
    )
    if sought.person_id is not None:
        named = (
            select(Position.event_id)
            .join(Look, Look.seq == Position.seq)
            .where(Look.person_id == sought.person_id)
        )
        about = select(Event.id).where(Event.person_id == sought.person_id)
        # Materialised: else a planner that hopes for an early end would walk through everybody's entries.
        theirs = union(about, named).cte("theirs").prefix_with("MATERIALIZED")
        wanted = wanted.where(Event.id.in_(select(theirs.c.id)))
    for column, value in (
        (Event.actor_id, sought.actor_id),
        (Event.subject_kind, sought.subject_kind),
        (Event.subject_id, sought.subject_id),
        (Event.action, sought.action),
    ):
        if value is not None:
            wanted = wanted.where(column == value)
    if sought.since is not None:
        wanted = wanted.where(Event.at >= sought.since)
    if sought.until is not None:
        wanted = wanted.where(Event.at < sought.until)
    return wanted


def _shown(event: Event, seq: int | None) -> dict[str, Any]:
    return {
        "seq": seq,
        "at": event.at,
        "actor_id": event.actor_id,
        "action": event.action,
        "subject_kind": event.subject_kind,
        "subject_id": event.subject_id,
        "person_id": event.person_id,
        "people_named": len(people_named(event.payload)),
        "changes": event.changes,
        "request_id": event.request_id,
        "commitment": event.commitment.hex(),
    }
