"""Second looks, drawn by a seed: blind, reproducible, reported for the township as a whole."""

from hashlib import sha256
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from server.permissions import Role
from server.policies.service import set_number
from server.reviews.models import BlindReview, BlindSeed
from server.reviews.rules import is_drawn
from server.visits.models import Visit
from tests.builders.world import GUANGDE, SHENGPING, Phone, World
from tests.reviews.test_second_eyes import DEAD
from tests.visits.test_recording import body


class Looks:
    """Accepted records, a share of which is looked at again."""

    def __init__(self, world: World, percent: int = 100) -> None:
        self.world = world
        self.phone = world.phone(world.worker())
        self.one, self.two, self.three = (
            world.phone(world.worker(Role.REVIEWER, SHENGPING)) for _ in range(3)
        )
        with world.work(world.boss) as work:
            set_number(
                work, "reviews.blind_share", percent, area_code=SHENGPING,
                effective_from=work.today, source_doc_no="测", source_url="",
            )  # fmt: skip

    def accepted(self, **changes: Any) -> str:
        visit, person = str(uuid4()), self.world.person(self.phone.actor)
        sent = body(person, self.phone.actor.worker_id, **changes)
        assert self.phone.put(f"/visits/{visit}", sent).status_code == 201
        assert self.decide(self.one, visit, "accept", 1).status_code == 201
        return visit

    def decide(self, by: Phone, visit: str, decision: str, revision: int) -> Any:
        asked = {"decision": decision, "revision": revision, "reason": "核实后作废"}
        return by.post(f"/visits/{visit}/decisions", asked)

    def look(self, by: Phone, visit: str, decision: str, reason: str | None = None) -> Any:
        return by.post(f"/visits/{visit}/second-look", {"decision": decision, "reason": reason})

    def offered(self, by: Phone) -> list[str]:
        return [one["id"] for one in by.get("/reviews/second-looks").json["items"]]


@pytest.fixture
def looks(world: World) -> Looks:
    return Looks(world)


def test_a_drawn_record_is_offered_to_others_as_if_nobody_had_decided(looks: Looks) -> None:
    visit = looks.accepted()
    assert looks.offered(looks.one) == []
    (item,) = looks.two.get("/reviews/second-looks").json["items"]
    assert (item["id"], item["state"], item["state_reason"]) == (visit, "submitted", None)
    assert str(looks.one.actor.worker_id) not in str(item)
    answer = looks.look(looks.two, visit, "accept")
    assert (answer.status_code, answer.json) == (201, {"visit_id": visit, "agreed": True})
    assert looks.offered(looks.three) == []
    assert looks.two.get(f"/visits/{visit}").json["state"] == "accepted"
    assert looks.two.get("/reviews/disagreements").json["items"] == []


def test_a_disagreement_waits_for_a_third_person_who_upholds_or_voids(looks: Looks) -> None:
    upheld, voided = looks.accepted(), looks.accepted()
    for visit in (upheld, voided):
        missing = looks.look(looks.two, visit, "return")
        assert (missing.status_code, list(missing.json["errors"])) == (422, ["reason"])
        assert looks.look(looks.two, visit, "return", "用药情况没有写").json["agreed"] is False
    for involved in (looks.one, looks.two):
        rows = involved.get("/reviews/disagreements").json["items"]
        assert {one["may_settle"] for one in rows} == {False}
        assert involved.post(f"/visits/{upheld}/upholding", {"reason": "没有问题"}).status_code == 403
    rows = looks.three.get("/reviews/disagreements").json["items"]
    told = {(one["visit_id"], one["reason"], one["may_settle"]) for one in rows}
    assert told == {(one, "用药情况没有写", True) for one in (upheld, voided)}
    assert looks.three.post(f"/visits/{upheld}/upholding", {"reason": " "}).status_code == 422
    for _ in range(2):  # a double click
        assert (
            looks.three.post(f"/visits/{upheld}/upholding", {"reason": "不影响走访真实"}).status_code == 201
        )
    assert looks.decide(looks.three, voided, "void", 2).status_code == 201
    assert looks.three.get("/reviews/disagreements").json["items"] == []
    assert looks.three.get(f"/visits/{upheld}").json["state"] == "accepted"


def test_nobody_looks_again_at_what_they_accepted_recorded_or_were_on(looks: Looks) -> None:
    on_it = str(looks.two.actor.worker_id)
    visit = looks.accepted(visitors=[str(looks.phone.actor.worker_id), on_it])
    assert looks.offered(looks.two) == []
    assert looks.look(looks.two, visit, "accept").json["code"] == "own_record"
    assert looks.look(looks.one, visit, "accept").json["code"] == "not_offered"
    assert looks.look(looks.phone, visit, "accept").status_code == 403
    assert looks.look(looks.three, visit, "withdraw").status_code == 422
    assert looks.offered(looks.three) == [visit]


def test_a_second_look_is_given_once_and_a_double_click_is_a_repeat(looks: Looks) -> None:
    visit = looks.accepted()
    for _ in range(2):
        assert looks.look(looks.two, visit, "accept").status_code == 201
    late = looks.look(looks.three, visit, "void", "我看不行")
    assert (late.status_code, late.json["code"]) == (409, "not_offered")


def test_a_record_voided_before_anybody_looked_is_not_offered_any_more(looks: Looks) -> None:
    visit = looks.accepted()
    assert looks.decide(looks.three, visit, "void", 2).status_code == 201
    assert looks.offered(looks.two) == []
    assert looks.look(looks.two, visit, "accept").json["code"] == "not_offered"
    (month,) = looks.two.get("/reviews/agreement").json["items"]
    assert (month["drawn"], month["looked_at"], month["rate"]) == (1, 0, None)


def test_what_is_drawn_follows_from_the_months_seed_and_nothing_else(world: World) -> None:
    looks = Looks(world, percent=40)
    visits = [UUID(looks.accepted()) for _ in range(25)]
    with world.work() as work:
        seed = work.session.scalars(select(BlindSeed.seed)).one()
        drawn = set(work.session.scalars(select(BlindReview.visit_id)))
        assert set(work.session.scalars(select(Visit.id))) == set(visits)
    assert drawn == {one for one in visits if is_drawn(seed, one, 40)}


def test_the_rate_is_the_townships_and_the_seed_is_shown_when_the_month_is_over(looks: Looks) -> None:
    visits = [looks.accepted() for _ in range(4)]
    for visit in visits[:2]:
        looks.look(looks.two, visit, "accept")
    looks.look(looks.three, visits[2], "void", "照片是另一户")
    answer = looks.two.get("/reviews/agreement")
    (month,) = answer.json["items"]
    with looks.world.work() as work:
        seed = work.session.scalars(select(BlindSeed.seed)).one()
    digest = sha256(seed).hexdigest()
    assert month == {
        "month": "2026-03", "drawn": 4, "looked_at": 3, "agreed": 2, "disagreed": 1, "rate": 0.6667,
        "seed_sha256": digest, "seed": None,
    }  # fmt: skip
    for worker in (looks.one, looks.two, looks.three, looks.phone):
        assert str(worker.actor.worker_id) not in answer.text
    far = looks.world.phone(looks.world.worker(Role.REVIEWER, "341882100"))
    assert far.get("/reviews/agreement").json["items"][0]["drawn"] == 0
    looks.world.clock.set("2026-04-01T08:00:00+08:00")
    inspector = looks.world.phone(looks.world.worker(Role.COUNTY_INSPECTOR, GUANGDE))
    (month,) = inspector.get("/reviews/agreement").json["items"]
    assert (month["seed"], month["drawn"]) == (seed.hex(), 4)
    assert looks.world.phone(looks.phone.actor).get("/reviews/agreement").status_code == 403


def test_without_a_share_nothing_is_drawn(world: World) -> None:
    looks = Looks(world, percent=0)
    looks.accepted()
    assert looks.offered(looks.two) == []


def test_what_two_accepted_has_had_its_second_look(looks: Looks) -> None:
    visit, person = str(uuid4()), looks.world.person(looks.phone.actor)
    sent = body(person, looks.phone.actor.worker_id, **DEAD)
    assert looks.phone.put(f"/visits/{visit}", sent).status_code == 201
    assert looks.decide(looks.one, visit, "accept", 1).json["awaiting_second"] is True
    assert looks.decide(looks.two, visit, "accept", 2).json["state"] == "accepted"
    assert [looks.offered(by) for by in (looks.one, looks.two, looks.three)] == [[], [], []]
