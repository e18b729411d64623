"""Signing in: by an outside identity (WeChat, WeCom), by binding one with an invite code, by password (CONTRACT §2)."""

import datetime as dt
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from server.accounts import limits, totp
from server.accounts.identity_refusals import Identity
from server.accounts.limits import FAILED_SIGN_INS_OF_ACCOUNT, FAILED_SIGN_INS_OF_ADDRESS
from server.accounts.models import BindTicket, BoundIdentity, Invite, RoleGrant, SignIn, Worker
from server.accounts.terms import SessionKind
from server.accounts.tokens import LIFETIMES, digest, invite_digest, mint
from server.db import rows_of
from server.errors import Kind, NotSignedIn, Refusal
from server.ledger.work import Work
from server.permissions import GRANTS, Actor
from server.vault.blind_index import identity as identity_index

TICKET_LIVES = dt.timedelta(minutes=10)
TICKET_TRIES = 5
NOBODY = UUID(int=0)


class AccountNotBound(Refusal):
    """The WeChat or WeCom identity is genuine but belongs to no worker yet; bind it with an invite code.

    `bind_ticket` is valid for ten minutes.
    """

    kind = Kind.FORBIDDEN
    title = "账号尚未绑定"
    detail = "这个微信还没有绑定工作人员，请输入管理员给您的邀请码。"


class BindTicketInvalid(Refusal):
    """The bind ticket is unknown, used, or older than ten minutes."""

    kind = Kind.UNAUTHENTICATED
    title = "绑定已超时"
    detail = "绑定已超时，请重新打开小程序再试。"


class InviteInvalid(Refusal):
    """The invite code is unknown, used, expired, or was tried too often."""

    kind = Kind.FORBIDDEN
    title = "邀请码无效"
    detail = "邀请码不对或已失效，请向管理员重新索取。"


class SignInFailed(Refusal):
    """User name, password or one-time code do not fit; which of them is not told."""

    kind = Kind.UNAUTHENTICATED
    title = "登录失败"
    detail = "用户名、密码或动态口令不对。"


class OtpRequired(Refusal):
    """The password is right, and this account also asks for a one-time code (`otp`)."""

    kind = Kind.UNAUTHENTICATED
    title = "请输入动态口令"
    detail = "请输入动态口令。"


class OtpNotSetUp(Refusal):
    """The password is right, but the pages open only to accounts with a one-time code, and this one has none yet."""

    kind = Kind.FORBIDDEN
    title = "尚未启用动态口令"
    detail = "这个账户还没有启用动态口令，不能登录网页。请联系系统管理员启用。"


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A fresh session: the token is shown once and never stored."""

    token: str
    expires_at: dt.datetime
    actor: Actor


def by_identity(work: Work, identity: Identity) -> SignedIn:
    """Sign in the worker to whom an outside identity is bound; a stranger gets a ticket to bind it."""
    index = identity_index(work.keys.keyring, identity.provider, identity.app_id, identity.subject)
    worker_id = work.session.scalar(
        select(BoundIdentity.worker_id).where(
            BoundIdentity.subject_index == index, BoundIdentity.unbound_at.is_(None)
        )
    )
    actor = _actor(work.session, worker_id) if worker_id else None
    if actor is None:
        raise _unbound(work, identity, index)
    return _open(work, actor, SessionKind.PHONE, identity.provider)


def try_ticket(work: Work, ticket: str, address: str) -> dt.datetime:
    """Count one try of a bind ticket, before it is made; gives the instant of the count."""
    limits.take_try(work.session, FAILED_SIGN_INS_OF_ADDRESS, address, work.now)
    counted = rows_of(
        work.session,
        update(BindTicket)
        .where(
            BindTicket.ticket_digest == (digest(ticket) or b""),
            BindTicket.used_at.is_(None),
            BindTicket.expires_at > work.now,
            BindTicket.attempts < TICKET_TRIES,
        )
        .values(attempts=BindTicket.attempts + 1),
    )
    if not counted:
        raise BindTicketInvalid
    return work.now


def bind(work: Work, ticket: str, invite_code: str, address: str, counted_at: dt.datetime) -> SignedIn:
    """Bind a proven identity to the worker whom an invite code names, and sign them in.

    `try_ticket` has counted the try, in a transaction of its own.
    """
    held = _ticket(work, ticket)
    invite = work.session.get(
        Invite, invite_digest(invite_code, work.keys.keyring) or b"", with_for_update=True
    )
    usable = invite is not None and invite.used_at is None and invite.expires_at > work.now
    actor = _actor(work.session, invite.worker_id) if invite is not None and usable else None
    if invite is None or actor is None:
        raise InviteInvalid
    limits.give_back(work.session, FAILED_SIGN_INS_OF_ADDRESS, address, counted_at)
    invite.used_at = held.used_at = work.now
    subject = work.keys.house_key().open(
        held.subject_sealed, table="bind_tickets", column="subject_sealed", row=held.ticket_digest.hex()
    )
    bound_id = work.new_id()
    work.session.add(
        BoundIdentity(
            id=bound_id,
            worker_id=actor.worker_id,
            provider=held.provider,
            app_id=held.app_id,
            subject_index=held.subject_index,
            subject_sealed=work.keys.house_key().seal(
                subject, table="bound_identities", column="subject_sealed", row=bound_id
            ),
            bound_at=work.now,
        )
    )
    work.signed_in = actor
    work.tell("account.bound", "worker", actor.worker_id, payload={"provider": held.provider})
    return _open(work, actor, SessionKind.PHONE, held.provider)


@dataclass(frozen=True, slots=True)
class Knock:
    """Somebody at the door with a user name: a try that was counted at an instant, and the hash to compare with."""

    username: str
    address: str
    at: dt.datetime
    stored: str | None = field(repr=False)


def knock(work: Work, username: str, address: str) -> Knock:
    """Count a try to sign in by password, before it is made, and look up what its password must fit."""
    limits.take_try(work.session, FAILED_SIGN_INS_OF_ACCOUNT, username, work.now)
    limits.take_try(work.session, FAILED_SIGN_INS_OF_ADDRESS, address, work.now)
    stored = work.session.scalar(select(Worker.password_hash).where(Worker.username == username))
    return Knock(username, address, work.now, stored)


def forget_knock(session: Session, knocked: Knock) -> None:
    """Take the count of a try back."""
    limits.give_back(session, FAILED_SIGN_INS_OF_ACCOUNT, knocked.username, knocked.at)
    limits.give_back(session, FAILED_SIGN_INS_OF_ADDRESS, knocked.address, knocked.at)


def by_password(
    work: Work, knocked: Knock, otp: str | None, *, fits: bool, must_have_otp: bool = False
) -> SignedIn:
    """Sign in whom a password fits, and a one-time code where the account has one; every failure costs the same.

    `must_have_otp`: an account without one is turned away, once its password was seen to fit.

    The password was compared with no transaction open, so that hashing holds up nobody.
    """
    worker = work.session.scalars(
        select(Worker).where(Worker.username == knocked.username).with_for_update(key_share=True)
    ).one_or_none()
    actor = _actor(work.session, worker.id if worker else NOBODY)
    if worker is None or actor is None or not fits or worker.password_hash != knocked.stored:
        raise _failed(work)
    if worker.totp_sealed:
        if not otp:
            asked = OtpRequired()
            asked.leaves = lambda session: forget_knock(session, knocked)
            raise asked
        opened = work.keys.fetch_one(work.session, worker.data_key_id)
        if opened is None:
            raise NotSignedIn
        secret = opened.open(worker.totp_sealed, table="workers", column="totp_sealed", row=worker.id)
        step = totp.matched_step(secret, otp, work.now)
        if step is None or (worker.totp_last_step is not None and step <= worker.totp_last_step):
            raise _failed(work)
        worker.totp_last_step = step
    elif must_have_otp:
        missing = OtpNotSetUp()
        missing.leaves = lambda session: forget_knock(session, knocked)
        raise missing
    forget_knock(work.session, knocked)
    return _open(work, actor, SessionKind.BROWSER, "password")


def sign_out(work: Work, token: str) -> None:
    """End a session; its token is dead at once."""
    work.session.execute(
        update(SignIn).where(SignIn.token_digest == digest(token)).values(revoked_at=work.now)
    )
    work.tell("session.ended", "worker", work.actor.worker_id)


def introduced(actor: Actor) -> dict[str, Any]:
    """Show a worker to themselves: who they are, where, and what the role can do."""
    return {
        "id": actor.worker_id,
        "name": actor.name,
        "role": actor.role,
        "area": actor.area_code,
        "can": sorted(can for can in GRANTS[actor.role] if can not in {"anyone", "signed_in"}),
    }


def _actor(session: Session, worker_id: UUID) -> Actor | None:
    row = session.execute(
        select(Worker.id, Worker.name, RoleGrant.role, RoleGrant.area_code)
        .join(RoleGrant, (RoleGrant.worker_id == Worker.id) & RoleGrant.to_at.is_(None))
        .where(Worker.id == worker_id, Worker.disabled_at.is_(None))
    ).one_or_none()
    return Actor(row.id, row.role, row.area_code, row.name) if row else None


def _open(work: Work, actor: Actor, kind: SessionKind, by: str) -> SignedIn:
    token, token_digest = mint(work.tools.random_bytes)
    expires_at = work.now + LIFETIMES[kind].absolute
    work.session.add(
        SignIn(
            token_digest=token_digest,
            worker_id=actor.worker_id,
            kind=kind,
            created_at=work.now,
            last_seen_at=work.now,
            expires_at=expires_at,
        )
    )
    work.signed_in = actor
    work.tell("session.opened", "worker", actor.worker_id, payload={"by": by, "kind": kind})
    return SignedIn(token, expires_at, actor)


def _unbound(work: Work, identity: Identity, index: bytes) -> AccountNotBound:
    ticket, ticket_digest = mint(work.tools.random_bytes)
    house_key = work.keys.house_key()

    def leave(session: Session) -> None:
        session.add(
            BindTicket(
                ticket_digest=ticket_digest,
                provider=identity.provider,
                app_id=identity.app_id,
                subject_index=index,
                subject_sealed=house_key.seal(
                    identity.subject, table="bind_tickets", column="subject_sealed", row=ticket_digest.hex()
                ),
                created_at=work.now,
                expires_at=work.now + TICKET_LIVES,
                attempts=0,
            )
        )
        later = _later(work, session)
        later.tell("session.refused_unbound", "identity", payload={"provider": identity.provider})
        later.close()

    refusal = AccountNotBound(extra={"bind_ticket": ticket})
    refusal.leaves = leave
    return refusal


def _ticket(work: Work, ticket: str) -> BindTicket:
    held = work.session.get(BindTicket, digest(ticket) or b"", with_for_update=True)
    if held is None or held.used_at is not None or held.expires_at <= work.now:
        raise BindTicketInvalid
    return held


def _failed(work: Work) -> SignInFailed:
    def leave(session: Session) -> None:
        later = _later(work, session)
        later.tell("session.refused", "identity", payload={"by": "password"})
        later.close()

    refusal = SignInFailed()
    refusal.leaves = leave
    return refusal


def _later(work: Work, session: Session) -> Work:
    return Work(session, work.tools, work.keys, work.now, None, work.request_id)
