"""Deciding on visits: by whom, on what they saw, and what becomes of duty, problems and phone (CONTRACT §6)."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from server.accounts.managing import grant
from server.accounts.signed_in import PostChanged
from server.permissions import Actor, Role
from server.problems.models import Problem
from server.reviews.models import DecisionMade
from server.reviews.service import decide
from server.reviews.terms import Decision, NewDecision
from server.visits.models import Visit
from tests.builders.world import GUANGDE, QIANCUN, SHENGPING, TUANSHAN, Phone, World
from tests.visits.test_recording import body

OLD_WIRING = {
    "code": "old_wiring",
    "severity": "low",
    "description": "线路老化",
    "fixed_on_site": False,
    "photo_ids": [],
}


class Case:
    """One visit of one person, and who may decide on it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.visitor: Actor = world.worker()
        self.person: UUID = world.person(self.visitor)
        self.phone: Phone = world.phone(self.visitor)
        self.reviewer: Phone = world.phone(world.worker(Role.REVIEWER, SHENGPING))
        self.visit = uuid4()

    def record(self, **changes: Any) -> dict[str, Any]:
        sent = body(self.person, self.visitor.worker_id, **changes)
        answer = self.phone.put(f"/visits/{self.visit}", sent)
        assert answer.status_code == 201, answer.json
        return sent

    def decide(self, decision: str, revision: int = 1, by: Phone | None = None, **more: Any) -> Any:
        return (by or self.reviewer).post(
            f"/visits/{self.visit}/decisions", {"decision": decision, "revision": revision, **more}
        )


@pytest.fixture
def case(world: World) -> Case:
    """Give a visit to decide on."""
    return Case(world)


def test_accepting_leaves_the_duty_met_and_one_decision(case: Case) -> None:
    case.record()
    answer = case.decide("accept")
    assert (answer.status_code, answer.json["state"], answer.json["revision"]) == (201, "accepted", 2)
    assert answer.json["duty"]["state"] == "met"
    with case.world.work() as work:
        made = work.session.scalars(select(DecisionMade)).one()
        assert (made.visit_id, made.revision, made.decision, made.person_id) == (
            case.visit,
            1,
            "accept",
            case.person,
        )


def test_nobody_decides_on_their_own_record(case: Case) -> None:
    reviewer = case.reviewer
    sent = body(case.person, reviewer.actor.worker_id)
    assert reviewer.put(f"/visits/{case.visit}", sent).status_code == 201
    for decision in ("accept", "return", "void"):
        answer = case.decide(decision, reason="自己的记录")
        assert (answer.status_code, answer.json["code"]) == (403, "own_record")
    other = case.world.phone(case.world.worker(Role.CHIEF, SHENGPING))
    assert case.decide("accept", by=other).status_code == 201


def test_only_the_recorder_withdraws_and_only_while_submitted(case: Case) -> None:
    case.record()
    assert case.decide("withdraw").status_code == 403
    answer = case.decide("withdraw", by=case.phone)
    assert (answer.status_code, answer.json["state"]) == (201, "void")
    assert answer.json["duty"]["state"] in {"open", "due_soon"}
    again = case.decide("withdraw", 2, by=case.phone)
    assert (again.status_code, again.json["code"]) == (409, "decision_not_possible")


def test_a_visitor_decides_nothing_else(case: Case) -> None:
    case.record()
    assert case.decide("accept", by=case.phone).status_code == 403


def test_whoever_was_slower_hears_it(case: Case) -> None:
    case.record()
    assert case.decide("accept").status_code == 201
    late = case.decide("void", 1, reason="晚了一步")
    assert (late.status_code, late.json["code"], late.json["revision"]) == (409, "stale_revision", 2)


def test_of_two_decisions_at_once_one_wins(case: Case) -> None:
    case.record()
    others = [case.world.phone(case.world.worker(Role.REVIEWER, SHENGPING)) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda phone: case.decide("accept", by=phone), others))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    with case.world.work() as work:
        assert len(work.session.scalars(select(DecisionMade)).all()) == 1


def test_returning_and_voiding_need_a_reason(case: Case) -> None:
    case.record()
    for decision in ("return", "void"):
        for reason in (None, "", "   "):
            answer = case.decide(decision, reason=reason)
            assert (answer.status_code, list(answer.json["errors"])) == (422, ["reason"])


def test_a_returned_visit_tells_the_phone_why_and_comes_back_corrected(case: Case) -> None:
    sent = case.record()
    cursor = case.phone.get("/sync").json["next_cursor"]
    answer = case.decide("return", reason="请补充安全隐患情况")
    assert (answer.status_code, answer.json["state"]) == (201, "returned")
    assert answer.json["duty"]["state"] == "met"
    items = case.phone.get("/sync", cursor=cursor).json["items"]
    visit = next(item for item in items if item["kind"] == "visit")
    assert (visit["data"]["state"], visit["data"]["state_reason"]) == ("returned", "请补充安全隐患情况")
    assert case.reviewer.get("/reviews/queue").json["items"] == []
    corrected = case.phone.put(
        f"/visits/{case.visit}", {**sent, "notes": "已补充"}, revision=visit["data"]["revision"]
    )
    assert (corrected.status_code, corrected.json["state"]) == (200, "submitted")
    assert [item["id"] for item in case.reviewer.get("/reviews/queue").json["items"]] == [str(case.visit)]
    assert case.decide("accept", corrected.json["revision"]).status_code == 201


@pytest.mark.parametrize("decision", ["void", "withdraw"])
def test_taking_a_visit_out_takes_its_problems_out(case: Case, decision: str) -> None:
    case.record(problems=[OLD_WIRING])
    by = case.phone if decision == "withdraw" else case.reviewer
    assert case.decide(decision, by=by, reason="误填").status_code == 201
    with case.world.work() as work:
        states = {row.state for row in work.session.scalars(select(Problem))}
    assert states == {"withdrawn"}


def test_a_reviewer_of_elsewhere_finds_nothing(case: Case) -> None:
    case.record()
    elsewhere = case.world.phone(case.world.worker(Role.REVIEWER, "341882101"))
    assert case.decide("accept", by=elsewhere).status_code == 404
    assert elsewhere.get("/reviews/queue").json["items"] == []


def test_the_queue_is_oldest_first_in_pages_by_village_and_by_finding(world: World) -> None:
    reviewer = world.phone(world.worker(Role.REVIEWER, SHENGPING))
    sent = []
    for village in (TUANSHAN, QIANCUN, TUANSHAN):
        world.clock.move(minutes=1)
        visitor = world.worker(area=village)
        person, visit = world.person(visitor, village=village), uuid4()
        answer = world.phone(visitor).put(f"/visits/{visit}", body(person, visitor.worker_id))
        assert answer.status_code == 201
        sent.append(str(visit))
    first = reviewer.get("/reviews/queue", limit=2).json
    second = reviewer.get("/reviews/queue", limit=2, cursor=first["next_cursor"]).json
    assert [item["id"] for item in first["items"] + second["items"]] == sent
    assert second["next_cursor"] is None
    by_village = reviewer.get("/reviews/queue", village=QIANCUN).json["items"]
    assert [item["id"] for item in by_village] == [sent[1]]
    assert reviewer.get("/reviews/queue", finding="far_from_home").json["items"] == []
    assert reviewer.get("/reviews/queue", village="341882\U0010ffff").status_code == 422
    assert reviewer.get("/reviews/queue", cursor="%%%").status_code == 422


def test_visitors_and_inspectors_have_no_queue(world: World) -> None:
    assert world.phone(world.worker()).get("/reviews/queue").status_code == 403
    assert world.phone(world.worker(Role.COUNTY_INSPECTOR, GUANGDE)).get("/reviews/queue").status_code == 403


def test_the_same_decision_again_adds_nothing_and_says_what_was_done(case: Case) -> None:
    case.record()
    assert case.decide("return", reason="请补充用药情况").status_code == 201
    for reason in ("请补充用药情况", "另一个理由"):
        again = case.decide("return", reason=reason)
        assert (again.status_code, again.json["code"]) == (409, "stale_revision")
        assert again.json["detail"] == "您已于03月05日12:00处理为“退回更正”，请刷新后再看。"
    with case.world.work() as work:
        assert len(work.session.scalars(select(DecisionMade)).all()) == 1


def test_whoever_was_slower_hears_who_did_what_and_when(case: Case) -> None:
    sent = case.record()
    assert case.decide("return", reason="请补充").status_code == 201
    other = case.world.phone(case.world.worker(Role.CHIEF, SHENGPING))
    late = case.decide("accept", by=other)
    assert late.json["detail"] == "测试审核人员已于03月05日12:00处理为“退回更正”，请刷新后再看。"
    assert late.json["changed"] == {
        "by": {"id": str(case.reviewer.actor.worker_id), "name": "测试审核人员"},
        "what": "return",
        "at": "2026-03-05T12:00:00+08:00",
    }
    case.world.clock.move(minutes=7)
    assert case.phone.put(f"/visits/{case.visit}", {**sent, "notes": "补"}, revision=2).status_code == 200
    late = case.decide("accept", 2, by=other)
    assert late.json["detail"] == "测试走访人员已于03月05日12:07更正了记录，请刷新后再看。"


def test_nobody_decides_on_a_visit_that_they_were_on(case: Case) -> None:
    there = [str(case.visitor.worker_id), str(case.reviewer.actor.worker_id)]
    case.record(visitors=there)
    for decision in ("accept", "return", "void"):
        assert case.decide(decision, reason="同去的").json["code"] == "own_record"
    paper = case.world.phone(case.world.worker(Role.CHIEF, SHENGPING))
    other = uuid4()
    theirs = str(case.reviewer.actor.worker_id)
    filed = body(case.person, theirs, recorded_for=theirs, no_photo_reason="纸质表在柜里")
    assert paper.put(f"/visits/{other}", filed).status_code == 201
    asked = {"decision": "accept", "revision": 1}
    assert case.reviewer.post(f"/visits/{other}/decisions", asked).json["code"] == "own_record"


def test_a_reviewer_who_was_moved_meanwhile_is_refused_and_nothing_is_written(case: Case) -> None:
    case.record()
    assert [one["id"] for one in case.reviewer.get("/reviews/queue").json["items"]] == [str(case.visit)]
    with case.world.work(case.world.boss) as work:
        grant(work, case.reviewer.actor.worker_id, Role.REVIEWER, "341882101")
    moved = case.world.phone(case.reviewer.actor)
    assert case.decide("accept", by=moved).status_code == 404
    items = [{"visit_id": str(case.visit), "revision": 1}]
    answer = moved.post("/reviews/acceptances", {"items": items})
    assert [one["code"] for one in answer.json["items"]] == ["not_found"]
    with case.world.work() as work:
        assert work.session.get_one(Visit, case.visit).revision == 1
        assert work.session.scalars(select(DecisionMade)).all() == []


def test_a_reviewer_moved_between_the_door_and_the_decision_is_refused(case: Case) -> None:
    """The request was let in under the old area; the move committed before anything was written."""
    case.record()
    elsewhere = Actor(case.reviewer.actor.worker_id, Role.REVIEWER, "341882101")
    with pytest.raises(PostChanged), case.world.work(elsewhere) as work:
        decide(work, case.visit, NewDecision(Decision.ACCEPT, 1))
    with case.world.work() as work:
        assert work.session.get_one(Visit, case.visit).revision == 1
