"""The auditor finds every entry, by each way of asking, and no personal datum among them."""

import datetime as dt
from typing import Any

import pytest

from server.permissions import Role
from tests.auditing.conftest import Bureau


def found(bureau: Bureau, **query: object) -> list[dict[str, Any]]:
    answer = bureau.phones[Role.AUDITOR].get("/ledger/events", **query)
    assert answer.status_code == 200, answer.json
    items: list[dict[str, Any]] = answer.json["items"]
    return items


def test_by_person_what_was_done_and_every_look(bureau: Bureau) -> None:
    bureau.phones[Role.VISITOR].get("/worklist")
    visit = bureau.visited()
    bureau.visited(bureau.other)
    bureau.seal()
    items = found(bureau, person_id=str(bureau.person))
    assert {"person.registered", "visit.recorded", "worklist.read"} <= {one["action"] for one in items}
    assert {one["person_id"] for one in items} == {str(bureau.person), None}
    assert {one["subject_id"] for one in items if one["action"] == "visit.recorded"} == {str(visit)}
    listed = next(one for one in items if one["action"] == "worklist.read")
    assert (listed["people_named"], listed["changes"]) == (2, False)


def test_by_subject_worker_action_and_period(bureau: Bureau) -> None:
    visit = bureau.visited()
    assert [one["action"] for one in found(bureau, subject_kind="visit", subject_id=str(visit))] == [
        "visit.recorded"
    ]
    by_worker = found(bureau, actor_id=str(bureau.visitor.worker_id))
    assert by_worker
    assert {one["actor_id"] for one in by_worker} == {str(bureau.visitor.worker_id)}
    assert {one["action"] for one in found(bureau, action="visit.recorded")} == {"visit.recorded"}
    now = bureau.world.clock()
    later = (now + dt.timedelta(hours=1)).isoformat(timespec="seconds")
    bureau.world.clock.move(hours=2)
    bureau.visited()
    after = found(bureau, action="visit.recorded", **{"from": later})
    before = found(bureau, action="visit.recorded", to=later)
    assert (len(after), len(before)) == (1, 1)
    assert after[0]["subject_id"] != before[0]["subject_id"] == str(visit)


def test_pages_give_each_entry_once_the_latest_first(bureau: Bureau) -> None:
    for _ in range(5):
        bureau.visited()
        bureau.world.clock.move(minutes=1)
    whole = [one["commitment"] for one in found(bureau, limit=200)]
    seen, cursor = [], None
    while True:
        more = {"cursor": cursor} if cursor else {}
        answer = bureau.phones[Role.AUDITOR].get(
            "/ledger/events", limit=4, to="2026-03-05T12:04:00+08:00", **more
        )
        seen += [one["commitment"] for one in answer.json["items"]]
        cursor = answer.json["next_cursor"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen))
    assert set(seen) <= set(whole) | set(seen)
    assert len(seen) > 12


def test_no_name_and_no_free_text_is_in_an_answer(bureau: Bureau) -> None:
    bureau.visited(notes="邻居说他前天摔了一跤")
    said = bureau.phones[Role.AUDITOR].get("/ledger/events", limit=200).get_data(as_text=True)
    for private in ("测试老人", "摔了一跤", "13900000001"):
        assert private not in said


def test_that_the_auditor_searched_is_an_entry(bureau: Bureau) -> None:
    found(bureau, action="visit.recorded")
    assert [one["actor_id"] for one in found(bureau, action="ledger.searched")] == [
        str(bureau.phones[Role.AUDITOR].actor.worker_id)
    ]


@pytest.mark.parametrize(
    "query",
    [
        {"subject_id": "00000000-0000-0000-0000-000000000001"},
        {"subject_kind": "visit"},
        {"action": "visit'; --"},
        {"person_id": "somebody"},
        {"from": "yesterday"},
        {"cursor": "WyIyMDI2LTAzLTA1VDA0OjAwOjAwIl0"},
        {"unknown": "1"},
    ],
    ids=["id without kind", "kind without id", "action", "person", "instant", "cursor", "unknown"],
)
def test_a_question_that_makes_no_sense_is_refused(bureau: Bureau, query: dict[str, str]) -> None:
    assert bureau.phones[Role.AUDITOR].get("/ledger/events", **query).status_code == 422


def test_nobody_else_may_search(bureau: Bureau) -> None:
    for role in (Role.VISITOR, Role.REVIEWER, Role.CHIEF, Role.COUNTY_INSPECTOR, Role.ADMINISTRATOR):
        assert bureau.phones[role].get("/ledger/events").status_code == 403
