"""Judging a back-check: a person decides, beside what was proposed, and says what must be put right."""

from uuid import UUID

from sqlalchemy import select

from server.errors import Invalid, StaleRevision
from server.ledger.work import Work
from server.spotchecks.assigning import as_checker, refuse_conflict
from server.spotchecks.check_refusals import FileErasedMeanwhile, OwnBackCheck
from server.spotchecks.checking import ANY_AREA
from server.spotchecks.models import BackCheck, JudgementMade, SpotCheck
from server.spotchecks.rectifying import open_rectification
from server.spotchecks.sight import check_in_sight
from server.spotchecks.states import after_check
from server.spotchecks.terms import Judgement, SpotCheckResult, SpotCheckStep

FOUND_WRONG = frozenset({SpotCheckResult.MINOR, SpotCheckResult.MAJOR})


def judge(work: Work, check_id: UUID, new: Judgement) -> SpotCheck:
    """Conclude from a back-check; nobody judges their own, or a visit that they had to do with.

    A major finding always opens a rectification, a minor one when it says what must be put right. What needs an inquiry
    is judged again after it. A conclusion other than the proposed one needs a reason.
    """
    check, key = check_in_sight(work, check_id, lock=True)
    if check.checker_id == work.actor.worker_id:
        raise OwnBackCheck
    refuse_conflict(work, check, as_checker(work), besides=ANY_AREA)
    if new.revision != check.revision:
        raise StaleRevision(extra={"revision": check.revision})
    inquiry = new.result is SpotCheckResult.NEEDS_INQUIRY
    following = after_check(check.state, SpotCheckStep.SEND_TO_INQUIRY if inquiry else SpotCheckStep.JUDGE)
    if key is None:
        raise FileErasedMeanwhile
    back_check = work.session.scalars(
        select(BackCheck).where(BackCheck.check_id == check.id, BackCheck.reached)
    ).one()
    reason = (new.reason or "").strip()
    if not reason and new.result is not back_check.proposed:
        raise Invalid(errors={"reason": ["认定结果与系统建议不同，请写明原因。"]})
    if new.rectify is not None and new.result not in FOUND_WRONG:
        raise Invalid(errors={"rectify": ["只有认定有问题时才提出整改。"]})
    if new.result is SpotCheckResult.MAJOR and new.rectify is None and not reason:
        raise Invalid(errors={"rectify": ["认定严重问题须写明整改要求或原因。"]})
    work.session.add(
        JudgementMade(
            check_id=check.id,
            revision=check.revision,
            person_id=check.person_id,
            result=new.result,
            proposed=back_check.proposed,
            reason_sealed=key.seal(
                reason,
                table="spot_check_judgements",
                column="reason_sealed",
                row=f"{check.id}:{check.revision}",
            )
            if reason
            else None,
            judged_by=work.actor.worker_id,
            judged_at=work.now,
        )
    )
    before = check.state
    check.state = following
    check.result = new.result
    check.revision += 1
    work.tell(
        "spot_check.judged",
        "spot_check",
        check.id,
        person_id=check.person_id,
        key=key,
        payload={"from": before, "result": new.result, "proposed": back_check.proposed, "reason": reason},
    )
    if new.result is SpotCheckResult.MAJOR or new.rectify is not None:
        open_rectification(work, check, key, new.rectify, reason)
    return check
