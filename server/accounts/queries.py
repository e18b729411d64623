"""Questions about accounts."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.accounts.models import BoundIdentity, RoleGrant, Worker
from server.http import paging
from server.ledger.work import Work
from server.permissions import Role
from server.regions.queries import inside


def names_of(session: Session, worker_ids: Collection[UUID]) -> dict[UUID, str]:
    """Give the names of workers by their ids."""
    rows = session.execute(select(Worker.id, Worker.name).where(Worker.id.in_(worker_ids)))
    return {row.id: row.name for row in rows}


def accounts_page(
    work: Work,
    *,
    limit: int = paging.DEFAULT_LIMIT,
    cursor: Any = None,
    only: UUID | None = None,
    role: Role | None = None,
    area: str | None = None,
) -> dict[str, Any]:
    """List the accounts inside the actor's area, by id; of a role or in an area only, if asked for."""
    after = paging.decode(cursor, (UUID,))
    limit = max(1, min(limit, paging.MOST))
    wanted = (
        select(Worker, RoleGrant.role, RoleGrant.area_code)
        .join(RoleGrant, (RoleGrant.worker_id == Worker.id) & RoleGrant.to_at.is_(None))
        .order_by(Worker.id)
        .limit(limit + 1)
    )
    if work.signed_in is not None and work.actor.role is not Role.ADMINISTRATOR:
        wanted = wanted.where(inside(RoleGrant.area_code, work.actor.area_code))
    if only is not None:
        wanted = wanted.where(Worker.id == only)
    if role is not None:
        wanted = wanted.where(RoleGrant.role == role)
    if area is not None:
        wanted = wanted.where(inside(RoleGrant.area_code, area))
    if after is not None:
        wanted = wanted.where(Worker.id > after[0])
    rows, next_cursor = paging.page(work.session.execute(wanted).all(), limit, lambda row: (row[0].id,))
    bound: dict[UUID, list[str]] = {}
    for worker_id, provider in work.session.execute(
        select(BoundIdentity.worker_id, BoundIdentity.provider).where(
            BoundIdentity.worker_id.in_([row[0].id for row in rows]), BoundIdentity.unbound_at.is_(None)
        )
    ):
        bound.setdefault(worker_id, []).append(provider)
    return {
        "items": [
            {
                "id": worker.id,
                "name": worker.name,
                "username": worker.username,
                "role": role,
                "area": area,
                "bound": sorted(bound.get(worker.id, [])),
                "disabled_at": worker.disabled_at,
            }
            for worker, role, area in rows
        ],
        "next_cursor": next_cursor,
    }
