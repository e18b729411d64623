"""Plans, checks and rectifications as the wire shows them; the checker's form does not show what was recorded."""

import json
from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select

from server.accounts.models import Worker
from server.ledger.work import Work
from server.people.models import Person
from server.people.sight import within_sight
from server.permissions import Can
from server.regions.service import names
from server.spotchecks.assigning import as_checker, refuse_conflict
from server.spotchecks.checking import ANY_AREA, recorded_then
from server.spotchecks.comparing import KINDS
from server.spotchecks.models import AnswerCompared, BackCheck, JudgementMade, SpotCheck, SpotCheckPlan
from server.spotchecks.rectification_models import Rectification, RectificationLate, RectificationTaken
from server.spotchecks.sight import check_in_sight, rectification_in_sight
from server.spotchecks.terms import SpotCheckState
from server.vault.fields import DataKey
from server.visits.answers import QUESTIONS
from server.visits.models import Visit

PLAN_FIELDS = (
    *("id", "area_code", "state", "revision", "created_at", "committed_at", "committed_role", "frame_size"),
    *("frozen_at", "frozen_role", "drawn_at", "drawn_count", "annulled_at"),
)


def plan_shown(work: Work, plans: Sequence[SpotCheckPlan]) -> list[dict[str, Any]]:
    """Show plans with their rules and who did what; the seed only once it is revealed."""
    who = _workers(
        work,
        {
            worker
            for one in plans
            for worker in (one.created_by, one.committed_by, one.frozen_by, one.drawn_by, one.annulled_by)
            if worker
        },
    )
    areas = names(work.session, [one.area_code for one in plans], work.today) if plans else {}
    seen = _named_and_seen(work, plans)
    return [
        {name: getattr(one, name) for name in PLAN_FIELDS}
        | {
            "period": f"{one.period_start:%Y-%m}",
            "area_name": areas.get(one.area_code, ""),
            "rules": one.rules | {"person_ids": [who for who in one.rules["person_ids"] if who in seen]},
            "commitment": one.commitment.hex() if one.commitment else None,
            "seed_kept_here": one.seed_sealed is not None,
            "frame_digest": one.frame_digest.hex() if one.frame_digest else None,
            "seed": one.seed.hex() if one.seed else None,
            "created_by": who.get(one.created_by),
            "committed_by": who.get(one.committed_by) if one.committed_by else None,
            "frozen_by": who.get(one.frozen_by) if one.frozen_by else None,
            "drawn_by": who.get(one.drawn_by) if one.drawn_by else None,
            "annulled_by": who.get(one.annulled_by) if one.annulled_by else None,
            "annul_reason": _annul_reason(work, one),
        }
        for one in plans
    ]


def checks_shown(work: Work, checks: Sequence[tuple[SpotCheck, Person]]) -> list[dict[str, Any]]:
    """Show checks as a list or a worksheet has them: whom to reach and by when, nothing of what was recorded.

    The checker of an open check needs the whole phone number and address; others see neither here.
    """
    keys = work.keys.fetch(work.session, [person.data_key_id for _, person in checks])
    villages = (
        names(work.session, [person.village_code for _, person in checks], work.today) if checks else {}
    )
    who = _workers(work, {check.checker_id for check, _ in checks if check.checker_id})
    found = []
    for check, person in checks:
        key = keys.get(person.data_key_id)
        finds = check.checker_id == work.actor_id and check.state is SpotCheckState.ASSIGNED
        found.append(
            {
                "id": check.id,
                "plan_id": check.plan_id,
                "ordinal": check.ordinal,
                "why": check.why,
                "state": check.state,
                "revision": check.revision,
                "result": check.result,
                "not_possible": check.not_possible,
                "due_on": check.due_on,
                "days_late": _days_late(work, check),
                "checker": who.get(check.checker_id) if check.checker_id else None,
                "person": {
                    "person_id": person.id,
                    "file_no": person.file_no,
                    "name": person.name,
                    "sex": person.sex,
                    "birth_year": person.birth_date.year if person.birth_date else None,
                    "phone": _opened(key, "persons", "phone_sealed", person.id, person.phone_sealed)
                    if finds
                    else None,
                    "address": _opened(key, "persons", "address_sealed", person.id, person.address_sealed)
                    if finds
                    else None,
                },
                "village": {"code": person.village_code, "name": villages.get(person.village_code, "")},
            }
        )
    return found


def one_check(work: Work, check_id: UUID) -> dict[str, Any]:
    """Show one check: to its checker the form with its questions, and once it was checked the comparison too."""
    check, key = check_in_sight(work, check_id)
    # What the person said of a visit is not for those who made it, nor for their family.
    refuse_conflict(work, check, as_checker(work), besides=ANY_AREA)
    person = work.session.get_one(Person, check.person_id)
    plan = work.session.get_one(SpotCheckPlan, check.plan_id)
    work.looked("spot_check.read", "spot_check", check.id, person_id=check.person_id)
    blind = check.checker_id == work.actor_id and check.state is SpotCheckState.ASSIGNED
    tries = work.session.scalars(
        select(BackCheck)
        .where(BackCheck.check_id == check.id)
        .order_by(BackCheck.received_at, BackCheck.reached, BackCheck.id)
    ).all()
    reached = next((one for one in tries if one.reached), None)
    return {
        **checks_shown(work, [(check, person)])[0],
        "period": f"{plan.period_start:%Y-%m}",
        "questions": questions_shown(),
        "visit_id": None if blind else check.visit_id,
        "tries": [_back_check(one, key) for one in tries],
        "comparison": _comparison(work, check, reached) if reached else None,
        "judgements": _judgements(work, check, key),
        "rectification_id": work.session.scalar(
            select(Rectification.id).where(Rectification.check_id == check.id)
        ),
    }


def questions_shown() -> list[dict[str, Any]]:
    """List what a checker asks, in the order of the form."""
    return [
        {"name": name, "label": QUESTIONS[name].label, "kind": KINDS[name]}
        for name in QUESTIONS
        if name in KINDS
    ]


def rectifications_shown(work: Work, rows: Sequence[tuple[Rectification, Person]]) -> list[dict[str, Any]]:
    """Show rectifications: what must be put right, by whom and when; not what the person told the checker."""
    keys = work.keys.fetch(work.session, [person.data_key_id for _, person in rows])
    who = _workers(work, {one.owner_id for one, _ in rows if one.owner_id})
    late = _late_steps(work, [one.id for one, _ in rows])
    villages = names(work.session, [one.village_code for one, _ in rows], work.today) if rows else {}
    return [
        {
            "id": one.id,
            "check_id": one.check_id if work.actor.may(Can.SEE_SPOT_CHECKS) else None,
            "plan_id": one.plan_id,
            "visit_id": one.visit_id,
            "person": {"person_id": person.id, "file_no": person.file_no, "name": person.name},
            "village": {"code": one.village_code, "name": villages.get(one.village_code, "")},
            "owner": who.get(one.owner_id) if one.owner_id else None,
            "state": one.state,
            "revision": one.revision,
            "round": one.round,
            "what": _opened(
                keys.get(person.data_key_id), "rectifications", "what_sealed", one.id, one.what_sealed
            ),
            "opened_at": one.opened_at,
            "due_on": one.due_on,
            "days_late": max((work.today - one.due_on).days, 0) if one.due_on else 0,
            "escalated": late.get(one.id, 0) if one.due_on else 0,
            "closed_at": one.closed_at,
        }
        for one, person in rows
    ]


def one_rectification(work: Work, rectification_id: UUID) -> dict[str, Any]:
    """Show one rectification with each of its steps."""
    row, key = rectification_in_sight(work, rectification_id)
    person = work.session.get_one(Person, row.person_id)
    work.looked("rectification.read", "rectification", row.id, person_id=row.person_id)
    steps = work.session.scalars(
        select(RectificationTaken)
        .where(RectificationTaken.rectification_id == row.id)
        .order_by(RectificationTaken.revision)
    ).all()
    who = _workers(work, {one.taken_by for one in steps})
    return {
        **rectifications_shown(work, [(row, person)])[0],
        "steps": [
            {
                "step": one.step,
                "state": one.state,
                "text": _opened(
                    key,
                    "rectification_steps",
                    "text_sealed",
                    f"{one.rectification_id}:{one.revision}",
                    one.text_sealed,
                ),
                "photo_ids": one.photo_ids,
                "taken_by": who.get(one.taken_by),
                "taken_at": one.taken_at,
            }
            for one in steps
        ],
    }


def _named_and_seen(work: Work, plans: Sequence[SpotCheckPlan]) -> set[str]:
    """Give the people named in plans whom the actor sees: that somebody is to be checked is told of nobody else."""
    named = {UUID(person) for one in plans for person in one.rules["person_ids"]}
    if not named:
        return set()
    return {
        str(person)
        for person in work.session.scalars(select(Person.id).where(Person.id.in_(named), within_sight(work)))
    }


def _days_late(work: Work, check: SpotCheck) -> int:
    if check.due_on is None or check.state is not SpotCheckState.ASSIGNED:
        return 0
    return max((work.today - check.due_on).days, 0)


def _back_check(one: BackCheck, key: DataKey | None) -> dict[str, Any]:
    text = _opened(key, "back_checks", "private_sealed", one.id, one.private_sealed)
    private: dict[str, Any] = json.loads(text) if text else {}
    return {
        "id": one.id,
        "method": one.method,
        "occurred_at": one.occurred_at,
        "received_at": one.received_at,
        "spoke_to": one.spoke_to,
        "recall": one.recall,
        "recalled_on": one.recalled_on,
        "who_came": private.get("who_came"),
        "notes": private.get("notes"),
        "answers": one.open_answers,
        "photo_ids": one.photo_ids,
        "blind": not one.looked_first,
        "proposed": one.proposed,
    }


def _comparison(work: Work, check: SpotCheck, one: BackCheck) -> dict[str, Any]:
    recorded, visited_at = recorded_then(work, check)
    visit = work.session.get_one(Visit, check.visit_id)
    recorder = _workers(work, {visit.recorder_id})
    rows = {
        row.question: row
        for row in work.session.scalars(select(AnswerCompared).where(AnswerCompared.back_check_id == one.id))
    }
    return {
        "visited_at": visited_at,
        "recorder": recorder.get(visit.recorder_id),
        "day_fits": one.day_fits,
        "answers": [
            {
                "question": name,
                "label": QUESTIONS[name].label,
                "kind": KINDS[name],
                "recorded": recorded.get(name),
                "checked": one.open_answers.get(name),
                "differs": rows[name].differs if name in rows else None,
            }
            for name in QUESTIONS
            if name in KINDS and (name in recorded or name in one.open_answers)
        ],
    }


def _judgements(work: Work, check: SpotCheck, key: DataKey | None) -> list[dict[str, Any]]:
    made = work.session.scalars(
        select(JudgementMade).where(JudgementMade.check_id == check.id).order_by(JudgementMade.revision)
    ).all()
    who = _workers(work, {one.judged_by for one in made})
    return [
        {
            "result": one.result,
            "proposed": one.proposed,
            "reason": _opened(
                key,
                "spot_check_judgements",
                "reason_sealed",
                f"{one.check_id}:{one.revision}",
                one.reason_sealed,
            ),
            "judged_by": who.get(one.judged_by),
            "judged_at": one.judged_at,
        }
        for one in made
    ]


def _late_steps(work: Work, ids: Collection[UUID]) -> dict[UUID, int]:
    found: dict[UUID, int] = {}
    for row in work.session.scalars(
        select(RectificationLate)
        .join(Rectification, Rectification.id == RectificationLate.rectification_id)
        .where(RectificationLate.rectification_id.in_(ids), RectificationLate.due_on == Rectification.due_on)
    ):
        found[row.rectification_id] = max(found.get(row.rectification_id, 0), row.step)
    return found


def _workers(work: Work, ids: Collection[UUID]) -> dict[UUID, dict[str, Any]]:
    if not ids:
        return {}
    rows = work.session.execute(select(Worker.id, Worker.name).where(Worker.id.in_(ids)))
    return {worker_id: {"id": worker_id, "name": name} for worker_id, name in rows}


def _annul_reason(work: Work, plan: SpotCheckPlan) -> str | None:
    if plan.annul_reason_sealed is None:
        return None
    return work.keys.house_key().open(
        plan.annul_reason_sealed, table="spot_check_plans", column="annul_reason_sealed", row=plan.id
    )


def _opened(key: DataKey | None, table: str, column: str, row: UUID | str, sealed: str | None) -> str | None:
    return key.open(sealed, table=table, column=column, row=row) if sealed and key else None
