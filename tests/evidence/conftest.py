"""A township whose visits are recorded over HTTP, and a reviewer who reads their findings."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from server.permissions import Role
from tests.builders.visits import a_visit_body
from tests.builders.world import SHENGPING, World

HOME = {"latitude": 30.8931, "longitude": 119.4172}


class Township:
    """One visitor, one reviewer; visits are sent as phones send them."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.visitor = world.worker()
        self.phone = world.phone(self.visitor)
        self.reviewer = world.phone(world.worker(Role.REVIEWER, SHENGPING))

    def person(self, latitude: float | None = None, longitude: float | None = None) -> UUID:
        """Add a person, at a home if its place is given (GCJ-02)."""
        person = self.world.person(self.visitor)
        if latitude is not None:
            place = {"latitude": latitude, "longitude": longitude, "datum": "gcj02", "accuracy_m": 10}
            answer = self.reviewer.put(f"/people/{person}/home", place)
            assert answer.status_code == 200, answer.json
        return person

    def record(self, person: UUID, visit: UUID | None = None, **changes: Any) -> UUID:
        """Record a visit as the visitor."""
        visit = visit or uuid4()
        answer = self.phone.put(f"/visits/{visit}", self.body(person, **changes))
        assert answer.status_code == 201, answer.json
        return visit

    def body(self, person: UUID, **changes: Any) -> dict[str, Any]:
        return a_visit_body(person, visitors=[str(self.visitor.worker_id)], **changes)

    def findings(self, visit: UUID) -> dict[str, dict[str, Any]]:
        """Read the findings of a visit as the reviewer does, by their codes."""
        answer = self.reviewer.get(f"/visits/{visit}")
        assert answer.status_code == 200, answer.json
        return {one["code"]: one for one in answer.json["findings"]}


@pytest.fixture
def township(world: World) -> Township:
    return Township(world)
