"""Carrying out a check: a form that does not show what was recorded, and a back-check that is stored exactly once."""

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import insert, select

from server.errors import Invalid, StaleRevision
from server.ledger.work import Work
from server.people.editing import plain
from server.photos.models import Photo
from server.policies.service import in_force
from server.spotchecks.assigning import as_checker, refuse_conflict
from server.spotchecks.blindness import had_looked
from server.spotchecks.check_refusals import BackCheckConflict, FileErasedMeanwhile, NotTheChecker
from server.spotchecks.comparing import KINDS, Tolerances, compare, day_fits, propose
from server.spotchecks.models import AnswerCompared, BackCheck, FrameLine, SpotCheck, SpotCheckPlan
from server.spotchecks.sight import check_in_sight
from server.spotchecks.states import after_check
from server.spotchecks.terms import (
    CannotCheck,
    CheckNotPossible,
    NewBackCheck,
    Recall,
    SpokeTo,
    SpotCheckStep,
)
from server.tools import business_day
from server.visits.form import Answer
from server.visits.models import PastRevision, Visit

ANY_AREA = (CannotCheck.OUT_OF_AREA,)


def submit(work: Work, back_check_id: UUID, new: NewBackCheck) -> tuple[BackCheck, bool]:
    """Store a back-check once, compare it with what was recorded when the frame was frozen, and propose a result.

    Whoever was not reached can be tried again; one that reached somebody is final. True when it is new.
    """
    check, key = check_in_sight(work, new.check_id, lock=True)
    fingerprint = _fingerprint(new)
    stored = work.session.get(BackCheck, back_check_id)
    if stored is not None:
        if stored.fingerprint != fingerprint or stored.checker_id != work.actor.worker_id:
            raise BackCheckConflict
        return stored, False
    if check.checker_id != work.actor.worker_id:
        raise NotTheChecker
    reached = new.recall is not Recall.UNREACHABLE
    following = after_check(check.state, SpotCheckStep.SUBMIT if reached else SpotCheckStep.TRY)
    refuse_conflict(work, check, as_checker(work), besides=ANY_AREA)
    plan = work.session.get_one(SpotCheckPlan, check.plan_id)
    _refuse_nonsense(work, new, plan, check)
    if key is None:
        raise FileErasedMeanwhile
    numbers = tolerances(work, check.village_code)
    recorded, visited_at = recorded_then(work, check)
    day = day_fits(business_day(visited_at), new.recalled_on, numbers)
    compared = compare(recorded, new.answers, numbers) if reached else []
    private = {"who_came": new.who_came, "notes": new.notes}
    row = BackCheck(
        id=back_check_id,
        check_id=check.id,
        person_id=check.person_id,
        checker_id=work.actor.worker_id,
        fingerprint=fingerprint,
        method=new.method,
        occurred_at=new.occurred_at,
        received_at=work.now,
        spoke_to=new.spoke_to,
        recall=new.recall,
        recalled_on=new.recalled_on,
        day_fits=day,
        reached=reached,
        looked_first=had_looked(work, check),
        open_answers=plain(new.answers),
        private_sealed=key.seal(
            json.dumps(private, ensure_ascii=False),
            table="back_checks",
            column="private_sealed",
            row=back_check_id,
        ),
        photo_ids=[str(one) for one in new.photo_ids],
        proposed=propose(new.recall, compared, numbers, day=day),
    )
    work.session.add(row)
    check.state = following
    check.revision += 1
    work.session.flush()
    if compared:
        work.session.execute(
            insert(AnswerCompared),
            [
                {
                    "back_check_id": row.id,
                    "question": one.question,
                    "plan_id": check.plan_id,
                    "kind": one.kind,
                    "differs": one.differs,
                }
                for one in compared
            ],
        )
    work.tell(
        "spot_check.checked" if reached else "spot_check.tried",
        "spot_check",
        check.id,
        person_id=check.person_id,
        payload={"back_check": row.id, "fingerprint": fingerprint.hex(), "blind": not row.looked_first},
    )
    return row, True


def give_up(work: Work, check_id: UUID, reason: CheckNotPossible, revision: int) -> SpotCheck:
    """Record that a visit cannot be checked, and why; it stays in the sample and in its counts."""
    check = check_in_sight(work, check_id, lock=True).check
    if check.checker_id != work.actor.worker_id:
        raise NotTheChecker
    if revision != check.revision:
        raise StaleRevision(extra={"revision": check.revision})
    check.state = after_check(check.state, SpotCheckStep.GIVE_UP)
    check.not_possible = reason
    check.revision += 1
    work.tell(
        "spot_check.not_possible",
        "spot_check",
        check.id,
        person_id=check.person_id,
        payload={"reason": reason},
    )
    return check


def recorded_then(work: Work, check: SpotCheck) -> tuple[Mapping[str, Answer], dt.datetime]:
    """Read what the record answered in the frozen frame, and when the visit was: a later correction hides nothing."""
    revision = work.session.get_one(FrameLine, (check.plan_id, check.visit_id)).body_revision
    visit = work.session.get_one(Visit, check.visit_id)
    record: Visit | PastRevision = visit
    if visit.body_revision != revision:
        record = work.session.get_one(PastRevision, (check.visit_id, revision))
    answers: Mapping[str, Answer] = record.open_body.get("answers") or {}
    return answers, record.occurred_at


def tolerances(work: Work, area_code: str) -> Tolerances:
    """Read what counts as the same, and how many differences as how bad."""
    numbers = in_force(work)

    def number(key: str) -> int:
        return int(numbers.on(f"spotchecks.{key}", work.today, area_code))

    return Tolerances(
        number=number("number_tolerance"),
        days=number("recall_days"),
        minor_from=number("minor_from"),
        major_from=number("major_from"),
    )


def _refuse_nonsense(work: Work, new: NewBackCheck, plan: SpotCheckPlan, check: SpotCheck) -> None:
    errors: dict[str, list[str]] = {}
    unreached = new.recall is Recall.UNREACHABLE
    ahead = dt.timedelta(
        minutes=int(in_force(work).on("visits.future_tolerance", work.today, check.village_code))
    )
    if new.occurred_at > work.now + ahead:
        errors["occurred_at"] = ["核查时间不能晚于现在。"]
    elif plan.drawn_at is not None and new.occurred_at < plan.drawn_at:
        errors["occurred_at"] = ["核查时间不能早于抽取时间。"]
    if unreached is not (new.spoke_to is SpokeTo.NOBODY):
        errors["spoke_to"] = ["“无人应答”与“未联系上”须同时填写。"]
    if unreached and new.answers:
        errors["answers"] = ["未联系上时不填写答案。"]
    if new.recalled_on is not None:
        if new.recall is not Recall.CONFIRMED:
            errors["recalled_on"] = ["只有记得来过时才填写日期。"]
        elif new.recalled_on > business_day(new.occurred_at):
            errors["recalled_on"] = ["回忆的日期不能晚于核查当天。"]
    strange = [name for name in new.answers if name not in KINDS]
    errors |= {f"answers.{name}": ["核查不问这一题。"] for name in strange}
    if new.photo_ids and "photo_ids" not in errors:
        refuse_photos(work, new.photo_ids, check.person_id)
    if errors:
        raise Invalid(errors=errors)


def refuse_photos(work: Work, photo_ids: tuple[UUID, ...], person_id: UUID) -> None:
    """Refuse evidence that is no photo of this person which has arrived."""
    there = set(
        work.session.scalars(
            select(Photo.id).where(
                Photo.id.in_(photo_ids), Photo.person_id == person_id, Photo.blob_key.is_not(None)
            )
        )
    )
    if set(photo_ids) - there:
        raise Invalid(errors={"photo_ids": ["有照片不是此人的，或尚未上传，请先随走访记录上传。"]})


def _fingerprint(new: NewBackCheck) -> bytes:
    text = json.dumps(plain(new), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).digest()
