"""People over HTTP: who may what, what is shown to whom, repeats, hostile bodies."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask

from api_schemas.people import PersonFileOut
from server.permissions import Role
from tests.builders.world import GUANGDE, SHENGPING, TUANSHAN, Phone, World
from tests.people.conftest import id_number


@pytest.fixture
def chief(world: World) -> Phone:
    return world.phone(world.worker(Role.CHIEF, SHENGPING))


def body(number: int = 1, **more: Any) -> dict[str, Any]:
    return {
        "id": str(uuid4()),
        "name": "测试甲",
        "village_code": TUANSHAN,
        "id_number": id_number(number),
        "phone": "13900000001",
        "address": "升平街道团山村1号",
        "enrolment": {"id": str(uuid4()), "category": "tekun_dispersed", "valid_from": "2025-06-01"},
        **more,
    }


def registered(chief: Phone, **more: Any) -> dict[str, Any]:
    answer = chief.post("/people", body(**more))
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.get_json()
    return made


def test_a_file_is_shown_as_its_schema_says(chief: Phone, world: World) -> None:
    visitor = world.worker()
    made = registered(chief)
    path = f"/people/{made['person_id']}"
    steps: list[tuple[str, str, dict[str, Any], int]] = [
        ("put", "/home", {"latitude": 30.8931, "longitude": 119.4172, "datum": "gcj02"}, 200),
        ("put", "/caregiver", {"name": "测试照料", "relation": "neighbour", "phone": "13900000002"}, 200),
        ("post", "/agreements", {"id": str(uuid4()), "signed_on": "2026-01-01", "starts_on": "2026-01-01", "ends_on": "2026-12-31", "monthly_fee": "100.00"}, 201),
        ("put", "/tags", {"tags": [{"tag": "living_alone", "valid_from": "2026-01-01"}]}, 200),
        ("put", "/photo-consent", {"photo_consent": True}, 200),
        ("post", "/pauses", {"id": str(uuid4()), "reason": "hospital", "from_on": "2026-03-05", "to_on": "2026-03-09"}, 201),
        ("post", "/assessments", {"id": str(uuid4()), "can": dict.fromkeys(("eat", "dress", "bed", "toilet", "walk", "bathe"), False), "assessed_on": "2026-03-01", "assessor": "县医院"}, 201),
        ("put", "/responsible", {"worker_id": str(visitor.worker_id)}, 200),
        ("put", "/deputies", {"worker_ids": [str(world.worker().worker_id)]}, 200),
    ]  # fmt: skip
    for method, tail, sent, status in steps:
        for expected in (status, 200):
            answer = getattr(chief, method)(path + tail, sent)
            assert answer.status_code == expected, (tail, answer.text)
            assert PersonFileOut().validate(answer.get_json()) == {}
    shown = world.phone(visitor).get(path).get_json()
    assert shown["phone"] == "13900000001"
    assert shown["care_level"] == "full_care"
    assert shown["home"]["latitude"] == pytest.approx(30.8931, abs=2e-6)
    assert shown["responsible"]["id"] == str(visitor.worker_id)
    assert id_number(1) not in str(shown)


def test_the_county_sees_masks(chief: Phone, world: World) -> None:
    made = registered(chief)
    shown = world.phone(world.worker(Role.COUNTY_INSPECTOR, GUANGDE)).get(f"/people/{made['person_id']}")
    assert shown.get_json()["phone"] == "139****0001"
    assert shown.get_json()["address"] == "升平街道团山村"
    assert shown.get_json()["home"] is None


def test_registering_again_is_200_and_another_body_is_409(chief: Phone) -> None:
    sent = body()
    assert [chief.post("/people", sent).status_code for _ in range(3)] == [201, 200, 200]
    answer = chief.post("/people", {**sent, "name": "测试乙"})
    assert (answer.status_code, answer.get_json()["code"]) == (409, "already_exists")
    answer = chief.post("/people", body())
    assert (answer.status_code, answer.get_json()["code"]) == (409, "person_already_registered")


def test_only_what_is_named_changes_and_a_stale_revision_is_409(chief: Phone) -> None:
    made = registered(chief)
    path = f"/people/{made['person_id']}"
    first = chief.put(path, {"phone": None, "legacy_no": "旧12"}, revision=made["revision"])
    assert first.get_json()["phone"] is None
    assert first.get_json()["address"] == "升平街道团山村1号"
    answer = chief.put(path, {"legacy_no": "旧13"}, revision=made["revision"])
    assert (answer.status_code, answer.get_json()["code"]) == (409, "stale_revision")
    assert chief.put(path, {"legacy_no": "旧13"}).status_code == 422
    assert chief.put(path, {"legacy": "旧13"}, revision=2).status_code == 422


def test_death_and_the_end_of_an_enrolment_over_http(chief: Phone) -> None:
    made = registered(chief)
    path = f"/people/{made['person_id']}"
    end = f"{path}/enrolments/{made['enrolments'][0]['id']}/end"
    answer = chief.post(end, {"valid_to": "2026-03-01", "reason": "voluntary"})
    assert answer.get_json()["categories"] == []
    again = {"id": str(uuid4()), "category": "tekun_dispersed", "valid_from": "2026-03-02"}
    assert [chief.post(f"{path}/enrolments", again).status_code for _ in range(2)] == [201, 200]
    for _ in range(2):
        answer = chief.post(f"{path}/death", {"died_on": "2026-03-04"})
        assert (answer.status_code, answer.get_json()["died_on"]) == (200, "2026-03-04")
    assert {row["exit_reason"] for row in answer.get_json()["enrolments"]} == {"voluntary", "death"}


def test_a_pause_is_taken_back_and_an_unknown_one_is_404(chief: Phone) -> None:
    made = registered(chief)
    path = f"/people/{made['person_id']}/pauses"
    sent = {"id": str(uuid4()), "reason": "hospital", "from_on": "2026-03-05", "to_on": "2026-03-09"}
    assert chief.post(path, sent).status_code == 201
    assert [chief.delete(f"{path}/{sent['id']}").status_code for _ in range(2)] == [204, 204]
    assert chief.delete(f"{path}/{uuid4()}").status_code == 404


def test_hand_overs_over_http(chief: Phone, world: World) -> None:
    first, second = world.worker(), world.worker()
    person = world.person(first)
    sent = {
        "id": str(uuid4()),
        "from_worker": str(first.worker_id),
        "to_worker": str(second.worker_id),
        "reason": "调整",
    }
    for _ in range(2):
        answer = chief.post("/people/hand-overs", sent)
        assert (answer.status_code, answer.get_json()) == (200, {"person_ids": [str(person)]})
    assert world.phone(first).get(f"/people/{person}").status_code == 404
    assert world.phone(second).get(f"/people/{person}").status_code == 200


def paths(app: Flask) -> list[tuple[str, str]]:
    one = str(UUID(int=1))
    return [
        (method, rule.rule.removeprefix("/api/v1").replace("<uuid:person_id>", one)
         .replace("<uuid:enrolment_id>", one).replace("<uuid:pause_id>", one))
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith(("people.", "imports."))
        for method in sorted((rule.methods or set()) & {"GET", "POST", "PUT", "DELETE"})
    ]  # fmt: skip


def test_who_is_not_signed_in_or_has_the_wrong_role_gets_no_further(app: Flask, world: World) -> None:
    visitor = world.phone(world.worker())
    for method, path in paths(app):
        assert app.test_client().open(f"/api/v1{path}", method=method, data=b"{").status_code == 401
        if method != "GET":
            answer = (
                visitor.delete(path) if method == "DELETE" else getattr(visitor, method.lower())(path, {})
            )
            assert answer.status_code == 403, (method, path)


@pytest.mark.parametrize(
    "wrong",
    [
        {"id": None}, {"id": "x"}, {"name": ""}, {"name": "   "}, {"name": "测" * 101}, {"id_number": "11010519491231002x"[:-1]},
        {"village_code": "341882100200"}, {"birth_date": "1950-02-30"}, {"sex": "other"}, {"is_head": 1}, {"unknown": 1},
        {"enrolment": {"id": str(UUID(int=3)), "category": "tekun_dispersed", "valid_from": "2100-01-01"}},
        {"enrolment": {"id": str(UUID(int=3)), "category": "tekun_dispersed", "valid_from": "2026-01-01", "monthly_amount": "1e9"}},
        {"household_id": str(UUID(int=2))}, {"phone": "\x07"},
    ],
)  # fmt: skip
def test_a_body_that_cannot_be_is_422_and_leaves_nothing(chief: Phone, wrong: dict[str, Any]) -> None:
    answer = chief.post("/people", body(**wrong))
    assert answer.status_code == 422, answer.text
    assert answer.get_json()["errors"]
    assert id_number(1) not in answer.text
