"""Rectification (整改): notified, answered with evidence, re-checked by somebody else, closed or reopened."""

import datetime as dt
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, tuple_
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite

from server.accounts.models import RoleGrant, Worker
from server.errors import Invalid, NotAllowed, StaleRevision
from server.ledger.work import Work
from server.permissions import Can
from server.policies.service import in_force
from server.regions.queries import inside
from server.spotchecks.check_refusals import FileErasedMeanwhile
from server.spotchecks.checking import refuse_photos
from server.spotchecks.models import SpotCheck
from server.spotchecks.rectification_models import Rectification, RectificationLate, RectificationTaken
from server.spotchecks.sight import rectification_in_sight
from server.spotchecks.states import WAITS_FOR_OWNER, WAITS_FOR_RECHECK, after_rectification
from server.spotchecks.terms import RectificationMove, RectificationState, RectificationStep, ToRectify
from server.vault.fields import DataKey
from server.visits.models import Visit

_S = RectificationStep
BY_THE_OWNER = frozenset({_S.ANSWER})
BY_A_CHECKER = frozenset({_S.RECHECK})
NEEDS_TEXT = frozenset({_S.ANSWER, _S.RECHECK, _S.REOPEN, _S.WITHDRAW})
OWED = tuple(WAITS_FOR_OWNER | WAITS_FOR_RECHECK)
BATCH = 500
LATE_STEPS = {1: "rectification.escalate_first_after", 2: "rectification.escalate_second_after"}
"""The policy number of each step of escalation: after how many days late it is told."""


class NotTheOwner(NotAllowed):
    """A rectification is answered by the worker who owns it."""

    title = "不是您的整改"
    detail = "这件整改由责任人答复，您不能代为答复。"


class OwnAnswer(NotAllowed):
    """Whoever answered a rectification neither re-checks nor closes it."""

    title = "须由他人复核"
    detail = "答复整改的人不能自己复核、销号，请由其他人员办理。"


def open_rectification(
    work: Work, check: SpotCheck, key: DataKey, asked: ToRectify | None, reason: str
) -> Rectification:
    """Open what a judgement demands; when it says what must be put right, its owner is notified at once."""
    visit = work.session.get_one(Visit, check.visit_id)
    what = asked.what if asked is not None else reason
    row_id = work.new_id()
    row = Rectification(
        id=row_id,
        check_id=check.id,
        plan_id=check.plan_id,
        visit_id=check.visit_id,
        person_id=check.person_id,
        village_code=check.village_code,
        owner_id=visit.recorded_for_id or visit.recorder_id,
        state=RectificationState.OPEN,
        what_sealed=key.seal(what, table="rectifications", column="what_sealed", row=row_id),
        opened_at=work.now,
    )
    work.session.add(row)
    work.session.flush()
    work.tell(
        "rectification.opened",
        "rectification",
        row.id,
        person_id=row.person_id,
        key=key,
        payload={"check": check.id, "what": what, "owner": row.owner_id},
    )
    if asked is not None:
        move = RectificationMove(_S.NOTIFY, revision=row.revision, owner_id=asked.owner_id)
        _take(work, row, key, move)
    return row


def take_step(work: Work, rectification_id: UUID, move: RectificationMove) -> Rectification:
    """Take one step of a rectification on the revision that was seen; only one of two at once is taken."""
    row, key = rectification_in_sight(work, rectification_id, lock=True)
    _may(work, row, move.step)
    if move.revision != row.revision:
        raise StaleRevision(extra={"revision": row.revision})
    after_rectification(row.state, move.step)
    if key is None:
        raise FileErasedMeanwhile
    if move.step in NEEDS_TEXT and not (move.text or "").strip():
        raise Invalid(errors={"text": ["请写明情况。"]})
    if move.photo_ids:
        refuse_photos(work, move.photo_ids, row.person_id)
    if move.owner_id is not None and move.step is not _S.NOTIFY:
        raise Invalid(errors={"owner_id": ["只有通知时才指定责任人。"]})
    _take(work, row, key, move)
    return row


def escalate_late(work: Work) -> dict[int, int]:
    """Record each step of lateness that a rectification has reached, once for ever; returns how many by step.

    Safe to run at any time and in parallel: the row of (rectification, day owed, step) is the claim.
    """
    counts = dict.fromkeys(LATE_STEPS, 0)
    wanted = (
        select(Rectification.id, Rectification.person_id, Rectification.village_code, Rectification.due_on)
        .where(Rectification.state.in_(OWED), Rectification.due_on < work.today)
        .order_by(Rectification.due_on, Rectification.id)
        .limit(BATCH)
    )
    last: tuple[Any, ...] | None = None
    while True:
        page = wanted
        if last is not None:
            page = page.where(tuple_(Rectification.due_on, Rectification.id) > tuple_(*last))
        rows = work.session.execute(page).all()
        if not rows:
            return counts
        last = (rows[-1].due_on, rows[-1].id)
        people = {row.id: row.person_id for row in rows}
        for claimed in _claimed(work, rows):
            counts[claimed.step] += 1
            work.tell(
                "rectification.escalated",
                "rectification",
                claimed.rectification_id,
                person_id=people[claimed.rectification_id],
                payload={"step": claimed.step, "days_late": claimed.days_late},
            )
        work.close_lines()


def _claimed(work: Work, rows: Any) -> Any:
    numbers = in_force(work)
    reached = [
        {
            "rectification_id": row.id,
            "due_on": row.due_on,
            "step": step,
            "village_code": row.village_code,
            "days_late": (work.today - row.due_on).days,
            "escalated_at": work.now,
        }
        for row in rows
        for step, key in LATE_STEPS.items()
        if (work.today - row.due_on).days >= int(numbers.on(key, work.today, row.village_code))
    ]
    if not reached:
        return []
    dialect = work.session.get_bind().dialect.name
    once = insert_postgresql if dialect == "postgresql" else insert_sqlite
    late = RectificationLate
    claim = once(late).values(reached).on_conflict_do_nothing()
    return work.session.execute(claim.returning(late.rectification_id, late.step, late.days_late)).all()


def _may(work: Work, row: Rectification, step: RectificationStep) -> None:
    """Let the owner answer, a checker re-check, a head of checks do the rest; nobody looks at their own answer."""
    actor = work.actor
    if step in BY_THE_OWNER:
        if row.owner_id != actor.worker_id:
            raise NotTheOwner
        return
    if not actor.may(Can.CARRY_OUT_SPOT_CHECKS if step in BY_A_CHECKER else Can.JUDGE_SPOT_CHECKS):
        raise NotAllowed
    if step is not _S.NOTIFY and actor.worker_id in {row.answered_by, row.owner_id}:
        raise OwnAnswer


def _take(work: Work, row: Rectification, key: DataKey, move: RectificationMove) -> None:
    before, text = row.state, (move.text or "").strip()
    if move.owner_id is not None:
        row.owner_id = _owner(work, row, move.owner_id)
    row.state = after_rectification(row.state, move.step)
    work.session.execute(
        insert(RectificationTaken).values(
            rectification_id=row.id,
            revision=row.revision,
            person_id=row.person_id,
            step=move.step,
            state=row.state,
            text_sealed=key.seal(
                text, table="rectification_steps", column="text_sealed", row=f"{row.id}:{row.revision}"
            )
            if text
            else None,
            photo_ids=[str(one) for one in move.photo_ids],
            taken_by=work.actor.worker_id,
            taken_at=work.now,
        )
    )
    row.revision += 1
    row.due_on = _due(work, row)
    if move.step is _S.ANSWER:
        row.answered_by = work.actor.worker_id
    if move.step is _S.RECHECK:
        row.rechecked_by = work.actor.worker_id
    if move.step is _S.REOPEN:
        row.round += 1
    row.closed_at = work.now if row.state is RectificationState.CLOSED else None
    work.tell(
        f"rectification.{_TOLD[move.step]}",
        "rectification",
        row.id,
        person_id=row.person_id,
        key=key,
        payload={
            "from": before,
            "to": row.state,
            "text": text,
            "photos": list(move.photo_ids),
            "owner": row.owner_id,
            "due_on": row.due_on,
        },
    )


_TOLD = {
    _S.NOTIFY: "notified",
    _S.ANSWER: "answered",
    _S.RECHECK: "rechecked",
    _S.CLOSE: "closed",
    _S.REOPEN: "reopened",
    _S.WITHDRAW: "withdrawn",
}


def _due(work: Work, row: Rectification) -> dt.date | None:
    key = (
        "rectification.answer_within"
        if row.state in WAITS_FOR_OWNER
        else "rectification.recheck_within"
        if row.state in WAITS_FOR_RECHECK
        else None
    )
    if key is None:
        return None
    return work.today + dt.timedelta(days=int(in_force(work).on(key, work.today, row.village_code)))


def _owner(work: Work, row: Rectification, worker_id: UUID) -> UUID:
    """Give the owner when they work in the village's township; somebody else cannot put it right."""
    township = row.village_code[: len("341882003")]
    there = work.session.scalar(
        select(RoleGrant.worker_id)
        .join(Worker, Worker.id == RoleGrant.worker_id)
        .where(
            RoleGrant.worker_id == worker_id,
            RoleGrant.to_at.is_(None),
            Worker.disabled_at.is_(None),
            inside(RoleGrant.area_code, township),
        )
    )
    if there is None:
        raise Invalid(errors={"owner_id": ["责任人不在该乡镇，或账户已停用，请重新选择。"]})
    return worker_id
