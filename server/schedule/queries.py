"""Questions about rules and duties."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlalchemy.orm import Session

from server.schedule import terms
from server.schedule.models import Duty, Emergency, EmergencyPerson, OpenedPeriod, RuleVersion
from server.schedule.periods import DAY
from server.schedule.terms import DutyFacts, Pause, VisitRule


def known(
    recorded: ColumnElement[dt.datetime], superseded: ColumnElement[Any], at: dt.datetime | None
) -> ColumnElement[bool]:
    """Select the versions that the house knew at an instant; None is now."""
    if at is None:
        return superseded.is_(None)
    return and_(recorded <= at, or_(superseded.is_(None), superseded > at))


def rule_versions(session: Session, *, known_at: dt.datetime | None = None) -> list[tuple[str, VisitRule]]:
    """Read every rule version with the area that it holds for ("" is everywhere)."""
    rows = session.scalars(
        select(RuleVersion).where(
            known(RuleVersion.recorded_at.expression, RuleVersion.superseded_at.expression, known_at)
        )
    )
    return [
        (
            row.area_code,
            VisitRule(
                key=row.key,
                category=row.category,
                care_level=row.care_level,
                tag=row.tag,
                unit=row.unit,
                required=row.required,
                in_person=row.in_person,
                alert_days=tuple(row.alert_days),
                cutoff_day=row.cutoff_day,
                effective_from=row.effective_from,
                effective_to=row.effective_to,
                applies_to_head_only=row.heads_only,
                source=row.source_doc_no,
                confirmed=not row.needs_confirmation,
            ),
        )
        for row in rows
    ]


def rules_of(area_code: str, versions: Iterable[tuple[str, VisitRule]]) -> list[VisitRule]:
    """Choose, of each key, the versions that hold in an area; what a nearer area says goes first once it begins."""
    mine = [(area, rule) for area, rule in versions if area_code.startswith(area)]
    begins: dict[str, dict[int, dt.date]] = defaultdict(dict)
    for area, rule in mine:
        known_first = begins[rule.key].get(len(area), rule.effective_from)
        begins[rule.key][len(area)] = min(known_first, rule.effective_from)
    chosen = []
    for area, rule in mine:
        nearer = [first for length, first in begins[rule.key].items() if length > len(area)]
        last = min(nearer) - DAY if nearer else None
        if last is None:
            chosen.append(rule)
        elif rule.effective_from <= last:
            chosen.append(replace(rule, effective_to=min(rule.effective_to or last, last)))
    return chosen


def opened(session: Session) -> set[tuple[str, dt.date]]:
    """Read which periods have been opened; a few rows a month."""
    return {
        (str(unit), start)
        for unit, start in session.execute(select(OpenedPeriod.unit, OpenedPeriod.period_start))
    }


def touched_by(person_id: UUID, since: dt.date) -> Select[Duty]:
    """Select the duties that a visit on or after a day can change: those due since, and older ones still unmet."""
    return (
        select(Duty)
        .where(Duty.person_id == person_id, or_(Duty.due_on >= since, Duty.met_on.is_(None)))
        .order_by(Duty.due_on)
    )


def overdue_on(day: dt.date) -> ColumnElement[bool]:
    """Select the duties that are overdue at the end of a day, with today's knowledge (rules.overdue_on as SQL)."""
    return and_(
        Duty.due_on < day,
        Duty.met_on.is_(None),
        or_(Duty.closed_on.is_(None), Duty.closed_on > day),
        or_(Duty.exit_on.is_(None), Duty.exit_on > day),
    )


def overdue_now(day: dt.date) -> ColumnElement[bool]:
    """Select the duties that are overdue at the end of today; the same rows, by the index of unmet duties."""
    return and_(
        Duty.due_on < day,
        Duty.met_on.is_(None),
        Duty.closed_on.is_(None),
        or_(Duty.exit_on.is_(None), Duty.exit_on > day),
    )


def facts_of(duty: Duty, pauses: Sequence[Pause] = ()) -> DutyFacts:
    """Read a duty's row as the facts that the rules ask for."""
    return DutyFacts(
        kind=duty.kind,
        opens_at=duty.opens_at,
        due_at=duty.due_at,
        due_on=duty.due_on,
        due_soon_on=duty.due_soon_on,
        required=duty.required,
        in_person=duty.in_person,
        exit_on=duty.exit_on,
        pauses=tuple(pauses),
    )


def emergencies_about(
    session: Session, villages: Mapping[UUID, str], *, known_at: dt.datetime | None = None
) -> dict[UUID, list[Emergency]]:
    """Read the emergencies that reach each person (id → village): declared for an area round them, or naming them."""
    areas = {village[:length] for village in villages.values() for length in (6, 9, 12)}
    by_area = select(Emergency).where(Emergency.area_code.in_(areas))
    named = (
        select(EmergencyPerson.person_id, Emergency)
        .join(Emergency, Emergency.id == EmergencyPerson.emergency_id)
        .where(EmergencyPerson.person_id.in_(list(villages)))
    )
    if known_at is not None:
        by_area = by_area.where(Emergency.declared_at <= known_at)
        named = named.where(Emergency.declared_at <= known_at)
    around = session.scalars(by_area.order_by(Emergency.id)).all()
    found = {
        person_id: [one for one in around if village.startswith(one.area_code)]
        for person_id, village in villages.items()
    }
    for person_id, emergency in session.execute(named.order_by(Emergency.id)):
        found[person_id].append(emergency)
    return found


def told(emergency: Emergency) -> terms.Emergency:
    """Read an emergency's row as the rules ask for it."""
    return terms.Emergency(str(emergency.id), emergency.kind, emergency.happened_at, emergency.hours)
