"""Where phones were at the visits before: what a reviewer sees faintly beside a record's own place."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Uuid, bindparam, select

from server.db import UtcInstant
from server.ledger.work import Work
from server.prepared import Prepared
from server.visits.models import Visit

MOST = 6
"""Visits before one whose places are shown."""

_VISITS = Visit.__table__
_BEFORE = Prepared(
    select(_VISITS.c.occurred_at, _VISITS.c.open_body)
    .where(
        _VISITS.c.person_id == bindparam("person_id", type_=Uuid()),
        _VISITS.c.occurred_at < bindparam("at", type_=UtcInstant()),
        _VISITS.c.out_of_count_at.is_(None),
    )
    .order_by(_VISITS.c.occurred_at.desc())
    .limit(MOST)
)


@dataclass(frozen=True, slots=True)
class PlaceBefore:
    """Where the phone was at an earlier visit; `location` is as the record has it."""

    occurred_at: dt.datetime
    location: Mapping[str, Any]


def places_before(work: Work, person_id: UUID, at: dt.datetime) -> Sequence[PlaceBefore]:
    """Give the places of a person's visits before an instant, the latest first; visits without one are left out."""
    rows = _BEFORE.all(work.session, {"person_id": person_id, "at": at})
    return [
        PlaceBefore(row.occurred_at, location) for row in rows if (location := row.open_body.get("location"))
    ]
