"""Signing in: by an outside identity (WeChat, WeCom), by binding one with an invite code, by password (CONTRACT §2)."""

import datetime as dt
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from server.accounts import limits, passwords, totp
from server.accounts.identity_refusals import Identity
from server.accounts.limits import FAILED_SIGN_INS_OF_ACCOUNT, FAILED_SIGN_INS_OF_ADDRESS
from server.accounts.models import BindTicket, BoundIdentity, Invite, RoleGrant, SignIn, Worker
from server.accounts.terms import SessionKind
from server.accounts.tokens import LIFETIMES, digest, invite_digest, mint
from server.errors import Kind, NotSignedIn, Refusal
from server.ledger.work import Work
from server.permissions import GRANTS, Actor
from server.vault.blind_index import identity as identity_index

TICKET_LIVES = dt.timedelta(minutes=10)
TICKET_TRIES = 5


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


def bind(work: Work, ticket: str, invite_code: str, address: str) -> SignedIn:
    """Bind a proven identity to the worker whom an invite code names, and sign them in."""
    limits.refuse_too_many(work.session, FAILED_SIGN_INS_OF_ADDRESS, address, work.now)
    held = _ticket(work, ticket)
    invite = work.session.get(
        Invite, invite_digest(invite_code, work.keys.keyring) or b"", with_for_update=True
    )
    usable = invite is not None and invite.used_at is None and invite.expires_at > work.now
    actor = _actor(work.session, invite.worker_id) if invite is not None and usable else None
    if invite is None or actor is None:
        refusal = InviteInvalid()
        ticket_digest = held.ticket_digest
        refusal.leaves = lambda later: _count_wrong_invite(later, ticket_digest, address, work.now)
        raise refusal
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


def by_password(work: Work, username: str, password: str, otp: str | None, address: str) -> SignedIn:
    """Sign in by password, and by one-time code where the account has one; every failure takes the same time."""
    for limit, key in ((FAILED_SIGN_INS_OF_ACCOUNT, username), (FAILED_SIGN_INS_OF_ADDRESS, address)):
        limits.refuse_too_many(work.session, limit, key, work.now)
    worker = work.session.scalars(
        select(Worker).where(Worker.username == username).with_for_update(key_share=True)
    ).one_or_none()
    fits = passwords.verify_or_burn(worker.password_hash if worker else None, password)
    actor = _actor(work.session, worker.id) if worker else None
    if worker is None or actor is None or not fits:
        raise _failed(work, username, address, SignInFailed())
    if worker.totp_sealed:
        if not otp:
            raise OtpRequired
        opened = work.keys.fetch_one(work.session, worker.data_key_id)
        if opened is None:
            raise NotSignedIn
        secret = opened.open(worker.totp_sealed, table="workers", column="totp_sealed", row=worker.id)
        step = totp.matched_step(secret, otp, work.now)
        if step is None or (worker.totp_last_step is not None and step <= worker.totp_last_step):
            raise _failed(work, username, address, SignInFailed())
        worker.totp_last_step = step
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
    if (
        held is None
        or held.used_at is not None
        or held.expires_at <= work.now
        or held.attempts >= TICKET_TRIES
    ):
        raise BindTicketInvalid
    return held


def _count_wrong_invite(session: Session, ticket_digest: bytes, address: str, now: dt.datetime) -> None:
    session.execute(
        update(BindTicket)
        .where(BindTicket.ticket_digest == ticket_digest)
        .values(attempts=BindTicket.attempts + 1)
    )
    limits.count_try(session, FAILED_SIGN_INS_OF_ADDRESS, address, now)


def _failed(work: Work, username: str, address: str, refusal: Refusal) -> Refusal:
    def leave(session: Session) -> None:
        limits.count_try(session, FAILED_SIGN_INS_OF_ACCOUNT, username, work.now)
        limits.count_try(session, FAILED_SIGN_INS_OF_ADDRESS, address, work.now)
        later = _later(work, session)
        later.tell("session.refused", "identity", payload={"by": "password"})
        later.close()

    refusal.leaves = leave
    return refusal


def _later(work: Work, session: Session) -> Work:
    return Work(session, work.tools, work.keys, work.now, None, work.request_id)
