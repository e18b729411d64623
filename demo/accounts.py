"""The demo's accounts as they stand: whose invite code is still good, and new codes for those that ran out."""

from typing import Any
from uuid import UUID

import pyotp
from sqlalchemy import select

from demo.state import Township
from server.accounts import managing
from server.accounts.models import Invite, Worker
from server.accounts.tokens import invite_digest
from server.db import unit_of_work
from server.http.parts import Parts


def listed(house: Parts, township: Township) -> list[dict[str, Any]]:
    """List the accounts as CONTRACT §10 promises; an invite code that was used or ran out is None."""
    good = _good_invites(house, township)
    return [
        {
            "username": one.username,
            "password": one.password,
            "role": one.role.value,
            "area": one.area,
            "wechat_subject": one.wechat_subject,
            "invite_code": one.invite_code if one.id in good else None,
        }
        for one in township.accounts
    ]


def renew_invites(house: Parts, township: Township) -> bool:
    """Give a new invite code to every account that never used one and whose code ran out; says whether any did."""
    good = _good_invites(house, township)
    with unit_of_work(house.sessions) as session:
        used = set(session.scalars(select(Invite.worker_id).where(Invite.used_at.is_not(None))))
        work = house.work(session)
        wanting = [one for one in township.accounts if one.id not in good and one.id not in used]
        for one in wanting:
            one.invite_code, _ = managing.invite(work, one.id)
        work.close()
    return bool(wanting)


def browser_code(house: Parts, township: Township, username: str) -> tuple[str, str] | None:
    """Give password and present one-time code of an account, asking for codes from now on; None for a stranger."""
    account = next((one for one in township.accounts if one.username == username), None)
    if account is None:
        return None
    with unit_of_work(house.sessions) as session:
        work = house.work(session)
        if session.get_one(Worker, account.id).totp_sealed is None:
            managing.require_otp(work, account.id)
        worker = session.get_one(Worker, account.id)
        key = work.keys.fetch_one(session, worker.data_key_id)
        assert worker.totp_sealed is not None
        assert key is not None
        secret = key.open(worker.totp_sealed, table="workers", column="totp_sealed", row=worker.id)
        work.close()
    return account.password, pyotp.TOTP(secret).at(house.tools.now())


def is_there(house: Parts, township: Township) -> bool:
    """Say whether the township's workers are in the database."""
    with unit_of_work(house.sessions) as session:
        return session.get(Worker, township.accounts[0].id) is not None


def somebody_else(house: Parts, township: Township) -> bool:
    """Say whether the database has workers who are not the demo's."""
    mine = [one.id for one in township.accounts]
    with unit_of_work(house.sessions) as session:
        return session.scalar(select(Worker.id).where(Worker.id.not_in(mine)).limit(1)) is not None


def _good_invites(house: Parts, township: Township) -> set[UUID]:
    codes = {
        digest: one.id
        for one in township.accounts
        if one.invite_code and (digest := invite_digest(one.invite_code, house.keys.keyring))
    }
    with unit_of_work(house.sessions) as session:
        good = session.scalars(
            select(Invite.code_digest).where(
                Invite.code_digest.in_(list(codes)),
                Invite.used_at.is_(None),
                Invite.expires_at > house.tools.now(),
            )
        )
        return {codes[digest] for digest in good}
