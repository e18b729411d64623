"""The digest of a visit's row that the ledger keeps with it, so that a row changed behind the program's back is found.

It is over what is stored, sealed text and all: comparing needs no key. What moves with the person or with decisions
(village, state, revision) is not in it.
"""

import datetime as dt
import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

TOLD = (
    *("id", "person_id", "enrolment_id", "recorder_id", "recorded_for_id", "method", "outcome", "conclusion"),
    *("occurred_at", "received_at", "clock_skew_s", "filed_late", "counts", "in_person", "fingerprint"),
    *("open_body", "private_sealed", "answered", "answers_required", "body_revision", "revised_at"),
)


def digest_of(row: Mapping[str, Any]) -> str:
    """Give the SHA-256 (hex) of a visit's row; instants count as UTC."""
    told = {name: row[name] for name in TOLD}
    return sha256(_write(told).encode()).hexdigest()


def _plain(value: Any) -> str:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat()
    return str(value)


_write = json.JSONEncoder(sort_keys=True, separators=(",", ":"), default=_plain).encode
