"""The job judges what waits, once, however many of it run; whoever reads does its work where it does not run."""

import threading

import pytest
from sqlalchemy import func, select

from server.db import unit_of_work
from server.evidence.models import FindingMade, Unjudged
from server.ledger.models import Event
from server.permissions import Role
from server.visits.judging import doubtful, work_off
from server.visits.judging_process import judge_until
from tests.builders.world import SHENGPING, World
from tests.evidence.conftest import HOME, Township


def waiting(world: World) -> int:
    with world.work() as work:
        return work.session.scalar(select(func.count()).select_from(Unjudged)) or 0


def test_the_command_judges_everything_that_waits(township: Township, world: World) -> None:
    visits = [township.record(township.person(**HOME)) for _ in range(20)]
    assert waiting(world) >= len(visits)
    done = world.app.test_cli_runner().invoke(args=["evidence", "work"])
    assert done.exit_code == 0, done.output
    assert waiting(world) == 0
    with world.work() as work:
        judged = set(work.session.scalars(select(FindingMade.visit_id)))
    assert judged == set(visits)
    assert world.app.test_cli_runner().invoke(args=["evidence", "work"]).output == "judged 0 visits\n"


def test_several_at_once_judge_everything_once(township: Township, world: World) -> None:
    for _ in range(24):
        township.record(township.person(**HOME))
    stop = threading.Event()
    judges = [threading.Thread(target=judge_until, args=(stop, world.house, None)) for _ in range(3)]
    for one in judges:
        one.start()
    for one in judges:
        one.join()
    assert waiting(world) == 0
    with world.work() as work:
        twice = select(FindingMade.visit_id).where(FindingMade.withdrawn_at.is_(None))
        twice = twice.group_by(FindingMade.visit_id, FindingMade.code).having(func.count() > 1)
        assert work.session.scalars(twice).all() == []


def test_a_visit_that_is_refused_leaves_nothing_to_judge(township: Township, world: World) -> None:
    township.findings(township.record(township.person(**HOME)))
    before = waiting(world)
    body = township.body(township.person(**HOME), occurred_at="2030-01-01T09:00:00+08:00")
    assert township.phone.put("/visits/5b0d9a77-6c1e-4d55-8a43-0f5e2c9b1d22", body).status_code == 422
    assert waiting(world) == before + 0


def test_only_notices_and_warnings_keep_a_record_from_being_accepted_with_others(
    township: Township, world: World
) -> None:
    plain = township.record(township.person(**HOME), occurred_at="2026-03-04T09:12:00+08:00", ended_at=None)
    outside = township.record(township.person(30.95, 119.4172))
    with world.work() as work:
        assert doubtful(work, [plain, outside]) >= {outside}


def test_a_finding_leaves_a_line_of_the_house_not_of_who_asked(township: Township, world: World) -> None:
    visit = township.record(township.person(30.95, 119.4172))
    township.findings(visit)
    with world.work() as work:
        lines = work.session.scalars(select(Event).where(Event.action == "evidence.found")).all()
    assert [line.subject_id for line in lines] == [visit]
    assert lines[0].actor_id is None
    assert not lines[0].changes


def test_the_timeline_tells_of_findings_to_those_who_may_see_them(township: Township, world: World) -> None:
    person = township.person(30.95, 119.4172)
    visit = township.record(person)
    township.findings(visit)
    lines = township.reviewer.get(f"/archives/{person}/timeline").json["items"]
    told = [one["data"] for one in lines if one["kind"] == "finding"]
    assert [(one["visit_id"], one["code"]) for one in told] == [(str(visit), "fence_outside")]
    mine = township.phone.get(f"/archives/{person}/timeline").json["items"]
    assert "finding" not in {one["kind"] for one in mine}


def test_a_paper_record_is_shown_with_its_findings_at_once(township: Township, world: World) -> None:
    reviewer = world.worker(Role.REVIEWER, SHENGPING)
    body = township.body(township.person(**HOME)) | {"recorded_for": str(township.visitor.worker_id)}
    body["no_photo_reason"] = "纸质记录没有拍照"
    answer = world.phone(reviewer).put("/visits/5b0d9a77-6c1e-4d55-8a43-0f5e2c9b1d23", body)
    assert answer.status_code == 201, answer.json
    assert isinstance(answer.json["findings"], list)


def test_judging_is_cut_off_without_losing_what_waits(township: Township, world: World) -> None:
    visit = township.record(township.person(30.95, 119.4172))
    with pytest.raises(KeyboardInterrupt), unit_of_work(world.house.sessions) as session:
        work_off(world.house.work(session))
        raise KeyboardInterrupt
    assert "fence_outside" in township.findings(visit)
