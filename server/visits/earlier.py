"""Where phones were at the visits before: what a reviewer sees faintly beside a record's own place."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import Uuid, bindparam, select

from server.db import UtcInstant
from server.ledger.work import Work
from server.people.models import Person
from server.permissions import Role
from server.prepared import Prepared
from server.visits.models import Visit
from server.visits.sight import visit_in_sight

MOST = 6
"""Visits before one whose places are shown."""


@lru_cache(maxsize=1024)
def _before(role: Role, area_code: str) -> Prepared:
    return Prepared(
        select(Visit.occurred_at, Visit.open_body)
        .join(Person, Person.id == Visit.person_id)
        .where(
            Visit.person_id == bindparam("person_id", type_=Uuid()),
            Visit.occurred_at < bindparam("at", type_=UtcInstant()),
            Visit.out_of_count_at.is_(None),
            visit_in_sight(role, area_code),
        )
        .order_by(Visit.occurred_at.desc())
        .limit(MOST)
    )


@dataclass(frozen=True, slots=True)
class PlaceBefore:
    """Where the phone was at an earlier visit; `location` is as the record has it."""

    occurred_at: dt.datetime
    location: Mapping[str, Any]


def places_before(work: Work, person_id: UUID, at: dt.datetime) -> Sequence[PlaceBefore]:
    """Give the places of a person's visits before an instant, the latest first, as far as the actor sees those visits."""
    actor = work.actor
    asked = {"person_id": person_id, "at": at, "worker_id": actor.worker_id}
    rows = _before(actor.role, actor.area_code).all(work.session, asked)
    return [
        PlaceBefore(row.occurred_at, location) for row in rows if (location := row.open_body.get("location"))
    ]
