"""A person's timeline: what happened to them and for them, merged from the tables that tell it, the newest first.

Every source is read behind the same place and cut at the page's length, all of them in one read, so a page costs the
same however long the history is. Days stand at their first second.
"""

import datetime as dt
import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import JSON, ColumnElement, Text, and_, cast, not_, or_, select
from sqlalchemy.orm import InstrumentedAttribute

from server.accounts.models import Worker
from server.archives.terms import EventKind
from server.evidence.models import FindingMade
from server.evidence.rules.sentences import sentence
from server.evidence.terms import ABOVE_INFO
from server.http import paging
from server.ledger.work import Work
from server.nested import Nested
from server.people.models import CareAgreement, CareAssessment, Enrolment, Pause, Person, Responsibility
from server.permissions import Can
from server.problems.models import Problem, state_of
from server.reviews.models import DecisionMade
from server.schedule.models import Duty
from server.schedule.periods import first_second
from server.tools import business_day
from server.visits.models import Visit
from server.visits.terms import ATTEMPTS

KINDS = {kind.value: kind for kind in EventKind}
Place = tuple[dt.datetime, EventKind, UUID]
Data = Callable[[Any], dict[str, Any]]
WHEN = "when_it_was"
VISIT = ("recorder_id", "method", "outcome", "state", "received_at", "filed_late", "conclusion")
DECISION = ("decided_by", "visit_id", "decision", "state", "revision")
ENROLMENT = ("category", "valid_from", "valid_to", "exit_reason")
PROBLEM = ("code", "severity", "raised_state", "stage", "visit_id")
DUTY = ("kind", "period_start", "due_on", "met_on", "attempts")


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the timeline."""

    at: dt.datetime
    kind: EventKind
    id: UUID
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Source:
    """Where lines of one kind come from: the table, the column that says when, what `data` is made of, which rows."""

    kind: EventKind
    model: Any
    when: InstrumentedAttribute[Any]
    told: tuple[str, ...]
    data: Data
    where: tuple[ColumnElement[bool], ...] = ()
    is_day: bool = False


def place_of_cursor(cursor: str | None) -> Place | None:
    """Read a cursor as the place behind which the next page begins."""
    parts = paging.decode(cursor, (_instant, _kind, UUID))
    return (parts[0], parts[1], parts[2]) if parts else None


def written_place(event: Event) -> tuple[str, EventKind, UUID]:
    """Write an event's place for the cursor."""
    return (event.at.isoformat(), event.kind, event.id)


def events(work: Work, person: Person, before: Place | None, limit: int) -> Sequence[Event]:
    """Give at most `limit` lines behind a place, the newest first."""
    tables = [(source, _rows_of(source, person, before, limit)) for source in _sources(work)]
    found = work.session.execute(select(*[rows.column for _, rows in tables])).one()
    lines = [
        _event(source, row)
        for (source, rows), text in zip(tables, found, strict=True)
        for row in rows.rows(text)
    ]
    newest = heapq.nlargest(limit, lines, key=lambda event: (event.at, event.kind.value, event.id))
    return _named(work, newest)


def _kind(text: str) -> EventKind:
    if text not in KINDS:
        raise ValueError(text)
    return KINDS[text]


def _instant(text: str) -> dt.datetime:
    made = dt.datetime.fromisoformat(text)
    if made.tzinfo is None:
        raise ValueError(text)
    return made.astimezone(dt.UTC)


def _rows_of(source: Source, person: Person, before: Place | None, limit: int) -> Nested:
    model = source.model
    columns = [_plain(getattr(model, name)) for name in ("id", *source.told)]
    wanted = (
        select(source.when.label(WHEN), *columns)
        .where(model.person_id == person.id, source.when.is_not(None), *source.where)
        .order_by(source.when.desc(), model.id.desc())
        .limit(limit)
    )
    if before is not None:
        wanted = wanted.where(_behind(source, before))
    return Nested(f"of_{source.kind}", wanted)


def _plain(column: InstrumentedAttribute[Any]) -> Any:
    """Give a column as it can stand in a row written as JSON: what is JSON itself as its text."""
    return (cast(column, Text) if isinstance(column.type, JSON) else column).label(column.key)


def _event(source: Source, row: Any) -> Event:
    when = getattr(row, WHEN)
    return Event(first_second(when) if source.is_day else when, source.kind, row.id, source.data(row))


def _behind(source: Source, before: Place) -> ColumnElement[bool]:
    at, kind, last_id = before
    when, edge = source.when, at
    on_edge = True
    if source.is_day:
        day = business_day(at)
        on_edge = first_second(day) == at
        if not on_edge:
            return when <= day
        edge = day  # type: ignore[assignment]
    if source.kind.value < kind.value:
        return when <= edge
    if source.kind is kind:
        return or_(when < edge, and_(when == edge, source.model.id < last_id))
    return when < edge


def _sources(work: Work) -> tuple[Source, ...]:
    open_problems = () if work.actor.may(Can.SEE_RESTRICTED) else (Problem.restricted.is_(False),)
    superseded = Enrolment.superseded_at.is_(None)
    missed = (
        Duty.due_on < work.today,
        Duty.met_on.is_(None),
        or_(Duty.exit_on.is_(None), Duty.exit_on > Duty.due_on),
    )
    return (
        Source(
            EventKind.VISIT, Visit, Visit.occurred_at, VISIT, _visit, (not_(Visit.outcome.in_(ATTEMPTS)),)
        ),
        Source(EventKind.ATTEMPT, Visit, Visit.occurred_at, VISIT, _visit, (Visit.outcome.in_(ATTEMPTS),)),
        Source(EventKind.DECISION, DecisionMade, DecisionMade.decided_at, DECISION, _decision),
        _of_days(EventKind.ENROLLED, Enrolment, Enrolment.valid_from, ENROLMENT, (superseded,)),
        _of_days(EventKind.ENROLMENT_ENDED, Enrolment, Enrolment.valid_to, ENROLMENT, (superseded,)),
        _of_days(EventKind.ASSESSMENT, CareAssessment, CareAssessment.assessed_on, ("level", "assessor")),
        _of_days(
            EventKind.AGREEMENT,
            CareAgreement,
            CareAgreement.signed_on,
            ("starts_on", "ends_on"),
            (CareAgreement.superseded_at.is_(None),),
        ),
        _of_days(
            EventKind.PAUSE, Pause, Pause.from_on, ("reason", "to_on"), (Pause.superseded_at.is_(None),)
        ),
        Source(EventKind.DUTY_MET, Duty, Duty.met_received_at, DUTY, _duty, (Duty.met_on.is_not(None),)),
        Source(EventKind.DUTY_MISSED, Duty, Duty.due_at, DUTY, _duty, missed),
        _as_it_is(
            EventKind.HANDED_OVER, Responsibility, Responsibility.from_at, ("worker_id", "kind", "to_at")
        ),
        Source(EventKind.PROBLEM, Problem, Problem.found_at, PROBLEM, _problem, open_problems),
        *((_FINDINGS,) if work.actor.may(Can.SEE_FINDINGS) else ()),
    )


def _as_it_is(
    kind: EventKind,
    model: Any,
    when: InstrumentedAttribute[Any],
    told: tuple[str, ...],
    where: tuple[ColumnElement[bool], ...] = (),
    *,
    is_day: bool = False,
) -> Source:
    """Give a source whose columns are told under their own names."""
    return Source(
        kind, model, when, told, lambda row: {name: getattr(row, name) for name in told}, where, is_day
    )


_of_days = partial(_as_it_is, is_day=True)


def _finding(row: Any) -> dict[str, Any]:
    return {
        "visit_id": row.visit_id,
        "code": row.code,
        "severity": row.severity,
        "title": sentence(row.code, orjson.loads(row.evidence)),
    }


_FINDINGS = Source(
    EventKind.FINDING,
    FindingMade,
    FindingMade.found_at,
    ("visit_id", "code", "severity", "evidence"),
    _finding,
    (FindingMade.withdrawn_at.is_(None), FindingMade.severity.in_(sorted(ABOVE_INFO))),
)


def _visit(row: Any) -> dict[str, Any]:
    return {
        "worker_id": row.recorder_id,
        "method": row.method,
        "outcome": row.outcome,
        "state": row.state,
        "received_at": row.received_at,
        "filed_late": row.filed_late,
        "conclusion": row.conclusion,
    }


def _decision(row: Any) -> dict[str, Any]:
    return {
        "worker_id": row.decided_by,
        "visit_id": row.visit_id,
        "decision": row.decision,
        "state": row.state,
        "revision": row.revision,
    }


def _duty(row: Any) -> dict[str, Any]:
    return {
        "duty_kind": row.kind,
        "period_start": row.period_start,
        "due_on": row.due_on,
        "met_on": row.met_on,
        "attempts": row.attempts,
    }


def _problem(row: Any) -> dict[str, Any]:
    return {
        "code": row.code,
        "severity": row.severity,
        "state": state_of(row.raised_state, row.stage),
        "visit_id": row.visit_id,
    }


def _named(work: Work, lines: Sequence[Event]) -> Sequence[Event]:
    """Write the names of the workers beside their ids."""
    ids = {event.data["worker_id"] for event in lines if "worker_id" in event.data}
    called = {
        row.id: row.name
        for row in work.session.execute(select(Worker.id, Worker.name).where(Worker.id.in_(ids)))
    }
    for event in lines:
        if "worker_id" in event.data:
            event.data["worker"] = called.get(event.data["worker_id"])
    return lines
