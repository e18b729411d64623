"""What of an event is hashed into the tree: nobody can change any of it unseen.

Form 2 holds every column of the event; of the payload it holds the digest of what is stored, so that a sealed text
that was exchanged is found without opening it. Positions given by earlier versions stand on form 1.
"""

import datetime as dt
import hashlib
import json
from typing import Any, Protocol
from uuid import UUID

FORM = 2


class Told(Protocol):
    """The columns of an event."""

    at: Any
    actor_id: Any
    action: Any
    subject_kind: Any
    subject_id: Any
    person_id: Any
    changes: Any
    request_id: Any
    commitment: Any
    payload: Any


def fields(event: Told, seq: int, form: int = FORM) -> dict[str, Any]:
    """Give what a leaf says of an event at its position, as JSON holds it."""
    at: dt.datetime = event.at.astimezone(dt.UTC)
    said = {
        "seq": seq,
        "at": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "actor": _id(event.actor_id),
        "action": event.action,
        "subject": f"{event.subject_kind}:{event.subject_id}",
        "person": _id(event.person_id),
        "request_id": event.request_id,
        "commitment": event.commitment.hex(),
    }
    if form == 1:
        return said
    if at.microsecond:
        said["at"] = at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    stored = event.payload
    digest = None if stored is None else hashlib.sha256(stored.encode()).hexdigest()
    return said | {"v": form, "changes": bool(event.changes), "payload": digest}


def written(said: dict[str, Any]) -> bytes:
    """Write a leaf: canonical JSON."""
    return json.dumps(said, sort_keys=True, separators=(",", ":")).encode()


def leaf(event: Told, seq: int, form: int = FORM) -> bytes:
    """Give the canonical JSON of an event at its position."""
    return written(fields(event, seq, form))


def _id(one: UUID | None) -> str | None:
    return None if one is None else str(one)
