"""Checks: given out, carried out blind and exactly once, judged by somebody else (DOMAIN §7, §12.24, §12.28)."""

import threading
from collections import Counter
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, text

from server.accounts.managing import grant
from server.ledger.models import Event
from server.ledger.sealer import seal
from server.people.handing_over import set_deputies
from server.people.models import Person
from server.permissions import Actor, Role
from server.spotchecks.models import AnswerCompared, BackCheck, SpotCheck
from tests.builders.world import SHENGPING, Phone, World
from tests.spotchecks.case import ANSWERS, Case


@pytest.fixture
def case(world: World) -> Case:
    """Give a drawn sample of everything, not given out yet."""
    made = Case(world)
    made.go(share=100, count=4)
    return made


@pytest.fixture
def given(case: Case) -> str:
    """Give a check that the reviewer has."""
    assert case.assign(case.reviewer).status_code == 200
    return str(case.checks(case.reviewer, mine="true")[0]["id"])


def visit_of(case: Case, check: str) -> UUID:
    with case.world.work() as work:
        return work.session.get_one(SpotCheck, UUID(check)).visit_id


def test_work_is_spread_evenly_over_those_who_may(case: Case) -> None:
    answer = case.assign()
    assert (answer.json["assigned"], answer.json["unassigned"]) == (8, 0)
    held = Counter(one["checker"]["id"] for one in case.checks())
    names = {str(one.actor.worker_id) for one in (case.inspector, case.chief, case.reviewer)}
    assert set(held) == names
    assert max(held.values()) - min(held.values()) <= 1
    assert {one["due_on"] for one in case.checks()} == {"2026-05-26"}
    assert case.assign().json == {"assigned": 0, "unassigned": 0, "reasons": []}


def test_who_visited_recorded_or_answers_for_the_person_gets_nothing_of_it(case: Case) -> None:
    person = next(iter(case.visits.values()))
    with case.world.work() as work:
        set_deputies(work, person, [case.reviewer.actor.worker_id])
    answer = case.assign(case.reviewer)
    assert (answer.json["assigned"], answer.json["unassigned"]) == (7, 1)
    (left,) = [one for one in case.checks() if one["state"] == "drawn"]
    assert left["person"]["person_id"] == str(person)
    assert answer.json["reasons"] == [{"check_id": left["id"], "reasons": {"answers_for": 1}}]
    sent = {"worker_id": str(case.reviewer.actor.worker_id), "revision": left["revision"]}
    refused = case.chief.put(f"/spot-checks/{left['id']}/checker", sent)
    assert (refused.status_code, refused.json["code"], refused.json["reason"]) == (
        403, "must_not_check", "answers_for",
    )  # fmt: skip


def kinship(case: Case, by: Phone, worker: UUID, **whom: Any) -> Any:
    sent = {"worker_id": str(worker), "relation": "sibling", **{name: str(one) for name, one in whom.items()}}
    return by.put(f"/kinships/{uuid4()}", sent)


def test_a_registered_relative_gets_nothing_whoever_registered_it(case: Case) -> None:
    person = next(iter(case.visits.values()))
    reviewer, visitor = case.reviewer.actor.worker_id, case.visitors[1].worker_id
    assert kinship(case, case.chief, reviewer, person_id=person).status_code == 201
    assert kinship(case, case.chief, visitor, relative_id=reviewer).status_code == 201
    answer = case.assign(case.reviewer)
    assert (answer.json["assigned"], answer.json["unassigned"]) == (3, 5)
    reasons = Counter(next(iter(one["reasons"])) for one in answer.json["reasons"])
    assert reasons == {"related_to_person": 1, "related_to_visitor": 4}
    rest = case.assign(case.chief)
    assert rest.json["assigned"] == 5


def test_a_relation_that_became_known_later_keeps_them_out_still(case: Case, given: str) -> None:
    with case.world.work() as work:
        person = work.session.get_one(SpotCheck, UUID(given)).person_id
    assert kinship(case, case.chief, case.reviewer.actor.worker_id, person_id=person).status_code == 201
    refused = case.submit(given, case.reviewer)
    assert (refused.status_code, refused.json["reason"]) == (403, "related_to_person")
    assert case.reviewer.get(f"/spot-checks/{given}").status_code == 403


def test_the_register_is_kept_and_ends_but_forgets_nothing(case: Case) -> None:
    reviewer, visitor = case.reviewer.actor.worker_id, case.visitors[0].worker_id
    made = kinship(case, case.chief, reviewer, relative_id=visitor).json
    path, sent = f"/kinships/{made['id']}", {"worker_id": str(reviewer), "relation": "sibling"}
    assert case.chief.put(path, {**sent, "relative_id": str(visitor)}).status_code == 200
    assert (
        case.chief.put(path, {**sent, "relation": "spouse", "relative_id": str(visitor)}).status_code == 409
    )
    assert case.chief.put(f"/kinships/{uuid4()}", sent).status_code == 422
    both = {**sent, "relative_id": str(visitor), "person_id": str(next(iter(case.visits.values())))}
    assert case.chief.put(f"/kinships/{uuid4()}", both).status_code == 422
    assert kinship(case, case.chief, reviewer, relative_id=reviewer).status_code == 422
    assert kinship(case, case.chief, uuid4(), relative_id=reviewer).status_code == 422
    listed = case.chief.get("/kinships", worker_id=reviewer).json["items"]
    assert [one["relative_id"] for one in listed] == [str(visitor)]
    assert case.chief.post(f"{path}/end").json["ended_at"] is not None
    assert case.chief.post(f"{path}/end").status_code == 200
    assert case.chief.get("/kinships").json["items"] == []
    elsewhere = case.phone(case.world.worker(Role.CHIEF, "341882100"))
    assert elsewhere.post(f"{path}/end").status_code == 404
    assert case.assign(case.reviewer).json["unassigned"] == 0
    with case.world.work() as work:
        told = work.session.scalars(select(Event.action).where(Event.subject_id == UUID(made["id"]))).all()
    assert told == ["kinship.registered", "kinship.ended"]


def test_nobody_of_another_township_or_without_the_role_is_a_checker(case: Case) -> None:
    far = case.phone(case.world.worker(Role.REVIEWER, "341882100"))
    visitor = case.phone(case.visitors[0])
    for phone in (far, visitor):
        assert case.assign(phone).json["errors"] == {
            "checker_ids": ["岗位不做核查或账户已停用，请重新选择。"]
        }
    assert {one["state"] for one in case.checks()} == {"drawn"}


def test_two_who_assign_at_once_give_each_check_out_once(case: Case) -> None:
    answers: list[Any] = []
    ready = threading.Barrier(2)

    def assign() -> None:
        ready.wait(30)
        answers.append(case.assign())

    threads = [threading.Thread(target=assign, daemon=True) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(one.json["assigned"] for one in answers) == [0, 8]
    assert {one["revision"] for one in case.checks()} == {2}


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


def test_a_reassignment_on_an_old_revision_is_refused(case: Case, given: str) -> None:
    sent = {"worker_id": str(case.inspector.actor.worker_id), "revision": 1}
    assert case.chief.put(f"/spot-checks/{given}/checker", sent).json["code"] == "stale_revision"


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


def test_a_person_judges_beside_what_is_proposed(case: Case, given: str) -> None:
    case.submit(given, case.reviewer)
    own = case.chief.put(
        f"/spot-checks/{given}/checker", {"worker_id": str(case.chief.actor.worker_id), "revision": 3}
    )
    assert own.json["code"] == "check_step_not_possible"  # it was carried out already
    unsaid = case.judge(given, case.chief, "minor", reason="")
    assert (unsaid.status_code, list(unsaid.json["errors"])) == (422, ["reason"])
    stale = case.judge(given, case.chief, "pass", revision=1)
    assert stale.json["code"] == "stale_revision"
    judged = case.judge(given, case.chief, "pass", reason="")
    assert (judged.status_code, judged.json["state"], judged.json["result"]) == (201, "judged", "pass")
    assert judged.json["rectification_id"] is None
    again = case.judge(given, case.inspector, "major")
    assert (again.status_code, again.json["code"]) == (409, "check_step_not_possible")


def test_nobody_judges_their_own_back_check(case: Case) -> None:
    case.assign(case.chief)
    check = str(case.checks()[0]["id"])
    case.submit(check, case.chief)
    refused = case.judge(check, case.chief, "pass")
    assert (refused.status_code, refused.json["code"]) == (403, "own_back_check")
    assert case.judge(check, case.reviewer, "pass").status_code == 403
    assert case.judge(check, case.inspector, "pass").status_code == 201


def test_a_visit_that_is_denied_goes_to_an_inquiry_and_is_judged_after_it(case: Case, given: str) -> None:
    denied = case.submit(given, case.reviewer, recall="denied", recalled_on=None, answers={})
    assert denied.json["tries"][0]["proposed"] == "needs_inquiry"
    early = case.judge(given, case.chief, "needs_inquiry", rectify={"what": "补访"})
    assert early.status_code == 422
    assert case.judge(given, case.chief, "needs_inquiry", reason="").json["state"] == "inquiry"
    judged = case.judge(given, case.inspector, "pass", reason="本人失智，邻居证实走访人员来过")
    assert (judged.json["state"], judged.json["result"]) == ("judged", "pass")
    assert [one["result"] for one in judged.json["judgements"]] == ["needs_inquiry", "pass"]


def test_two_judges_at_once_leave_one_judgement(case: Case, given: str) -> None:
    case.submit(given, case.reviewer)
    seen = case.chief.get(f"/spot-checks/{given}").json["revision"]
    statuses: list[int] = []
    ready = threading.Barrier(2)

    def judge(phone: Phone, result: str) -> None:
        ready.wait(30)
        sent = {"result": result, "revision": seen, "reason": "看法"}
        statuses.append(phone.post(f"/spot-checks/{given}/judgements", sent).status_code)

    threads = [
        threading.Thread(target=judge, args=one, daemon=True)
        for one in ((case.chief, "pass"), (case.inspector, "minor"))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(statuses) == [201, 409]


def test_rates_are_told_by_question_and_kind_with_their_numbers_and_never_by_worker(case: Case) -> None:
    case.assign(case.reviewer)
    checks = [str(one["id"]) for one in case.checks(case.reviewer, mine="true")]
    for number, check in enumerate(checks):
        answers = {**ANSWERS, "water": "well" if number < 2 else "tap"}
        assert case.submit(check, case.reviewer, answers=answers).status_code == 201
    case.judge(checks[0], case.chief, "minor")
    case.judge(checks[5], case.chief, "pass")
    answer = case.inspector.get(f"/spot-checks/plans/{case.plan}/summary", by="village")
    summed = answer.json
    water = next(one for one in summed["questions"] if one["question"] == "water")
    assert (water["compared"], water["differing"], water["share"]) == (8, 2, 0.25)
    assert 0 < water["low"] < 0.25 < water["high"] < 1
    first = next(one for one in summed["kinds"] if one["kind"] == "type_1")
    assert (first["compared"], first["differing"]) == (32, 2)
    assert {one["part"]: one["drawn"] for one in summed["parts"]} == {
        one.area_code: 4 for one in case.visitors
    }
    assert (summed["by_chance"]["minor"], summed["by_chance"]["pass"]) == (1, 1)
    assert summed["recall"]["confirmed"] == 8
    for worker in [*case.visitors, case.reviewer.actor, case.chief.actor, case.inspector.actor]:
        assert str(worker.worker_id) not in answer.text
        assert worker.name not in answer.text
    refused = case.inspector.get(f"/spot-checks/plans/{case.plan}/summary", by="visitor")
    assert (refused.status_code, list(refused.json["errors"])) == (422, ["by"])


def test_a_summary_without_anything_compared_claims_nothing(case: Case) -> None:
    summed = case.inspector.get(f"/spot-checks/plans/{case.plan}/summary").json
    assert summed["questions"] == []
    assert all(one["share"] is one["low"] is one["high"] is None for one in summed["kinds"])
    assert summed["states"]["drawn"] == 8
    assert summed["parts"] == []


def test_nothing_is_given_out_before_the_draw(world: World) -> None:
    case = Case(world)
    case.go("frozen", count=1)
    assert case.assign().json["code"] == "not_drawn_yet"


def test_a_disabled_checker_is_none(case: Case) -> None:
    gone = case.world.worker(Role.REVIEWER, SHENGPING)
    with case.world.work() as work:
        work.session.execute(
            text("UPDATE workers SET disabled_at = created_at WHERE id = :id"),
            {
                "id": gone.worker_id.hex
                if work.session.get_bind().dialect.name == "sqlite"
                else gone.worker_id
            },
        )
    assert case.assign().status_code == 200
    assert str(gone.worker_id) not in {one["checker"]["id"] for one in case.checks()}


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
