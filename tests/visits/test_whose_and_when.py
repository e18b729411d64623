"""Whose visit may be recorded, when it may have happened, and what is kept of it (CONTRACT §4)."""

import datetime as dt
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, text

from server.people.handing_over import assign
from server.permissions import Role
from server.problems.models import Problem
from server.problems.terms import ProblemState, Severity
from tests.builders.visits import a_hazard, a_photo, a_visit_body, an_absence, usual_answers
from tests.builders.world import QIANCUN, SHENGPING, Phone, World

NAMES = ("𠮷野𡈽吉", "阿卜杜热合曼·买买提依明·吐尔逊", "e\u0301 é", " 空 格 ", "🧓🏽\u200b", "\r\n\t", "﷽")


@pytest.fixture
def phone(world: World) -> Phone:
    return world.phone(world.worker())


def body(phone: Phone, person: UUID, **changes: Any) -> dict[str, Any]:
    return a_visit_body(person, **{"visitors": [str(phone.actor.worker_id)]} | changes)


def attempt(phone: Phone, person: UUID, **changes: Any) -> dict[str, Any]:
    absent = {"outcome": "not_met", "identity_checked_by": None, "answers": {}, "absence": an_absence()}
    return body(phone, person, **absent | changes)


def at(world: World, **by: float) -> dict[str, Any]:
    """Give the times of a visit that happened some time from now."""
    when = (world.clock() + dt.timedelta(**by)).isoformat(timespec="seconds")
    return {"occurred_at": when, "ended_at": None, "client_created_at": when}


def record(phone: Phone, sent: dict[str, Any]) -> Any:
    return phone.put(f"/visits/{uuid4()}", sent)


def problems(world: World) -> list[Problem]:
    with world.work() as work:
        return list(work.session.scalars(select(Problem)))


def test_a_person_of_another_village_is_not_there(world: World, phone: Phone) -> None:
    far = world.person(world.worker(area=QIANCUN), village=QIANCUN)
    assert record(phone, body(phone, far)).status_code == 404
    assert record(phone, body(phone, uuid4())).status_code == 404


@pytest.mark.parametrize(("minutes", "status"), [(9, 201), (10, 201), (11, 422), (60 * 24 * 400, 422)])
def test_ten_minutes_ahead_is_a_clock_and_more_is_the_future(
    world: World, phone: Phone, minutes: int, status: int
) -> None:
    answer = record(phone, body(phone, world.person(phone.actor), **at(world, minutes=minutes)))
    assert answer.status_code == status, answer.json
    if status == 422:
        assert (answer.json["code"], list(answer.json["errors"])) == (
            "visit_in_the_future",
            ["occurred_at"],
        )


@pytest.mark.parametrize("years", [-10, 10])
def test_a_phone_whose_clock_is_ten_years_off_is_believed_and_measured(
    world: World, phone: Phone, years: int
) -> None:
    clock = world.clock() + dt.timedelta(days=365 * years)
    sent = body(phone, world.person(phone.actor), client_created_at=clock.isoformat(timespec="seconds"))
    answer = record(phone, sent)
    assert (answer.status_code, answer.json["clock_skew_s"]) == (201, 365 * 86400 * years)


def test_a_visit_filed_weeks_late_meets_its_duty_late(world: World, phone: Phone) -> None:
    person = world.person(phone.actor)
    answer = record(phone, body(phone, person, occurred_at="2026-01-20T09:00:00+08:00", ended_at=None))
    assert answer.status_code == 201, answer.json
    assert answer.json["filed_late"] is True
    assert (answer.json["duty"]["period_start"], answer.json["duty"]["state"]) == ("2026-01-01", "met_late")
    today = record(phone, body(phone, person))
    assert (today.json["filed_late"], today.json["duty"]["state"]) == (False, "met")


def test_after_a_hand_over_what_happened_before_still_lands_and_later_visits_do_not(
    world: World, phone: Phone
) -> None:
    person, other = world.person(phone.actor), world.worker()
    sent, visit = body(phone, person, **at(world, minutes=-30)), uuid4()
    assert phone.put(f"/visits/{visit}", sent).status_code == 201
    with world.work() as work:
        assign(work, person, other.worker_id)
    world.clock.move(hours=2)
    assert phone.put(f"/visits/{visit}", sent).status_code == 200
    before = record(phone, body(phone, person, **at(world, hours=-3)))
    assert before.status_code == 201, before.json
    assert record(phone, body(phone, person, **at(world, hours=-1))).status_code == 404
    assert record(phone, body(phone, person, **at(world, hours=0))).status_code == 404
    late = world.phone(other)
    assert record(late, body(late, person, **at(world, hours=-1))).status_code == 201


def test_a_reviewer_enters_a_paper_record_for_a_visitor_and_a_visitor_does_not(
    world: World, phone: Phone
) -> None:
    person, colleague = world.person(phone.actor), world.worker()
    reviewer = world.phone(world.worker(Role.REVIEWER, SHENGPING))
    paper = {
        "recorded_for": str(colleague.worker_id),
        "visitors": [str(colleague.worker_id)],
        "photos": [a_photo(kind="signed_form")],
    }
    refused = record(phone, body(phone, person, **paper))
    assert (refused.status_code, refused.json["code"]) == (403, "not_allowed")
    taken = record(reviewer, body(reviewer, person, **paper))
    assert taken.status_code == 201, taken.json
    assert (taken.json["recorded_for"], taken.json["recorder"]) == (
        str(colleague.worker_id),
        str(reviewer.actor.worker_id),
    )
    bare = record(reviewer, body(reviewer, person, **paper | {"photos": []}))
    assert (bare.status_code, list(bare.json["errors"])) == (422, ["photos"])


def test_visitors_whom_nobody_knows_are_refused(world: World, phone: Phone) -> None:
    person = world.person(phone.actor)
    answer = record(phone, body(phone, person, visitors=[str(phone.actor.worker_id), str(uuid4())]))
    assert (answer.status_code, list(answer.json["errors"])) == (422, ["visitors"])


def test_an_attempt_is_counted_and_is_no_visit(world: World, phone: Phone) -> None:
    person = world.person(phone.actor)
    for number in (1, 2):
        duty = record(phone, attempt(phone, person)).json["duty"]
        assert (duty["state"], duty["done"], duty["attempts"]) == ("open", 0, number)
    (item,) = phone.get("/worklist").json["items"]
    assert item["last_visit"]["outcome"] == "not_met"
    assert record(phone, body(phone, person)).json["duty"]["state"] == "met"


@pytest.mark.parametrize("missing", ["informants", "last_seen_on", "next_try_on", "whereabouts"])
def test_an_absence_says_who_knows_when_they_were_seen_and_when_to_come_again(
    world: World, phone: Phone, missing: str
) -> None:
    account = {name: value for name, value in an_absence().items() if name != missing}
    assert record(phone, attempt(phone, world.person(phone.actor), absence=account)).status_code == 422


def test_an_absence_without_an_account_or_with_a_late_next_try_is_refused(world: World, phone: Phone) -> None:
    person = world.person(phone.actor)
    for absence, path in ((None, "absence"), (an_absence(next_try_on="2026-03-20"), "absence.next_try_on")):
        answer = record(phone, attempt(phone, person, absence=absence))
        assert (answer.status_code, list(answer.json["errors"])) == (422, [path])


def test_nobody_vouches_for_somebody_unseen_for_days_and_that_is_urgent(world: World, phone: Phone) -> None:
    person = world.person(phone.actor)
    unseen = an_absence(informants=[], last_seen_on="2026-02-20")
    assert record(phone, attempt(phone, person, absence=unseen)).status_code == 201
    (one,) = problems(world)
    assert (one.code, one.severity, one.state) == ("not_seen_for_days", Severity.URGENT, ProblemState.OPEN)
    assert record(phone, attempt(phone, person)).status_code == 201
    assert len(problems(world)) == 1


def test_suspected_abuse_is_a_restricted_problem(world: World, phone: Phone) -> None:
    answers = usual_answers() | {"abuse_suspected": True}
    answer = record(phone, body(phone, world.person(phone.actor), answers=answers))
    assert answer.status_code == 201, answer.json
    (one,) = problems(world)
    assert (one.code, one.restricted) == ("abuse_suspected", True)


def test_a_correction_withdraws_the_problem_that_is_none(world: World, phone: Phone) -> None:
    person, visit = world.person(phone.actor), uuid4()
    first = body(phone, person, problems=[a_hazard()], photos=[a_photo()])
    assert phone.put(f"/visits/{visit}", first).status_code == 201
    assert phone.put(f"/visits/{visit}", body(phone, person), revision=1).status_code == 200
    assert [one.state for one in problems(world)] == [ProblemState.WITHDRAWN]


def test_a_photo_that_was_not_declared_is_no_evidence(world: World, phone: Phone) -> None:
    answer = record(phone, body(phone, world.person(phone.actor), problems=[a_hazard()]))
    assert (answer.status_code, list(answer.json["errors"])) == (422, ["problems.0.photo_ids"])


@pytest.mark.parametrize("bad", ["\x00", "好\x00坏", "\ud800", "a\ud83d"])
def test_what_cannot_be_stored_is_refused_and_leaves_nothing(world: World, phone: Phone, bad: str) -> None:
    answer = record(phone, body(phone, world.person(phone.actor), notes=bad))
    assert answer.status_code == 422, answer.text
    assert phone.get("/visits").json["items"] == []


def test_names_and_notes_come_back_byte_for_byte_and_lie_sealed(world: World, phone: Phone) -> None:
    person, visit = world.person(phone.actor), uuid4()
    words = "|".join(NAMES)
    sent = body(
        phone,
        person,
        notes=words,
        village_assistant=NAMES[1],
        needs=[{"kind": "medical", "detail": words}],
        problems=[a_hazard(description=words, owner=NAMES[0])],
        photos=[a_photo()],
        signatures=[{"signer": "recipient", "manner": "sign", "name": NAMES[1], "reason": None}],
    )
    assert phone.put(f"/visits/{visit}", sent).status_code == 201
    shown = phone.get(f"/visits/{visit}").json
    assert (shown["notes"], shown["village_assistant"]) == (words, NAMES[1])
    assert (shown["needs"][0]["detail"], shown["problems"][0]["description"]) == (words, words)
    assert (shown["problems"][0]["owner"], shown["signatures"][0]["name"]) == (NAMES[0], NAMES[1])
    with world.house.engine.connect() as connection:
        row = connection.execute(text("SELECT * FROM visits")).mappings().one()
    kept = str({name: value for name, value in row.items() if name != "private_sealed"})
    assert row["private_sealed"].startswith("v1.")
    for name in NAMES[:5]:
        assert name not in kept
        assert name.encode("unicode_escape").decode() not in kept
