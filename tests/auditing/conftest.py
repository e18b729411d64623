"""One visitor with two people, a reviewer, a chief, an inspector and an auditor."""

from dataclasses import dataclass
from uuid import UUID, uuid4

import pytest

from server.db import unit_of_work
from server.ledger import sealer
from server.permissions import Actor, Role
from tests.builders.visits import a_visit_body
from tests.builders.world import GUANGDE, SHENGPING, Phone, World


@dataclass
class Bureau:
    """Who works here, each at their phone, and whom they visit."""

    world: World
    visitor: Actor
    phones: dict[Role, Phone]
    person: UUID
    other: UUID

    def visited(self, person: UUID | None = None, **more: object) -> UUID:
        """Record a visit."""
        visit = uuid4()
        at = self.world.clock().isoformat(timespec="seconds")
        body = a_visit_body(
            person or self.person,
            visitors=[str(self.visitor.worker_id)],
            occurred_at=at,
            ended_at=None,
            client_created_at=at,
            **more,
        )
        answer = self.phones[Role.VISITOR].put(f"/visits/{visit}", body)
        assert answer.status_code == 201, answer.json
        return visit

    def seal(self) -> None:
        """Give positions to what happened."""
        with unit_of_work(self.world.house.sessions) as session:
            sealer.seal(session)


@pytest.fixture
def bureau(world: World) -> Bureau:
    """Give the bureau."""
    visitor = world.worker()
    phones = {
        Role.VISITOR: world.phone(visitor),
        Role.REVIEWER: world.phone(world.worker(Role.REVIEWER, SHENGPING)),
        Role.CHIEF: world.phone(world.worker(Role.CHIEF, SHENGPING)),
        Role.COUNTY_INSPECTOR: world.phone(world.worker(Role.COUNTY_INSPECTOR, GUANGDE)),
        Role.AUDITOR: world.phone(world.worker(Role.AUDITOR, GUANGDE)),
        Role.ADMINISTRATOR: world.phone(world.worker(Role.ADMINISTRATOR, GUANGDE)),
    }
    return Bureau(world, visitor, phones, world.person(visitor), world.person(visitor))
