"""What settings name is accepted by two reviewers, and by no one of them twice."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from server.permissions import Role
from server.policies.service import set_number
from server.reviews.models import DecisionMade
from tests.builders.world import SHENGPING, Phone, World
from tests.visits.test_recording import body

DEAD: dict[str, Any] = {
    "outcome": "dead",
    "identity_checked_by": None,
    "answers": {},
    "conclusion": None,
    "needs": [],
}
URGENT = {"code": "roof", "severity": "urgent", "description": "屋顶塌了一角", "photo_ids": []}


class Eyes:
    """A visit that needs two reviewers, and three of them."""

    def __init__(self, world: World) -> None:
        self.world = world
        visitor = world.worker()
        self.person: UUID = world.person(visitor)
        self.phone: Phone = world.phone(visitor)
        self.one, self.two, self.three = (
            world.phone(world.worker(Role.REVIEWER, SHENGPING)) for _ in range(3)
        )
        self.visit = uuid4()
        self.sent: dict[str, Any] = {}

    def record(self, **changes: Any) -> None:
        self.sent = body(self.person, self.phone.actor.worker_id, **changes)
        assert self.phone.put(f"/visits/{self.visit}", self.sent).status_code == 201

    def decide(self, by: Phone, decision: str, revision: int, reason: str | None = None) -> Any:
        asked = {"decision": decision, "revision": revision, "reason": reason}
        return by.post(f"/visits/{self.visit}/decisions", asked)

    def queue(self, by: Phone, **query: Any) -> list[str]:
        return [one["id"] for one in by.get("/reviews/queue", **query).json["items"]]

    def set(self, key: str, value: int) -> None:
        with self.world.work(self.world.boss) as work:
            set_number(
                work,
                key,
                value,
                area_code=SHENGPING,
                effective_from=work.today,
                source_doc_no="测",
                source_url="",
            )


@pytest.fixture
def eyes(world: World) -> Eyes:
    return Eyes(world)


def test_a_death_is_accepted_by_two_different_reviewers(eyes: Eyes) -> None:
    eyes.record(**DEAD)
    first = eyes.decide(eyes.one, "accept", 1)
    assert (first.status_code, first.json["state"], first.json["awaiting_second"]) == (201, "submitted", True)
    again = eyes.decide(eyes.one, "accept", 2)
    assert (again.status_code, again.json["code"]) == (403, "second_pair_of_eyes")
    assert eyes.queue(eyes.one) == []
    assert eyes.queue(eyes.two) == eyes.queue(eyes.two, part="awaiting_second") == [str(eyes.visit)]
    second = eyes.decide(eyes.two, "accept", 2)
    assert (second.status_code, second.json["state"], second.json["awaiting_second"]) == (
        201,
        "accepted",
        False,
    )
    with eyes.world.work() as work:
        made = work.session.scalars(select(DecisionMade).order_by(DecisionMade.revision)).all()
        assert [(one.decision, one.state, one.decided_by) for one in made] == [
            ("accept", "submitted", eyes.one.actor.worker_id),
            ("accept", "accepted", eyes.two.actor.worker_id),
        ]


def test_an_urgent_problem_needs_two_and_others_do_not(eyes: Eyes) -> None:
    eyes.record(problems=[URGENT], no_photo_reason="没有电")
    assert eyes.decide(eyes.one, "accept", 1).json["awaiting_second"] is True
    noise = Eyes(eyes.world)
    noise.record(problems=[{**URGENT, "severity": "high"}], no_photo_reason="没有电")
    assert noise.decide(noise.one, "accept", 1).json["state"] == "accepted"


@pytest.mark.parametrize(("key", "changes"), [
    ("reviews.second_for_deaths", DEAD),
    ("reviews.second_for_urgent", {"problems": [URGENT], "no_photo_reason": "没有电"}),
])  # fmt: skip
def test_a_setting_says_whether_one_is_enough(eyes: Eyes, key: str, changes: dict[str, Any]) -> None:
    eyes.set(key, 0)
    eyes.record(**changes)
    assert eyes.decide(eyes.one, "accept", 1).json["state"] == "accepted"


@pytest.mark.parametrize(("decision", "state"), [("return", "returned"), ("void", "void")])
@pytest.mark.parametrize("by_first", [True, False])
def test_whoever_disagrees_decides_and_is_told_apart(
    eyes: Eyes, decision: str, state: str, by_first: bool
) -> None:
    eyes.record(**DEAD)
    assert eyes.decide(eyes.one, "accept", 1).status_code == 201
    by = eyes.one if by_first else eyes.two
    answer = eyes.decide(by, decision, 2, "死亡日期与村里说法不一")
    assert (answer.status_code, answer.json["state"], answer.json["awaiting_second"]) == (201, state, False)
    lines = by.get(f"/visits/{eyes.visit}/history").json["items"]
    assert [(one["kind"], one.get("decision"), one["by"]["id"]) for one in lines] == [
        ("recorded", None, str(eyes.phone.actor.worker_id)),
        ("decided", "accept", str(eyes.one.actor.worker_id)),
        ("decided", decision, str(by.actor.worker_id)),
    ]


def test_a_correction_in_between_asks_both_again(eyes: Eyes) -> None:
    eyes.record(**DEAD)
    assert eyes.decide(eyes.one, "accept", 1).status_code == 201
    corrected = eyes.phone.put(f"/visits/{eyes.visit}", {**eyes.sent, "notes": "三月四日去世"}, revision=1)
    assert (corrected.status_code, corrected.json["awaiting_second"], corrected.json["revision"]) == (
        200,
        False,
        3,
    )
    slow = eyes.decide(eyes.two, "accept", 2)
    assert (slow.status_code, slow.json["changed"]["what"]) == (409, "correct")
    assert eyes.decide(eyes.two, "accept", 3).json["awaiting_second"] is True
    assert eyes.decide(eyes.one, "accept", 4).json["state"] == "accepted"


def test_the_recorder_withdraws_while_it_waits_for_the_second(eyes: Eyes) -> None:
    eyes.record(**DEAD)
    assert eyes.decide(eyes.one, "accept", 1).status_code == 201
    assert eyes.decide(eyes.phone, "withdraw", 2).json["state"] == "void"
    assert eyes.decide(eyes.two, "accept", 3).status_code == 409


def test_of_two_seconds_at_once_one_confirms_and_the_other_hears_who(eyes: Eyes) -> None:
    eyes.record(**DEAD)
    assert eyes.decide(eyes.one, "accept", 1).status_code == 201
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda by: eyes.decide(by, "accept", 2), (eyes.two, eyes.three)))
    assert sorted(one.status_code for one in answers) == [201, 409]
    late = next(one for one in answers if one.status_code == 409)
    assert late.json["code"] == "stale_revision"
    assert late.json["changed"]["by"]["name"] in late.json["detail"]


def test_two_firsts_at_once_are_not_two_pairs_of_eyes(eyes: Eyes) -> None:
    eyes.record(**DEAD)
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda by: eyes.decide(by, "accept", 1), (eyes.one, eyes.two)))
    assert sorted(one.status_code for one in answers) == [201, 409]
    assert eyes.three.get(f"/visits/{eyes.visit}").json["state"] == "submitted"
