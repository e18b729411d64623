"""What is personal appears in no log line, no URL, no problem of somebody else, and not in the database's files."""

import io
import json
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
import structlog
from flask import Flask, request
from sqlalchemy import text

from server.db import vault_file
from server.http.guard import needs
from server.http.log import mask
from server.permissions import Can, Role
from tests.builders.visits import a_hazard, a_photo, a_visit_body, an_absence
from tests.builders.world import GUANGDE, QIANCUN, SHENGPING, TUANSHAN, Phone, World
from tests.people.conftest import id_number

IDS = [id_number(number) for number in range(401, 426)]
PHONES = [f"1398765{number:04}" for number in range(20)]
NAMES = [f"金丝雀{letter}" for letter in "甲乙丙丁戊己庚辛壬癸子丑寅卯辰巳午未申酉"]
ADDRESSES = [f"金丝雀巷{number}号" for number in range(100, 120)]
NOTES = [f"金丝雀之言{number}" for number in range(100, 120)]
WORDS = ["canary-password-1", "canary-otp-1", "canary-code-1", "canary-invite"]
SEALED = [*IDS, *PHONES, *ADDRESSES, *NOTES]
ALL = [*SEALED, *NAMES, *WORDS]


class Heard:
    """Everything that was logged, by structlog or the standard library, as it would reach the disk."""

    def __init__(self) -> None:
        self.stream = io.StringIO()

    def canaries(self) -> set[str]:
        return found_in(self.stream.getvalue())

    def lines(self) -> list[str]:
        return self.stream.getvalue().splitlines()


def found_in(words: str) -> set[str]:
    escaped = words + "".join(json.loads(f'"{one}"') for one in re.findall(r"(?:\\u[0-9a-f]{4})+", words))
    return {one for one in ALL if one in escaped}


@contextmanager
def listening() -> Iterator[Heard]:
    heard = Heard()
    handler = logging.StreamHandler(heard.stream)
    root = logging.getLogger()
    level, before = root.level, structlog.get_config()
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    structlog.configure(
        processors=[mask, structlog.processors.JSONRenderer(ensure_ascii=False)],
        logger_factory=structlog.PrintLoggerFactory(heard.stream),
        cache_logger_on_first_use=False,
    )
    try:
        yield heard
    finally:
        structlog.configure(**before)
        root.setLevel(level)
        root.removeHandler(handler)


@pytest.fixture
def heard(app: Flask, capsys: pytest.CaptureFixture[str]) -> Iterator[Heard]:
    """Listen to the logs; what an already bound logger writes to stderr is heard too."""
    with listening() as ears:
        yield ears


def everything(ears: Heard, capsys: pytest.CaptureFixture[str]) -> str:
    out = capsys.readouterr()
    return ears.stream.getvalue() + out.out + out.err


def a_person(number: int, **more: Any) -> dict[str, Any]:
    return {
        "id": str(uuid4()),
        "name": NAMES[number],
        "village_code": TUANSHAN,
        "id_number": IDS[number],
        "phone": PHONES[number],
        "address": ADDRESSES[number],
        "bank_account": "62284800" + PHONES[number],
        "health": NOTES[number],
        "enrolment": {"id": str(uuid4()), "category": "tekun_dispersed", "valid_from": "2025-06-01"},
        **more,
    }


def a_visit(phone: Phone, person: object, number: int, **more: Any) -> dict[str, Any]:
    words = {
        "notes": NOTES[number],
        "village_assistant": NAMES[number],
        "needs": [{"kind": "medical", "detail": NOTES[number + 1]}],
        "problems": [a_hazard(description=NOTES[number + 2], owner=NAMES[number + 1])],
        "photos": [a_photo(id=str(uuid4()))],
        "visitors": [str(phone.actor.worker_id)],
    }
    words["problems"][0]["photo_ids"] = [words["photos"][0]["id"]]
    return a_visit_body(str(person), **words | more)


class Canaries:
    """Everybody who sings: people on file, visits, rosters; and what the others were told."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.chief = world.phone(world.worker(Role.CHIEF, SHENGPING))
        self.visitor = world.phone(world.worker())
        self.stranger = world.phone(world.worker(Role.CHIEF, "341882100"))
        self.neighbour = world.phone(world.worker(area=QIANCUN))
        self.told: list[str] = []
        """Problem documents that somebody got who sent something else, or may not see it."""

    def files(self) -> UUID:
        """Register people; refused bodies, repeats and conflicts among them."""
        people = []
        for number in range(4):
            sent = a_person(number)
            made = self.chief.post("/people", sent)
            assert made.status_code == 201, made.text
            people.append(UUID(sent["id"]))
            assert self.chief.post("/people", sent | {"name": NAMES[5]}).status_code == 409
        for number, wrong in enumerate(
            (
                {"sex": NAMES[6]},
                {"unknown": NAMES[7]},
                {"village_code": NAMES[8]},
                {"id_number": IDS[6][:-2]},
            ),
            4,
        ):
            answer = self.chief.post("/people", a_person(number, **wrong))
            assert answer.status_code == 422
            assert not {IDS[number], PHONES[number], ADDRESSES[number]} & found_in(answer.text)
        other = self.stranger.post("/people", a_person(0, id=str(uuid4()), village_code="341882100009"))
        assert other.status_code in {409, 422}
        self.told.append(other.text)
        person = people[0]
        for phone in (self.stranger, self.neighbour):
            self.told += [
                phone.get(f"/people/{person}").text,
                phone.put(f"/people/{person}", {"phone": PHONES[9]}, revision=1).text,
                phone.put(f"/visits/{uuid4()}", a_visit(phone, person, 3)).text,
                phone.get("/visits", person_id=person).text,
            ]
        caring = {"name": NAMES[10], "relation": "neighbour", "phone": PHONES[10]}
        assert self.chief.put(f"/people/{person}/caregiver", caring).status_code == 200
        pause = {"id": str(uuid4()), "reason": "hospital", "from_on": "2026-03-06", "to_on": "2026-03-09", "note": NOTES[10]}  # fmt: skip
        assert self.chief.post(f"/people/{person}/pauses", pause).status_code == 201
        worker = {"worker_id": str(self.visitor.actor.worker_id)}
        assert self.chief.put(f"/people/{person}/responsible", worker).status_code == 200
        return person

    def visits(self, person: UUID) -> None:
        """Record a visit and an attempt, conflicts and corrections, a decision with its reason."""
        visit, sent = uuid4(), a_visit(self.visitor, person, 0)
        assert self.visitor.put(f"/visits/{visit}", sent).status_code == 201
        conflict = self.visitor.put(f"/visits/{visit}", sent | {"notes": NOTES[4]})
        assert (conflict.status_code, NOTES[0] in conflict.text) == (409, False)
        assert self.visitor.put(f"/visits/{visit}", sent | {"notes": NOTES[5]}, revision=1).status_code == 200
        for wrong in ({"notes": NOTES[6], "method": NAMES[11]}, {NAMES[12]: NOTES[7]}):
            assert self.visitor.put(f"/visits/{uuid4()}", sent | wrong).status_code == 422
        informant = {"relation": "neighbour", "name": NAMES[13], "said": NOTES[8], "phone": PHONES[11]}
        absent = an_absence(informants=[informant], whereabouts=ADDRESSES[11])
        attempt = {"outcome": "not_met", "identity_checked_by": None, "answers": {}, "absence": absent}
        made = self.visitor.put(
            f"/visits/{uuid4()}",
            a_visit(self.visitor, person, 9, **attempt, photos=[], problems=[], needs=[]),
        )
        assert made.status_code == 201, made.text
        asked = {"decision": "return", "reason": NOTES[11], "revision": 2}
        assert self.chief.post(f"/visits/{visit}/decisions", asked).status_code == 201
        self.told += [
            self.neighbour.get(f"/visits/{visit}").text,
            self.neighbour.put(f"/visits/{visit}", sent, revision=1).text,
            self.neighbour.post(f"/visits/{visit}/decisions", asked).text,
        ]
        for path in ("/worklist", "/sync", "/visits"):
            assert self.visitor.get(path).status_code == 200
            self.told.append(self.neighbour.get(path).text)

    def mistakes(self, app: Flask) -> None:
        """Send what is no JSON, what is nowhere, what fails to sign in, and a roster with wrong rows."""
        client = app.test_client()
        headers = {"Authorization": f"Bearer {self.chief.token}"}
        broken = f'{{"name": "{NAMES[14]}", "id_number": {IDS[14]}'
        for kind in ("application/json", "text/plain", f"text/{IDS[15]}"):
            assert (
                client.post("/api/v1/people", data=broken, content_type=kind, headers=headers).status_code
                < 500
            )
        for path in (f"/api/v1/people/{IDS[16]}", f"/api/v1/{NAMES[15]}", f"/problems/{PHONES[12]}"):
            assert client.get(path, headers=headers).status_code == 404
            assert client.patch(path, headers=headers).status_code in {404, 405}
        self.chief.get("/archives", query=IDS[17])
        self.chief.get("/visits", village=IDS[18], cursor=NAMES[16])
        client.get("/api/v1/me", headers={"X-Request-Id": NAMES[17].encode().decode("latin-1")})
        client.get("/api/v1/me", headers={"Authorization": f"Bearer {WORDS[2]}", "User-Agent": PHONES[13]})
        tries: list[tuple[str, dict[str, Any]]] = [
            ("password", {"username": PHONES[14], "password": WORDS[0], "otp": WORDS[1]}),
            ("password", {"username": "x", "password": {"a": WORDS[0]}}),
            ("wechat", {"code": WORDS[2]}),
            ("wecom", {"code": WORDS[2]}),
            ("wechat/bind", {"bind_ticket": WORDS[2], "invite_code": WORDS[3]}),
        ]
        for path, body in tries:
            answer = client.post(f"/api/v1/auth/{path}", json=body)
            assert answer.status_code in {401, 403, 422, 429, 503}, (path, answer.text)
            self.told.append(answer.text)
        roster = [
            "姓名,身份证号码,村（社区）,救助类别,供养方式,享受时间,家庭住址,联系电话",
            f"{NAMES[18]},{IDS[19]},{TUANSHAN},特困,分散,2025-06-01,{ADDRESSES[12]},{PHONES[15]}",
            f"{NAMES[19]},{IDS[20][:-1]},{TUANSHAN},特困,分散,2025-06-01,{ADDRESSES[13]},{PHONES[16]}",
            f"{NAMES[19]},{IDS[21]},{ADDRESSES[14]},特困,分散,明天,{ADDRESSES[15]},{PHONES[17]}",
        ]
        for tail, query in (
            ("", "?dry_run=true"),
            ("", ""),
            ("/errors", ""),
            ("", "?leave_out_rejected=true"),
        ):
            data = io.BytesIO("\r\n".join(roster).encode())
            answer = self.chief.upload(f"/people/imports{tail}{query}", {"file": (data, f"{NAMES[18]}.csv")})
            assert answer.status_code < 500, answer.text


@pytest.fixture
def broken(app: Flask) -> str:
    """Add a view that breaks over what it was sent, in Python and in the database."""

    @app.post("/api/v1/breaks")
    @needs(Can.SIGNED_IN)
    def breaks() -> str:
        from server.http.guard import work

        body = request.get_json()
        if body["how"] == "database":
            work().session.execute(text("SELECT :name FROM nowhere"), {"name": body["name"]})
        raise ValueError(body["name"])

    return "/breaks"


def sing(app: Flask, world: World, path: str) -> Canaries:
    canaries = Canaries(world)
    canaries.visits(canaries.files())
    canaries.mistakes(app)
    for how in ("python", "database"):
        answer = canaries.chief.post(path, {"how": how, "name": f"{NAMES[0]} {IDS[22]} {PHONES[18]}"})
        assert answer.status_code in ({500} if how == "python" else {500, 503})
        assert found_in(answer.text) == set()
    return canaries


def test_no_log_line_holds_a_personal_datum(
    app: Flask, world: World, broken: str, heard: Heard, capsys: pytest.CaptureFixture[str]
) -> None:
    sing(app, world, broken)
    logged = everything(heard, capsys)
    assert logged.count('"event": "request"') > 60
    assert logged.count('"unforeseen"') + logged.count('"database_unavailable"') == 2
    assert found_in(logged) == set()


def test_what_would_leak_is_heard(heard: Heard, capsys: pytest.CaptureFixture[str]) -> None:
    structlog.get_logger().info("leak", name=NAMES[0])
    logging.getLogger("somebody").warning("leak %s", NOTES[0])
    assert found_in(everything(heard, capsys)) == {NAMES[0], NOTES[0]}
    structlog.get_logger().info("numbers", one=IDS[0], other=f"call {PHONES[0]} now")
    assert found_in(everything(heard, capsys)) == {NAMES[0], NOTES[0]}


def test_nobody_is_told_what_is_somebody_else_s(app: Flask, world: World, broken: str) -> None:
    told = sing(app, world, broken).told
    assert len(told) > 15
    assert {one: found_in(one) for one in told if found_in(one)} == {}


def test_no_address_of_ours_can_hold_a_datum(app: Flask) -> None:
    personal = {"name", "phone", "id_number", "address", "notes", "reason", "password"}
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith("/api/") and rule.arguments != {"key"}:  # the key of a setting
            assert re.findall(r"<(?!uuid:)", rule.rule) == [], rule
            assert not rule.arguments & personal


def test_sealed_columns_are_nowhere_in_the_clear(
    app: Flask, world: World, broken: str, database_url: str
) -> None:
    sing(app, world, broken)
    if database_url.startswith("sqlite"):
        data = sqlite_bytes(world, database_url)
    else:
        data = "\n".join(postgresql_rows(world)).encode()
    hidden = [*SEALED, "62284800"]
    assert {one for one in hidden if one.encode() in data} == set()
    assert {one for one in hidden if one.encode().hex().encode() in data} == set()
    assert {one for one in hidden if json.dumps(one).strip('"').encode() in data} == set()
    assert NAMES[0].encode() in data  # names stay searchable; the search above does find what is there


def sqlite_bytes(world: World, url: str) -> bytes:
    world.house.engine.dispose()
    files = [Path(url.removeprefix("sqlite:///")), Path(vault_file(url))]
    return b"".join(
        one.read_bytes()
        for file in files
        for one in sorted(file.parent.glob(f"{file.name}*"))
        if one.is_file()
    )


def postgresql_rows(world: World) -> Iterator[str]:
    with world.house.engine.connect() as connection:
        tables = connection.execute(
            text("SELECT schemaname, tablename FROM pg_tables WHERE schemaname IN ('public', 'vault')")
        ).all()
        for schema, table in tables:
            for row in connection.execute(text(f'SELECT t::text FROM "{schema}"."{table}" AS t')):
                yield str(row[0])


def test_the_county_sees_masks_only(app: Flask, world: World) -> None:
    canaries = Canaries(world)
    person = canaries.files()
    county = world.phone(world.worker(Role.COUNTY_INSPECTOR, GUANGDE))
    shown = county.get(f"/people/{person}").text
    assert not {IDS[0], PHONES[0], PHONES[10], ADDRESSES[0]} & found_in(shown)


def test_an_id_number_sent_as_a_request_id_is_not_taken_for_one(app: Flask) -> None:
    for sent in ("999999195001010018", "13900000001", "99999919351231003X"):
        answer = app.test_client().get("/healthz", headers={"X-Request-Id": sent})
        assert answer.headers["X-Request-Id"] != sent
    kept = app.test_client().get("/healthz", headers={"X-Request-Id": "phone-7.2026"})
    assert kept.headers["X-Request-Id"] == "phone-7.2026"
