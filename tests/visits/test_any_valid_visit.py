"""Any visit that the form allows is taken over HTTP, comes back as it was sent, and repeats (CONTRACT §4)."""

import datetime as dt
import json
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings

from api_schemas.visits import VisitIn
from server.permissions import Actor, Role
from tests.builders.visits import NOW, visit_bodies
from tests.builders.world import GUANGDE, SHENGPING, Phone, World

WORKERS = 4


def renamed(sent: dict[str, Any], person: UUID, workers: list[Actor]) -> dict[str, Any]:
    """Put people and workers who are there in the place of those that were drawn."""
    names = [str(worker.worker_id) for worker in workers]
    body = sent | {"person_id": str(person), "visitors": names[: len(sent["visitors"])]}
    if body.get("recorded_for"):
        body["recorded_for"] = names[0]
    text = json.dumps(body)
    for photo in sent.get("photos", []):  # ids are drawn again and again; each photo is taken once
        text = text.replace(photo["id"], str(uuid4()))
    made: dict[str, Any] = json.loads(text)
    return made


@pytest.mark.slow
def test_any_valid_visit_is_taken_shown_and_repeated(world: World) -> None:
    world.clock.set(NOW.isoformat())
    workers = [world.worker(area=GUANGDE) for _ in range(WORKERS)]
    person = world.person(workers[0], consent=True)
    reviewer: Phone = world.phone(world.worker(Role.REVIEWER, SHENGPING))

    @settings(
        max_examples=50,
        deadline=dt.timedelta(seconds=20),
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(visit_bodies())
    def holds(drawn: dict[str, Any]) -> None:
        body, visit = renamed(drawn, person, workers), uuid4()
        answer = reviewer.put(f"/visits/{visit}", body)
        assert answer.status_code == 201, answer.text
        shown: dict[str, Any] = reviewer.get(f"/visits/{visit}").get_json()
        assert shown == answer.get_json()
        record = {name: shown[name] for name in VisitIn().fields}
        assert VisitIn().load(record) == VisitIn().load(body)
        for name in ("notes", "needs", "village_assistant", "no_photo_reason"):
            assert shown[name] == body.get(name, [] if name == "needs" else None)
        for sent in (body, record):
            again = reviewer.put(f"/visits/{visit}", sent)
            assert (again.status_code, again.get_json()) == (200, shown), again.text

    holds()
