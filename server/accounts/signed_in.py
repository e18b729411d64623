"""Who a bearer token is: one indexed read a request, so that unbinding and disabling work at once."""

import datetime as dt
from uuid import UUID

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from server.accounts.models import RoleGrant, SignIn, Worker
from server.accounts.terms import SessionKind
from server.accounts.tokens import LIFETIMES, digest, session_state
from server.errors import NotAllowed, NotSignedIn
from server.ledger.work import Work
from server.permissions import Actor
from server.prepared import Prepared

TOUCH_AFTER = {SessionKind.PHONE: dt.timedelta(hours=1), SessionKind.BROWSER: dt.timedelta(minutes=1)}


_BY_TOKEN = Prepared(
    select(
        SignIn.kind,
        SignIn.created_at,
        SignIn.last_seen_at,
        SignIn.revoked_at,
        Worker.id,
        Worker.name,
        Worker.disabled_at,
        RoleGrant.role,
        RoleGrant.area_code,
    )
    .join(Worker, Worker.id == SignIn.worker_id)
    .join(RoleGrant, (RoleGrant.worker_id == Worker.id) & RoleGrant.to_at.is_(None))
    .where(SignIn.token_digest == bindparam("token_digest"))
)
"""Every request asks this."""


class PostChanged(NotAllowed):
    """The worker's role or area was changed while the request was under way; nothing of it was done."""

    title = "岗位已调整"
    detail = "您的岗位或负责区域刚刚调整，这次操作没有保存，请刷新后再看。"


def who(session: Session, token: str | None, now: dt.datetime) -> Actor:
    """Turn a token into its worker, or refuse; a disabled worker, a dead session and no token look the same."""
    token_digest = digest(token) if token else None
    if token_digest is None:
        raise NotSignedIn
    row = _BY_TOKEN.first(session, {"token_digest": token_digest})
    if row is None or row.disabled_at is not None:
        raise NotSignedIn
    state = session_state(row.created_at, row.last_seen_at, row.revoked_at, now, LIFETIMES[row.kind])
    if state != "live":
        raise NotSignedIn
    if now - row.last_seen_at >= TOUCH_AFTER[row.kind]:
        session.execute(update(SignIn).where(SignIn.token_digest == token_digest).values(last_seen_at=now))
    return Actor(row.id, row.role, row.area_code, row.name, row.kind is SessionKind.BROWSER)


def who_is(session: Session, worker_id: UUID) -> Actor:
    """Give the worker of an id, for links that were signed for them; a disabled one is refused."""
    row = session.execute(
        select(Worker.id, Worker.name, RoleGrant.role, RoleGrant.area_code)
        .join(RoleGrant, (RoleGrant.worker_id == Worker.id) & RoleGrant.to_at.is_(None))
        .where(Worker.id == worker_id, Worker.disabled_at.is_(None))
    ).one_or_none()
    if row is None:
        raise NotSignedIn
    return Actor(row.id, row.role, row.area_code, row.name)


def stay_in_post(work: Work) -> None:
    """Make sure that the actor still holds the role and area that they were let in with, until the commit.

    Whoever moves a worker waits for what that worker is just deciding, or the decision is refused (PostgreSQL; SQLite
    has one writer).
    """
    actor = work.actor
    held = work.session.execute(
        select(RoleGrant.role, RoleGrant.area_code)
        .where(RoleGrant.worker_id == actor.worker_id, RoleGrant.to_at.is_(None))
        .with_for_update(read=True)
    ).one_or_none()
    if held is None or (held.role, held.area_code) != (actor.role, actor.area_code):
        raise PostChanged
