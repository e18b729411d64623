"""A problem from found to closed: by whom, by when, on what evidence, and never by the one who fixed it."""

import datetime as dt
import io
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from server.ledger.models import Event
from server.people.handing_over import assign
from server.permissions import Actor, Role
from server.problems.models import Problem, StepTaken
from tests.builders.world import QIANCUN, SHENGPING, TUANSHAN, Phone, World
from tests.photos.sending import picture
from tests.visits.test_recording import body

WIRING = {"code": "old_wiring", "severity": "high", "description": "灶台上方电线老化", "photo_ids": []}
LEAK = {
    "code": "leak",
    "severity": "low",
    "description": "屋顶漏雨，已换瓦",
    "fixed_on_site": True,
    "photo_ids": [],
}
ABUSE = {"code": "abuse_suspected", "severity": "urgent", "description": "手臂有淤青", "photo_ids": []}


class Case:
    """A visit that found something, and everybody who has to do with it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.visitor: Actor = world.worker()
        self.person: UUID = world.person(self.visitor)
        self.phone: Phone = world.phone(self.visitor)
        self.reviewer: Phone = world.phone(world.worker(Role.REVIEWER, SHENGPING))
        self.chief: Phone = world.phone(world.worker(Role.CHIEF, SHENGPING))
        self.visit = uuid4()
        self.sent: dict[str, Any] = {}

    def find(self, *problems: dict[str, Any], by: Phone | None = None, **changes: Any) -> list[str]:
        by = by or self.phone
        self.sent = body(
            self.person, by.actor.worker_id, problems=list(problems), no_photo_reason="没有电", **changes
        )
        answer = by.put(f"/visits/{self.visit}", self.sent)
        assert answer.status_code == 201, answer.json
        return self.ids()

    def ids(self) -> list[str]:
        with self.world.work() as work:
            return [str(one) for one in work.session.scalars(select(Problem.id).order_by(Problem.id))]

    def step(self, problem: str, step: str, revision: int, by: Phone | None = None, **more: Any) -> Any:
        return (by or self.phone).post(
            f"/problems/{problem}/steps", {"step": step, "revision": revision, **more}
        )

    def seen(self, problem: str, by: Phone | None = None) -> dict[str, Any]:
        answer = (by or self.reviewer).get(f"/problems/{problem}")
        assert answer.status_code == 200, answer.json
        return dict(answer.json)


@pytest.fixture
def case(world: World) -> Case:
    return Case(world)


def test_a_problem_goes_from_found_to_closed_by_somebody_else(case: Case) -> None:
    (problem,) = case.find(WIRING)
    found = case.seen(problem)
    assert (found["state"], found["owner"]["id"], found["due_on"], found["revision"]) == (
        "open",
        str(case.visitor.worker_id),
        "2026-03-12",
        1,
    )
    started = case.step(problem, "start", 1)
    assert (started.status_code, started.json["state"], started.json["revision"]) == (201, "in_progress", 2)
    answered = case.step(problem, "answer", 2, note="电工已换线，加装漏电保护")
    assert (answered.json["state"], answered.json["due_on"]) == ("answered", "2026-03-10")
    closed = case.step(problem, "close", 3, by=case.reviewer, note="电话核实属实")
    assert (closed.status_code, closed.json["state"]) == (201, "closed")
    assert closed.json["closed_at"] is not None
    told = [(one["step"], one["state"], one["note"], one["by"]["id"]) for one in closed.json["steps"]]
    visitor, reviewer = str(case.visitor.worker_id), str(case.reviewer.actor.worker_id)
    assert told == [
        ("start", "in_progress", None, visitor),
        ("answer", "answered", "电工已换线，加装漏电保护", visitor),
        ("close", "closed", "电话核实属实", reviewer),
    ]
    assert case.reviewer.get("/problems").json["items"] == []
    assert [one["id"] for one in case.reviewer.get("/problems", state="closed").json["items"]] == [problem]


def test_each_step_has_its_ledger_line_and_what_was_written_is_sealed(case: Case) -> None:
    (problem,) = case.find(WIRING)
    assert case.step(problem, "answer", 1, note="已请电工").status_code == 201
    with case.world.work() as work:
        lines = work.session.execute(
            select(Event.action, Event.payload).where(Event.subject_id == UUID(problem))
        )
        told = {row.action: row.payload for row in lines}
        step = work.session.scalars(select(StepTaken)).one()
    assert {"problem.raised", "problem.answer"} <= set(told)
    assert all("电工" not in one for one in (*told.values(), step.note_sealed or ""))
    assert "old_wiring" not in told["problem.raised"]


def test_an_answer_is_sent_back_with_a_new_due_date_and_answered_again(case: Case) -> None:
    (problem,) = case.find(WIRING)
    assert case.step(problem, "answer", 1, note="已处理").status_code == 201
    case.world.clock.move(days=2)
    for phone in ("reviewer", "phone"):
        setattr(case, phone, case.world.phone(getattr(case, phone).actor))
    sent_back = case.step(problem, "reopen", 2, by=case.reviewer, note="照片里仍是旧线")
    assert (sent_back.json["state"], sent_back.json["due_on"]) == ("reopened", "2026-03-14")
    assert case.step(problem, "answer", 3, note="这次换了").json["state"] == "answered"
    assert case.step(problem, "close", 4, by=case.reviewer).json["state"] == "closed"


def test_nobody_closes_or_sends_back_what_they_put_right_themselves(case: Case) -> None:
    (problem,) = case.find(WIRING)
    assert case.step(problem, "answer", 1, by=case.reviewer, note="我去看了，已换").status_code == 201
    for step in ("close", "reopen"):
        refused = case.step(problem, step, 2, by=case.reviewer, note="自己的")
        assert (refused.status_code, refused.json["code"]) == (403, "own_remedy")
    assert case.step(problem, "close", 2, by=case.chief).status_code == 201


def test_what_was_put_right_on_site_is_checked_by_somebody_who_was_not_there(case: Case) -> None:
    (problem,) = case.find(LEAK, visitors=[str(case.visitor.worker_id), str(case.reviewer.actor.worker_id)])
    assert case.seen(problem)["state"] == "fixed"
    refused = case.step(problem, "close", 1, by=case.reviewer)
    assert (refused.status_code, refused.json["code"]) == (403, "own_remedy")
    assert case.step(problem, "close", 1, by=case.chief).json["state"] == "closed"


def test_visitors_start_and_answer_and_check_nothing(case: Case) -> None:
    (problem,) = case.find(WIRING)
    assert case.step(problem, "answer", 1, note="好了").status_code == 201
    deputy = case.world.worker()
    with case.world.work() as work:
        from server.people.models import Responsibility
        from server.people.terms import ResponsibilityKind

        work.session.add(
            Responsibility(
                id=uuid4(), person_id=case.person, worker_id=deputy.worker_id,
                kind=ResponsibilityKind.DEPUTY, from_at=work.now,
            )
        )  # fmt: skip
    for by in (case.phone, case.world.phone(deputy)):
        for step in ("close", "reopen", "assign"):
            more = {"worker_id": str(deputy.worker_id)} if step == "assign" else {}
            assert case.step(problem, step, 2, by=by, note="看过了", **more).status_code == 403


@pytest.mark.parametrize("step", ["withdraw", "unmentioned"])
def test_what_the_house_records_nobody_takes_by_hand(case: Case, step: str) -> None:
    (problem,) = case.find(WIRING)
    refused = case.step(problem, step, 1, by=case.reviewer)
    assert (refused.status_code, list(refused.json["errors"])) == (422, ["step"])


@pytest.mark.parametrize(
    ("step", "more", "field"),
    [
        ("answer", {}, "note"),
        ("answer", {"note": "  "}, "note"),
        ("start", {"visit_id": str(UUID(int=1))}, "visit_id"),
        ("start", {"photo_ids": [str(UUID(int=1))]}, "photo_ids"),
        ("start", {"worker_id": str(UUID(int=1))}, "worker_id"),
        ("answer", {"note": "好", "visit_id": str(UUID(int=1))}, "visit_id"),
        ("answer", {"note": "好", "photo_ids": [str(UUID(int=1))]}, "photo_ids"),
        ("answer", {"note": "长" * 2001}, "note"),
        ("dance", {}, "step"),
    ],
)
def test_what_a_step_must_say_is_named(case: Case, step: str, more: dict[str, Any], field: str) -> None:
    (problem,) = case.find(WIRING)
    refused = case.step(problem, step, 1, **more)
    assert (refused.status_code, list(refused.json["errors"])) == (422, [field])
    assert case.seen(problem)["revision"] == 1


def test_a_later_visit_and_photos_of_the_person_are_evidence_and_others_are_not(case: Case) -> None:
    (problem,) = case.find(WIRING)
    other, elsewhere = case.world.person(case.visitor), uuid4()
    photo, missing = str(uuid4()), str(uuid4())
    case.world.clock.move(hours=3)
    now = case.world.clock().isoformat(timespec="seconds")
    later: dict[str, Any] = {"occurred_at": now, "ended_at": None, "client_created_at": now}
    shows = uuid4()
    declared = [{"id": one, "kind": "hazard"} for one in (photo, missing)]
    sent = body(case.person, case.visitor.worker_id, photos=declared, **later)
    assert case.phone.put(f"/visits/{shows}", sent).status_code == 201
    form = {"file": (io.BytesIO(picture()), "a.png"), "photo_id": photo}
    assert case.phone.upload(f"/visits/{shows}/photos", form).status_code == 201
    assert case.phone.put(f"/visits/{elsewhere}", body(other, case.visitor.worker_id)).status_code == 201
    before = uuid4()
    early = body(case.person, case.visitor.worker_id, occurred_at="2026-03-04T09:00:00+08:00", ended_at=None)
    assert case.phone.put(f"/visits/{before}", early).status_code == 201
    for visit in (elsewhere, before):
        refused = case.step(problem, "answer", 1, note="已换线", visit_id=str(visit))
        assert list(refused.json["errors"]) == ["visit_id"]
    refused = case.step(problem, "answer", 1, note="已换线", photo_ids=[photo, missing])
    assert list(refused.json["errors"]) == ["photo_ids"]
    done = case.step(problem, "answer", 1, note="已换线", visit_id=str(shows), photo_ids=[photo])
    assert (done.status_code, done.json["steps"][0]["photo_ids"]) == (201, [photo])


def test_whoever_recorded_the_visit_that_shows_it_does_not_check_it(case: Case) -> None:
    (problem,) = case.find(WIRING)
    shows, now = uuid4(), case.world.clock().isoformat(timespec="seconds")
    sent = body(
        case.person, case.reviewer.actor.worker_id, occurred_at=now, ended_at=None, client_created_at=now
    )
    assert case.reviewer.put(f"/visits/{shows}", sent).status_code == 201
    assert case.step(problem, "answer", 1, note="审核员去看过", visit_id=str(shows)).status_code == 201
    assert case.step(problem, "close", 2, by=case.reviewer).json["code"] == "own_remedy"
    assert case.step(problem, "close", 2, by=case.chief).status_code == 201


def test_a_double_click_takes_one_step(case: Case) -> None:
    (problem,) = case.find(WIRING)
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda _: case.step(problem, "answer", 1, note="已换线"), range(2)))
    assert [one.status_code for one in answers] == [201, 201]
    assert {one.json["revision"] for one in answers} == {2}
    with case.world.work() as work:
        assert len(work.session.scalars(select(StepTaken)).all()) == 1


def test_of_two_checks_at_once_one_wins_and_the_other_hears_who(case: Case) -> None:
    (problem,) = case.find(WIRING)
    assert case.step(problem, "answer", 1, note="已换线").status_code == 201
    deeds = [(case.reviewer, "close"), (case.chief, "reopen")]
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda one: case.step(problem, one[1], 2, by=one[0], note="核查"), deeds))
    assert sorted(one.status_code for one in answers) == [201, 409]
    late = next(one.json for one in answers if one.status_code == 409)
    assert (late["code"], late["revision"]) == ("stale_revision", 3)
    assert late["changed"]["by"]["name"] in late["detail"]


def test_the_owner_follows_a_hand_over(case: Case) -> None:
    (problem,) = case.find(WIRING)
    new = case.world.worker()
    with case.world.work() as work:
        assign(work, case.person, new.worker_id)
    assert case.seen(problem)["owner"]["id"] == str(new.worker_id)
    mine = case.world.phone(new).get("/problems", mine="true").json["items"]
    assert [one["id"] for one in mine] == [problem]
    assert case.phone.get("/problems").json["items"] == []
    assert case.step(problem, "start", 1).status_code == 404


def test_a_problem_is_assigned_to_somebody_who_sees_it_and_to_nobody_else(case: Case) -> None:
    (problem,) = case.find(WIRING)
    stranger = case.world.worker(area=QIANCUN)
    for wrong in (stranger.worker_id, uuid4()):
        refused = case.step(problem, "assign", 1, by=case.chief, note="请处理", worker_id=str(wrong))
        assert list(refused.json["errors"]) == ["worker_id"]
    to = case.reviewer.actor.worker_id
    done = case.step(problem, "assign", 1, by=case.chief, note="请镇里处理", worker_id=str(to))
    assert (done.json["state"], done.json["owner"]["id"], done.json["owner"]["kind"]) == (
        "open",
        str(to),
        "named",
    )
    assert [one["id"] for one in case.reviewer.get("/problems", mine="true").json["items"]] == [problem]
    assert case.phone.get("/problems", mine="true").json["items"] == []


def test_where_nobody_is_responsible_it_is_the_chiefs(case: Case) -> None:
    case.person = case.world.person()
    (problem,) = case.find(WIRING, by=case.reviewer)
    assert case.seen(problem)["owner"]["id"] == str(case.chief.actor.worker_id)
    assert [one["id"] for one in case.chief.get("/problems", mine="true").json["items"]] == [problem]


def test_suspected_abuse_is_for_few_and_its_owner_is_the_chief(case: Case) -> None:
    noise, abuse = case.find(WIRING, ABUSE)
    if case.seen(noise)["restricted"]:
        noise, abuse = abuse, noise
    deputy = case.world.worker()
    with case.world.work() as work:
        assign(work, case.person, deputy.worker_id)
    seen = case.seen(abuse)
    assert (seen["owner"]["id"], seen["due_on"]) == (str(case.chief.actor.worker_id), "2026-03-06")
    inspector = case.world.phone(case.world.worker(Role.COUNTY_INSPECTOR, "341882"))
    for few in (case.reviewer, case.chief, inspector):
        assert {one["id"] for one in few.get("/problems").json["items"]} == {noise, abuse}
        assert [one["id"] for one in few.get("/problems", restricted="true").json["items"]] == [abuse]
    village = case.world.phone(deputy)
    assert [one["id"] for one in village.get("/problems").json["items"]] == [noise]
    assert village.get(f"/problems/{abuse}").status_code == 404
    assert case.step(abuse, "start", 1, by=village).status_code == 404
    assert village.get("/problems", restricted="true").json["items"] == []
    refused = case.step(abuse, "assign", 1, by=case.chief, note="村里处理", worker_id=str(deputy.worker_id))
    assert list(refused.json["errors"]) == ["worker_id"]


def test_what_one_did_not_write_of_suspected_abuse_is_not_in_the_visit_either(case: Case) -> None:
    case.find(WIRING, ABUSE, answers={"food": "adequate", "abuse_suspected": True})
    deputy = case.world.worker()
    with case.world.work() as work:
        assign(work, case.person, deputy.worker_id)
    village = case.world.phone(deputy)
    for seen in (
        village.get(f"/visits/{case.visit}").json,
        village.get("/visits").json["items"][0],
        next(one["data"] for one in village.get("/sync").json["items"] if one["kind"] == "visit"),
    ):
        assert "abuse_suspected" not in seen["answers"]
        assert [one["code"] for one in seen["problems"]] == ["old_wiring"]
        assert seen["answers"]["food"] == "adequate"
    paper, on_paper = uuid4(), str(deputy.worker_id)
    told: dict[str, Any] = {"answers": {"abuse_suspected": True}, "no_photo_reason": "纸质表在柜里"}
    filed = body(case.person, on_paper, recorded_for=on_paper, **told)
    assert case.reviewer.put(f"/visits/{paper}", filed).status_code == 201
    assert village.get(f"/visits/{paper}").json["answers"] == {"abuse_suspected": True}
    for few in (case.phone, case.reviewer, case.chief):
        seen = few.get(f"/visits/{case.visit}").json
        assert seen["answers"]["abuse_suspected"] is True
        assert [one["code"] for one in seen["problems"]] == ["old_wiring", "abuse_suspected"]


def test_a_list_is_by_due_date_in_pages_and_by_filters(world: World) -> None:
    reviewer = world.phone(world.worker(Role.REVIEWER, SHENGPING))
    found = {}
    for number, (village, severity) in enumerate(
        [(TUANSHAN, "low"), (QIANCUN, "high"), (TUANSHAN, "medium"), (TUANSHAN, "high")]
    ):
        visitor = world.worker(area=village)
        person, visit = world.person(visitor, village=village), uuid4()
        problem = {"code": f"nr_{number}", "severity": severity, "description": "某事", "photo_ids": []}
        sent = body(person, visitor.worker_id, problems=[problem], no_photo_reason="没有电")
        assert world.phone(visitor).put(f"/visits/{visit}", sent).status_code == 201
        found[number] = (str(person), severity)
    first = reviewer.get("/problems", limit=3).json
    second = reviewer.get("/problems", limit=3, cursor=first["next_cursor"]).json
    codes = [one["code"] for one in first["items"] + second["items"]]
    assert (codes[:2] in (["nr_1", "nr_3"], ["nr_3", "nr_1"]), codes[2:]) == (True, ["nr_2", "nr_0"])
    assert second["next_cursor"] is None

    def codes_of(**query: Any) -> list[str]:
        return [one["code"] for one in reviewer.get("/problems", **query).json["items"]]

    assert codes_of(village=QIANCUN) == ["nr_1"]
    assert codes_of(severity="medium") == ["nr_2"]
    assert codes_of(code="nr_0") == ["nr_0"]
    assert codes_of(person_id=found[2][0]) == ["nr_2"]
    assert codes_of(overdue="true") == []
    assert codes_of(state="answered") == []
    assert codes_of(village="341882100") == []
    world.clock.move(days=10)
    reviewer = world.phone(reviewer.actor)
    assert sorted(codes_of(overdue="true")) == ["nr_1", "nr_3"]
    assert [one["days_overdue"] for one in reviewer.get("/problems", overdue="true").json["items"]] == [3, 3]
    assert sorted(codes_of(overdue="false")) == ["nr_0", "nr_2"]
    assert reviewer.get("/problems", cursor="%%").status_code == 422


def test_overdue_problems_escalate_once_for_each_due_date(case: Case) -> None:
    (problem,) = case.find(WIRING)
    Case(case.world).find(LEAK)

    def escalate() -> dict[str, int]:
        import json

        done = case.world.app.test_cli_runner().invoke(args=["problems", "escalate"])
        assert done.exit_code == 0, done.output
        return dict(json.loads(done.output))

    assert escalate() == {"level_1": 0, "level_2": 0, "level_3": 0}
    case.world.clock.move(
        days=8
    )  # due on the 12th, today is the 13th; what was fixed on site was due on the 10th
    assert escalate() == {"level_1": 2, "level_2": 0, "level_3": 0}
    assert escalate() == {"level_1": 0, "level_2": 0, "level_3": 0}
    case.reviewer, case.phone = (case.world.phone(one.actor) for one in (case.reviewer, case.phone))
    assert case.seen(problem)["escalation"] == 1
    assert case.step(problem, "answer", 1, note="补上了").json["escalation"] == 0
    assert case.step(problem, "reopen", 2, by=case.reviewer, note="没有换").status_code == 201
    case.world.clock.move(days=30)
    assert escalate() == {"level_1": 1, "level_2": 2, "level_3": 1}
    case.reviewer = case.world.phone(case.reviewer.actor)
    assert case.seen(problem)["escalation"] == 2


def test_a_finders_own_date_counts_when_it_is_earlier(case: Case) -> None:
    (problem,) = case.find({**WIRING, "due_on": "2026-03-08"})
    assert case.seen(problem)["due_on"] == dt.date(2026, 3, 8).isoformat()
