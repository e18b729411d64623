"""Who is overdue, today, on any past day, and as the house knew it then (CONTRACT §7)."""

import io
from uuid import UUID, uuid4

import openpyxl

from server.people.terms import Category
from server.permissions import Role
from tests.builders.visits import a_visit_body
from tests.builders.world import GUANGDE, QIANCUN, SHENGPING, TUANSHAN, Phone, World


def chief(world: World) -> Phone:
    return world.phone(world.worker(Role.CHIEF, SHENGPING))


def visit(phone: Phone, person: UUID, happened: str, **changes: object) -> UUID:
    visit_id = uuid4()
    body = a_visit_body(
        person,
        visitors=[str(phone.actor.worker_id)],
        occurred_at=happened,
        ended_at=None,
        client_created_at=happened,
        **changes,
    )
    answer = phone.put(f"/visits/{visit_id}", body)
    assert answer.status_code == 201, answer.json
    return visit_id


def due(items: list[dict[str, object]]) -> list[object]:
    return [item["due_on"] for item in items]


def test_a_visit_filed_weeks_late_takes_the_person_off_the_list_but_not_off_the_list_of_then(
    world: World,
) -> None:
    phone, township = world.phone(world.worker()), chief(world)
    person = world.person(phone.actor)
    world.clock.set("2026-03-20T12:00:00+08:00")
    phone, township = world.phone(phone.actor), world.phone(township.actor)
    before = township.get("/overdue", as_of="2026-03-10").json["items"]
    assert due(before) == ["2026-01-31"]
    for happened in ("2026-01-15T09:00:00+08:00", "2026-02-20T09:00:00+08:00"):
        visit(phone, person, happened)
    assert township.get("/overdue", as_of="2026-03-10").json["items"] == []
    world.clock.move(days=1)
    then = township.get("/overdue", as_of="2026-03-10", known_at="2026-03-19T00:00:00+08:00").json["items"]
    assert due(then) == due(before)
    again = township.get("/overdue", as_of="2026-03-10", known_at="2026-03-19T00:00:00+08:00").json["items"]
    assert again == then


def test_a_missed_month_is_overdue_until_the_next_visit(world: World) -> None:
    phone, township = world.phone(world.worker()), chief(world)
    person = world.person(phone.actor)
    visit(phone, person, "2026-01-31T23:59:59+08:00")
    visit(phone, person, "2026-03-03T00:00:00+08:00")
    assert due(township.get("/overdue", as_of="2026-03-02").json["items"]) == ["2026-02-28"]
    assert due(township.get("/overdue", as_of="2026-03-03").json["items"]) == []
    assert due(township.get("/overdue", as_of="2026-02-28").json["items"]) == []


def test_an_attempt_is_counted_and_keeps_nobody_off_the_list(world: World) -> None:
    phone, township = world.phone(world.worker()), chief(world)
    person = world.person(phone.actor, since=world.clock().date().replace(month=2, day=1))
    absent = {
        "informants": [{"relation": "neighbour", "name": "邻居", "said": "走亲戚去了"}],
        "last_seen_on": "2026-02-19",
        "whereabouts": "女儿家",
        "absence_reason": "visiting_relatives",
        "contact_tried": ["phone"],
        "next_try_on": "2026-02-22",
    }
    visit(
        phone,
        person,
        "2026-02-20T09:00:00+08:00",
        outcome="not_met",
        identity_checked_by=None,
        absence=absent,
        answers={},
    )
    (item,) = township.get("/overdue").json["items"]
    assert (item["due_on"], item["attempts"], item["days_overdue"], item["last_met_on"]) == (
        "2026-02-28",
        1,
        5,
        None,
    )


def test_filters_sight_and_pages(world: World) -> None:
    here, there = world.worker(), world.worker(area=QIANCUN)
    for _ in range(3):
        world.person(here)
    world.person(there, village=QIANCUN)
    world.person(here, category=Category.ORPHAN)
    township = chief(world)
    whole = township.get("/overdue").json["items"]
    assert len(whole) == 4
    assert len(township.get("/overdue", village=QIANCUN).json["items"]) == 1
    assert len(world.phone(here).get("/overdue").json["items"]) == 3
    assert len(world.phone(world.worker(Role.COUNTY_INSPECTOR, GUANGDE)).get("/overdue").json["items"]) == 4
    assert world.phone(world.worker(Role.CHIEF, "341882001")).get("/overdue").json["items"] == []
    paged, cursor = [], None
    while True:
        page = township.get("/overdue", limit=1, **({"cursor": cursor} if cursor else {})).json
        paged += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert paged == whole


def test_the_county_sees_masked_numbers(world: World) -> None:
    world.person(world.worker())
    (item,) = world.phone(world.worker(Role.COUNTY_INSPECTOR, GUANGDE)).get("/overdue").json["items"]
    assert item["person"]["phone"] == "139****0001"
    assert "1号" not in (item["person"]["address"] or "")


def test_the_workbook_holds_the_same_people_as_text(world: World) -> None:
    world.person(world.worker(), name="=cmd|' /C calc'!A0")
    answer = chief(world).get("/overdue.xlsx")
    sheet = openpyxl.load_workbook(io.BytesIO(answer.data)).active
    assert sheet is not None
    rows = list(sheet.iter_rows(values_only=True))
    assert rows[1][1] == "=cmd|' /C calc'!A0"
    assert sheet.cell(2, 2).data_type == "s"
    assert len(rows) == 2


def test_the_summary_counts_by_village(world: World) -> None:
    phone = world.phone(world.worker())
    township = chief(world)
    met, late, tried, never = (world.person(phone.actor) for _ in range(4))
    visit(phone, met, "2026-03-02T09:00:00+08:00")
    world.clock.set("2026-04-02T09:00:00+08:00")
    phone, township = world.phone(phone.actor), world.phone(township.actor)
    visit(phone, late, "2026-03-30T09:00:00+08:00")
    absent = {
        "informants": [], "last_seen_on": "2026-03-20", "whereabouts": "不明", "absence_reason": "unknown",
        "contact_tried": [], "next_try_on": "2026-03-22",
    }  # fmt: skip
    visit(
        phone,
        tried,
        "2026-03-20T09:00:00+08:00",
        outcome="not_met",
        identity_checked_by=None,
        absence=absent,
        answers={},
    )
    answer = township.get("/overdue/summary", as_of="2026-03-31").json
    (row,) = answer["items"]
    assert row["village"]["code"] == TUANSHAN
    counts = {name: row[name] for name in ("due", "met", "met_late", "attempted_only")}
    assert counts == {"due": 4, "met": 1, "met_late": 1, "attempted_only": 1}
    assert answer["total"]["due"] == 4
    assert never is not None


def test_a_visitor_of_nobody_and_an_administrator_see_nobody(world: World) -> None:
    world.person(world.worker())
    assert world.phone(world.worker()).get("/overdue").json["items"] == []
    assert world.phone(world.boss).get("/overdue").status_code == 403


def test_what_will_be_known_cannot_be_asked(world: World) -> None:
    township = chief(world)
    assert township.get("/overdue", known_at="2027-01-01T00:00:00+08:00").status_code == 422
    assert township.get("/overdue", as_of="2028-01-01").status_code == 422
    assert township.get("/overdue", as_of="1800-01-01").status_code == 422


def test_a_day_to_come_is_answered_as_if_nothing_more_happened(world: World) -> None:
    phone, township = world.phone(world.worker()), chief(world)
    person = world.person(phone.actor)
    assert due(township.get("/overdue", as_of="2026-04-05").json["items"]) == ["2026-01-31"]
    visit(phone, person, "2026-03-05T09:00:00+08:00")
    assert township.get("/overdue", as_of="2026-04-05").json["items"] == []


def test_the_counts_of_a_past_day_know_what_was_overdue_then(world: World) -> None:
    phone, township = world.phone(world.worker()), chief(world)
    person = world.person(phone.actor)
    overdue = {"2026-02-10": 1, "2026-03-04": 2}

    def counted() -> dict[str, int]:
        return {day: township.get("/overdue/summary", as_of=day).json["total"]["overdue"] for day in overdue}

    assert counted() == overdue
    visit(phone, person, "2026-03-05T09:00:00+08:00")  # closes what was missed; then it still was overdue
    assert counted() == overdue
    assert township.get("/overdue/summary").json["total"]["overdue"] == 0
