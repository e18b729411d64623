"""Gives events their positions after they were committed, so that writers never wait for one another.

Leaves are RFC 6962 leaf hashes of canonical JSON; positions are gapless from 1. Whoever reads below a position has
seen everything that was positioned before it (docs/adr/0005, 0006).
"""

import datetime as dt
import hashlib
import json

from sqlalchemy import delete, func, insert, select, text
from sqlalchemy.orm import Session

from server.ledger.models import Event, Pending, Position

SEALER_LOCK = 0x5EA1
BATCH = 5000


def leaf(event: Event, seq: int) -> bytes:
    """Give the canonical JSON of an event at its position; what is in it can never be changed unseen."""
    return json.dumps(
        {
            "seq": seq,
            "at": event.at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "actor": str(event.actor_id) if event.actor_id else None,
            "action": event.action,
            "subject": f"{event.subject_kind}:{event.subject_id}",
            "person": str(event.person_id) if event.person_id else None,
            "request_id": event.request_id,
            "commitment": event.commitment.hex(),
        },
        sort_keys=True,
        separators=(",", ":"),
    ).encode()


def leaf_hash(data: bytes) -> bytes:
    """Hash a leaf as RFC 6962 does: SHA-256 of a zero byte and the leaf."""
    return hashlib.sha256(b"\x00" + data).digest()


def watermark(session: Session) -> int:
    """Give the last position given so far; 0 before the first."""
    return session.scalar(select(func.max(Position.seq))) or 0


def seal(session: Session, most: int | None = None) -> int:
    """Position every committed event that has none; returns how many. One sealer works at a time.

    `most` bounds one transaction (to a batch at least), for those who come back for the rest.
    """
    if not session.scalar(select(Pending.event_id).limit(1)):
        return 0
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": SEALER_LOCK})
    sealed = 0
    while True:
        events = session.scalars(
            select(Event).join(Pending, Pending.event_id == Event.id).order_by(Event.id).limit(BATCH)
        ).all()
        if not events:
            return sealed
        first = watermark(session) + 1
        session.execute(
            insert(Position),
            [
                {
                    "seq": seq,
                    "event_id": event.id,
                    "person_id": event.person_id if event.changes else None,
                    "leaf_hash": leaf_hash(leaf(event, seq)),
                }
                for seq, event in enumerate(events, first)
            ],
        )
        session.execute(delete(Pending).where(Pending.event_id.in_([event.id for event in events])))
        session.expunge_all()
        sealed += len(events)
        if len(events) < BATCH or (most is not None and sealed >= most):
            return sealed
