"""Where people lived when, as far as was known: a move ends one dwelling and begins the next, nothing is overwritten.

As with enrolments, two times are kept apart: the days on which a dwelling held, and from when until when we believed
so. A move holds from its day on, a merge of villages from the merge's day on, even if it is recorded later. A village
that is renamed keeps its code: its names have their own history (server/regions), and lists show today's (CONTRACT §7).
"""

import datetime as dt
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, insert, or_, select
from sqlalchemy.orm import Session

from server.ledger.work import Work
from server.people.models import Dwelling
from server.regions.queries import inside

A_DAY = dt.timedelta(days=1)


def first_dwelling(work: Work, person_id: UUID, village_code: str) -> dict[str, Any]:
    """Make the row of a person who is new: as far as is known, they have always lived in their village."""
    return _row(work, person_id, village_code, None, None)


def move_out(work: Work, people: Sequence[UUID], village_code: str, since: dt.date) -> None:
    """Write that people live in another village since a day, at most a few hundred people; their rows are locked."""
    ended = work.session.scalars(
        select(Dwelling).where(
            Dwelling.person_id.in_(people), Dwelling.superseded_at.is_(None), Dwelling.valid_to.is_(None)
        )
    ).all()
    rows = []
    for old in ended:
        old.superseded_at = work.now
        begin = old.valid_from
        if begin is None or begin < since:
            rows.append(_row(work, old.person_id, old.village_code, begin, since - A_DAY))
            begin = since
        rows.append(_row(work, old.person_id, village_code, begin, None))
    work.session.flush()
    if rows:
        work.session.execute(insert(Dwelling), rows)


def lived(day: dt.date, known_at: dt.datetime | None = None) -> ColumnElement[bool]:
    """Select where people lived on a day, by what was known at an instant (None: by what is known now)."""
    known = (
        Dwelling.superseded_at.is_(None)
        if known_at is None
        else and_(
            Dwelling.recorded_at <= known_at,
            or_(Dwelling.superseded_at.is_(None), Dwelling.superseded_at > known_at),
        )
    )
    return and_(
        known,
        or_(Dwelling.valid_from.is_(None), Dwelling.valid_from <= day),
        or_(Dwelling.valid_to.is_(None), Dwelling.valid_to >= day),
    )


def living_in(area_code: str, day: dt.date, known_at: dt.datetime | None = None) -> Select[UUID]:
    """Select the people who lived in an area on a day, by what was known at an instant."""
    return select(Dwelling.person_id).where(inside(Dwelling.village_code, area_code), lived(day, known_at))


def villages_of(
    session: Session, people: Sequence[UUID], day: dt.date, known_at: dt.datetime | None = None
) -> dict[UUID, str]:
    """Give the village of each person on a day, by what was known at an instant."""
    rows = session.execute(
        select(Dwelling.person_id, Dwelling.village_code).where(
            Dwelling.person_id.in_(people), lived(day, known_at)
        )
    )
    return {row.person_id: row.village_code for row in rows}


def _row(
    work: Work, person_id: UUID, village_code: str, valid_from: dt.date | None, valid_to: dt.date | None
) -> dict[str, Any]:
    return {
        "id": work.new_id(),
        "person_id": person_id,
        "village_code": village_code,
        "valid_from": valid_from,
        "valid_to": valid_to,
        "recorded_at": work.now,
        "recorded_by": work.actor_id,
        "superseded_at": None,
    }
