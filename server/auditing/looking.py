"""Who has looked at this file (谁看过这份档案): which worker, when, what; lists and sync pages that named the person too.

For a page of the township: `looks_within_sight(work(), person_id, limit=50, cursor=None)`, which refuses a person out
of sight like every look at a file. For the auditor, who sees no file: `looks_of(…)`, ids only. Both give
`{"items": [{"seq", "at", "worker_id", "worker", "kind", "action", "subject_kind", "subject_id", "field", "request_id"}],
"next_cursor"}`, the latest first; a look is in it once it has its position, about a second later. `worker` is None for the house itself; `field` says what a reveal showed.
"""

import json
from typing import Any
from uuid import UUID

from sqlalchemy import select

from server.accounts.models import Worker
from server.auditing.terms import NO_LOOKS, LookKind, kind_of
from server.http import paging
from server.ledger.models import Event, Look, Position
from server.ledger.payloads import is_sealed, people_named
from server.ledger.work import Work
from server.people.sight import see
from server.vault.fields import SealBroken, key_of


def looks_within_sight(work: Work, person_id: UUID, *, limit: int, cursor: str | None) -> dict[str, Any]:
    """List who looked at a person within sight, the latest first; this look, too, leaves its entry."""
    see(work, person_id)
    return _looks(work, person_id, limit, cursor)


def looks_of(work: Work, person_id: UUID, *, limit: int, cursor: str | None) -> dict[str, Any]:
    """List who looked at a person, for the auditor: by id, whether or not there is such a person."""
    return _looks(work, person_id, limit, cursor)


def _looks(work: Work, person_id: UUID, limit: int, cursor: str | None) -> dict[str, Any]:
    before = paging.decode(cursor, (int,))
    wanted = (
        select(Look.seq, Event, Worker.name)
        .join(Position, Position.seq == Look.seq)
        .join(Event, Event.id == Position.event_id)
        .outerjoin(Worker, Worker.id == Event.actor_id)
        .where(Look.person_id == person_id, Event.action.not_in(NO_LOOKS))
        .order_by(Look.seq.desc())
        .limit(limit + 1)
    )
    if before is not None:
        wanted = wanted.where(Look.seq < before[0])
    kept, next_cursor = paging.page(work.session.execute(wanted).all(), limit, lambda row: (row[0],))
    items = [
        _shown(work, seq, event, worker)
        for seq, event, worker in kept
        if event.person_id == person_id or person_id in people_named(event.payload)
    ]
    work.looked("archive.looks_read", "person", person_id, person_id=person_id)
    return {"items": items, "next_cursor": next_cursor}


def _shown(work: Work, seq: int, event: Event, worker: str | None) -> dict[str, Any]:
    kind = kind_of(event.action)
    return {
        "seq": seq,
        "at": event.at,
        "worker_id": event.actor_id,
        "worker": worker,
        "kind": kind,
        "action": event.action,
        "subject_kind": event.subject_kind,
        "subject_id": event.subject_id,
        "field": _field(work, event) if kind is LookKind.REVEAL else None,
        "request_id": event.request_id,
    }


def _field(work: Work, event: Event) -> str | None:
    """Say which datum was revealed; None once the person was erased."""
    if not event.payload or not is_sealed(event.payload):
        return None
    try:
        key = work.keys.fetch_one(work.session, key_of(event.payload))
        if key is None:
            return None
        opened = key.open(event.payload, table="ledger_events", column="payload", row=str(event.subject_id))
    except SealBroken:
        return None
    field = json.loads(opened.partition(".")[2]).get("field")
    return str(field) if field else None
