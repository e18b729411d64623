"""The delta for a phone that works offline (CONTRACT §3, docs/adr/0006).

A cursor names a position in the ledger. What was positioned after it tells whose rows changed; those rows are sent as
they are now. Positions are given after the commit, so a transaction that commits late is positioned late and is never
skipped. Without a cursor, or with one from before a backup was restored, everything is sent.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from sqlalchemy import Date, Row, Select, and_, bindparam, func, or_, select

from server.db import UtcInstant
from server.http import paging
from server.ledger import sealer
from server.ledger.models import Event, Position
from server.ledger.work import Work
from server.nested import among
from server.people.models import Responsibility
from server.photos.models import Photo
from server.prepared import Prepared
from server.schedule.histories import pauses_of
from server.schedule.models import Duty, OpenedPeriod
from server.schedule.opening import ensure_open
from server.schedule.standing import STANDS_ON, shown, standing
from server.visits.models import Visit
from server.visits.showing import SHOWN_OF, KnownDuties
from server.visits.showing import shown as visits_shown
from server.visits.terms import VisitState
from server.worklists import people
from server.worklists.worklist import people_of

PEOPLE_A_PAGE = 60
ROOM = 220_000
"""A page stays under 256 KiB: so many bytes are dealt out to people and their visits."""
PERSON_ROOM, VISIT_ROOM = 3_000, 1_500
"""Bytes for a person with the duties of a quarter, and for a visit without what is sealed of it."""
DAYS_OF_VISITS = 92
"""How far back a phone keeps visits and duties; what is still owed or returned is sent however old."""
COMMIT_MARGIN = dt.timedelta(hours=1)
VISITS_OF_A_PERSON = 40
NOBODY = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Mark:
    """When a round of sync began: the business day, the instant (seconds since 1970), how many periods were open."""

    day: dt.date
    at: int
    opened: int


@dataclass(frozen=True, slots=True)
class Place:
    """Where a phone is: it has everything up to `since` as of `had`, and reads up to `until`, past person `after`.

    `began` is when this round began; it becomes `had` of the next, so that what changes between two pages of a round
    (a night, a new period) is told in the next round.
    """

    since: int
    until: int
    had: Mark
    began: Mark
    after: UUID
    is_first: bool

    def written(self) -> str:
        """Write the place as an opaque cursor."""
        marks = [
            part for mark in (self.had, self.began) for part in (mark.day.isoformat(), mark.at, mark.opened)
        ]
        return paging.encode((self.since, self.until, *marks, str(self.after), int(self.is_first)))


def _read_place(cursor: str | None) -> Place | None:
    mark = (dt.date.fromisoformat, int, int)
    parts = paging.decode(cursor, (int, int, *mark, *mark, UUID, bool))
    if parts is None:
        return None
    return Place(parts[0], parts[1], Mark(*parts[2:5]), Mark(*parts[5:8]), parts[8], parts[9])


@dataclass(slots=True)
class Change:
    """What changed of one person: which visits, the person's own rows, or everything."""

    everything: bool = False
    person: bool = False
    visits: set[UUID] = field(default_factory=set)


def sync(work: Work, cursor: str | None) -> dict[str, Any]:
    """Give one page of what changed; `has_more` says that the next page is there already."""
    ensure_open(work)
    work.close_lines()
    place = _place(work, cursor)
    mine = people_of(work.session, work.actor.worker_id)
    changes: Mapping[UUID, Change] = {}
    lost: set[UUID] = set()
    if place.is_first:
        waiting = _following(mine, place)
    else:
        changes = _changes(work, place, set(mine))
        lost = _lost(work, place, set(mine))
        waiting = _following(changes.keys() | lost, place)
    asked = waiting[:PEOPLE_A_PAGE]
    if place.is_first:
        changes = {person: Change(everything=True) for person in asked}
    visits = _visits(work, {person: changes[person] for person in asked if person not in lost})
    batch = _fitting(asked, visits)
    rest = waiting[len(batch) :]
    items = _tombstones(work, [person for person in batch if person in lost])
    items += _rows(work, {person: changes[person] for person in batch if person not in lost}, visits)
    following = (
        replace(place, after=batch[-1])
        if rest
        else Place(place.until, 0, place.began, place.began, NOBODY, is_first=False)
    )
    work.looked("sync.read", "sync", people=[person for person in batch if person not in lost])
    return {
        "items": items,
        "next_cursor": following.written(),
        "has_more": bool(rest),
        "server_time": work.now,
    }


def _following(people_ids: Iterable[UUID], place: Place) -> list[UUID]:
    """Put the people who are still to be sent into order; by number, as comparing ids themselves is slow."""
    after = place.after.int
    return sorted((person for person in people_ids if person.int > after), key=lambda person: person.int)


def _place(work: Work, cursor: str | None) -> Place:
    place = _read_place(cursor)
    if place is not None and place.after != NOBODY:
        return place
    opened = work.session.scalar(select(func.count()).select_from(OpenedPeriod)) or 0
    began = Mark(work.today, int(work.now.timestamp()), opened)
    if place is not None:
        sealer.seal(work.session)
    until = sealer.watermark(work.session)
    if place is None or place.since > until:  # nothing yet, or a backup was restored since: everything
        return Place(0, until, began, began, NOBODY, is_first=True)
    return replace(place, until=until, began=began)


def _changes(work: Work, place: Place, mine: set[UUID]) -> dict[UUID, Change]:
    """Find whose rows changed between two positions, and which."""
    changes: dict[UUID, Change] = {}
    events = _events(work, place, sorted(mine))
    photos = [row.subject_id for row in events if row.subject_kind == "photo"]
    visit_of: dict[UUID, UUID] = {}
    if photos:
        for photo in work.session.execute(select(Photo.id, Photo.visit_id).where(Photo.id.in_(photos))):
            visit_of[photo.id] = photo.visit_id
    for row in events:
        change = changes.setdefault(row.person_id, Change())
        if row.subject_kind == "visit":
            change.visits.add(row.subject_id)
        elif row.subject_kind == "photo" and row.subject_id in visit_of:
            change.visits.add(visit_of[row.subject_id])
        elif row.subject_kind == "responsibility":
            change.everything = True
        elif row.subject_kind != "problem":
            change.person = True
    opened = place.began.opened != place.had.opened
    if opened or place.had.day != work.today:
        for person in _standing_otherwise(work, place.had.day, mine, everybody=opened):
            changes.setdefault(person, Change())
    return changes


def _events(work: Work, place: Place, mine: Sequence[UUID]) -> list[Row[Any, str, Any]]:
    found: list[Row[Any, str, Any]] = []
    for start in range(0, len(mine), 500):
        found += work.session.execute(
            select(Position.person_id, Event.subject_kind, Event.subject_id)
            .join(Event, Event.id == Position.event_id)
            .where(
                Position.person_id.in_(mine[start : start + 500]),
                Position.seq > place.since,
                Position.seq <= place.until,
            )
        ).all()
    return found


def _standing_otherwise(work: Work, day: dt.date, mine: Iterable[UUID], *, everybody: bool) -> set[UUID]:
    """Find whose duties stand otherwise today than on the day of the last sync, though nobody wrote anything."""
    people_ids = list(mine)
    if everybody:
        return set(people_ids)
    pauses = pauses_of(work.session, people_ids)
    return {
        duty.person_id
        for duty in _duties(work, people_ids)
        if standing(duty, pauses.get(duty.person_id, []), day)
        is not standing(duty, pauses.get(duty.person_id, []), work.today)
        or duty.due_on < work.today
    }


def _lost(work: Work, place: Place, mine: set[UUID]) -> set[UUID]:
    """Find the people who were handed over to somebody else since the last sync."""
    since = dt.datetime.fromtimestamp(place.had.at, tz=dt.UTC) - COMMIT_MARGIN
    handed_over = set(
        work.session.scalars(
            select(Responsibility.person_id).where(
                Responsibility.worker_id == work.actor.worker_id, Responsibility.to_at >= since
            )
        )
    )
    return {row.person_id for row in _events(work, place, sorted(handed_over - mine))}


def _tombstones(work: Work, people_ids: Sequence[UUID]) -> list[dict[str, Any]]:
    if not people_ids:
        return []
    gone = [("person", person) for person in people_ids]
    gone += [
        ("duty", one) for one in work.session.scalars(select(Duty.id).where(Duty.person_id.in_(people_ids)))
    ]
    gone += [
        ("visit", one)
        for one in work.session.scalars(
            select(Visit.id).where(
                Visit.person_id.in_(people_ids),
                or_(Visit.occurred_at >= _first_day(work), Visit.state == VisitState.RETURNED),
            )
        )
    ]
    return [{"kind": kind, "id": one, "revision": 0, "data": None} for kind, one in gone]


def _fitting(people_ids: Sequence[UUID], visits: Mapping[UUID, Sequence[Any]]) -> list[UUID]:
    """Choose as many people as a page has room for, by how long their rows are known to get; at least one."""
    room = ROOM
    batch: list[UUID] = []
    for person in people_ids:
        room -= PERSON_ROOM + sum(
            VISIT_ROOM + len(one.private_sealed or "") for one in visits.get(person, ())
        )
        if room < 0 and batch:
            break
        batch.append(person)
    return batch


def _rows(
    work: Work, changes: Mapping[UUID, Change], visits: Mapping[UUID, Sequence[Any]]
) -> list[dict[str, Any]]:
    if not changes:
        return []
    ids = list(changes)
    shown_people = people.shown(
        work, [person for person, one in changes.items() if one.everything or one.person]
    )
    pauses, today = pauses_of(work.session, ids), work.today
    duties = _duties(work, ids)
    items: list[dict[str, Any]] = [
        {"kind": "person", "id": person, "revision": one.data["revision"], "data": one.data}
        for person, one in shown_people.items()
    ]
    items += [
        {
            "kind": "duty",
            "id": duty.id,
            "revision": duty.revision,
            "data": {"person_id": duty.person_id, **shown(duty, pauses.get(duty.person_id, ()), today)},
        }
        for duty in duties
    ]
    theirs = [visit for person in ids for visit in visits.get(person, ())]
    known = {person: one.key for person, one in shown_people.items()}
    keys = known if all(visit.person_id in known for visit in theirs) else None
    # An older visit (returned, or changed by itself) may speak to a duty that phones do not keep.
    since = _first_day(work)
    kept = KnownDuties(duties, pauses) if all(visit.occurred_at >= since for visit in theirs) else None
    items += [
        {"kind": "visit", "id": one["id"], "revision": one["revision"], "data": one}
        for one in visits_shown(work, theirs, keys, kept)
    ]
    return items


def _duties(work: Work, people_ids: Sequence[UUID]) -> Sequence[Any]:
    return _DUTIES_KEPT.all(work.session, {"people": people_ids, "since": _first_day(work).date()})


def _visits(work: Work, changes: Mapping[UUID, Change]) -> Mapping[UUID, list[Any]]:
    """Read the latest visits of people and some visits by their ids, in one read each; by person, the oldest first."""
    whole = [person for person, one in changes.items() if one.everything]
    single = {visit for one in changes.values() for visit in one.visits}
    rows: dict[UUID, Any] = {}
    if whole:
        found = _LATEST_VISITS.all(work.session, {"people": whole, "since": _first_day(work)})
        rows = {row.id: row for row in found}
    if single - rows.keys():
        found = _SOME_VISITS.all(work.session, {"visits": list(single - rows.keys())})
        rows |= {row.id: row for row in found}
    by_person: dict[UUID, list[Any]] = defaultdict(list)
    for row in rows.values():
        by_person[row.person_id].append(row)
    return by_person


def _duties_kept() -> Select[*tuple[Any, ...]]:
    duty = Duty.__table__
    return (
        select(*[duty.c[name] for name in ("id", "person_id", "revision", *STANDS_ON)])
        .where(
            among(duty.c.person_id, "people"),
            or_(
                duty.c.due_on >= bindparam("since", type_=Date()),
                and_(duty.c.met_on.is_(None), duty.c.closed_on.is_(None)),
            ),
        )
        .order_by(duty.c.person_id, duty.c.due_on)
    )


def _latest_visits() -> Select[*tuple[Any, ...]]:
    visit = Visit.__table__
    place = func.row_number().over(partition_by=visit.c.person_id, order_by=visit.c.occurred_at.desc())
    latest = (
        select(visit.c.id, place.label("place"))
        .where(
            among(visit.c.person_id, "people"),
            or_(
                visit.c.occurred_at >= bindparam("since", type_=UtcInstant()),
                visit.c.state == VisitState.RETURNED,
            ),
        )
        .subquery()
    )
    return (
        select(*[visit.c[name] for name in SHOWN_OF])
        .join(latest, latest.c.id == visit.c.id)
        .where(latest.c.place <= VISITS_OF_A_PERSON)
        .order_by(visit.c.occurred_at)
    )


def _some_visits() -> Select[*tuple[Any, ...]]:
    visit = Visit.__table__
    return (
        select(*[visit.c[name] for name in SHOWN_OF])
        .where(among(visit.c.id, "visits"))
        .order_by(visit.c.occurred_at)
    )


# Made once, over plain tables: making a statement, and an object of each row, costs more than reading them.
_DUTIES_KEPT, _LATEST_VISITS, _SOME_VISITS = (
    Prepared(one) for one in (_duties_kept(), _latest_visits(), _some_visits())
)


def _first_day(work: Work) -> dt.datetime:
    return work.now - dt.timedelta(days=DAYS_OF_VISITS)
