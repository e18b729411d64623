"""Step-up: before what is not to be done at a desk that somebody left, its user proves anew who they are (TRUST §2).

A session that was opened, or proved, within the last minutes needs no other proof. The proof is a one-time code, which
is used up like that of a sign-in, and tries are counted as those of sign-ins are.
"""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import select

from server.accounts import limits, totp
from server.accounts.limits import FAILED_SIGN_INS_OF_ACCOUNT
from server.accounts.models import SignIn, Worker
from server.accounts.tokens import digest
from server.errors import Kind, NotSignedIn, Refusal
from server.ledger.work import Work

PROOF_LASTS = dt.timedelta(minutes=10)


class ProofNeeded(Refusal):
    """This deed asks for a one-time code again (`otp`), as the last one was given some while ago."""

    kind = Kind.FORBIDDEN
    title = "请再输入动态口令"
    detail = "距上次输入动态口令已超过十分钟，请再输入一次，确认是您本人。"


class ProofFailed(Refusal):
    """The one-time code does not fit, or was used already."""

    kind = Kind.FORBIDDEN
    title = "动态口令不对"
    detail = "动态口令不对或已用过，请等下一个口令出现后再试。"


@dataclass(frozen=True, slots=True)
class Try:
    """One try to prove, counted before it is made."""

    username: str
    at: dt.datetime


def is_proved(work: Work, token: str) -> bool:
    """Say whether the session's owner has proved who they are within the last minutes."""
    session = _session(work, token)
    proved_at = session.proved_at or session.created_at
    return dt.timedelta(0) <= work.now - proved_at < PROOF_LASTS


def try_to_prove(work: Work) -> Try:
    """Count one try, in a transaction of its own."""
    username = work.session.scalar(select(Worker.username).where(Worker.id == work.actor.worker_id))
    if username is None:
        raise ProofFailed
    limits.take_try(work.session, FAILED_SIGN_INS_OF_ACCOUNT, username, work.now)
    return Try(username, work.now)


def prove(work: Work, token: str, otp: str, counted: Try) -> None:
    """Take a one-time code as proof for this session; `try_to_prove` has counted the try."""
    if not takes_code(work, otp):
        raise ProofFailed
    _session(work, token).proved_at = work.now
    limits.give_back(work.session, FAILED_SIGN_INS_OF_ACCOUNT, counted.username, counted.at)
    work.tell("session.proved", "worker", work.actor.worker_id)


def takes_code(work: Work, otp: str) -> bool:
    """Say whether a one-time code is the acting worker's own, fresh and unused; it is used up then."""
    worker = work.session.scalars(
        select(Worker).where(Worker.id == work.actor.worker_id).with_for_update(key_share=True)
    ).one()
    key = work.keys.fetch_one(work.session, worker.data_key_id)
    if worker.totp_sealed is None or key is None:
        return False
    secret = key.open(worker.totp_sealed, table="workers", column="totp_sealed", row=worker.id)
    step = totp.matched_step(secret, otp, work.now, worker.totp_last_step)
    if step is None:
        return False
    worker.totp_last_step = step
    return True


def _session(work: Work, token: str) -> SignIn:
    found = work.session.get(SignIn, digest(token) or b"")
    if found is None:
        raise NotSignedIn
    return found
