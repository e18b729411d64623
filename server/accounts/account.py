"""One account whole: how its worker can sign in, and what they were before."""

from typing import Any
from uuid import UUID

from sqlalchemy import select

from server.accounts.models import Invite, RoleGrant, Worker
from server.accounts.queries import accounts_page, names_of
from server.errors import NotFound
from server.ledger.work import Work
from server.regions.service import names

MOST_GRANTS = 50


def account(work: Work, worker_id: UUID) -> dict[str, Any]:
    """Show an account inside the actor's area: ways in, an open invite, and its roles, the latest first.

    `grant_id` names the role in force as it was shown, for whoever changes it.
    """
    items = accounts_page(work, only=worker_id)["items"]
    if not items:
        raise NotFound
    worker = work.session.get_one(Worker, worker_id)
    grants = work.session.scalars(
        select(RoleGrant)
        .where(RoleGrant.worker_id == worker_id)
        .order_by(RoleGrant.from_at.desc(), RoleGrant.id.desc())
        .limit(MOST_GRANTS)
    ).all()
    areas = names(work.session, {one.area_code for one in grants})
    who = names_of(work.session, {one.granted_by for one in grants if one.granted_by})
    invited_until = work.session.scalar(
        select(Invite.expires_at)
        .where(Invite.worker_id == worker_id, Invite.used_at.is_(None), Invite.expires_at > work.now)
        .order_by(Invite.expires_at.desc())
        .limit(1)
    )
    found: dict[str, Any] = items[0] | {
        "has_password": worker.password_hash is not None,
        "has_otp": worker.totp_sealed is not None,
        "invited_until": invited_until,
        "grant_id": next(one.id for one in grants if one.to_at is None),
        "grants": [
            {
                "role": one.role,
                "area": areas.get(one.area_code, one.area_code),
                "from_at": one.from_at,
                "to_at": one.to_at,
                "by": who.get(one.granted_by) if one.granted_by else None,
            }
            for one in grants
        ],
    }
    return found
