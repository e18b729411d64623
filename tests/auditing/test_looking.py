"""Who has looked at this file: every way of looking is found for the person, and only for them."""

from uuid import uuid4

import pytest
from sqlalchemy import insert, text

from server.db import unit_of_work
from server.ledger.models import Look
from server.permissions import Role
from tests.auditing.conftest import Bureau


def kinds(bureau: Bureau, role: Role = Role.REVIEWER, **query: object) -> list[tuple[str, str | None]]:
    bureau.seal()
    answer = bureau.phones[role].get(f"/archives/{bureau.person}/looks", **query)
    assert answer.status_code == 200, answer.json
    return [(one["kind"], one["worker"]) for one in answer.json["items"]]


def test_every_way_of_looking_is_found_with_who_and_what(bureau: Bureau) -> None:
    visitor, reviewer = bureau.phones[Role.VISITOR], bureau.phones[Role.REVIEWER]
    visitor.get("/worklist")
    visit = bureau.visited()
    visitor.get("/sync")
    reviewer.get("/archives")
    reviewer.get("/reviews/queue")
    reviewer.get("/visits")
    reviewer.get(f"/archives/{bureau.person}")
    reviewer.get(f"/archives/{bureau.person}/timeline")
    reviewer.get(f"/visits/{visit}")
    reviewer.post(f"/archives/{bureau.person}/reveal", {"field": "phone", "reason": "联系本人核实"})
    found = kinds(bureau)
    assert found[:8] == [
        (kind, "测试审核人员") for kind in ("reveal", "visit", "timeline", "file", "list", "list", "list")
    ] + [("sync", "测试走访人员")]
    assert ("worklist", "测试走访人员") in found
    bureau.seal()
    answer = bureau.phones[Role.REVIEWER].get(f"/archives/{bureau.person}/looks")
    assert answer.json["items"][0]["kind"] == "looks"
    assert answer.json["items"][1]["field"] == "phone"
    assert "联系本人" not in answer.get_data(as_text=True)


def test_a_look_at_somebody_else_is_not_in_it(bureau: Bureau) -> None:
    bureau.phones[Role.REVIEWER].get(f"/archives/{bureau.other}")
    assert kinds(bureau) == []


def test_a_record_that_was_sent_twice_is_no_look(bureau: Bureau) -> None:
    bureau.visited()
    assert kinds(bureau) == []


def test_a_look_that_was_refused_is_told(bureau: Bureau) -> None:
    stranger = bureau.world.phone(bureau.world.worker())
    assert stranger.get(f"/archives/{bureau.person}").status_code == 404
    assert kinds(bureau, Role.CHIEF) == [("refused", "测试走访人员")]


def test_pages_follow_each_other_without_a_gap(bureau: Bureau) -> None:
    for _ in range(7):
        bureau.phones[Role.CHIEF].get(f"/archives/{bureau.person}")
    bureau.seal()
    seen, cursor = [], None
    for _ in range(10):
        answer = bureau.phones[Role.COUNTY_INSPECTOR].get(
            f"/archives/{bureau.person}/looks", limit=3, **({"cursor": cursor} if cursor else {})
        )
        seen += [one["seq"] for one in answer.json["items"] if one["kind"] == "file"]
        cursor = answer.json["next_cursor"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == 7
    assert seen == sorted(seen, reverse=True)


def test_who_may_see_it(bureau: Bureau) -> None:
    for role, expected in (
        (Role.REVIEWER, 200),
        (Role.CHIEF, 200),
        (Role.COUNTY_INSPECTOR, 200),
        (Role.VISITOR, 403),
        (Role.ADMINISTRATOR, 403),
        (Role.AUDITOR, 403),
    ):
        answer = bureau.phones[role].get(f"/archives/{bureau.person}/looks")
        assert answer.status_code == expected, role
    far = bureau.world.phone(bureau.world.worker(Role.REVIEWER, "341882100"))
    assert far.get(f"/archives/{bureau.person}/looks").status_code == 404
    assert bureau.phones[Role.REVIEWER].get(f"/archives/{uuid4()}/looks").status_code == 404


def test_the_auditor_asks_by_id_and_sees_the_same(bureau: Bureau) -> None:
    bureau.phones[Role.REVIEWER].get(f"/archives/{bureau.person}")
    bureau.seal()
    answer = bureau.phones[Role.AUDITOR].get("/ledger/looks", person_id=str(bureau.person))
    assert [one["kind"] for one in answer.json["items"]] == ["file"]
    assert "测试老人" not in answer.get_data(as_text=True)
    assert bureau.phones[Role.AUDITOR].get("/ledger/looks").status_code == 422
    assert bureau.phones[Role.CHIEF].get("/ledger/looks", person_id=str(bureau.person)).status_code == 403


def test_what_an_earlier_version_sealed_is_indexed_later(bureau: Bureau) -> None:
    """A version that does not know the index seals while an upgrade rolls."""
    from server.ledger import sealer

    bureau.phones[Role.REVIEWER].get(f"/archives/{bureau.person}")
    with unit_of_work(bureau.world.house.sessions) as session:
        before = sealer._note_looks
        sealer._note_looks = lambda *_: None  # type: ignore[assignment]
        try:
            assert sealer.seal(session) > 0
        finally:
            sealer._note_looks = before
    assert kinds(bureau) == []  # nothing new was sealed
    assert [kind for kind, _ in kinds(bureau)] == ["looks", "file"]


def test_an_entry_of_the_index_that_no_event_bears_out_is_not_shown(bureau: Bureau) -> None:
    bureau.phones[Role.REVIEWER].get(f"/archives/{bureau.other}")
    kinds(bureau)
    with unit_of_work(bureau.world.house.sessions) as session:
        seq = session.scalar(text("SELECT min(seq) FROM ledger_looks"))
        session.execute(insert(Look).values(person_id=bureau.person, seq=seq))
    assert [kind for kind, _ in kinds(bureau)] == ["looks"]


@pytest.mark.parametrize("cursor", ["x", "W10", "eyJhIjoxfQ"])
def test_a_cursor_that_is_none_is_refused(bureau: Bureau, cursor: str) -> None:
    answer = bureau.phones[Role.REVIEWER].get(f"/archives/{bureau.person}/looks", cursor=cursor)
    assert answer.status_code == 422
