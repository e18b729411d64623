"""The archives: found by every way in, seen by whom they concern, and each look is in the ledger (CONTRACT §7)."""

import datetime as dt
import json
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from server.archives.queries import statement
from server.archives.terms import Wanted
from server.ledger.models import Event
from server.people.models import Person, Responsibility
from server.people.registering import register_person
from server.people.terms import Category, NewEnrolment, NewPerson, ResponsibilityKind
from server.permissions import Actor, Role
from tests.builders.world import GUANGDE, QIANCUN, SHENGPING, TUANSHAN, World
from tests.people.conftest import id_number
from tests.visits.test_recording import body

Add = Callable[..., UUID]


@pytest.fixture
def add(world: World) -> Add:
    """Give a function that registers a person by number and name, for whom a visitor may answer."""

    def registered(number: int, name: str, visitor: Actor | None = None, **more: Any) -> UUID:
        world.house.keys.reserve(1)
        facts: dict[str, Any] = {
            "village_code": TUANSHAN,
            "id_number": id_number(number),
            "phone": "13900000001",
            "address": "升平街道团山村1号",
            "bank_account": "6228480000000001234",
            "health": "高血压",
            "enrolment": NewEnrolment(uuid4(), Category.TEKUN_DISPERSED, dt.date(2025, 6, 1)),
        }
        with world.work() as work:
            person: Person = register_person(work, NewPerson(id=uuid4(), name=name, **{**facts, **more}))
            if visitor is not None:
                work.session.add(
                    Responsibility(
                        id=uuid4(),
                        person_id=person.id,
                        worker_id=visitor.worker_id,
                        kind=ResponsibilityKind.RESPONSIBLE,
                        from_at=work.now,
                    )
                )
        return person.id

    return registered


def found(phone: Any, **query: object) -> list[str]:
    """Name those who are found."""
    answer = phone.get("/archives", **query)
    assert answer.status_code == 200, answer.json
    return [item["name"] for item in answer.json["items"]]


def test_every_way_in_leads_to_the_file(world: World, add: Add) -> None:
    chief = world.phone(world.worker(Role.CHIEF, SHENGPING))
    add(1, "张明")
    add(2, "张明亮")
    add(3, "李%四")
    elsewhere = add(4, "张明", village_code="341882101200")
    assert found(chief, query="张明") == ["张明", "张明亮"]
    assert found(chief, query="zm") == ["张明", "张明亮"]
    assert found(chief, query="ZML") == ["张明亮"]
    assert found(chief, query="李%") == ["李%四"]
    assert found(chief, query="%") == found(chief, query="_") == found(chief, query="\\") == []
    assert found(chief, query=id_number(2)) == ["张明亮"]
    assert found(chief, query=id_number(2)[-4:].lower()) == ["张明亮"]
    items = chief.get("/archives", query="张明").json["items"]
    assert found(chief, query=items[1]["file_no"]) == ["张明亮"]
    assert found(chief, query=items[1]["file_no"][:9]) == ["张明", "张明亮", "李%四"]
    assert found(chief, query=id_number(4)) == []
    assert chief.get(f"/archives/{elsewhere}").status_code == 404
    inspector = world.phone(world.worker(Role.COUNTY_INSPECTOR, GUANGDE))
    assert found(inspector, query=id_number(4)[-4:]) == ["张明"]
    assert found(inspector, query="张明", village="341882101") == ["张明"]
    assert found(chief, category="dibao_rural") == []
    assert len(found(chief, category="tekun_dispersed")) == 3


def test_lists_are_masked_for_those_who_need_not_find_the_person(world: World, add: Add) -> None:
    add(1, "张明")
    chief = world.phone(world.worker(Role.CHIEF, SHENGPING)).get("/archives").json["items"][0]
    inspector = world.phone(world.worker(Role.COUNTY_INSPECTOR, GUANGDE)).get("/archives").json["items"][0]
    assert (chief["phone"], inspector["phone"]) == ("13900000001", "139****0001")
    assert chief["id_number_masked"] == inspector["id_number_masked"] == f"999{'*' * 11}{id_number(1)[-4:]}"


def test_a_visitor_finds_their_own_people_only(world: World, add: Add) -> None:
    visitor = world.worker()
    phone = world.phone(visitor)
    mine, other = add(1, "张明", visitor), add(2, "张亮")
    assert found(phone) == found(phone, query="张") == ["张明"]
    assert found(phone, query=id_number(2)) == found(phone, query=id_number(2)[-4:]) == []
    assert phone.get(f"/archives/{mine}").status_code == 200
    for path in (f"/archives/{other}", f"/archives/{other}/timeline", f"/archives/{uuid4()}"):
        assert phone.get(path).status_code == 404
    answer = phone.post(f"/archives/{other}/reveal", {"field": "phone", "reason": "联系本人"})
    assert answer.status_code == 404
    assert world.phone(world.boss).get("/archives").status_code == 403


def test_pages_are_whole_and_stable_while_others_are_added(world: World, add: Add) -> None:
    chief = world.phone(world.worker(Role.CHIEF, SHENGPING))
    for number in range(5):
        add(number, f"张{number}", village_code=QIANCUN if number % 2 else TUANSHAN)
    seen, cursor = [], None
    for _ in range(4):
        page = chief.get("/archives", limit=2, **({"cursor": cursor} if cursor else {})).json
        seen += [item["name"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
        add(20 + len(seen), "新人", village_code=TUANSHAN)
    assert [name for name in seen if name != "新人"] == ["张0", "张2", "张4", "张1", "张3"]
    assert len(seen) == len(set(seen)) + max(0, seen.count("新人") - 1)


@pytest.mark.parametrize(
    "query",
    [
        {"query": "张" * 101},
        {"query": "张" * 10_000},
        {"query": "\x00"},
        {"cursor": "WyJ4IiwieSJd"},
        {"cursor": "WyJcdTAwMDAiLCIxIl0"},
        {"village": "341882\U0010ffff"},
        {"limit": 0},
        {"limit": 201},
    ],
)
def test_hostile_queries_are_refused(world: World, query: dict[str, Any]) -> None:
    assert world.phone(world.worker(Role.CHIEF, SHENGPING)).get("/archives", **query).status_code == 422


def test_a_page_leaves_one_entry_that_names_its_people_and_a_file_one(world: World, add: Add) -> None:
    chief = world.phone(world.worker(Role.CHIEF, SHENGPING))
    people = {str(add(number, "张明")) for number in range(3)}
    chief.get("/archives", query="张明")
    chief.get(f"/archives/{min(people)}")
    with world.work() as work:
        pages = work.session.scalars(select(Event).where(Event.action == "archives.read")).all()
        files = work.session.scalars(select(Event).where(Event.action == "archive.read")).all()
    assert len(pages) == len(files) == 1
    payload = json.loads(str(pages[0].payload).partition(".")[2])
    assert set(payload["people"]) == people
    assert "张明" not in str(pages[0].payload)
    assert str(files[0].person_id) == min(people)


def test_the_whole_file_tells_everything_but_what_is_restricted(world: World, add: Add) -> None:
    visitor = world.worker()
    person = add(1, "张明", visitor)
    phone, chief = world.phone(visitor), world.phone(world.worker(Role.CHIEF, SHENGPING))
    answer = phone.put(
        f"/visits/{uuid4()}",
        body(person, visitor.worker_id, answers={"abuse_signs": "suspected", "food": "adequate"}),
    )
    assert answer.status_code in {201, 422}, answer.json
    if answer.status_code == 422:
        answer = phone.put(f"/visits/{uuid4()}", body(person, visitor.worker_id))
    file = chief.get(f"/archives/{person}").json
    assert file["person"]["name"] == "张明"
    assert file["has_health_remark"] is True
    assert [one["category"] for one in file["enrolments"]] == ["tekun_dispersed"]
    assert [one["worker_id"] for one in file["responsibilities"]] == [str(visitor.worker_id)]
    assert file["counts"] == {"visits": 1, "attempts": 0, "void": 0, "photos": 0, "photo_debt": 0}
    assert {duty["state"] for duty in file["duties"]} == {"met"}
    assert "高血压" not in json.dumps(file, ensure_ascii=False)
    assert id_number(1) not in json.dumps(file)
    with world.work() as work:
        from server.problems.models import Problem
        from server.problems.terms import ProblemState, Severity

        work.session.add(
            Problem(
                id=uuid4(), person_id=person, visit_id=uuid4(), visit_revision=1, village_code=TUANSHAN,
                code="abuse_suspected", severity=Severity.URGENT, fixed_on_site=False, restricted=True,
                raised_state=ProblemState.OPEN.value, found_at=work.now, raised_at=work.now,
            )
        )  # fmt: skip

    def codes(path: str, phone: Any, key: Callable[[Any], list[str]]) -> set[str]:
        return set(key(phone.get(path).json))

    def in_file(data: Any) -> list[str]:
        return [one["code"] for one in data["problems"]]

    def in_line(data: Any) -> list[str]:
        return [one["data"]["code"] for one in data["items"] if one["kind"] == "problem"]

    for path, key in ((f"/archives/{person}", in_file), (f"/archives/{person}/timeline", in_line)):
        assert "abuse_suspected" in codes(path, chief, key)
        assert "abuse_suspected" not in codes(path, phone, key)
        inspector = world.phone(world.worker(Role.COUNTY_INSPECTOR, GUANGDE))
        assert "abuse_suspected" in codes(path, inspector, key)


def test_the_timeline_merges_what_happened_newest_first_in_pages(world: World, add: Add) -> None:
    visitor = world.worker()
    person = add(1, "张明", visitor)
    phone, chief = world.phone(visitor), world.phone(world.worker(Role.CHIEF, SHENGPING))
    visit = uuid4()
    assert phone.put(f"/visits/{visit}", body(person, visitor.worker_id)).status_code == 201
    world.clock.move(hours=1)
    assert chief.post(f"/visits/{visit}/decisions", {"decision": "accept", "revision": 1}).status_code == 201
    whole = chief.get(f"/archives/{person}/timeline", limit=200).json
    kinds = [item["kind"] for item in whole["items"]]
    assert whole["next_cursor"] is None
    assert kinds[0] == "decision"
    assert {"visit", "decision", "enrolled", "duty_met", "duty_missed", "handed_over"} <= set(kinds)
    assert [item["at"] for item in whole["items"]] == sorted(
        (item["at"] for item in whole["items"]), reverse=True
    )
    for limit in (1, 2, 3):
        seen: list[Any] = []
        cursor: str | None = None
        while cursor is not None or not seen:
            page = chief.get(
                f"/archives/{person}/timeline", limit=limit, **({"cursor": cursor} if cursor else {})
            ).json
            assert len(page["items"]) <= limit
            seen += page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        assert seen == whole["items"]
    assert chief.get(f"/archives/{person}/timeline", cursor="WyJhIiwiYiIsImMiXQ").status_code == 422


def test_revealing_needs_a_reason_and_leaves_it_sealed(world: World, add: Add) -> None:
    person = add(1, "张明")
    chief = world.phone(world.worker(Role.CHIEF, SHENGPING))
    path = f"/archives/{person}/reveal"
    told = {"reason": "核对发放账户信息"}
    assert chief.post(path, {"field": "id_number", **told}).json == {
        "field": "id_number",
        "value": id_number(1),
    }
    assert chief.post(path, {"field": "bank_account", **told}).json["value"] == "6228480000000001234"
    assert chief.post(path, {"field": "health", **told}).json["value"] == "高血压"
    assert chief.post(path, {"field": "caregiver_phone", **told}).json["value"] is None
    for reason in ("", "查看", "    "):
        assert chief.post(path, {"field": "phone", "reason": reason}).status_code == 422
    assert chief.post(path, {"field": "name", **told}).status_code == 422
    with world.work() as work:
        events = work.session.scalars(select(Event).where(Event.action == "person.revealed")).all()
    assert len(events) == 4
    assert all("核对" not in str(event.payload) and str(event.payload).startswith("v1.") for event in events)


def test_who_may_reveal_what(world: World, add: Add) -> None:
    visitor = world.worker()
    person = add(1, "张明", visitor)
    path, phone = f"/archives/{person}/reveal", world.phone(visitor)
    for field, status in (("phone", 200), ("address", 200), ("id_number", 403), ("bank_account", 403)):
        assert phone.post(path, {"field": field, "reason": "联系本人"}).status_code == status
    inspector = world.phone(world.worker(Role.COUNTY_INSPECTOR, GUANGDE))
    assert inspector.post(path, {"field": "id_number", "reason": "督查需要"}).status_code == 403


def test_revealing_is_limited_by_the_hour(world: World, add: Add) -> None:
    person = add(1, "张明")
    boss, chief = world.phone(world.boss), world.phone(world.worker(Role.CHIEF, SHENGPING))
    setting = {"value": 2, "effective_from": "2026-03-05", "source_doc_no": "测试"}
    assert boss.put("/settings/reveal.most_per_hour", setting).status_code == 200
    asked = {"field": "phone", "reason": "联系本人"}
    answers = [chief.post(f"/archives/{person}/reveal", asked) for _ in range(4)]
    assert [one.status_code for one in answers] == [200, 200, 429, 429]
    assert int(answers[2].headers["Retry-After"]) > 0
    world.clock.move(hours=1)
    assert chief.post(f"/archives/{person}/reveal", asked).status_code == 200


@pytest.mark.parametrize("query", ["张三", "ZS", "341882003-TK-2025-0", id_number(1), id_number(1)[-4:]])
def test_no_search_walks_through_everybody(world: World, query: str) -> None:
    chief = world.worker(Role.CHIEF, SHENGPING)
    with world.work() as work:
        _many(work.session)
    with world.work(chief) as work:
        wanted = statement(work, Wanted(query=query), None, 51)
        engine = work.session.get_bind()
        compiled = wanted.compile(engine, compile_kwargs={"render_postcompile": True})
        names = compiled.positiontup
        params: Any = tuple(compiled.params[name] for name in names) if names else dict(compiled.params)
        connection = work.session.connection()
        connection.exec_driver_sql("ANALYZE persons")
        if engine.dialect.name == "postgresql":
            plan = [row[0] for row in connection.exec_driver_sql(f"EXPLAIN {compiled}", params)]
            walks = [line for line in plan if "Seq Scan on persons" in line]
        else:
            plan = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}", params)]
            walks = [line for line in plan if line.startswith("SCAN persons")]
    assert plan
    assert walks == [], plan


def _many(session: Any) -> None:
    """Fill in ten thousand people who are nothing but rows."""
    from sqlalchemy import insert

    from server.people.models import Household
    from server.people.terms import Sex

    household, key = uuid4(), uuid4()
    now = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    session.add(Household(id=household, village_code=TUANSHAN, created_at=now))
    session.flush()
    names = ("张三", "李四", "王五", "赵六", "钱七", "孙八", "周九", "吴十")
    letters = ("ZS", "LS", "WW", "ZL", "QQ", "SB", "ZJ", "WS")
    session.execute(
        insert(Person),
        [
            {
                "id": uuid4(),
                "household_id": household,
                "is_head": False,
                "file_no": f"341882{number % 900:03d}-TK-2025-{number:05d}",
                "name": f"{names[number % 8]}{number}",
                "name_initials": f"{letters[number % 8]}{number}",
                "sex": Sex.MALE,
                "village_code": f"341882{number % 900:03d}200",
                "no_id_reason": "测试",
                "last4_index": number.to_bytes(32, "big"),
                "id_number_index": number.to_bytes(32, "big"),
                "photo_consent": False,
                "data_key_id": key,
                "revision": 1,
                "created_at": now,
            }
            for number in range(10_000)
        ],
    )
