"""A plan, its commitment, its frame and its draw: in this order, by these hands, each once (DOMAIN §7)."""

import threading
from collections import Counter
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select, text

from server.ledger.models import Event
from server.permissions import Role
from server.spotchecks.models import SpotCheck
from tests.builders.world import GUANGDE, QIANCUN, SHENGPING, World
from tests.spotchecks.case import AFTER, SEED, WITHIN, Case, commitment


@pytest.fixture
def case(world: World) -> Case:
    return Case(world)


def test_a_plan_goes_from_commitment_to_draw(case: Case) -> None:
    case.go(share=30, strata=["village"])
    plan = case.inspector.get(f"/spot-checks/plans/{case.plan}").json
    assert (plan["state"], plan["frame_size"], plan["seed"]) == ("drawn", 12, SEED.hex())
    drawn = case.checks()
    assert plan["drawn_count"] == len(drawn) == 4  # 30 % of six, rounded up, in each of two villages
    assert Counter(one["village"]["code"] for one in drawn) == {case.visitors[0].area_code: 2, QIANCUN: 2}
    assert {one["state"] for one in drawn} == {"drawn"}


def test_every_step_is_in_the_ledger_with_what_it_fixed(case: Case) -> None:
    case.go()
    with case.world.work() as work:
        told = work.session.execute(
            select(Event.action, Event.payload).where(Event.subject_id == case.plan, Event.changes)
        ).all()
    actions = [action for action, _ in told]
    assert actions == ["spot_check.planned", "spot_check.committed", "spot_check.frozen", "spot_check.drawn"]
    assert commitment(case.plan) in told[1].payload
    plan = case.inspector.get(f"/spot-checks/plans/{case.plan}").json
    assert plan["frame_digest"] in told[2].payload
    assert SEED.hex() in told[3].payload
    assert SEED.hex() not in "".join(payload for _, payload in told[:3])


def test_the_same_plan_again_is_a_repeat_and_another_one_a_conflict(case: Case) -> None:
    assert case.make(share=30).status_code == 201
    assert case.make(share=30).status_code == 200
    assert case.make(share=50).json["code"] == "plan_conflict"
    assert case.make(share=30, strata=["category"]).status_code == 409
    case.at(AFTER)
    assert case.make(share=30).status_code == 200  # a late repeat, long after the month began


def test_an_area_has_one_plan_a_month_until_it_is_annulled(case: Case) -> None:
    assert case.make().status_code == 201
    first, case.plan = case.plan, uuid4()
    assert case.make().json["code"] == "period_has_plan"
    gone = case.chief.post(f"/spot-checks/plans/{first}/annulment", {"reason": "范围写错"})
    assert (gone.status_code, gone.json["state"]) == (200, "annulled")
    assert case.make().status_code == 201
    listed = case.chief.get("/spot-checks/plans").json["items"]
    assert {(one["id"], one["annul_reason"]) for one in listed} == {
        (str(first), "范围写错"),
        (str(case.plan), None),
    }


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"share": 9}, "share"),
        ({"share": 0}, "share"),
        ({"share": 30, "number": 2}, "number"),
        ({"period": "2026-13"}, "period"),
        ({"strata": ["village", "village"]}, "strata"),
        ({"area_code": "34188"}, "area_code"),
        ({"seed": "00"}, "seed"),
    ],
)
def test_what_is_wrong_with_a_plan_is_named(case: Case, wrong: dict[str, Any], field: str) -> None:
    answer = case.make(**wrong)
    assert (answer.status_code, list(answer.json["errors"])) == (422, [field])


def test_a_plan_is_made_and_committed_to_before_its_month(case: Case) -> None:
    assert case.make(period="2026-03").json["code"] == "period_has_begun"
    assert case.make().status_code == 201
    case.at(WITHIN)
    late = case.commit()
    assert (late.status_code, late.json["code"]) == (409, "period_has_begun")
    assert case.freeze().json["code"] == "plan_step_not_possible"


def test_who_keeps_the_seed_does_not_freeze_the_frame(case: Case) -> None:
    case.go("committed")
    for hand in (case.inspector, case.phone(case.world.worker(Role.COUNTY_INSPECTOR, GUANGDE))):
        refused = case.freeze(hand)  # not the keeper, and nobody of the keeper's office
        assert (refused.status_code, refused.json["code"]) == (403, "same_hands")
    assert case.freeze().status_code == 200
    assert case.draw(by=case.chief).json["code"] == "not_the_keeper"
    assert case.draw().status_code == 200


def test_the_other_way_round_the_chief_keeps_and_the_inspector_freezes(case: Case) -> None:
    assert case.make().status_code == 201
    assert case.commit(case.chief).status_code == 200
    case.at(WITHIN)
    case.visit(2)
    case.at(AFTER)
    assert case.freeze().json["code"] == "same_hands"
    assert case.freeze(case.inspector).status_code == 200
    assert case.draw(by=case.inspector).json["code"] == "not_the_keeper"
    assert case.draw(by=case.chief).status_code == 200


def test_a_seed_revealed_early_is_refused_and_nowhere_kept(case: Case) -> None:
    case.go("committed")
    early = case.draw()
    assert (early.status_code, early.json["code"]) == (409, "seed_too_early")
    with case.world.house.engine.connect() as connection:
        plans = connection.execute(text("SELECT seed, seed_sealed FROM spot_check_plans")).all()
        assert [tuple(one) for one in plans] == [(None, None)]
        payloads = connection.execute(text("SELECT payload FROM ledger_events")).scalars()
        assert SEED.hex() not in "".join(one or "" for one in payloads)


def test_a_wrong_seed_is_refused_and_told_of(case: Case) -> None:
    case.go("frozen")
    wrong = case.draw(bytes(32))
    assert (wrong.status_code, wrong.json["code"]) == (422, "wrong_seed")
    assert case.draw(None).json["code"] == "seed_is_missing"
    with case.world.work() as work:
        told = work.session.scalars(select(Event.action).where(Event.action == "refused.wrong_seed")).all()
    assert len(told) == 1
    assert case.draw().status_code == 200


def test_a_commitment_of_another_plan_does_not_fit(case: Case) -> None:
    assert case.make().status_code == 201
    assert case.commit(value=commitment(uuid4())).status_code == 200
    case.at(WITHIN)
    case.visit(1)
    case.at(AFTER)
    assert case.freeze().status_code == 200
    assert case.draw().json["code"] == "wrong_seed"


def test_the_server_keeps_a_seed_sealed_until_the_keeper_reveals_it(case: Case) -> None:
    assert case.make().status_code == 201
    made = case.commit(value=None).json
    assert (made["seed_kept_here"], made["seed"], len(made["commitment"])) == (True, None, 64)
    case.at(WITHIN)
    case.visit(1)
    case.at(AFTER)
    assert case.freeze().status_code == 200
    drawn = case.draw(None).json
    seed = bytes.fromhex(drawn["seed"])
    assert commitment(case.plan, seed) == made["commitment"]


def test_a_lost_seed_ends_in_an_annulled_plan_that_stays(case: Case) -> None:
    case.go("frozen")
    assert case.chief.post(f"/spot-checks/plans/{case.plan}/annulment", {"reason": "  "}).status_code == 422
    gone = case.inspector.post(f"/spot-checks/plans/{case.plan}/annulment", {"reason": "种子遗失"})
    assert (gone.json["state"], gone.json["annul_reason"]) == ("annulled", "种子遗失")
    assert case.draw().json["code"] == "plan_step_not_possible"
    again = case.inspector.get(f"/spot-checks/plans/{case.plan}").json
    assert (again["state"], again["frame_size"], again["annul_reason"]) == ("annulled", 12, "种子遗失")


def test_a_drawn_plan_is_not_annulled(case: Case) -> None:
    case.go()
    refused = case.inspector.post(f"/spot-checks/plans/{case.plan}/annulment", {"reason": "结果不好看"})
    assert (refused.status_code, refused.json["code"]) == (409, "plan_step_not_possible")


def test_people_named_in_a_plan_are_shown_only_to_those_who_see_them(case: Case) -> None:
    near, far = case.world.person(case.visitors[0]), case.world.person(village="341882100009")
    sent = {"area_code": GUANGDE, "period": "2026-04", "person_ids": [str(near), str(far)]}
    assert case.inspector.put(f"/spot-checks/plans/{case.plan}", sent).status_code == 201
    shown = case.chief.get(f"/spot-checks/plans/{case.plan}")
    assert shown.json["rules"]["person_ids"] == [str(near)]
    assert str(far) not in case.chief.get("/spot-checks/plans").text
    auditor = case.world.phone(case.world.worker(Role.AUDITOR, GUANGDE))
    assert auditor.get(f"/spot-checks/plans/{case.plan}/proof").json["plan"]["rules"]["person_ids"] == []
    assert case.inspector.put(f"/spot-checks/plans/{case.plan}", sent).status_code == 200


def test_only_those_who_plan_do_and_only_in_their_area(case: Case) -> None:
    elsewhere = case.phone(case.world.worker(Role.CHIEF, "341882100"))
    assert case.make().status_code == 201
    for method, path in (
        ("get", ""),
        ("get", "/proof"),
        ("get", "/frame.csv"),
        ("get", "/summary"),
        ("post", "/frame"),
        ("post", "/draw"),
        ("post", "/assignments"),
    ):
        answer = getattr(elsewhere, method)(f"/spot-checks/plans/{case.plan}{path}")
        assert answer.status_code == 404, path
    assert elsewhere.put(
        f"/spot-checks/plans/{uuid4()}", {"area_code": SHENGPING, "period": "2026-04"}
    ).status_code == 404  # fmt: skip
    assert case.reviewer.post(f"/spot-checks/plans/{case.plan}/frame").status_code == 403
    assert elsewhere.get("/spot-checks/plans").json["items"] == []


def test_a_townships_chief_freezes_the_countys_plan_but_does_not_read_its_frame(case: Case) -> None:
    sent = {"area_code": GUANGDE, "period": "2026-04"}
    assert case.inspector.put(f"/spot-checks/plans/{case.plan}", sent).status_code == 201
    assert case.commit().status_code == 200
    case.at(WITHIN)
    case.visit(1)
    case.at(AFTER)
    assert case.freeze().status_code == 200
    assert case.chief.get(f"/spot-checks/plans/{case.plan}/frame.csv").status_code == 404
    assert case.inspector.get(f"/spot-checks/plans/{case.plan}/frame.csv").status_code == 200
    assert case.chief.post(f"/spot-checks/plans/{case.plan}/annulment", {"reason": "x"}).status_code == 404


def at_once(*deeds: Any) -> list[int]:
    ready = threading.Barrier(len(deeds))
    statuses = [0] * len(deeds)

    def do(number: int, deed: Any) -> None:
        ready.wait(30)
        statuses[number] = deed().status_code

    threads = [threading.Thread(target=do, args=one, daemon=True) for one in enumerate(deeds)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return sorted(statuses)


def test_two_who_freeze_and_two_who_draw_at_once_make_one_frame_and_one_sample(case: Case) -> None:
    case.go("committed")
    other = case.phone(case.world.worker(Role.CHIEF, SHENGPING))
    assert at_once(case.freeze, lambda: case.freeze(other)) == [200, 409]
    second = case.world.phone(case.inspector.actor)
    assert at_once(case.draw, lambda: case.draw(by=second)) == [200, 200]  # the same seed is a repeat
    with case.world.work() as work:
        told = Counter(work.session.scalars(select(Event.action).where(Event.subject_id == case.plan)))
        drawn = work.session.scalars(select(SpotCheck.visit_id)).all()
    assert (told["spot_check.frozen"], told["spot_check.drawn"]) == (1, 1)
    assert len(drawn) == len(set(drawn)) > 0


def test_two_who_commit_at_once_leave_one_commitment(case: Case) -> None:
    assert case.make().status_code == 201
    other = case.phone(case.world.worker(Role.COUNTY_INSPECTOR, GUANGDE))
    assert at_once(case.commit, lambda: case.commit(other)) == [200, 409]


def test_dates_of_the_plan_are_those_of_shanghai(case: Case) -> None:
    case.at("2026-03-31T23:59:00+08:00")
    assert case.make().status_code == 201
    case.at("2026-04-01T00:00:00+08:00")
    assert case.commit().json["code"] == "period_has_begun"
