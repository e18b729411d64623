"""What waits for a reviewer (CONTRACT §6)."""

import datetime as dt
from typing import Any
from uuid import UUID

from sqlalchemy import select, tuple_

from server.http import paging
from server.ledger.work import Work
from server.people.models import Person
from server.people.sight import visible_to
from server.regions.queries import inside
from server.visits.models import Visit
from server.visits.showing import shown
from server.visits.terms import VisitState


def queue(
    work: Work, *, village: str | None, finding: str | None, limit: int, cursor: str | None
) -> dict[str, Any]:
    """List the submitted visits of the people within sight, the longest waiting first.

    `finding` asks for visits with a finding of that code. No rule finds anything yet, so it selects none.
    """
    after = paging.decode(cursor, (dt.datetime.fromisoformat, UUID))
    wanted = (
        select(Visit)
        .join(Person, Person.id == Visit.person_id)
        .where(Visit.state == VisitState.SUBMITTED, visible_to(work.signed_in))
        .order_by(Visit.received_at, Visit.id)
        .limit(limit + 1)
    )
    if village is not None:
        wanted = wanted.where(inside(Person.village_code, village))
    if after is not None:
        wanted = wanted.where(tuple_(Visit.received_at, Visit.id) > tuple_(after[0], after[1]))
    rows = work.session.scalars(wanted).all() if finding is None else []
    kept, next_cursor = paging.page(rows, limit, lambda visit: (visit.received_at.isoformat(), visit.id))
    work.looked("reviews.queue_read", "visits", visits=[visit.id for visit in kept])
    return {"items": shown(work, kept), "next_cursor": next_cursor}
