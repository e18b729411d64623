"""Managing accounts: workers, roles and areas, invitations, unbinding, disabling (administrator's work)."""

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select, update

from server.accounts import passwords, totp
from server.accounts.models import BoundIdentity, Invite, RoleGrant, SignIn, Worker
from server.accounts.password_rules import check_password
from server.accounts.tokens import invite_code
from server.db import rows_of
from server.errors import Conflict, Invalid, NotAllowed, NotFound
from server.ledger.work import Work
from server.permissions import Role
from server.regions.service import region_on

INVITE_LIVES = dt.timedelta(days=7)


class UsernameTaken(Conflict):
    """Another account has this user name."""

    title = "用户名已被占用"
    detail = "这个用户名已被占用，请换一个。"


class OwnAccount(NotAllowed):
    """Nobody disables their own account or changes their own role: another administrator does."""

    title = "不能改动自己的账户"
    detail = "不能停用自己的账户或调整自己的岗位、辖区，请由另一名系统管理员办理。"


@dataclass(frozen=True, slots=True)
class NewWorker:
    """A worker to be registered; `id` is made by the client so that a repeat is harmless."""

    id: UUID
    name: str
    role: Role
    area_code: str
    username: str | None = None
    phone: str | None = None
    password: str | None = None


def register(work: Work, new: NewWorker) -> Worker:
    """Register a worker with a role in an area; the same id again gives the same worker."""
    there = work.session.get(Worker, new.id)
    if there is not None:
        return there
    region_on(work.session, new.area_code, work.today)
    if new.username and work.session.scalar(select(Worker.id).where(Worker.username == new.username)):
        raise UsernameTaken(errors={"username": ["用户名已被占用。"]})
    if new.password is not None:
        check_password(new.password, username=new.username)
    key = work.keys.take()
    worker = Worker(
        id=new.id,
        username=new.username,
        name=new.name,
        phone_sealed=key.seal(new.phone, table="workers", column="phone_sealed", row=new.id)
        if new.phone
        else None,
        data_key_id=key.key_id,
        password_hash=passwords.hash_password(new.password) if new.password else None,
        created_at=work.now,
    )
    work.session.add(worker)
    work.session.flush()
    work.session.add(
        RoleGrant(
            id=work.new_id(),
            worker_id=new.id,
            role=new.role,
            area_code=new.area_code,
            from_at=work.now,
            granted_by=work.actor_id,
        )
    )
    work.tell("account.registered", "worker", new.id, payload={"role": new.role, "area": new.area_code})
    return worker


def grant(work: Work, worker_id: UUID, role: Role, area_code: str) -> None:
    """Give a worker another role or area from now on; the earlier one stays in its history. Sessions end."""
    _refuse_own(work, worker_id)
    _worker(work, worker_id)
    region_on(work.session, area_code, work.today)
    work.session.execute(
        update(RoleGrant)
        .where(RoleGrant.worker_id == worker_id, RoleGrant.to_at.is_(None))
        .values(to_at=work.now)
    )
    work.session.add(
        RoleGrant(
            id=work.new_id(),
            worker_id=worker_id,
            role=role,
            area_code=area_code,
            from_at=work.now,
            granted_by=work.actor_id,
        )
    )
    end_sessions(work, worker_id)
    work.tell("account.role_granted", "worker", worker_id, payload={"role": role, "area": area_code})


def invite(work: Work, worker_id: UUID) -> tuple[str, dt.datetime]:
    """Make a one-time invite code for a worker; it is shown once, and earlier ones die."""
    _worker(work, worker_id)
    work.session.execute(
        update(Invite)
        .where(Invite.worker_id == worker_id, Invite.used_at.is_(None))
        .values(expires_at=work.now)
    )
    code, code_digest = invite_code(work.tools.random_bytes, work.keys.keyring)
    expires_at = work.now + INVITE_LIVES
    work.session.add(
        Invite(
            code_digest=code_digest,
            worker_id=worker_id,
            created_by=work.actor_id,
            created_at=work.now,
            expires_at=expires_at,
        )
    )
    work.tell("account.invited", "worker", worker_id)
    return code, expires_at


def unbind(work: Work, worker_id: UUID) -> int:
    """Unbind every outside identity of a worker and end all sessions at once; returns how many were bound."""
    _worker(work, worker_id)
    unbound = rows_of(
        work.session,
        update(BoundIdentity)
        .where(BoundIdentity.worker_id == worker_id, BoundIdentity.unbound_at.is_(None))
        .values(unbound_at=work.now),
    )
    end_sessions(work, worker_id)
    work.tell("account.unbound", "worker", worker_id)
    return unbound


def disable(work: Work, worker_id: UUID) -> None:
    """Disable an account: its tokens are dead at once, its past work stays."""
    _refuse_own(work, worker_id)
    worker = _worker(work, worker_id)
    worker.disabled_at = worker.disabled_at or work.now
    end_sessions(work, worker_id)
    work.tell("account.disabled", "worker", worker_id)


def enable(work: Work, worker_id: UUID) -> None:
    """Enable a disabled account again; old tokens stay dead."""
    _worker(work, worker_id).disabled_at = None
    work.tell("account.enabled", "worker", worker_id)


def set_password(work: Work, worker_id: UUID, password: str) -> None:
    """Set a worker's password and end all sessions."""
    worker = _worker(work, worker_id)
    check_password(password, username=worker.username)
    worker.password_hash = passwords.hash_password(password)
    end_sessions(work, worker_id)
    work.tell("account.password_set", "worker", worker_id)


def require_otp(work: Work, worker_id: UUID) -> str:
    """Ask for one-time codes from now on; returns the otpauth address, which is never shown again, and ends all sessions.

    A new secret replaces an older one: an authenticator that was lost is worth nothing any more.
    """
    worker = _worker(work, worker_id)
    if worker.username is None or worker.password_hash is None:
        raise Invalid(
            "这个账户不用密码登录，不能启用动态口令。", errors={"worker": ["请先设置用户名和密码。"]}
        )
    key = work.keys.fetch_one(work.session, worker.data_key_id)
    if key is None:
        raise NotFound
    secret = totp.new_secret(work.tools.random_bytes)
    worker.totp_sealed = key.seal(secret, table="workers", column="totp_sealed", row=worker.id)
    worker.totp_last_step = None
    end_sessions(work, worker_id)
    work.tell("account.otp_required", "worker", worker_id)
    return totp.uri(secret, worker.username)


def drop_otp(work: Work, worker_id: UUID) -> None:
    """Ask for no one-time codes any more, and end all sessions."""
    worker = _worker(work, worker_id)
    worker.totp_sealed = worker.totp_last_step = None
    end_sessions(work, worker_id)
    work.tell("account.otp_dropped", "worker", worker_id)


def end_sessions(work: Work, worker_id: UUID) -> None:
    """Revoke every token of a worker."""
    work.session.execute(
        update(SignIn)
        .where(SignIn.worker_id == worker_id, SignIn.revoked_at.is_(None))
        .values(revoked_at=work.now)
    )


def _refuse_own(work: Work, worker_id: UUID) -> None:
    if work.actor_id == worker_id:
        raise OwnAccount


def _worker(work: Work, worker_id: UUID) -> Worker:
    worker = work.session.get(Worker, worker_id, with_for_update=True)
    if worker is None:
        raise NotFound
    return worker
