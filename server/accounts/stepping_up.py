"""Proving with the deed itself who one is, before what is done with accounts (TRUST §2, step-up).

A reveal asks only whoever has not proved it for some minutes (`proving`); this asks each time.

`count_try` runs in a transaction of its own before the deed, so that a refused try stays counted; `prove` in the
deed's own. A code that opened the session or proved one deed proves no other.
"""

import datetime as dt

from sqlalchemy.orm import Session

from server.accounts import limits
from server.accounts.limits import Limit
from server.accounts.proving import takes_code
from server.errors import Kind, Refusal
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
    if not takes_code(work, code):
        raise _failed(work)
    limits.give_back(work.session, TRIES, str(work.actor.worker_id), counted_at)


def _failed(work: Work) -> StepUpFailed:
    def leave(session: Session) -> None:
        later = Work(session, work.tools, work.keys, work.now, work.signed_in, work.request_id)
        later.tell("step_up.refused", "worker", work.actor.worker_id, changes=False)
        later.close()

    refusal = StepUpFailed(errors={"step_up": ["动态口令不对或已经用过。"]})
    refusal.leaves = leave
    return refusal
