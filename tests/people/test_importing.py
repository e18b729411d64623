"""Rosters taken in: looked through first, whole or not at all, and nobody twice."""

import datetime as dt
import io
from pathlib import Path
from typing import Any
from uuid import UUID

import openpyxl
import pytest
from flask import Flask
from sqlalchemy import func, select

from api_schemas.people import ImportOut
from server.ledger.models import Event
from server.people.enrolling import record_death
from server.people.models import Caregiver, Dwelling, Enrolment, Household, Person, Responsibility
from server.people.terms import Death
from server.permissions import Role
from tests.builders.world import SHENGPING, TUANSHAN, Phone, World
from tests.people.conftest import Register, id_number

HEADER = "姓名,身份证号码,村（社区）,救助类别,供养方式,享受时间,家庭住址,联系电话,户编号,与户主关系,照料人姓名,走访责任人"
FAR = "341882100009"


def roster(*rows: str, header: str = HEADER) -> bytes:
    return "\r\n".join([header, *rows]).encode("utf-8-sig")


def row(number: int, **more: str) -> str:
    facts = {
        "name": "测试甲", "id": id_number(number), "village": TUANSHAN, "category": "特困", "mode": "分散",
        "since": "2025-06-01", "address": "团山村1号", "phone": "13900000001", "house": "", "relation": "",
        "caregiver": "", "visitor": "",
    } | more  # fmt: skip
    return ",".join(facts.values())


@pytest.fixture
def chief(world: World) -> Phone:
    return world.phone(world.worker(Role.CHIEF, SHENGPING))


def send(phone: Phone, data: bytes, tail: str = "", **query: Any) -> Any:
    asked = "&".join(f"{name}={value}" for name, value in query.items())
    return phone.upload(f"/people/imports{tail}?{asked}", {"file": (io.BytesIO(data), "名册.csv")})


def count(world: World, table: Any) -> int:
    with world.work() as work:
        return work.session.scalar(select(func.count()).select_from(table)) or 0


def test_a_dry_run_tells_and_writes_nothing(world: World, chief: Phone) -> None:
    answer = send(chief, roster(row(1), row(2)), dry_run="true")
    assert answer.status_code == 200, answer.text
    told = answer.get_json()
    assert ImportOut().validate(told) == {}
    assert (told["new"], told["updated"], told["unchanged"], told["rejected"]) == (2, 0, 0, 0)
    assert count(world, Person) == 0


def test_a_roster_is_entered_once_however_often_it_comes(world: World, chief: Phone) -> None:
    data = roster(row(1), row(2))
    assert send(chief, data).get_json()["new"] == 2
    told = send(chief, data).get_json()
    assert (told["new"], told["updated"], told["unchanged"]) == (0, 0, 2)
    assert (count(world, Person), count(world, Enrolment), count(world, Dwelling)) == (2, 2, 2)
    with world.work() as work:
        assert sorted(work.session.scalars(select(Person.file_no))) == [
            "341882003-TK-2026-00001",
            "341882003-TK-2026-00002",
        ]
        told_of = work.session.scalars(select(Event.person_id).where(Event.action == "person.registered"))
        assert len(set(told_of)) == 2


def test_who_is_on_file_gets_what_is_missing_and_what_changed(
    world: World, chief: Phone, registered: Register
) -> None:
    person_id = registered(1)
    data = roster(
        row(1, phone="13800000009"), row(1, category="农村低保", mode="").replace(id_number(1), id_number(2))
    )
    told = send(chief, data).get_json()
    assert (told["new"], told["updated"]) == (1, 1)
    told = send(chief, roster(row(1, phone="13800000009", category="农村低保", mode=""))).get_json()
    assert (told["new"], told["updated"]) == (0, 1)
    shown = chief.get(f"/people/{person_id}").get_json()
    assert (shown["phone"], shown["address"]) == ("13800000009", "团山村1号")
    assert shown["categories"] == ["dibao_rural", "tekun_dispersed"]


def test_one_wrong_row_keeps_all_out_unless_it_is_left_out(world: World, chief: Phone) -> None:
    wrong = row(3).replace(id_number(3), "999999195001010011"[:-1] + "9")
    data = roster(row(1), wrong, row(1))
    answer = send(chief, data)
    assert (answer.status_code, answer.get_json()["code"]) == (422, "roster_has_problems")
    assert [one["row"] for one in answer.get_json()["problems"]] == [3, 4]
    assert count(world, Person) == 0
    assert send(chief, data, leave_out_rejected="true").get_json()["new"] == 1
    assert count(world, Person) == 1


def test_the_wrong_rows_come_back_as_a_workbook(chief: Phone) -> None:
    answer = send(chief, roster(row(1), row(2, id="123")), "/errors")
    assert answer.status_code == 200, answer.text
    sheet = openpyxl.load_workbook(io.BytesIO(answer.data)).active
    assert sheet is not None
    cells = [[cell.value for cell in line] for line in sheet.iter_rows()]
    assert len(cells) == 2
    assert str(cells[1][0]).startswith("原第3行")


def test_who_cannot_be_taken_in_comes_back_too_and_is_imported_once_corrected(
    world: World, chief: Phone, registered: Register
) -> None:
    stranger = registered(1, village_code=FAR)
    dead = registered(2)
    with world.work() as work:
        record_death(work, dead, Death(dt.date(2026, 3, 4)))
    before = {stranger: of(world, stranger), dead: of(world, dead)}
    data = roster(
        row(3), row(1), row(2), row(4), row(4, address="=1+1"), row(5, village=FAR), row(6, id="12")
    )
    assert [one["row"] for one in send(chief, data, dry_run="true").get_json()["problems"]] == [3, 4, 6, 7, 8]
    sent = send(chief, data, "/errors")
    book = openpyxl.load_workbook(io.BytesIO(sent.data))
    sheet = book.active
    assert sheet is not None
    reasons = [str(sheet.cell(line, 1).value) for line in range(2, sheet.max_row + 1)]
    assert reasons[:3] == [
        "原第3行：此人已在其他地方登记，请联系县民政局。",
        "原第4行：此人已登记死亡，请核对。",
        "原第6行：身份证号码：与第5行是同一个身份证号码，请只保留一行",
    ]
    assert [one.partition("：")[0] for one in reasons] == [f"原第{line}行" for line in (3, 4, 6, 7, 8)]
    assert send(chief, data, leave_out_rejected="true").get_json()["new"] == 2
    assert [cell.value for cell in sheet[1]][:4] == ["错误说明", "姓名", "身份证号码", "村(社区)"]
    for line, number in zip(range(2, 7), (11, 12, 13, 14, 15), strict=True):
        sheet.cell(line, 3).value = id_number(number)
        sheet.cell(line, 4).value = TUANSHAN
    corrected = io.BytesIO()
    book.save(corrected)
    told = send(chief, corrected.getvalue()).get_json()
    assert (told["new"], told["updated"], told["rejected"]) == (5, 0, 0), told
    assert count(world, Person) == 9
    with world.work() as work:
        keys = work.keys.fetch(work.session, work.session.scalars(select(Person.data_key_id)))
        addresses = [
            keys[one.data_key_id].open(
                one.address_sealed, table="persons", column="address_sealed", row=one.id
            )
            for one in work.session.scalars(select(Person))
            if one.address_sealed
        ]
    assert addresses.count("=1+1") == 1
    assert before == {stranger: of(world, stranger), dead: of(world, dead)}


def of(world: World, person_id: UUID) -> tuple[int, int | None]:
    """Say how often a person was changed, and told of."""
    with world.work() as work:
        told = select(func.count()).select_from(Event).where(Event.person_id == person_id)
        return work.session.get_one(Person, person_id).revision, work.session.scalar(told)


def test_people_of_elsewhere_are_not_touched_and_only_the_fact_is_told(
    world: World, registered: Register
) -> None:
    registered(1)
    with world.work() as work:
        from server.regions.models import Region

        village = work.session.scalars(
            select(Region.code).where(Region.code.like("341882100%"), func.length(Region.code) == 12)
        ).first()
    far = world.phone(world.worker(Role.CHIEF, "341882100"))
    told = send(far, roster(row(1, village=str(village))), dry_run="true").get_json()
    assert (told["new"], told["rejected"]) == (0, 1)
    assert told["problems"][0]["message"].startswith("此人已在其他地方登记")
    told = send(far, roster(row(2)), dry_run="true").get_json()
    assert (told["new"], told["rejected"]) == (0, 1)


def test_a_household_has_one_head_and_its_members_share_it(world: World, chief: Phone) -> None:
    data = roster(
        row(1, house="7", relation="妻", category="农村低保", mode=""),
        row(2, house="7", relation="户主", category="农村低保", mode=""),
        row(3),
    )
    assert send(chief, data).status_code == 200
    assert count(world, Household) == 2
    with world.work() as work:
        heads = work.session.scalars(select(Person.is_head).order_by(Person.id)).all()
        assert list(heads) == [False, True, True]


def test_caregivers_and_responsible_workers_come_along_when_the_name_is_clear(
    world: World, chief: Phone
) -> None:
    world.worker()
    assert send(chief, roster(row(1, caregiver="测试照料", visitor="测试走访人员"))).status_code == 200
    assert (count(world, Caregiver), count(world, Responsibility)) == (1, 1)
    world.worker()
    assert send(chief, roster(row(2, visitor="测试走访人员"))).status_code == 200
    assert count(world, Responsibility) == 1


@pytest.mark.parametrize("data", [b"", b"\x00\x01", b"PK\x03\x04 broken", "甲,乙\r\n1,2".encode()])
def test_what_is_no_roster_is_refused(chief: Phone, data: bytes) -> None:
    assert send(chief, data).status_code == 422


def test_only_the_head_of_the_township_imports(world: World) -> None:
    for role in (Role.VISITOR, Role.REVIEWER, Role.COUNTY_INSPECTOR):
        for tail in ("", "/errors"):
            assert send(world.phone(world.worker(role, SHENGPING)), roster(row(1)), tail).status_code == 403


def test_what_the_roster_says_of_people_is_nowhere_in_the_clear(world: World, chief: Phone) -> None:
    assert send(chief, roster(row(1))).status_code == 200
    with world.work() as work:
        assert not [
            event for event in work.session.scalars(select(Event.payload)) if event and id_number(1) in event
        ]


def test_the_command_imports_as_the_house(app: Flask, world: World, tmp_path: Path) -> None:
    file, errors = tmp_path / "名册.csv", tmp_path / "errors.xlsx"
    file.write_bytes(roster(row(1), row(2, id="123")))
    run = app.test_cli_runner()
    asked = ["people", "import", str(file), "--errors", str(errors)]
    dry = run.invoke(args=[*asked, "--dry-run"])
    assert (dry.exit_code, errors.exists()) == (0, True), dry.output
    assert run.invoke(args=asked).exit_code == 1
    assert count(world, Person) == 0
    assert run.invoke(args=[*asked, "--skip-rejected"]).exit_code == 0
    assert count(world, Person) == 1


def test_commands_register_pause_hand_over_and_record_a_death(app: Flask, world: World) -> None:
    run = app.test_cli_runner()
    made = run.invoke(
        args=["people", "register", "--name", "测试丁", "--village", "341882003200", "--id-number-stdin",
              "--category", "tekun_dispersed", "--since", "2025-06-01"],
        input=id_number(4),
    )  # fmt: skip
    assert made.exit_code == 0, made.output
    person_id, file_no = made.output.split()
    assert file_no == "341882003-TK-2026-00001"
    paused = run.invoke(args=["people", "pause", person_id, "hospital", "2026-03-05", "2026-03-09"])
    assert paused.exit_code == 0, paused.output
    first, second = world.worker(), world.worker()
    person = world.person(first)
    handed = ["people", "hand-over", str(first.worker_id), str(second.worker_id), "--reason", "调整"]
    assert run.invoke(args=[*handed, "--person", str(person)]).exit_code == 0
    assert run.invoke(args=handed).exit_code == 1
    assert run.invoke(args=["people", "death", person_id, "2026-03-05"]).exit_code == 0
    late = run.invoke(args=["people", "death", person_id, "2026-03-04"])
    assert (late.exit_code, "died_on_another_day" in late.output) == (1, True)
