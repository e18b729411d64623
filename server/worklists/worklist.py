"""What the signed-in visitor owes, most urgent first (CONTRACT §3)."""

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Uuid, bindparam, select
from sqlalchemy.orm import Session

from server.http import paging
from server.ledger.work import Work
from server.nested import among
from server.people.models import Responsibility
from server.prepared import Prepared
from server.schedule.histories import pauses_of
from server.schedule.models import Duty
from server.schedule.opening import ensure_open
from server.schedule.standing import STANDS_ON, URGENCY, most_urgent, shown, standing
from server.schedule.terms import Pause
from server.worklists import people


def worklist(work: Work, *, limit: int, cursor: str | None) -> dict[str, Any]:
    """List the people whom the visitor owes a visit, one row each, with their most urgent duty."""
    after = paging.decode(cursor, (int, dt.date.fromisoformat, UUID))
    ensure_open(work)
    mine = people_of(work.session, work.actor.worker_id)
    duties = unmet(work.session, mine)
    pauses = pauses_of(work.session, list(duties)) if duties else {}
    owed = (
        sorted(
            (_position(duty, pauses.get(person_id, []), work.today), duty)
            for person_id, theirs in duties.items()
            if (duty := most_urgent(theirs, pauses.get(person_id, []), work.today)) is not None
        )
        if duties
        else []
    )
    waiting = [one for one in owed if after is None or one[0] > (after[0], after[1], after[2])]
    rows, next_cursor = paging.page(waiting, limit, lambda one: one[0])
    ids = [duty.person_id for _, duty in rows]
    seen = people.shown(work, ids)
    last = people.last_visits(work, ids)
    work.looked("worklist.read", "worklist", people=ids)
    return {
        "items": [
            {
                **seen[duty.person_id].data,
                "duty": shown(duty, pauses.get(duty.person_id, []), work.today),
                "last_visit": last.get(duty.person_id),
            }
            for _, duty in rows
        ],
        "next_cursor": next_cursor,
    }


def people_of(session: Session, worker_id: UUID) -> list[UUID]:
    """List the people whom a worker is responsible for or deputises for now."""
    return [row.person_id for row in _PEOPLE_OF.all(session, {"worker_id": worker_id})]


def unmet(session: Session, people_ids: Sequence[UUID]) -> Mapping[UUID, list[Any]]:
    """Read the duties of people that a visit can still change: neither met, nor missed."""
    found: dict[UUID, list[Any]] = defaultdict(list)
    if people_ids:
        for duty in _UNMET.all(session, {"people": people_ids}):
            found[duty.person_id].append(duty)
    return found


_DUTY, _ANSWERING = Duty.__table__, Responsibility.__table__
_UNMET = Prepared(
    select(*[_DUTY.c[name] for name in ("id", "person_id", *STANDS_ON)]).where(
        among(_DUTY.c.person_id, "people"), _DUTY.c.met_on.is_(None), _DUTY.c.closed_on.is_(None)
    )
)
_PEOPLE_OF = Prepared(
    select(_ANSWERING.c.person_id)
    .where(_ANSWERING.c.worker_id == bindparam("worker_id", type_=Uuid()), _ANSWERING.c.to_at.is_(None))
    .distinct()
)


def _position(duty: Duty, pauses: Sequence[Pause], today: dt.date) -> tuple[int, dt.date, UUID]:
    return URGENCY[standing(duty, pauses, today)], duty.due_on, duty.person_id
