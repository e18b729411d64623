"""Who records visits in an area: whom people may be handed to, and problems assigned to."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.accounts.models import RoleGrant, Worker
from server.permissions import Can, Role, may
from server.regions.queries import inside
from server.regions.service import names

MOST = 1000
"""A township has some dozens; more would be no list to choose from."""
RECORD_VISITS = tuple(role for role in Role if may(role, Can.RECORD_VISITS))


@dataclass(frozen=True, slots=True)
class Recorder:
    """A worker in post, with the name of their area."""

    id: UUID
    name: str
    role: Role
    area_code: str
    area_name: str


def recorders_within(session: Session, area_code: str) -> Sequence[Recorder]:
    """List the workers in post inside an area who record visits, by area and name."""
    rows = session.execute(
        select(Worker.id, Worker.name, RoleGrant.role, RoleGrant.area_code)
        .join(RoleGrant, RoleGrant.worker_id == Worker.id)
        .where(
            RoleGrant.to_at.is_(None),
            RoleGrant.role.in_(RECORD_VISITS),
            inside(RoleGrant.area_code, area_code),
            Worker.disabled_at.is_(None),
        )
        .order_by(RoleGrant.area_code, Worker.name, Worker.id)
        .limit(MOST)
    ).all()
    called = names(session, [row.area_code for row in rows])
    return [
        Recorder(row.id, row.name, row.role, row.area_code, called.get(row.area_code, row.area_code))
        for row in rows
    ]
