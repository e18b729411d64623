"""A township whose March was visited, and the people who plan, keep the seed, freeze, check and judge."""

import datetime as dt
import hashlib
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from werkzeug.test import TestResponse

from server.permissions import Actor, Role
from tests.builders.world import GUANGDE, QIANCUN, SHENGPING, TUANSHAN, Phone, World
from tests.visits.test_recording import body

SEED = bytes(range(32))
BEFORE, WITHIN, AFTER = "2026-03-30T10:00:00+08:00", "2026-04-10T10:00:00+08:00", "2026-05-06T10:00:00+08:00"
ANSWERS = {
    "living_with": "alone",
    "water": "tap",
    "medical_insurance": "insured",
    "money_received": "yes",
    "housing_safety": "safe",
    "food": "adequate",
    "satisfaction": 4,
    "chronic": ["hypertension", "heart"],
}


def commitment(plan_id: UUID, seed: bytes = SEED) -> str:
    """Commit as the keeper does offline, with nothing of the server's."""
    return hashlib.sha256(seed + plan_id.bytes).hexdigest()


@dataclass
class Case:
    """What the tests of a spot check have in common; steps give their answers, `go` takes several of them."""

    world: World
    plan: UUID = field(default_factory=uuid4)
    visits: dict[UUID, UUID] = field(default_factory=dict)
    """Person by visit."""

    def __post_init__(self) -> None:
        self.world.clock.set(BEFORE)
        world = self.world
        self.inspector = world.phone(world.worker(Role.COUNTY_INSPECTOR, GUANGDE))
        self.chief = world.phone(world.worker(Role.CHIEF, SHENGPING))
        self.reviewer = world.phone(world.worker(Role.REVIEWER, SHENGPING))
        self.visitors: list[Actor] = [world.worker(), world.worker(area=QIANCUN)]

    def phone(self, actor: Actor) -> Phone:
        """Sign a worker in afresh: weeks have passed."""
        return self.world.phone(actor)

    def at(self, instant: str) -> None:
        """Go to another time, and sign everybody in again."""
        self.world.clock.set(instant)
        for name in ("inspector", "chief", "reviewer"):
            setattr(self, name, self.world.phone(getattr(self, name).actor))

    def make(self, **more: Any) -> TestResponse:
        return self.chief.put(
            f"/spot-checks/plans/{self.plan}", {"area_code": SHENGPING, "period": "2026-04", **more}
        )

    def commit(self, by: Phone | None = None, value: str | None = "own") -> TestResponse:
        sent = commitment(self.plan) if value == "own" else value
        return (by or self.inspector).post(f"/spot-checks/plans/{self.plan}/commitment", {"commitment": sent})

    def visit(self, count: int = 6, **more: Any) -> None:
        """Let each visitor see `count` people of theirs in April."""
        for visitor in self.visitors:
            phone = self.world.phone(visitor)
            for _ in range(count):
                person = self.world.person(visitor, village=visitor.area_code)
                visit = uuid4()
                sent = body(
                    person,
                    visitor.worker_id,
                    **{
                        "occurred_at": "2026-04-09T09:12:00+08:00",
                        "ended_at": None,
                        "client_created_at": "2026-04-09T09:12:04+08:00",
                        "answers": ANSWERS,
                        **more,
                    },
                )
                answer = phone.put(f"/visits/{visit}", sent)
                assert answer.status_code == 201, answer.json
                self.visits[visit] = person

    def freeze(self, by: Phone | None = None) -> TestResponse:
        return (by or self.chief).post(f"/spot-checks/plans/{self.plan}/frame")

    def draw(self, seed: bytes | None = SEED, by: Phone | None = None) -> TestResponse:
        return (by or self.inspector).post(
            f"/spot-checks/plans/{self.plan}/draw", {"seed": seed.hex() if seed else None}
        )

    def go(self, until: str = "drawn", count: int = 6, **plan: Any) -> None:
        """Take the steps of a plan up to a state."""
        assert self.make(**plan).status_code == 201
        assert self.commit().status_code == 200
        self.at(WITHIN)
        self.visit(count)
        self.at(AFTER)
        if until == "committed":
            return
        assert self.freeze().status_code == 200
        if until == "frozen":
            return
        answer = self.draw()
        assert answer.status_code == 200, answer.json

    def assign(self, *checkers: Phone) -> TestResponse:
        ids = [str(one.actor.worker_id) for one in checkers] or None
        return self.chief.post(f"/spot-checks/plans/{self.plan}/assignments", {"checker_ids": ids})

    def checks(self, by: Phone | None = None, **query: Any) -> list[dict[str, Any]]:
        found = (by or self.inspector).get("/spot-checks", plan_id=self.plan, limit=200, **query)
        assert found.status_code == 200, found.json
        return list(found.json["items"])  # type: ignore[index]

    def back_check(self, check: str, **more: Any) -> dict[str, Any]:
        """Write a back-check that confirms the visit and its answers."""
        return {
            "check_id": check,
            "method": "call_back",
            "occurred_at": self.world.clock().astimezone(dt.UTC).isoformat(timespec="seconds"),
            "spoke_to": "person",
            "recall": "confirmed",
            "recalled_on": "2026-04-09",
            "who_came": "村里的小王",
            "answers": ANSWERS,
            "notes": "电话中声音清楚",
            **more,
        }

    def submit(self, check: str, by: Phone, back_check: UUID | None = None, **more: Any) -> TestResponse:
        return by.put(f"/spot-checks/back-checks/{back_check or uuid4()}", self.back_check(check, **more))

    def judge(self, check: str, by: Phone, result: str, **more: Any) -> TestResponse:
        seen = by.get(f"/spot-checks/{check}").json
        assert seen is not None
        sent = {"result": result, "revision": seen["revision"], "reason": "经核实", **more}
        return by.post(f"/spot-checks/{check}/judgements", sent)


__all__ = ["AFTER", "ANSWERS", "BEFORE", "QIANCUN", "SEED", "TUANSHAN", "WITHIN", "Case", "commitment"]
