"""The frame of a plan: which visits belong to it, written down set-wise when it is frozen, and read back in order."""

import datetime as dt
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    String,
    Uuid,
    case,
    exists,
    func,
    insert,
    literal,
    select,
    type_coerce,
)
from sqlalchemy.orm import Session

from server.db import rows_of
from server.evidence.models import FindingMade
from server.evidence.terms import FindingSeverity
from server.ledger.work import Work
from server.people.models import Enrolment
from server.problems.models import Problem, Raised
from server.problems.terms import Severity
from server.regions.queries import inside
from server.spotchecks.drawing import HowToDraw, Line
from server.spotchecks.models import FrameLine, SpotCheckPlan
from server.spotchecks.terms import AlwaysIncluded, FrameDates, StratumBy
from server.tools import SHANGHAI
from server.visits.models import Visit
from server.visits.terms import ATTEMPTS, Outcome

AT_ONCE = 5000
NO_CATEGORY = "none"


def month_after(first: dt.date) -> dt.date:
    """Give the first day of the month after the one that begins on `first`."""
    return (first.replace(day=28) + dt.timedelta(days=4)).replace(day=1)


def how_to_draw(plan: SpotCheckPlan) -> HowToDraw:
    """Say how a plan's sample is drawn, as the head of its frame says it."""
    rules = plan.rules
    return HowToDraw(
        plan_id=plan.id,
        period=f"{plan.period_start:%Y-%m}",
        strata=tuple(_by(value) for value in rules["strata"]),
        share=rules["share"],
        number=rules["number"],
        every=tuple(_by(value) for value in rules["every"]),
    )


def lines(session: Session, plan_id: UUID) -> Iterator[Line]:
    """Read a frozen frame in ascending order of visit id, a few thousand rows at a time."""
    wanted = (
        select(
            FrameLine.visit_id,
            FrameLine.village_code,
            FrameLine.visitor_id,
            FrameLine.category,
            FrameLine.always,
            FrameLine.body_revision,
        )
        .where(FrameLine.plan_id == plan_id)
        .order_by(FrameLine.visit_id)
        .execution_options(yield_per=AT_ONCE)
    )
    for row in session.execute(wanted):
        yield Line(*row)


def write_frame(work: Work, plan: SpotCheckPlan) -> int:
    """Write down every visit that fits a plan, in one statement; returns how many."""
    rules = plan.rules
    wanted = select(
        literal(plan.id, Uuid()),
        Visit.id,
        Visit.village_code,
        func.coalesce(Visit.recorded_for_id, Visit.recorder_id),
        func.coalesce(type_coerce(Enrolment.category, String()), NO_CATEGORY),
        _always(rules),
        Visit.body_revision,
    ).outerjoin(Enrolment, Enrolment.id == Visit.enrolment_id)
    wanted = wanted.where(
        inside(Visit.village_code, plan.area_code),
        *_within(plan),
        Visit.state.in_(rules["states"]),
    )
    if rules["outcomes"]:
        wanted = wanted.where(Visit.outcome.in_(rules["outcomes"]))
    if rules["categories"]:
        wanted = wanted.where(Enrolment.category.in_(rules["categories"]))
    columns = ["plan_id", "visit_id", "village_code", "visitor_id", "category", "always", "body_revision"]
    return rows_of(work.session, insert(FrameLine).from_select(columns, wanted))


def _within(plan: SpotCheckPlan) -> list[ColumnElement[bool]]:
    """Select the visits of the plan's month: by default those received in it, which nobody can still add to."""
    first, after = (
        dt.datetime.combine(day, dt.time(), SHANGHAI)
        for day in (plan.period_start, month_after(plan.period_start))
    )
    column = Visit.received_at if plan.rules["dates"] == FrameDates.RECEIVED.value else Visit.occurred_at
    return [column >= first, column < after]


def _always(rules: dict[str, Any]) -> ColumnElement[str]:
    asked = set(rules["always"])
    urgent = exists().where(
        Problem.visit_id == Visit.id,
        Problem.severity == Severity.URGENT,
        Problem.raised_state != Raised.WITHDRAWN,
    )
    doubtful = exists().where(
        FindingMade.visit_id == Visit.id,
        FindingMade.severity == FindingSeverity.WARNING,
        FindingMade.withdrawn_at.is_(None),
    )
    groups: dict[AlwaysIncluded, ColumnElement[bool]] = {
        AlwaysIncluded.DEATH: Visit.outcome == Outcome.DEAD,
        AlwaysIncluded.URGENT_PROBLEM: urgent,
        AlwaysIncluded.WARNING_FINDING: doubtful,
        AlwaysIncluded.NOT_MET: Visit.outcome.in_(ATTEMPTS),
        AlwaysIncluded.FILED_LATE: Visit.filed_late.is_(True),
    }
    chosen = [(groups[group], group.value) for group in groups if group.value in asked]
    named = [UUID(one) for one in rules["person_ids"]]
    if named:
        chosen.insert(0, (Visit.person_id.in_(named), AlwaysIncluded.NAMED_PERSON.value))
    if not chosen:
        return literal("", String())
    return case(*[(condition, literal(name, String())) for condition, name in chosen], else_="")


def _by(value: str) -> StratumBy:
    return next(by for by in StratumBy if by.value == value)
