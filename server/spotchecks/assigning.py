"""Who checks what: spread evenly, never to the visitor, to who answers for the person, or to a relative (回避)."""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import func, or_, select

from server.accounts.models import RoleGrant, Worker
from server.errors import Conflict, Invalid, NotAllowed, StaleRevision
from server.ledger.work import Work
from server.people.models import Person, Responsibility
from server.people.sight import within_sight
from server.permissions import Can, Role, may
from server.policies.service import in_force
from server.regions.queries import inside
from server.reviews.models import DecisionMade
from server.spotchecks.conflicts import Checker, VisitToCheck, spread, why_not
from server.spotchecks.models import SpotCheck, SpotCheckPlan
from server.spotchecks.planning import plan_in_sight
from server.spotchecks.relatives import relatives_of
from server.spotchecks.sight import check_in_sight
from server.spotchecks.states import after_check
from server.spotchecks.terms import CannotCheck, SpotCheckPlanState, SpotCheckState, SpotCheckStep
from server.visits.models import Visit

BATCH = 500
MOST_NAMED = 200
"""Checks without a checker that an answer names; the others are counted."""
CHECKERS = tuple(role for role in Role if may(role, Can.CARRY_OUT_SPOT_CHECKS))


class MustNotCheck(NotAllowed):
    """The worker has to stay out of it: they visited, recorded, answer for the person, or are related."""

    title = "须回避"
    detail = "该人员须回避，不能核查这次走访，请选择其他人员。"


class NotDrawnYet(Conflict):
    """Nothing was drawn under this plan yet."""

    title = "尚未抽取"
    detail = "这份计划还没有抽取，请先公布种子并抽取，再分派核查人员。"


def assign_all(work: Work, plan_id: UUID, checker_ids: Collection[UUID] | None = None) -> dict[str, Any]:
    """Give every check of a plan that has nobody to somebody who may do it, the work spread evenly.

    `checker_ids` names who takes part, otherwise everybody whose role checks and whose area fits. Returns how many were
    assigned, and those for whom nobody could be found, with the reasons. Running it again only fills what is open.
    """
    plan = plan_in_sight(work, plan_id, lock=True)
    if plan.state is not SpotCheckPlanState.DRAWN:
        raise NotDrawnYet
    checkers = checkers_for(work, plan.area_code, checker_ids)
    held = _held(work, [one.worker_id for one in checkers])
    without: dict[UUID, dict[CannotCheck, int]] = {}
    assigned = last = 0
    while True:
        open_ones = work.session.scalars(
            select(SpotCheck)
            .join(Person, Person.id == SpotCheck.person_id)
            .where(
                SpotCheck.plan_id == plan.id,
                SpotCheck.state == SpotCheckState.DRAWN,
                SpotCheck.ordinal > last,
                within_sight(work),
            )
            .order_by(SpotCheck.ordinal)
            .limit(BATCH)
        ).all()
        if not open_ones:
            break
        last = open_ones[-1].ordinal
        given, none_for = spread(facts_of(work, open_ones), checkers, held)
        without |= none_for
        for check in open_ones:
            if check.id in given:
                _give(work, check, plan, given[check.id])
                held[given[check.id]] = held.get(given[check.id], 0) + 1
                assigned += 1
        work.session.flush()
        work.close_lines()
    return {
        "assigned": assigned,
        "unassigned": len(without),
        "reasons": [
            {"check_id": check_id, "reasons": {reason.value: count for reason, count in reasons.items()}}
            for check_id, reasons in list(without.items())[:MOST_NAMED]
        ],
    }


def reassign(work: Work, check_id: UUID, worker_id: UUID, revision: int) -> SpotCheck:
    """Give one check to a named worker who may do it."""
    check = check_in_sight(work, check_id, lock=True).check
    if revision != check.revision:
        raise StaleRevision(extra={"revision": check.revision})
    after_check(check.state, SpotCheckStep.ASSIGN)
    plan = work.session.get_one(SpotCheckPlan, check.plan_id)
    (checker,) = checkers_for(work, plan.area_code, [worker_id], path="worker_id")
    refuse_conflict(work, check, checker, path="worker_id")
    check.not_possible = None
    _give(work, check, plan, worker_id)
    return check


def refuse_conflict(
    work: Work,
    check: SpotCheck,
    checker: Checker,
    *,
    path: str | None = None,
    besides: Collection[CannotCheck] = (),
) -> None:
    """Refuse a worker who must stay out of a check, with the reason; `besides` are reasons that do not matter here."""
    (visit,) = facts_of(work, [check])
    reason = why_not(checker, visit)
    if reason is not None and reason not in besides:
        raise MustNotCheck(
            f"该人员{reason.label}，须回避，请由其他人员办理。",
            errors={path: [f"该人员{reason.label}。"]} if path else None,
            extra={"reason": reason.value},
        )


def as_checker(work: Work) -> Checker:
    """Give the acting worker as one who might check."""
    mine = work.actor.worker_id
    return Checker(mine, work.actor.area_code, relatives_of(work, [mine])[mine])


def checkers_for(
    work: Work, area_code: str, only: Collection[UUID] | None = None, *, path: str = "checker_ids"
) -> list[Checker]:
    """Find who may check in an area: by role, not disabled, their area within it or round it; in order of id."""
    around = [area_code[:length] for length in (6, 9, 12) if length < len(area_code)]
    wanted = (
        select(RoleGrant.worker_id, RoleGrant.area_code)
        .join(Worker, Worker.id == RoleGrant.worker_id)
        .where(
            RoleGrant.to_at.is_(None),
            RoleGrant.role.in_(CHECKERS),
            Worker.disabled_at.is_(None),
            or_(inside(RoleGrant.area_code, area_code), RoleGrant.area_code.in_(around)),
        )
        .order_by(RoleGrant.worker_id)
    )
    if only is not None:
        wanted = wanted.where(RoleGrant.worker_id.in_(only))
    rows = work.session.execute(wanted).all()
    missing = set(only or ()) - {row.worker_id for row in rows}
    if missing:
        raise Invalid(errors={path: [f"{CannotCheck.NO_CHECKER.label}，请重新选择。"]})
    related = relatives_of(work, [row.worker_id for row in rows])
    return [Checker(row.worker_id, row.area_code, related[row.worker_id]) for row in rows]


def facts_of(work: Work, checks: Sequence[SpotCheck]) -> list[VisitToCheck]:
    """Gather who had to do with the visits of at most a few hundred checks."""
    visits = {
        row.id: row
        for row in work.session.execute(
            select(
                Visit.id,
                Visit.recorder_id,
                Visit.recorded_for_id,
                Visit.occurred_at,
                Visit.open_body,
                Person.village_code,
            )
            .join(Person, Person.id == Visit.person_id)
            .where(Visit.id.in_([one.visit_id for one in checks]))
        )
    }
    spans: dict[UUID, list[Any]] = defaultdict(list)
    people = {one.person_id for one in checks}
    for row in work.session.execute(
        select(
            Responsibility.person_id, Responsibility.worker_id, Responsibility.from_at, Responsibility.to_at
        ).where(Responsibility.person_id.in_(people))
    ):
        spans[row.person_id].append(row)
    decided: dict[UUID, set[UUID]] = defaultdict(set)
    for visit_id, worker_id in work.session.execute(
        select(DecisionMade.visit_id, DecisionMade.decided_by).where(DecisionMade.visit_id.in_(visits))
    ):
        decided[visit_id].add(worker_id)
    found = []
    for check in checks:
        visit = visits[check.visit_id]
        went = {UUID(one) for one in visit.open_body["visitors"]}
        found.append(
            VisitToCheck(
                check_id=check.id,
                person_id=check.person_id,
                village=visit.village_code,
                recorder=visit.recorder_id,
                visitors=frozenset(went | ({visit.recorded_for_id} - {None})),
                answers_for=frozenset(
                    one.worker_id
                    for one in spans[check.person_id]
                    if one.to_at is None or one.from_at <= visit.occurred_at < one.to_at
                ),
                decided=frozenset(decided[check.visit_id]),
            )
        )
    return found


def _held(work: Work, workers: Collection[UUID]) -> dict[UUID, int]:
    rows = work.session.execute(
        select(SpotCheck.checker_id, func.count())
        .where(SpotCheck.checker_id.in_(workers), SpotCheck.state == SpotCheckState.ASSIGNED)
        .group_by(SpotCheck.checker_id)
    )
    return {worker: count for worker, count in rows if worker is not None}


def _give(work: Work, check: SpotCheck, plan: SpotCheckPlan, worker_id: UUID) -> None:
    before = check.checker_id
    check.state = after_check(check.state, SpotCheckStep.ASSIGN)
    check.revision += 1
    check.checker_id, check.assigned_at = worker_id, work.now
    days = int(in_force(work).on("spotchecks.check_within", work.today, plan.area_code))
    check.due_on = work.today + dt.timedelta(days=days)
    work.tell(
        "spot_check.assigned",
        "spot_check",
        check.id,
        person_id=check.person_id,
        payload={"checker": worker_id, "before": before, "due_on": check.due_on},
    )
