"""Compares visits and photos with what the ledger tells of them, so that a row changed behind its back is found.

The digests stand in sealed payloads; they are opened here, where the keys are, and only what does not fit leaves.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, exists, func, select
from sqlalchemy.orm import Session

from server.db import Sessions, unit_of_work
from server.ledger.looks import indexed
from server.ledger.models import Event, Pending, Position
from server.ledger.payloads import ids_named, is_sealed, parted
from server.photos.models import Photo
from server.reviews.states import ON_THE_WIRE
from server.vault.fields import DataKey, SealBroken, key_of
from server.vault.keys import KeyStore
from server.visits.digest import TOLD, digest_of
from server.visits.models import Visit
from server.visits.terms import VisitState

Fault = dict[str, Any]
PAGE = 500
EVENTS_AT_ONCE = 20_000
ERASED = "person.erased"
_STATES = {stage.value: state for stage, state in ON_THE_WIRE.items()}
RECORDED, STORED = "visit.recorded", "photo.stored"


def not_indexed(session: Session, entries: Sequence[tuple[int, Event]]) -> Iterator[Fault]:
    """Find entries whose people are not all in the index of who was looked at."""
    wanted = {
        (person, seq)
        for seq, event in entries
        if not event.changes
        for person in ({event.person_id.hex} if event.person_id else ids_named(event.payload))
    }
    missing = wanted - indexed(session, sorted(wanted))
    yield from ({"what": "looks", "seq": seq} for seq in sorted({seq for _, seq in missing}))


def gone(session: Session, entries: Iterable[tuple[int, Event]]) -> Iterator[Fault]:
    """Find visits and photos that the ledger tells of and that are not there."""
    visits: dict[UUID, int] = {}
    photos: dict[UUID, tuple[int, UUID | None]] = {}
    for seq, event in entries:
        if event.subject_id is None:
            continue
        if event.action == RECORDED:
            visits[event.subject_id] = seq
        elif event.action == STORED:
            photos[event.subject_id] = (seq, event.person_id)
    there = set(session.scalars(select(Visit.id).where(Visit.id.in_(visits)))) if visits else set()
    yield from (
        {"what": "visit gone", "seq": visits[one], "id": str(one)} for one in visits if one not in there
    )
    if not photos:
        return
    rows = dict(session.execute(select(Photo.id, Photo.sha256).where(Photo.id.in_(photos))).all())
    erased = erased_among(session, {person for _, person in photos.values() if person})
    for one, (seq, person) in photos.items():
        if person not in erased and rows.get(one) is None:
            yield {"what": "photo gone", "seq": seq, "id": str(one)}


def erased_among(session: Session, people: set[UUID]) -> set[UUID]:
    """Say which of some people were erased, as the ledger tells."""
    found = session.scalars(
        select(Event.person_id).where(Event.person_id.in_(people), Event.action == ERASED)
    )
    return {one for one in found if one is not None}


def strays(sessions: Sessions) -> Iterator[Fault]:
    """Find events that have no position and do not wait for one, a stretch of ids at a time."""
    with unit_of_work(sessions) as session:
        last = session.scalar(select(func.max(Event.id))) or 0
    for start in range(0, last + 1, EVENTS_AT_ONCE):
        lost = select(Event.id).where(
            Event.id > start,
            Event.id <= start + EVENTS_AT_ONCE,
            ~exists().where(Position.event_id == Event.id),
            ~exists().where(Pending.event_id == Event.id),
        )
        with unit_of_work(sessions) as session:
            yield from ({"what": "stray", "event": one} for one in session.scalars(lost))


class Records:
    """Walks all visits and photos; `counts` says how many were compared, once the walk is over."""

    def __init__(self, sessions: Sessions, keys: KeyStore) -> None:
        self._sessions = sessions
        self._keys = keys
        self.counts = {"visits": 0, "photos": 0, "erased": 0}
        self._erased: set[UUID] = set()

    def faults(self) -> Iterator[Fault]:
        """Find the records that are not as the ledger tells."""
        visit, photo = Visit.__table__.c, Photo.__table__.c
        told = select(*[visit[name] for name in (*TOLD, "state", "revision")])
        yield from self._walk("visits", told, visit.id, self._visits)
        stored = select(photo.id, photo.person_id, photo.visit_id, photo.sha256, photo.size)
        yield from self._walk("photos", stored.where(photo.sha256.is_not(None)), photo.id, self._photos)

    def _walk(self, kind: str, wanted: Select[*tuple[Any, ...]], key: Any, compare: Any) -> Iterator[Fault]:
        after: UUID | None = None
        while True:
            page = wanted.order_by(key).limit(PAGE)
            if after is not None:
                page = page.where(key > after)
            with unit_of_work(self._sessions) as session:
                rows = session.execute(page).all()
                found = list(compare(session, rows)) if rows else []
            if found:
                # Read again: a visit that was decided on between two reads must not look as if it had been changed.
                with unit_of_work(self._sessions) as session:
                    doubted = wanted.where(key.in_([UUID(one["id"]) for one in found]))
                    found = list(compare(session, session.execute(doubted).all()))
            yield from found
            self.counts[kind] += len(rows)
            self.counts["erased"] += len(self._erased)
            self._erased.clear()
            if len(rows) < PAGE:
                return
            after = rows[-1].id

    def _visits(self, session: Session, rows: Sequence[Any]) -> Iterator[Fault]:
        told = self._told(session, "visit", [row.id for row in rows])
        erased = erased_among(session, {row.person_id for row in rows})
        for row in rows:
            if row.person_id in erased:
                self._erased.add(row.id)
                continue
            wrong = _visit_differs(row, told.get(row.id, []))
            if wrong is not None:
                yield {"what": wrong, "id": str(row.id)}

    def _photos(self, session: Session, rows: Sequence[Any]) -> Iterator[Fault]:
        told = self._told(session, "photo", [row.id for row in rows])
        erased = erased_among(session, {row.person_id for row in rows})
        for row in rows:
            if row.person_id in erased:
                self._erased.add(row.id)
                continue
            stored = [said for action, said in told.get(row.id, []) if action == STORED]
            if not stored:
                yield {"what": "photo untold", "id": str(row.id)}
            elif stored[-1] != {"visit": str(row.visit_id), "sha256": row.sha256.hex(), "size": row.size}:
                yield {"what": "photo differs", "id": str(row.id)}

    def _told(
        self, session: Session, kind: str, ids: Sequence[UUID]
    ) -> Mapping[UUID, list[tuple[str, dict[str, Any] | None]]]:
        """Read what was told of each, in order; None stands for a payload that does not open."""
        events = session.scalars(
            select(Event)
            .outerjoin(Position, Position.event_id == Event.id)
            .where(and_(Event.subject_kind == kind, Event.subject_id.in_(ids)), Event.changes)
            .order_by(Position.seq.is_(None), Position.seq, Event.id)
        ).all()
        keys = self._keys.fetch(session, {one for event in events if (one := _key_id(event)) is not None})
        found: dict[UUID, list[tuple[str, dict[str, Any] | None]]] = defaultdict(list)
        for event in events:
            if event.subject_id is not None:
                found[event.subject_id].append((event.action, _opened(event, keys)))
        return found


def state_told(said: Mapping[str, Any]) -> VisitState | None:
    """Give the state that a telling left the visit in; a decision names the stage, which the row has as its state."""
    stage = said.get("to")
    return _STATES.get(stage) if stage else VisitState.SUBMITTED


def _visit_differs(row: Any, told: Sequence[tuple[str, dict[str, Any] | None]]) -> str | None:
    """Name what of a visit's row is not as it was told; None when all is well."""
    if not any(action == RECORDED for action, _ in told):
        return "visit untold"
    if any(said is None for _, said in told):
        return "visit unread"
    tellings = [said for _, said in told if said is not None]
    bodies = [said for said in tellings if "fingerprint" in said]
    if bodies[-1]["fingerprint"] != row.fingerprint.hex():
        return "visit differs"
    # What was recorded by an earlier version has no digest of its row.
    if "row" in bodies[-1] and bodies[-1]["row"] != digest_of(row._mapping):  # noqa: SLF001  (a public name of Row)
        return "visit differs"
    states = [said for said in tellings if "revision" in said]
    if (states[-1]["revision"], state_told(states[-1])) != (row.revision, row.state):
        return "visit state"
    return None


def _key_id(event: Event) -> UUID | None:
    if event.payload is None or not is_sealed(event.payload):
        return None
    try:
        return key_of(event.payload)
    except SealBroken:
        return None


def _opened(event: Event, keys: Mapping[UUID, DataKey]) -> dict[str, Any] | None:
    stored = event.payload or ""
    try:
        if is_sealed(stored):
            key = keys.get(key_of(stored))
            if key is None:
                return None
            stored = key.open(stored, table="ledger_events", column="payload", row=str(event.subject_id))
        said: dict[str, Any] = json.loads(parted(stored)[1])
    except (SealBroken, ValueError):
        return None
    return said
