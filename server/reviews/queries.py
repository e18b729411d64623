"""What waits for a reviewer (CONTRACT §6)."""

import datetime as dt
from typing import Any
from uuid import UUID

from sqlalchemy import Integer, String, Uuid, bindparam, exists, select, tuple_

from server.db import UtcInstant, Word
from server.evidence.models import FindingMade
from server.http import paging
from server.ledger.work import Work
from server.people.models import Person
from server.people.sight import visible_to
from server.regions.queries import inside
from server.vault.models import StoredKey
from server.visits.judging import catch_up
from server.visits.models import Visit
from server.visits.showing import SHOWN_OF, shown_rows
from server.visits.terms import VisitState

_VISITS, _FINDINGS = Visit.__table__, FindingMade.__table__
# Written into the statement: the index of what waits holds nothing else.
_WAITING = bindparam("waiting", VisitState.SUBMITTED, Word(VisitState), literal_execute=True)


def queue(
    work: Work, *, village: str | None, finding: str | None, limit: int, cursor: str | None
) -> dict[str, Any]:
    """List the submitted visits of the people within sight, the longest waiting first.

    `finding` asks for visits about which a finding of that code stands; some of what waits to be judged is judged first.
    """
    if finding is not None:
        catch_up(work, [])
    after = paging.decode(cursor, (dt.datetime.fromisoformat, UUID))
    wanted = (
        select(*[_VISITS.c[name] for name in SHOWN_OF], Person.data_key_id, StoredKey.wrapped)
        .join(Person, Person.id == _VISITS.c.person_id)
        .outerjoin(StoredKey, StoredKey.id == Person.data_key_id)
        .where(_VISITS.c.state == _WAITING, visible_to(work.signed_in))
        .order_by(_VISITS.c.received_at, _VISITS.c.id)
        .limit(bindparam("limit", limit + 1, Integer(), literal_execute=True))
    )
    if village is not None:
        wanted = wanted.where(inside(Person.village_code, village))
    if finding is not None:
        about = _FINDINGS.c.visit_id == _VISITS.c.id, _FINDINGS.c.withdrawn_at.is_(None)
        wanted = wanted.where(
            exists().where(*about, _FINDINGS.c.code == bindparam("finding", finding, String()))
        )
    if after is not None:
        last = tuple_(bindparam("last_at", after[0], UtcInstant()), bindparam("last_id", after[1], Uuid()))
        wanted = wanted.where(tuple_(_VISITS.c.received_at, _VISITS.c.id) > last)
    rows = work.session.execute(wanted).all()
    kept, next_cursor = paging.page(rows, limit, lambda visit: (visit.received_at.isoformat(), visit.id))
    named = list(dict.fromkeys(visit.person_id for visit in kept))
    work.looked("reviews.queue_read", "visits", visits=[visit.id for visit in kept], people=named)
    return {"items": shown_rows(work, kept), "next_cursor": next_cursor}
