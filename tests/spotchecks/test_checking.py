"""Checks are carried out blind and exactly once (DOMAIN §7, §12.24)."""

import threading
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, text

from server.accounts.managing import grant
from server.ledger.sealer import seal
from server.people.models import Person
from server.permissions import Actor, Role
from server.spotchecks.models import AnswerCompared, BackCheck, SpotCheck
from tests.builders.world import Phone, World
from tests.spotchecks.case import ANSWERS, Case


def visit_of(case: Case, check: str) -> UUID:
    with case.world.work() as work:
        return work.session.get_one(SpotCheck, UUID(check)).visit_id


def test_the_checkers_form_shows_whom_to_reach_and_nothing_that_was_recorded(case: Case, given: str) -> None:
    form = case.reviewer.get(f"/spot-checks/{given}")
    shown = form.json
    assert (shown["person"]["phone"], shown["person"]["address"]) == ("13900000001", "升平街道团山村1号")
    assert (shown["visit_id"], shown["comparison"], shown["tries"]) == (None, None, [])
    assert {"water", "food", "satisfaction"} < {one["name"] for one in shown["questions"]}
    assert str(visit_of(case, given)) not in form.text
    assert "2026-04-09" not in form.text
    others = case.inspector.get(f"/spot-checks/{given}").json
    assert (others["person"]["phone"], others["person"]["address"]) == (None, None)
    sheet = case.reviewer.get(f"/spot-checks/plans/{case.plan}/worksheet")
    assert len(sheet.json["items"]) == 8, sheet.json
    assert "2026-04-09" not in sheet.text
    assert case.inspector.get(f"/spot-checks/plans/{case.plan}/worksheet").json["items"] == []


def test_a_back_check_is_stored_once_and_compared_field_by_field(case: Case, given: str) -> None:
    back_check = uuid4()
    answers = {
        **ANSWERS,
        "water": "well",
        "food": "poor",
        "satisfaction": 5,
        "chronic": ["heart", "hypertension"],
    }
    first = case.submit(given, case.reviewer, back_check, answers=answers)
    assert first.status_code == 201, first.json
    assert case.submit(given, case.reviewer, back_check, answers=answers).status_code == 200
    other = case.submit(given, case.reviewer, back_check, answers=ANSWERS)
    assert (other.status_code, other.json["code"]) == (409, "back_check_conflict")
    second = case.submit(given, case.reviewer, answers=answers)
    assert (second.status_code, second.json["code"]) == (409, "check_step_not_possible")
    shown = case.inspector.get(f"/spot-checks/{given}").json
    assert shown["state"] == "checked"
    differs = {one["question"] for one in shown["comparison"]["answers"] if one["differs"]}
    assert differs == {"water", "food"}
    assert shown["comparison"]["visited_at"] == "2026-04-09T09:12:00+08:00"
    assert shown["comparison"]["day_fits"] is True
    (tried,) = shown["tries"]
    assert (tried["proposed"], tried["blind"], tried["who_came"]) == ("minor", True, "村里的小王")
    with case.world.work() as work:
        assert len(work.session.scalars(select(BackCheck)).all()) == 1
        compared = work.session.scalars(select(AnswerCompared)).all()
        sealed = work.session.scalars(select(BackCheck.private_sealed)).one()
    assert len(compared) == len(ANSWERS)
    assert "小王" not in sealed


def test_the_same_back_check_from_two_phones_at_once_is_one(case: Case, given: str) -> None:
    back_check, sent = uuid4(), case.back_check(given)
    statuses: list[int] = []
    ready = threading.Barrier(4)
    phones = [case.world.phone(case.reviewer.actor) for _ in range(4)]

    def send(phone: Phone, name: UUID) -> None:
        ready.wait(30)
        statuses.append(phone.put(f"/spot-checks/back-checks/{name}", sent).status_code)

    names = [back_check, back_check, back_check, uuid4()]
    threads = [
        threading.Thread(target=send, args=one, daemon=True) for one in zip(phones, names, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(statuses) in ([200, 200, 201, 409], [201, 409, 409, 409])
    with case.world.work() as work:
        assert len(work.session.scalars(select(BackCheck)).all()) == 1


def test_only_the_one_it_was_given_to_carries_it_out(case: Case, given: str) -> None:
    refused = case.submit(given, case.inspector)
    assert (refused.status_code, refused.json["code"]) == (403, "not_the_checker")
    again = case.chief.put(
        f"/spot-checks/{given}/checker", {"worker_id": str(case.inspector.actor.worker_id), "revision": 2}
    )
    assert again.json["checker"]["id"] == str(case.inspector.actor.worker_id)
    assert case.submit(given, case.reviewer).status_code == 403
    assert case.submit(given, case.inspector).status_code == 201


def test_whoever_was_not_reached_is_tried_again_or_given_up_with_a_reason(case: Case, given: str) -> None:
    nobody = {
        "recall": "unreachable",
        "spoke_to": "nobody",
        "answers": {},
        "recalled_on": None,
        "who_came": None,
    }
    for _ in range(2):
        assert case.submit(given, case.reviewer, **nobody).json["state"] == "assigned"
    shown = case.reviewer.get(f"/spot-checks/{given}").json
    assert len(shown["tries"]) == 2
    left = case.reviewer.post(
        f"/spot-checks/{given}/not-possible", {"reason": "unreachable", "revision": shown["revision"]}
    )
    assert (left.json["state"], left.json["not_possible"]) == ("not_possible", "unreachable")
    assert case.submit(given, case.reviewer).json["code"] == "check_step_not_possible"
    summed = case.inspector.get(f"/spot-checks/plans/{case.plan}/summary").json
    assert (summed["states"]["not_possible"], summed["drawn"]) == (1, 8)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"occurred_at": "2026-06-01T10:00:00+08:00"}, "occurred_at"),
        ({"occurred_at": "2026-04-01T10:00:00+08:00"}, "occurred_at"),
        ({"recall": "unreachable"}, "spoke_to"),
        ({"spoke_to": "nobody"}, "spoke_to"),
        ({"recall": "denied"}, "recalled_on"),
        ({"recalled_on": "2026-05-07"}, "recalled_on"),
        ({"answers": {"appeals": "我要说"}}, "answers.appeals"),
        ({"answers": {"watr": "tap"}}, "answers.watr"),
        ({"photo_ids": [str(UUID(int=5))]}, "photo_ids"),
        ({"notes": "长" * 2001}, "notes"),
        ({"result": "pass"}, "result"),
    ],
)
def test_what_is_wrong_with_a_back_check_is_named_and_nothing_is_kept(
    case: Case, given: str, wrong: dict[str, Any], field: str
) -> None:
    answer = case.submit(given, case.reviewer, **wrong)
    assert (answer.status_code, field in answer.json["errors"]) == (422, True), answer.json
    assert case.reviewer.get(f"/spot-checks/{given}").json["tries"] == []


@pytest.mark.parametrize("look", ["visit", "archive", "timeline", "list", "queue", "decided"])
def test_a_checker_who_had_seen_the_record_is_told_apart(case: Case, given: str, look: str) -> None:
    visit, phone = visit_of(case, given), case.reviewer
    person = case.visits[visit]
    decision = {"decision": "accept", "revision": 1}
    looked = {
        "visit": lambda: phone.get(f"/visits/{visit}"),
        "archive": lambda: phone.get(f"/archives/{person}"),
        "timeline": lambda: phone.get(f"/archives/{person}/timeline"),
        "list": lambda: phone.get("/visits", limit=200),
        "queue": lambda: phone.get("/reviews/queue", limit=200),
        "decided": lambda: phone.post(f"/visits/{visit}/decisions", decision),
    }[look]()
    assert looked.status_code in {200, 201}
    with case.world.work() as work:
        seal(work.session)
    assert case.submit(given, phone).json["tries"][0]["blind"] is False


def test_a_look_before_the_visit_came_in_or_at_somebody_else_spoils_nothing(world: World) -> None:
    case = Case(world)
    person = world.person(case.visitors[0])
    assert case.reviewer.get(f"/archives/{person}").status_code == 200
    case.go(share=100, count=2)
    case.assign(case.reviewer)
    first, second = (str(one["id"]) for one in case.checks(case.reviewer, mine="true")[:2])
    assert case.reviewer.get(f"/visits/{visit_of(case, second)}").status_code == 200
    assert case.inspector.get(f"/visits/{visit_of(case, first)}").status_code == 200
    with world.work() as work:
        seal(work.session)
    assert case.submit(first, case.reviewer).json["tries"][0]["blind"] is True
    assert case.submit(second, case.reviewer).json["tries"][0]["blind"] is False


def test_a_correction_after_the_frame_hides_nothing(case: Case, given: str) -> None:
    visit = visit_of(case, given)
    with case.world.work() as work:
        recorder = work.session.execute(
            text("SELECT recorder_id FROM visits WHERE id = :id"),
            {"id": visit.hex if work.session.get_bind().dialect.name == "sqlite" else visit},
        ).scalar_one()
    visitor = next(one for one in case.visitors if one.worker_id.hex == str(recorder).replace("-", ""))
    phone = case.phone(visitor)
    stored = phone.get(f"/visits/{visit}").json
    names = (
        "person_id",
        "method",
        "purposes",
        "outcome",
        "identity_checked_by",
        "occurred_at",
        "client_created_at",
    )
    sent = {name: stored[name] for name in (*names, "visitors", "location", "needs", "conclusion")}
    sent["answers"] = {**ANSWERS, "water": "well"}
    assert phone.put(f"/visits/{visit}", sent, revision=1).status_code == 200
    checked = case.submit(given, case.reviewer, answers={**ANSWERS, "water": "well"}).json
    water = next(one for one in checked["comparison"]["answers"] if one["question"] == "water")
    assert (water["recorded"], water["checked"], water["differs"]) == ("tap", "well", True)


def test_a_checker_who_was_moved_to_another_area_meanwhile_finds_nothing(case: Case, given: str) -> None:
    with case.world.work(case.world.boss) as work:
        grant(work, case.reviewer.actor.worker_id, Role.REVIEWER, "341882100")
    phone = case.world.phone(Actor(case.reviewer.actor.worker_id, Role.REVIEWER, "341882100"))
    assert case.submit(given, phone).status_code == 404
    assert phone.get(f"/spot-checks/{given}").status_code == 404
    revision = case.inspector.get(f"/spot-checks/{given}").json["revision"]
    other = {"worker_id": str(case.inspector.actor.worker_id), "revision": revision}
    assert case.chief.put(f"/spot-checks/{given}/checker", other).status_code == 200


def test_after_an_erasure_the_check_stays_without_what_was_said(case: Case, given: str) -> None:
    rest = [str(one["id"]) for one in case.checks(case.reviewer, mine="true") if one["id"] != given]
    assert case.submit(given, case.reviewer).status_code == 201
    with case.world.work() as work:
        for check in (given, rest[0]):
            person = work.session.get_one(SpotCheck, UUID(check)).person_id
            key = work.session.get_one(Person, person).data_key_id
            work.keys.destroy(work.session, key)
    shown = case.chief.get(f"/spot-checks/{given}").json
    assert (shown["state"], shown["tries"][0]["who_came"], shown["tries"][0]["notes"]) == (
        "checked",
        None,
        None,
    )
    assert shown["tries"][0]["recall"] == "confirmed"
    judged = case.judge(given, case.chief, "pass")
    assert (judged.status_code, judged.json["code"]) == (409, "file_erased_meanwhile")
    refused = case.submit(rest[0], case.reviewer)
    assert (refused.status_code, refused.json["code"]) == (409, "file_erased_meanwhile")
    form = case.reviewer.get(f"/spot-checks/{rest[0]}").json
    assert (form["person"]["phone"], form["person"]["address"]) == (None, None)
