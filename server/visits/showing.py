"""Visits as the wire shows them: the record as it was sent, and what became of it (CONTRACT §4)."""

import datetime as dt
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Date, Integer, Text, Uuid, bindparam, func, literal, null, select, union_all
from sqlalchemy import cast as as_type

from server.evidence.models import FindingMade, Unjudged
from server.evidence.rules.sentences import sentence
from server.ledger.work import Work
from server.nested import among
from server.people.models import Person
from server.permissions import Can
from server.photos.models import Photo
from server.prepared import Prepared, Row
from server.schedule.histories import pauses_of
from server.schedule.models import Duty
from server.schedule.standing import STANDS_ON
from server.schedule.standing import shown as duty_shown
from server.schedule.terms import DutyKind, Pause
from server.tools import business_day
from server.vault.fields import DataKey
from server.vault.models import StoredKey
from server.visits import body as bodies
from server.visits.judging import AT_ONCE, catch_up
from server.visits.models import Visit
from server.visits.service import Recorded, body_of
from server.visits.terms import DerivedProblem, VisitState

SHOWN_OF = (
    *(
        "id",
        "person_id",
        "recorder_id",
        "occurred_at",
        "received_at",
        "revised_at",
        "filed_late",
        "clock_skew_s",
    ),
    *(
        "state",
        "state_reason_sealed",
        "answered",
        "answers_required",
        "revision",
        "body_revision",
        "first_accepted_revision",
        "open_body",
        "private_sealed",
    ),
)
"""The columns of a visit that are shown; rows with these will do."""


@dataclass(frozen=True, slots=True)
class KnownDuties:
    """What a caller has read already of the people of some visits: every duty on the visits' days, every pause."""

    duties: Sequence[Any]
    pauses: Mapping[UUID, Sequence[Pause]]


@dataclass(frozen=True, slots=True)
class Standing:
    """How some visits stand today: the photos that each still owes, and the findings about it."""

    debts: Mapping[UUID, list[UUID]] = field(default_factory=dict)
    findings: Mapping[UUID, list[dict[str, Any]]] = field(default_factory=dict)
    unjudged: frozenset[UUID] = frozenset()


def shown(
    work: Work,
    visits: Sequence[Any],
    keys: Mapping[UUID, DataKey | None] | None = None,
    known: KnownDuties | None = None,
) -> list[dict[str, Any]]:
    """Show at most a page of visits, each with its photo debt and its duty as of today."""
    if not visits:
        return []
    people = {visit.person_id for visit in visits}
    opened = keys if keys is not None else _keys(work, people)
    standing = stand(work, [visit.id for visit in visits])
    if known is None:
        duties = _duties(work, visits)
        pauses = _pauses(work, [duty for duty in duties if duty])
    else:
        duties = _spoken_to_by(visits, sorted(known.duties, key=_routine_first))
        pauses = known.pauses
    return [
        _one(work, visit, opened.get(visit.person_id), standing, duty, pauses)
        for visit, duty in zip(visits, duties, strict=True)
    ]


def shown_alone(work: Work, visit: Row, key: DataKey | None) -> dict[str, Any]:
    """Show one visit that was found to be read."""
    is_worth_asking = visit.owes_photos or work.actor.may(Can.SEE_FINDINGS)
    standing = stand(work, [visit.id]) if is_worth_asking else Standing()
    on_its_day = {"person_id": visit.person_id, "day": business_day(visit.occurred_at)}
    duty = next(iter(_DUTIES_ON.all(work.session, on_its_day)), None)
    return _one(work, visit, key, standing, duty, _pauses(work, [duty] if duty else []))


def shown_rows(work: Work, rows: Sequence[Any]) -> list[dict[str, Any]]:
    """Show a page of rows that hold the columns of a visit, and of each one's person `data_key_id` and `wrapped`."""
    keys = {row.person_id: work.keys.unwrap(row.data_key_id, row.wrapped) for row in rows}
    return shown(work, rows, keys)


def shown_recorded(work: Work, recorded: Recorded) -> dict[str, Any]:
    """Show what became of a PUT; of a new visit everything is known already and nothing is read again."""
    visit = recorded.visit
    if recorded.photo_debt is None or recorded.duties is None:
        return shown(work, [visit], {visit.person_id: recorded.key})[0]
    duty = _spoken_to(visit, sorted(recorded.duties, key=_routine_first))
    pauses = _pauses(work, [duty] if duty else [])
    standing = Standing({visit.id: list(recorded.photo_debt)})
    if work.actor.may(Can.SEE_FINDINGS):
        standing = stand(work, [visit.id])
    return _one(work, visit, recorded.key, standing, duty, pauses, body=recorded.body)


def _one(
    work: Work,
    visit: Visit,
    key: DataKey | None,
    standing: Standing,
    duty: Duty | None,
    pauses: Mapping[UUID, Sequence[Pause]],
    *,
    body: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    whole = _body(visit, key) if body is None else body
    me = work.actor.worker_id
    wrote_it = visit.recorder_id == me or whole["recorded_for"] == str(me)
    if not (wrote_it or work.actor.may(Can.SEE_RESTRICTED)):
        whole = without_restricted(whole)
    return {
        "id": visit.id,
        **whole,
        "recorder": visit.recorder_id,
        "received_at": visit.received_at,
        "revised_at": visit.revised_at,
        "filed_late": visit.filed_late,
        "clock_skew_s": visit.clock_skew_s,
        "state": visit.state,
        "state_reason": _reason(visit, key),
        "awaiting_second": awaits_second(visit),
        "completeness": {"answered": visit.answered, "required": visit.answers_required},
        "photo_debt": standing.debts.get(visit.id, ()),
        "duty": duty_shown(duty, pauses.get(visit.person_id, []), work.today) if duty else None,
        **({"findings": standing.findings.get(visit.id, [])} if work.actor.may(Can.SEE_FINDINGS) else {}),
        "revision": visit.revision,
    }


def without_restricted(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """Leave out what a record says of suspected abuse: that is for its recorder and for few others (DOMAIN §3.6)."""
    hidden = DerivedProblem.ABUSE_SUSPECTED.value
    if hidden not in body["answers"] and all(one["code"] != hidden for one in body["problems"]):
        return body
    return {
        **body,
        "answers": {name: answer for name, answer in body["answers"].items() if name != hidden},
        "problems": [one for one in body["problems"] if one["code"] != hidden],
    }


def awaits_second(visit: Visit) -> bool:
    """Say whether a first reviewer accepted the record as it stands, and a second one has to confirm it."""
    accepted = visit.first_accepted_revision
    return visit.state is VisitState.SUBMITTED and accepted is not None and accepted > visit.body_revision


def _body(row: Any, key: DataKey | None) -> dict[str, Any]:
    """Put a body together; a row's in its own open part: nobody else holds it, and a copy costs as much as all the rest."""
    if isinstance(row, Visit):
        return body_of(row, key)
    if row.private_sealed is None or key is None:
        return cast("dict[str, Any]", row.open_body)
    text = key.open(row.private_sealed, table="visits", column="private_sealed", row=row.id)
    return bodies.fill(row.open_body, bodies.read_private(text))


def _pauses(work: Work, duties: Sequence[Duty]) -> Mapping[UUID, Sequence[Pause]]:
    """Read the pauses that a duty may rest in; one that is met by today does not rest."""
    today = work.today
    people = {duty.person_id for duty in duties if duty.met_on is None or duty.met_on > today}
    return pauses_of(work.session, sorted(people)) if people else {}


def _reason(visit: Visit, key: DataKey | None) -> str | None:
    if visit.state_reason_sealed is None or key is None:
        return None
    return key.open(visit.state_reason_sealed, table="visits", column="state_reason_sealed", row=visit.id)


def _keys(work: Work, people: set[UUID]) -> dict[UUID, DataKey | None]:
    return {
        row.id: work.keys.unwrap(row.data_key_id, row.wrapped)
        for row in _KEYS.all(work.session, {"people": list(people)})
    }


_DUTIES_ON = Prepared(
    select(*Duty.__table__.c)
    .where(
        Duty.person_id == bindparam("person_id", type_=Uuid()),
        Duty.period_start <= bindparam("day", type_=Date()),
        Duty.due_on >= bindparam("day", type_=Date()),
    )
    .order_by(Duty.kind.desc(), Duty.due_on, Duty.id)
)
# Made once, over plain tables: making a statement, and an object of each row, costs more than reading them.
_PERSONS, _PHOTOS, _STORED_KEYS = Person.__table__, Photo.__table__, StoredKey.__table__
_KEYS = Prepared(
    select(_PERSONS.c.id, _PERSONS.c.data_key_id, _STORED_KEYS.c.wrapped)
    .outerjoin_from(_PERSONS, _STORED_KEYS, _STORED_KEYS.c.id == _PERSONS.c.data_key_id)
    .where(among(_PERSONS.c.id, "people"))
)
_OWED = select(_PHOTOS.c.visit_id, _PHOTOS.c.id.label("photo_id"), _PHOTOS.c.ordinal).where(
    among(_PHOTOS.c.visit_id, "visits"), _PHOTOS.c.blob_key.is_(None)
)
_DEBTS = Prepared(_OWED.order_by(_PHOTOS.c.visit_id, _PHOTOS.c.ordinal))
_FOUND, _WAITING = FindingMade.__table__, Unjudged.__table__


def _all_that_stands() -> Prepared:
    """Select debts, findings and what waits to be judged, here and elsewhere, in one read; each kind leaves the others' columns empty."""
    told = ("code", "severity", "evidence", "rule_version")
    nothing = [as_type(null(), Text).label(name) for name in told]
    no_photo = (as_type(null(), Uuid).label("photo_id"), literal(0, Integer()).label("ordinal"))
    found = [as_type(_FOUND.c[name], Text).label(name) for name in told]
    oldest = select(_WAITING.c.visit_id).order_by(_WAITING.c.id).limit(AT_ONCE).subquery()
    known = union_all(
        _OWED.add_columns(*nothing),
        select(_FOUND.c.visit_id, *no_photo, *found).where(
            among(_FOUND.c.visit_id, "visits"), _FOUND.c.withdrawn_at.is_(None)
        ),
        select(_WAITING.c.visit_id, *no_photo, *nothing).where(among(_WAITING.c.visit_id, "visits")),
        select(oldest.c.visit_id, *no_photo, *nothing),
    ).subquery()
    return Prepared(select(known).order_by(known.c.visit_id, known.c.ordinal, known.c.code))


_STANDING = _all_that_stands()
_DUTY = Duty.__table__
# An expression of the due day, not the day itself: PostgreSQL would also gather a month of everybody's duties by it.
_DUE_ON = func.coalesce(_DUTY.c.due_on, _DUTY.c.period_start)
_DUTIES = Prepared(
    select(_DUTY.c.id, _DUTY.c.person_id, *[_DUTY.c[name] for name in STANDS_ON])
    .where(
        among(_DUTY.c.person_id, "people"),
        _DUTY.c.period_start <= bindparam("last_day", type_=Date()),
        bindparam("first_day", type_=Date()) <= _DUE_ON,
    )
    .order_by(_DUTY.c.kind.desc(), _DUTY.c.due_on, _DUTY.c.id)
)


def stand(work: Work, ids: Sequence[UUID]) -> Standing:
    """Read how visits stand; for those who see findings, what waits to be judged is judged first."""
    if not work.actor.may(Can.SEE_FINDINGS):
        debts: dict[UUID, list[UUID]] = defaultdict(list)
        for row in _DEBTS.all(work.session, {"visits": ids}):
            debts[row.visit_id].append(row.photo_id)
        return Standing(debts)
    standing = _stand(work, ids)
    if standing.unjudged:
        catch_up(work, ids)
        standing = _stand(work, ids)
    return standing


def _stand(work: Work, ids: Sequence[UUID]) -> Standing:
    debts: dict[UUID, list[UUID]] = defaultdict(list)
    findings: dict[UUID, list[dict[str, Any]]] = defaultdict(list)
    unjudged = set()
    for row in _STANDING.all(work.session, {"visits": ids}):
        if row.photo_id is not None:
            debts[row.visit_id].append(row.photo_id)
        elif row.code is not None:
            findings[row.visit_id].append(_finding(row))
        else:
            unjudged.add(row.visit_id)
    return Standing(debts, findings, frozenset(unjudged))


def _finding(row: Row) -> dict[str, Any]:
    told = json.loads(row.evidence)
    return {
        "code": row.code,
        "severity": row.severity,
        "title": sentence(row.code, told),
        "evidence": told,
        "rule_version": row.rule_version,
    }


def _duties(work: Work, visits: Sequence[Visit]) -> list[Any]:
    """Find the duty that each visit speaks to, in their order: the routine one whose window holds it, else an emergency's."""
    days = [business_day(visit.occurred_at) for visit in visits]
    people = list({visit.person_id for visit in visits})
    within = {"people": people, "first_day": min(days), "last_day": max(days)}
    return _spoken_to_by(visits, _DUTIES.all(work.session, within))


def _spoken_to_by(visits: Sequence[Visit], duties: Sequence[Any]) -> list[Any]:
    by_person: dict[UUID, list[Any]] = defaultdict(list)
    for duty in duties:
        by_person[duty.person_id].append(duty)
    return [_spoken_to(visit, by_person.get(visit.person_id, ())) for visit in visits]


def _routine_first(duty: Duty) -> tuple[bool, dt.date, str]:
    return duty.kind is not DutyKind.ROUTINE, duty.due_on, str(duty.id)


def _spoken_to(visit: Visit, duties: Sequence[Duty]) -> Duty | None:
    day = business_day(visit.occurred_at)
    return next((duty for duty in duties if duty.period_start <= day <= duty.due_on), None)
