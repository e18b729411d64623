"""A worker's phone number, for whoever must call them: whole for a reason that stays in the ledger."""

from uuid import UUID

from sqlalchemy import select

from server.accounts.models import RoleGrant, Worker
from server.errors import Invalid, NotFound
from server.ledger.work import Work
from server.regions.queries import inside

SHORTEST_REASON = 4


def colleague(work: Work, worker_id: UUID) -> Worker:
    """Find a worker whose post lies in the actor's area."""
    found = work.session.scalars(
        select(Worker)
        .join(RoleGrant, (RoleGrant.worker_id == Worker.id) & RoleGrant.to_at.is_(None))
        .where(Worker.id == worker_id, inside(RoleGrant.area_code, work.actor.area_code))
    ).one_or_none()
    if found is None:
        raise NotFound
    return found


def phone_of(work: Work, worker_id: UUID, reason: str) -> str | None:
    """Give a worker's phone number; None when none is on file."""
    reason = reason.strip()
    if len(reason) < SHORTEST_REASON:
        raise Invalid(errors={"reason": [f"请写明查看原因，至少{SHORTEST_REASON}个字。"]})
    worker = colleague(work, worker_id)
    key = work.keys.fetch_one(work.session, worker.data_key_id)
    if key is None:
        raise NotFound
    phone = None
    if worker.phone_sealed is not None:
        phone = key.open(worker.phone_sealed, table="workers", column="phone_sealed", row=worker.id)
    work.tell(
        "worker.phone_revealed", "worker", worker.id, key=key, changes=False, payload={"reason": reason}
    )
    return phone
