"""Checks are given out evenly, and never to whoever was there, answers for the person or is a relative (DOMAIN §12.28)."""

import threading
from collections import Counter
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select, text

from server.ledger.models import Event
from server.people.handing_over import set_deputies
from server.people.models import Person
from server.permissions import Role
from server.spotchecks.models import SpotCheck
from tests.builders.world import SHENGPING, Phone, World
from tests.spotchecks.case import Case


def kinship(case: Case, by: Phone, worker: UUID, **whom: Any) -> Any:
    sent = {"worker_id": str(worker), "relation": "sibling", **{name: str(one) for name, one in whom.items()}}
    return by.put(f"/kinships/{uuid4()}", sent)


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


def test_ending_a_relation_names_nobody_who_moved_out_of_sight(case: Case, given: str) -> None:
    with case.world.work() as work:
        person = work.session.get_one(SpotCheck, UUID(given)).person_id
    made = kinship(case, case.chief, case.reviewer.actor.worker_id, person_id=person).json
    assert made["person_id"] == str(person)
    with case.world.work() as work:
        work.session.get_one(Person, person).village_code = "341882100009"
    assert case.chief.get("/kinships").json["items"][0]["person_id"] is None
    ended = case.chief.post(f"/kinships/{made['id']}/end").json
    assert (ended["person_id"], ended["ended_at"] is None) == (None, False)


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


def test_a_reassignment_on_an_old_revision_is_refused(case: Case, given: str) -> None:
    sent = {"worker_id": str(case.inspector.actor.worker_id), "revision": 1}
    assert case.chief.put(f"/spot-checks/{given}/checker", sent).json["code"] == "stale_revision"


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
