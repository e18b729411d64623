"""Lists of visits, a page at a time (CONTRACT §4).

Whoever asks for an area gets a walk along the one index that has the page's order: of a village, of a township, of
everybody; a deep page costs what the first does. A visitor's own visits are few and are sorted.
"""

import datetime as dt
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Integer,
    Label,
    Select,
    Table,
    Uuid,
    bindparam,
    literal_column,
    select,
    tuple_,
    union_all,
)

from server.db import UtcInstant, Word
from server.http import paging
from server.ledger.work import Work
from server.people.models import Person, Responsibility
from server.people.sight import AREA_ROLES
from server.permissions import Role
from server.prepared import Prepared
from server.regions.queries import inside_shortest, narrower
from server.vault.models import StoredKey
from server.visits.models import Visit
from server.visits.showing import SHOWN_OF, shown_rows
from server.visits.terms import VisitState


@dataclass(frozen=True, slots=True)
class VisitFilters:
    """Which visits: of a person, in an area, in a state, that happened in a span of instants (`to` excluded)."""

    person_id: UUID | None = None
    village: str | None = None
    state: VisitState | None = None
    since: dt.datetime | None = None
    until: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """What a page is asked for, less the values: each combination has a statement of its own, made once.

    `area` is the narrower of what the reader may see and what they ask for; None is a visitor's own.
    """

    area: str | None
    village: str | None = None
    person: bool = False
    state: VisitState | None = None
    since: bool = False
    until: bool = False
    after: bool = False
    limit: int = paging.DEFAULT_LIMIT + 1


def visits_page(work: Work, filters: VisitFilters, *, limit: int, cursor: str | None) -> dict[str, Any]:
    """List the visits within sight, the latest first; a deep page costs what the first does."""
    after = paging.decode(cursor, (dt.datetime.fromisoformat, UUID))
    asked = _asked(work, filters, after, limit + 1)
    values: dict[str, Any] = {
        "worker_id": work.actor.worker_id,
        "person": filters.person_id,
        "since": filters.since,
        "until": filters.until,
        "last_at": after[0] if after else None,
        "last_id": after[1] if after else None,
    }
    rows = _prepared(asked).all(work.session, values) if asked else []
    kept, next_cursor = paging.page(rows, limit, lambda visit: (visit.occurred_at.isoformat(), visit.id))
    named = list(dict.fromkeys(visit.person_id for visit in kept))
    work.looked("visits.read", "visits", visits=[visit.id for visit in kept], people=named)
    return {"items": shown_rows(work, kept), "next_cursor": next_cursor}


def _asked(work: Work, filters: VisitFilters, after: object, limit: int) -> Asked | None:
    """Say what is asked; None when nothing of it can be within sight."""
    actor = work.actor
    own = actor.role is Role.VISITOR
    area = narrower(actor.area_code, filters.village) if actor.role in AREA_ROLES else None
    if area is None and not own:
        return None
    return Asked(
        area,
        filters.village if own else None,
        person=filters.person_id is not None,
        state=filters.state,
        since=filters.since is not None,
        until=filters.until is not None,
        after=after is not None,
        limit=limit,
    )


@lru_cache(maxsize=1024)
def _prepared(asked: Asked) -> Prepared:
    return Prepared(page_of(asked))


def page_of(asked: Asked) -> Select[*tuple[Any, ...]]:
    """Make the statement of one page: the visits' columns, and the key of each one's person."""
    visit = cast("Table", Visit.__table__)
    conditions = _conditions(visit, asked)
    if asked.area is not None:
        conditions.append(inside_shortest(visit.c.village_code, asked.area))
    else:
        conditions.append(visit.c.id.in_(_own(visit, asked)))
    return (
        select(*[visit.c[name] for name in SHOWN_OF], *key_of_person(visit))
        .where(*conditions)
        .order_by(visit.c.occurred_at.desc(), visit.c.id.desc())
        .limit(written(asked.limit))
    )


def key_of_person(visit: Table) -> tuple[Label[UUID], Label[bytes | None]]:
    """Select the key of a visit's person, looked up for the rows of the page alone.

    Joined, PostgreSQL makes ready to remember the keys of everybody whom a full list would hold (Memoize), which
    costs more than the page.
    """
    person, key = Person.__table__, StoredKey.__table__
    of_person = person.c.id == visit.c.person_id
    name = select(person.c.data_key_id).where(of_person).correlate(visit)
    wrapped = (
        select(key.c.wrapped)
        .join_from(person, key, key.c.id == person.c.data_key_id)
        .where(of_person)
        .correlate(visit)
    )
    return name.scalar_subquery().label("data_key_id"), wrapped.scalar_subquery().label("wrapped")


def written(number: int) -> ColumnElement[int]:
    """Write a limit into the statement: a plan for an unknown one is a plan for far too many rows."""
    return literal_column(str(number), Integer())


def _conditions(visit: Table, asked: Asked) -> list[ColumnElement[bool]]:
    parts: list[ColumnElement[bool]] = []
    if asked.person:
        parts.append(visit.c.person_id == bindparam("person", type_=Uuid()))
    if asked.state is not None:
        # Written into the statement, so that rare states get a plan of their own.
        parts.append(visit.c.state == literal_column(f"'{asked.state.value}'", Word(VisitState)))
    if asked.since:
        parts.append(visit.c.occurred_at >= bindparam("since", type_=UtcInstant()))
    if asked.until:
        parts.append(visit.c.occurred_at < bindparam("until", type_=UtcInstant()))
    if asked.village is not None:
        parts.append(inside_shortest(visit.c.village_code, asked.village))
    if asked.after:
        last = tuple_(bindparam("last_at", type_=UtcInstant()), bindparam("last_id", type_=Uuid()))
        parts.append(tuple_(visit.c.occurred_at, visit.c.id) < last)
    return parts


def _own(visit: Table, asked: Asked) -> Select[UUID]:
    """Select the visits of the people of `:worker_id`, and those that they recorded; the latest of each."""
    worker = bindparam("worker_id", type_=Uuid())
    theirs = select(Responsibility.person_id).where(
        Responsibility.worker_id == worker, Responsibility.to_at.is_(None)
    )
    found = []
    for name, whose in (
        ("of_theirs", visit.c.person_id.in_(theirs)),
        ("recorded", visit.c.recorder_id == worker),
    ):
        # Materialised: else a planner that hopes for an early end of the ordered list would walk through everybody's.
        few = (
            select(visit.c.id, visit.c.occurred_at)
            .where(whose, *_conditions(visit, asked))
            .cte(name)
            .prefix_with("MATERIALIZED")
        )
        latest = (
            select(few.c.id).order_by(few.c.occurred_at.desc(), few.c.id.desc()).limit(written(asked.limit))
        )
        found.append(select(latest.subquery().c.id))
    return select(union_all(*found).subquery().c.id)
