"""Proving at the desk once more who one is, before what cannot be taken back lightly (TRUST §2, step-up).

`count_try` runs in a transaction of its own before the deed, so that a refused try stays counted; `prove` in the
deed's own. A code that opened the session or proved one deed proves no other.
"""

import datetime as dt

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.accounts import limits, totp
from server.accounts.limits import Limit
from server.accounts.models import Worker
from server.accounts.signing_in import OtpNotSetUp
from server.errors import Kind, NotSignedIn, Refusal
from server.ledger.work import Work

TRIES = Limit("step_up", 10, dt.timedelta(minutes=15))


class StepUpFailed(Refusal):
    """The one-time code that has to confirm a deed is missing, wrong or used; nothing was done."""

    kind = Kind.FORBIDDEN
    title = "动态口令不对"
    detail = "动态口令不对或已经用过，没有执行。请等验证器换一个新数字后再试。"


def count_try(work: Work) -> dt.datetime:
    """Count one try of the acting worker, and refuse one too many; gives the instant of the count."""
    limits.take_try(work.session, TRIES, str(work.actor.worker_id), work.now)
    return work.now


def prove(work: Work, code: str, counted_at: dt.datetime) -> None:
    """Refuse unless the code is the acting worker's own, fresh and unused; it is used up then."""
    worker = work.session.scalars(
        select(Worker).where(Worker.id == work.actor.worker_id).with_for_update(key_share=True)
    ).one()
    if worker.totp_sealed is None:
        raise OtpNotSetUp
    key = work.keys.fetch_one(work.session, worker.data_key_id)
    if key is None:
        raise NotSignedIn
    secret = key.open(worker.totp_sealed, table="workers", column="totp_sealed", row=worker.id)
    step = totp.matched_step(secret, code, work.now, worker.totp_last_step)
    if step is None:
        raise _failed(work)
    worker.totp_last_step = step
    limits.give_back(work.session, TRIES, str(work.actor.worker_id), counted_at)


def _failed(work: Work) -> StepUpFailed:
    def leave(session: Session) -> None:
        later = Work(session, work.tools, work.keys, work.now, work.signed_in, work.request_id)
        later.tell("step_up.refused", "worker", work.actor.worker_id, changes=False)
        later.close()

    refusal = StepUpFailed(errors={"step_up": ["动态口令不对或已经用过。"]})
    refusal.leaves = leave
    return refusal
