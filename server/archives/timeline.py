"""A person's timeline: what happened to them and for them, merged from the tables that tell it, the newest first.

Every source is read behind the same place and cut at the page's length, so a page costs the same however long the
history is. Days stand at their first second.
"""

import datetime as dt
import heapq
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, not_, or_, select
from sqlalchemy.orm import InstrumentedAttribute

from server.accounts.models import Worker
from server.archives.terms import EventKind
from server.evidence.models import FindingMade
from server.evidence.rules.sentences import sentence
from server.evidence.terms import ABOVE_INFO
from server.http import paging
from server.ledger.work import Work
from server.people.models import CareAgreement, CareAssessment, Enrolment, Pause, Person, Responsibility
from server.permissions import Can
from server.problems.models import Problem
from server.reviews.models import DecisionMade
from server.schedule.models import Duty
from server.schedule.periods import first_second
from server.tools import business_day
from server.visits.models import Visit
from server.visits.terms import ATTEMPTS

KINDS = {kind.value: kind for kind in EventKind}
Place = tuple[dt.datetime, EventKind, UUID]
Data = Callable[[Any], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the timeline."""

    at: dt.datetime
    kind: EventKind
    id: UUID
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Source:
    """Where lines of one kind come from: the table, the column that says when, and which rows."""

    kind: EventKind
    model: Any
    when: InstrumentedAttribute[Any]
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
    found: list[Iterator[Event]] = [_read(work, source, person, before, limit) for source in _sources(work)]
    lines = [event for source in found for event in source]
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


def _read(work: Work, source: Source, person: Person, before: Place | None, limit: int) -> Iterator[Event]:
    wanted = (
        select(source.model)
        .where(source.model.person_id == person.id, source.when.is_not(None), *source.where)
        .order_by(source.when.desc(), source.model.id.desc())
        .limit(limit)
    )
    if before is not None:
        wanted = wanted.where(_behind(source, before))
    for row in work.session.scalars(wanted):
        when = getattr(row, source.when.key)
        at = first_second(when) if source.is_day else when
        yield Event(at, source.kind, row.id, source.data(row))


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
        Source(EventKind.VISIT, Visit, Visit.occurred_at, _visit, (not_(Visit.outcome.in_(ATTEMPTS)),)),
        Source(EventKind.ATTEMPT, Visit, Visit.occurred_at, _visit, (Visit.outcome.in_(ATTEMPTS),)),
        Source(EventKind.DECISION, DecisionMade, DecisionMade.decided_at, _decision),
        Source(EventKind.ENROLLED, Enrolment, Enrolment.valid_from, _enrolment, (superseded,), is_day=True),
        Source(
            EventKind.ENROLMENT_ENDED, Enrolment, Enrolment.valid_to, _enrolment, (superseded,), is_day=True
        ),
        Source(EventKind.ASSESSMENT, CareAssessment, CareAssessment.assessed_on, _assessment, is_day=True),
        Source(
            EventKind.AGREEMENT,
            CareAgreement,
            CareAgreement.signed_on,
            lambda row: {"starts_on": row.starts_on, "ends_on": row.ends_on},
            (CareAgreement.superseded_at.is_(None),),
            is_day=True,
        ),
        Source(
            EventKind.PAUSE,
            Pause,
            Pause.from_on,
            lambda row: {"reason": row.reason, "to_on": row.to_on},
            (Pause.superseded_at.is_(None),),
            is_day=True,
        ),
        Source(EventKind.DUTY_MET, Duty, Duty.met_received_at, _duty, (Duty.met_on.is_not(None),)),
        Source(EventKind.DUTY_MISSED, Duty, Duty.due_at, _duty, missed),
        Source(
            EventKind.HANDED_OVER,
            Responsibility,
            Responsibility.from_at,
            lambda row: {"worker_id": row.worker_id, "kind": row.kind, "to_at": row.to_at},
        ),
        Source(EventKind.PROBLEM, Problem, Problem.found_at, _problem, open_problems),
        *((_FINDINGS,) if work.actor.may(Can.SEE_FINDINGS) else ()),
    )


def _finding(row: FindingMade) -> dict[str, Any]:
    return {
        "visit_id": row.visit_id,
        "code": row.code,
        "severity": row.severity,
        "title": sentence(row.code, row.evidence),
    }


_FINDINGS = Source(
    EventKind.FINDING,
    FindingMade,
    FindingMade.found_at,
    _finding,
    (FindingMade.withdrawn_at.is_(None), FindingMade.severity.in_(sorted(ABOVE_INFO))),
)


def _visit(row: Visit) -> dict[str, Any]:
    return {
        "worker_id": row.recorder_id,
        "method": row.method,
        "outcome": row.outcome,
        "state": row.state,
        "received_at": row.received_at,
        "filed_late": row.filed_late,
        "conclusion": row.conclusion,
    }


def _decision(row: DecisionMade) -> dict[str, Any]:
    return {
        "worker_id": row.decided_by,
        "visit_id": row.visit_id,
        "decision": row.decision,
        "state": row.state,
        "revision": row.revision,
    }


def _enrolment(row: Enrolment) -> dict[str, Any]:
    return {
        "category": row.category,
        "valid_from": row.valid_from,
        "valid_to": row.valid_to,
        "exit_reason": row.exit_reason,
    }


def _assessment(row: CareAssessment) -> dict[str, Any]:
    return {"level": row.level, "assessor": row.assessor}


def _duty(row: Duty) -> dict[str, Any]:
    return {
        "duty_kind": row.kind,
        "period_start": row.period_start,
        "due_on": row.due_on,
        "met_on": row.met_on,
        "attempts": row.attempts,
    }


def _problem(row: Problem) -> dict[str, Any]:
    return {"code": row.code, "severity": row.severity, "state": row.state, "visit_id": row.visit_id}


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
