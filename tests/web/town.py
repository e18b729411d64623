"""A small town for the pages: people with homes, visits with photos, problems and long texts; and texts that would be code."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from server.people.models import Person
from server.permissions import Actor, Role
from tests.builders.visits import usual_answers
from tests.builders.world import SHENGPING, TUANSHAN, Phone, World
from tests.photos.sending import picture, send
from tests.visits.test_recording import body

NAMES = ("王阿公", "李秀英", "阿卜杜热合曼·买买提吐尔逊", "𠮷野花子")
HOME = {"latitude": 30.8931, "longitude": 119.4172, "datum": "gcj02"}
CANARY = (
    "<script>window.bad=1</script><img src=x onerror=window.bad=1>\"'><svg onload=window.bad=1>"
    "{{7*7}}{% raw %}javascript:window.bad=1</textarea></title><b>粗</b>&amp;"
)
"""What would run, or break out of its place, wherever it is let through as it is."""


@dataclass
class Town:
    """Who is there; `chief` may set homes, `visits` wait in the order of their arrival."""

    world: World
    visitor: Actor
    phone: Phone
    chief: Phone
    people: list[UUID]
    visits: list[UUID]

    def record(self, person: UUID, **changes: Any) -> UUID:
        """Record a visit with every question answered."""
        visit = uuid4()
        sent = body(person, self.visitor.worker_id, **({"answers": usual_answers()} | changes))
        answer = self.phone.put(f"/visits/{visit}", sent)
        assert answer.status_code == 201, answer.json
        self.world.clock.move(seconds=5)
        return visit


def town(world: World) -> Town:
    """Build the town: four people, each visited once more or less, the first twice and with photos."""
    visitor = world.worker()
    made = Town(
        world, visitor, world.phone(visitor), world.phone(world.worker(Role.CHIEF, SHENGPING)), [], []
    )
    for name in NAMES:
        person = world.person(visitor, name=name)
        made.people.append(person)
        answer = made.chief.put(f"/people/{person}/home", {**HOME, "accuracy_m": 10})
        assert answer.status_code == 200, answer.json
    with world.work() as work:  # the builder's numbers hold small letters, which no real one does
        for person in made.people:
            row = work.session.get_one(Person, person)
            row.file_no = row.file_no.upper()
    first = made.people[0]
    photos = [uuid4() for _ in range(3)]
    before = made.record(first, occurred_at="2026-02-03T09:12:00+08:00", ended_at=None, notes="二月一切正常")
    made.visits.append(before)
    declared = [
        {"id": str(one), "kind": kind} for one, kind in zip(photos, ("room", "hazard", "bed"), strict=True)
    ]
    with_photos = made.record(
        first,
        photos=declared,
        notes="门口台阶松动，已叮嘱老人慢走。" * 12,
        problems=[
            {
                "code": "old_wiring", "severity": "high", "description": "灶台上方电线老化，靠近柴堆",
                "fixed_on_site": False, "photo_ids": [str(photos[1])],
            }
        ],
        location={"latitude": 30.8951, "longitude": 119.4192, "accuracy_m": 40, "datum": "gcj02"},
    )  # fmt: skip
    for one in photos[:2]:
        assert send(made.phone, with_photos, picture(), one).status_code == 201
    made.visits.append(with_photos)
    made.visits.append(
        made.record(
            made.people[1], location=None, no_location_reason="indoor", no_photo_reason="老人不愿意拍照"
        )
    )
    made.visits.append(made.record(made.people[2], **absent("下地干活去了")))
    return made


def absent(said: str) -> dict[str, Any]:
    """Change a visit into an attempt, with what a neighbour said."""
    return {
        "outcome": "not_met",
        "identity_checked_by": None,
        "answers": {},
        "needs": [],
        "conclusion": None,
        "absence": {
            "informants": [{"relation": "neighbour", "name": "邻居老张", "said": said}],
            "last_seen_on": "2026-03-04",
            "whereabouts": said,
            "absence_reason": "field_work",
            "contact_tried": ["phone"],
            "next_try_on": "2026-03-07",
        },
    }


__all__ = ["CANARY", "HOME", "TUANSHAN", "Town", "absent", "town"]
