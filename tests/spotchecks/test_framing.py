"""What a frame holds, whom it always includes, and that it stays as it was frozen."""

from uuid import uuid4

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from server.evidence.models import FindingMade
from server.evidence.terms import FindingCode, FindingSeverity
from server.policies.service import set_number
from server.spotchecks.models import FrameLine, SpotCheck
from tests.builders.visits import an_absence
from tests.builders.world import GUANGDE, World
from tests.spotchecks.case import AFTER, WITHIN, Case
from tests.visits.test_recording import body


@pytest.fixture
def case(world: World) -> Case:
    """Give a month without a plan."""
    return Case(world)


def test_an_empty_frame_is_refused_and_the_plan_stays_as_it_was(case: Case) -> None:
    assert case.make(categories=["orphan"]).status_code == 201
    assert case.commit().status_code == 200
    case.at(WITHIN)
    case.visit(1)
    case.at(AFTER)
    empty = case.freeze()
    assert (empty.status_code, empty.json["code"]) == (409, "empty_frame")
    assert case.chief.get(f"/spot-checks/plans/{case.plan}").json["state"] == "committed"


def test_a_frame_is_not_frozen_while_its_month_goes_on(case: Case) -> None:
    assert case.make().status_code == 201
    assert case.commit().status_code == 200
    case.at("2026-04-30T23:59:59+08:00")
    assert case.freeze().json["code"] == "period_not_over"


def test_a_changed_frame_is_refused_and_the_database_refuses_the_change(case: Case) -> None:
    case.go("frozen")
    engine = case.world.house.engine
    change = "UPDATE spot_check_frame SET category = 'dibao_rural'"
    for statement in (change, "DELETE FROM spot_check_frame"):
        with pytest.raises(DBAPIError, match="never changed"), engine.begin() as connection:
            connection.execute(text(statement))
    triggers = {
        "sqlite": ["DROP TRIGGER spot_check_frame_no_UPDATE", "DROP TRIGGER spot_check_frame_no_update"],
        "postgresql": ["DROP TRIGGER spot_check_frame_frozen ON spot_check_frame"],
    }[engine.dialect.name]
    with engine.begin() as connection:
        connection.execute(text(triggers[-1]))
        connection.execute(text(change))
    changed = case.draw()
    assert (changed.status_code, changed.json["code"]) == (409, "frame_changed")
    assert case.checks() == []


def test_the_frame_holds_what_was_received_in_the_month_and_was_not_voided(case: Case) -> None:
    case.at("2026-03-31T10:00:00+08:00")
    case.visit(1, occurred_at="2026-03-20T09:00:00+08:00", client_created_at="2026-03-31T09:59:00+08:00")
    assert case.make(dates="received").status_code == 201
    assert case.commit().status_code == 200
    case.at(WITHIN)
    case.visits.clear()
    case.visit(2)
    void, *kept = case.visits
    decided = case.reviewer.post(
        f"/visits/{void}/decisions", {"decision": "void", "reason": "误填", "revision": 1}
    )
    assert decided.status_code == 201
    elsewhere = case.world.worker(area="341882100009")
    case.visitors = [elsewhere]
    case.visit(1)
    case.at(AFTER)
    case.visitors = [case.world.worker()]
    case.visit(1)  # of April, sent in May: it belongs to May's frame, so that nothing slips through
    assert case.freeze().status_code == 200
    with case.world.work() as work:
        assert set(work.session.scalars(select(FrameLine.visit_id))) == set(kept)


def test_groups_that_are_always_included_are(case: Case) -> None:
    absent = {
        "outcome": "not_met",
        "identity_checked_by": None,
        "answers": {},
        "conclusion": None,
        "needs": [],
        "absence": an_absence(last_seen_on="2026-04-09", next_try_on="2026-04-10"),
    }
    assert case.make(share=10, always=["not_met"], every_visitor=False).status_code == 201
    assert case.commit().status_code == 200
    case.at(WITHIN)
    case.visit(2, **absent)
    absences = set(case.visits)
    case.visit(5)
    case.at(AFTER)
    assert case.freeze().status_code == 200
    assert case.draw().status_code == 200
    with case.world.work() as work:
        drawn = dict(work.session.execute(select(SpotCheck.visit_id, SpotCheck.why)).all())
    assert {visit for visit, why in drawn.items() if why == "always"} == absences
    assert sum(why == "stratum" for why in drawn.values()) == 1


def test_persons_by_name_are_always_included_and_must_be_within_sight(case: Case) -> None:
    person = case.world.person(case.visitors[0])
    far = case.world.person(village="341882100009")
    hidden = case.make(person_ids=[str(far)])
    assert hidden.status_code == 404
    assert hidden.json["code"] == case.make(person_ids=[str(uuid4())]).json["code"]
    assert case.make(person_ids=[str(person)]).status_code == 201


def test_every_visitor_is_drawn_when_the_setting_says_so(case: Case) -> None:
    case.visitors += [case.world.worker() for _ in range(6)]
    case.go(number=1, count=2)
    with case.world.work() as work:
        lines = {line.visit_id: line.visitor_id for line in work.session.scalars(select(FrameLine))}
        drawn = list(work.session.scalars(select(SpotCheck.visit_id)))
    assert {lines[visit] for visit in drawn} == {one.worker_id for one in case.visitors}
    assert len(drawn) == len(case.visitors)


def test_where_the_settings_do_not_promise_it_a_visitor_may_be_passed_over(case: Case) -> None:
    for key in ("spotchecks.every_visitor", "spotchecks.every_village"):
        with case.world.work(case.world.boss) as work:
            set_number(
                work,
                key,
                0,
                area_code=GUANGDE,
                effective_from=work.today,
                source_doc_no="试行",
                source_url="",
            )
    case.visitors += [case.world.worker() for _ in range(6)]
    case.go(number=1, count=2)
    assert case.inspector.get(f"/spot-checks/plans/{case.plan}").json["drawn_count"] == 1
    case.plan = uuid4()
    asked = case.make(period="2026-06", every_visitor=True).json
    assert asked["rules"]["every"] == ["visitor"]  # who plans may promise more than the settings do


def test_a_record_entered_for_somebody_counts_as_theirs(case: Case) -> None:
    case.visitors = case.visitors[:1]
    assert case.make().status_code == 201
    assert case.commit().status_code == 200
    case.at(WITHIN)
    visitor = case.visitors[0]
    person = case.world.person(visitor)
    sent = body(person, visitor.worker_id, recorded_for=str(visitor.worker_id), no_photo_reason="没有带相机")
    assert case.reviewer.put(f"/visits/{uuid4()}", sent).status_code == 201
    case.at(AFTER)
    assert case.freeze().status_code == 200
    with case.world.work() as work:
        assert work.session.scalars(select(FrameLine.visitor_id)).all() == [visitor.worker_id]


def test_the_frame_stays_when_people_move(case: Case) -> None:
    case.go("frozen")
    digest = case.chief.get(f"/spot-checks/plans/{case.plan}").json["frame_digest"]
    with case.world.work() as work:
        work.session.execute(text("UPDATE visits SET village_code = '341882003202'"))
    drawn = case.draw().json
    assert (drawn["state"], drawn["frame_digest"]) == ("drawn", digest)


def test_what_awaits_a_look_is_always_included(case: Case) -> None:
    assert case.make(share=10, always=["warning_finding"], every_visitor=False).status_code == 201
    assert case.commit().status_code == 200
    case.at(WITHIN)
    case.visit(3)
    warned, noticed, withdrawn, *_ = case.visits
    with case.world.work() as work:
        for visit, severity, gone in (
            (warned, FindingSeverity.WARNING, None),
            (noticed, FindingSeverity.NOTICE, None),
            (withdrawn, FindingSeverity.WARNING, work.now),
        ):
            work.session.add(
                FindingMade(
                    id=uuid4(),
                    visit_id=visit,
                    person_id=case.visits[visit],
                    code=next(iter(FindingCode)),
                    severity=severity,
                    evidence={},
                    rule_version="1",
                    found_at=work.now,
                    withdrawn_at=gone,
                )
            )
    case.at(AFTER)
    assert case.freeze().status_code == 200
    with case.world.work() as work:
        always = work.session.scalars(select(FrameLine.visit_id).where(FrameLine.always != "")).all()
    assert always == [warned]
