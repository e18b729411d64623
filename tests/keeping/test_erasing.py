"""Erasing a person: two people, a reason, nothing of them left to read, and a ledger that still verifies."""

import io
import json
import random
from typing import Any
from uuid import UUID, uuid4

import pytest
from click.testing import Result
from sqlalchemy import Float, LargeBinary, String, Text, select, update
from sqlalchemy.types import JSON

from ledger_verify import exported, notes
from server.auditing import exporting
from server.db import Base, Word, unit_of_work
from server.http.parts import Parts
from server.keeping import erasing
from server.ledger import checkpoints
from server.ledger.notes import SigningKey
from server.people.models import Enrolment, Person
from server.permissions import Actor, Role
from server.places.terms import Datum
from server.tables import METADATA
from tests.builders.visits import a_visit_body
from tests.builders.world import GUANGDE, SHENGPING, World
from tests.photos.sending import picture, send

CANARIES = (
    "金丝雀名",
    "金丝雀记",
    "13912345678",
    "30.8977",
    "119.4177",
    "金丝雀料",
    "金丝雀评",
    "旧档金丝雀",
)
KEY = SigningKey.generate("test.example/ledger", random.Random(1).randbytes)


class File:
    """A person with a canary in every place that takes one, and two chiefs and an inspector."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.visitor = world.worker()
        self.chief, self.other = world.worker(Role.CHIEF, SHENGPING), world.worker(Role.CHIEF, SHENGPING)
        self.inspector = world.worker(Role.COUNTY_INSPECTOR, GUANGDE)
        self.person = world.person(self.visitor, name="金丝雀名")
        self.neighbour = world.person(self.visitor, name="邻居甲")
        self.phone = world.phone(self.visitor)
        self.boss = world.phone(self.chief)
        self._fill()

    def _fill(self) -> None:
        here = f"/people/{self.person}"
        put: list[tuple[str, str, dict[str, Any]]] = [
            ("put", here, {"legacy_no": "旧档金丝雀", "phone": "13912345678"}),
            ("put", f"{here}/home", {"latitude": 30.8977, "longitude": 119.4177, "datum": Datum.GCJ02}),
            (
                "put",
                f"{here}/caregiver",
                {"name": "金丝雀料", "relation": "neighbour", "phone": "13912345678"},
            ),
            (
                *("post", f"{here}/assessments"),
                {
                    "id": str(uuid4()),
                    "can": dict.fromkeys(("eat", "dress", "bed", "toilet", "walk", "bathe"), True),
                    "assessed_on": "2026-03-01",
                    "assessor": "金丝雀评",
                },
            ),
        ]
        for verb, path, body in put:
            answer = getattr(self.boss, verb)(path, body, **({"revision": 1} if path == here else {}))
            assert answer.status_code < 300, (path, answer.json)
        self.visits = [self.visited(self.person, "金丝雀记"), self.visited(self.neighbour, "一切都好")]
        self.photo = uuid4()
        assert send(self.phone, self.visits[0], picture(), self.photo).status_code == 201
        assert self.phone.get(f"/photos/{self.photo}", size="thumb").status_code == 200
        self.neighbours_photo = uuid4()
        assert send(self.phone, self.visits[1], picture(), self.neighbours_photo).status_code == 201

    def visited(self, person: UUID, note: str) -> UUID:
        visit = uuid4()
        body = a_visit_body(
            person,
            visitors=[str(self.visitor.worker_id)],
            notes=note,
            location={"latitude": 30.8977, "longitude": 119.4177, "datum": "gcj02", "accuracy_m": 10.0, "taken_at": None},
            no_location_reason=None,
        )  # fmt: skip
        answer = self.phone.put(f"/visits/{visit}", body)
        assert answer.status_code == 201, answer.json
        return visit

    def leave(self) -> None:
        """Let the person leave the roster."""
        with unit_of_work(self.world.house.sessions) as session:
            session.execute(
                update(Enrolment)
                .where(Enrolment.person_id == self.person)
                .values(valid_to=Enrolment.valid_from)
            )

    def erase(
        self, by: Actor | None = None, approved_by: Actor | None = None, reason: str = "本人书面申请"
    ) -> Result:
        """Run the command."""
        words = ["people", "erase", str(self.person), "--by", str((by or self.chief).worker_id)]
        words += ["--approved-by", str((approved_by or self.inspector).worker_id)]
        return self.world.app.test_cli_runner().invoke(args=words, input=reason)


@pytest.fixture
def file(world: World) -> File:
    return File(world)


def rows_with(house: Parts, canary: str) -> set[str]:
    """Name every table in which a text is to be found, however it is stored."""
    found = set()
    with unit_of_work(house.sessions) as session:
        for name, table in METADATA.tables.items():
            for row in session.execute(select(table)):
                said = json.dumps([str(value) for value in row], ensure_ascii=False)
                if canary in said or canary.encode().hex() in said:
                    found.add(name)
    return found


def test_nothing_of_the_person_is_left_in_any_column_and_the_neighbour_is_untouched(
    house: Parts, file: File
) -> None:
    assert {"persons"} <= rows_with(house, "金丝雀名")
    assert {"homes", "visits"} <= rows_with(house, "30.8977")
    file.leave()
    result = file.erase()
    assert result.exit_code == 0, result.output
    assert result.stdout == "erased; 3 pictures deleted\n"
    left = {canary: rows_with(house, canary) for canary in CANARIES}
    neighbours = {"visits", "visit_marks"}
    assert {canary: names - neighbours for canary, names in left.items()} == {one: set() for one in CANARIES}
    with unit_of_work(house.sessions) as session:
        visits = METADATA.tables["visits"].c
        bodies = (
            session.execute(select(visits.open_body).where(visits.person_id == file.person)).scalars().all()
        )
    assert [body["location"] for body in bodies] == [None]
    assert file.phone.get(f"/visits/{file.visits[1]}").json["notes"] == "一切都好"
    assert file.phone.get(f"/photos/{file.neighbours_photo}").status_code == 200
    with unit_of_work(house.sessions) as session:
        person = session.get_one(Person, file.person)
        assert house.keys.fetch_one(session, person.data_key_id) is None
        assert person.name == erasing.ERASED
    assert file.world.house.store.list() != []


def test_what_is_left_can_still_be_read_and_nothing_can_be_added(house: Parts, file: File) -> None:
    file.leave()
    assert file.erase().exit_code == 0
    visit = file.boss.get(f"/visits/{file.visits[0]}")
    assert visit.status_code == 200
    assert (visit.json["notes"], visit.json["location"]) == (None, None)
    assert file.boss.get(f"/archives/{file.person}").status_code == 200
    assert file.boss.get(f"/archives/{file.person}/timeline").status_code == 200
    assert file.phone.get("/sync").status_code == 200
    assert file.boss.get(f"/photos/{file.photo}").status_code == 404
    assert file.boss.put(f"/people/{file.person}", {"legacy_no": "1"}, revision=99).status_code == 409
    reveal = file.boss.post(f"/archives/{file.person}/reveal", {"field": "phone", "reason": "联系本人"})
    assert reveal.json["code"] == "file_erased"
    file.world.person(file.visitor)


def test_the_ledger_verifies_before_and_after(house: Parts, file: File) -> None:
    def verified() -> exported.Report:
        with file.world.work() as work:
            made = checkpoints.sign(work, KEY, [])
            assert made is not None
            note = made.note
        key = notes.public_key(KEY.public())
        content = "".join(f"{line}\n" for line in exporting.lines(house)).encode()
        return exported.verify(io.BytesIO(content), key, [notes.checkpoint(note, key)])

    assert verified().changed == []
    file.leave()
    assert file.erase().exit_code == 0
    after = verified()
    assert (after.changed, after.damaged) == ([], [])
    assert "其中 1 条因依法删除" in after.told[0]


def test_it_takes_two_people_with_the_right_a_reason_and_somebody_who_has_left(file: File) -> None:
    refused = [
        (file.erase(), "still_enrolled"),
        (file.erase(approved_by=file.chief), "not_allowed"),
        (file.erase(by=file.visitor), "not_allowed"),
        (file.erase(approved_by=file.visitor), "not_allowed"),
        (file.erase(by=file.world.worker(Role.CHIEF, "341882100")), "not_allowed"),
        (file.erase(by=Actor(uuid4(), Role.CHIEF, SHENGPING)), "not_allowed"),
        (file.erase(reason=" 无 "), "invalid"),
    ]
    for result, code in refused:
        assert result.exit_code == 1
        assert f"Error: {code}" in result.stderr
    with file.world.work() as work:
        assert work.session.get_one(Person, file.person).name == "金丝雀名"
    file.leave()
    assert file.erase(approved_by=file.other).exit_code == 0


def test_running_it_again_changes_nothing_and_leaves_one_entry(house: Parts, file: File) -> None:
    file.leave()
    assert file.erase().exit_code == 0
    again = file.erase()
    assert (again.exit_code, again.stdout) == (0, "erased before; 0 pictures deleted\n")
    with unit_of_work(house.sessions) as session:
        table = METADATA.tables["ledger_events"].c
        told = session.execute(select(table.payload).where(table.action == erasing.TOLD)).scalars().all()
    assert len(told) == 1
    assert told[0].startswith("v1.")


def test_every_table_about_a_person_says_what_becomes_of_it() -> None:
    """A new table with the id of a person, a visit or a photo must be put into one of the lists of erasing.py."""
    known = {*erasing.OVERWRITTEN, *erasing.BODIES, *erasing.DELETED, *erasing.LEFT, *erasing.OF_PICTURES}
    for name, table in Base.metadata.tables.items():
        if not {"person_id", "photo_id"} & set(table.c.keys()):
            continue
        assert name in known, f"{name}: say in server/keeping/erasing.py what an erasure does to it"
        if name in erasing.LEFT:
            open_columns = {
                column.name
                for column in table.c
                if isinstance(column.type, (String, Text, JSON, Float, LargeBinary))
                and not isinstance(column.type, Word)
                and not column.name.endswith(("_sealed", "_code"))
            }
            assert open_columns <= PLAIN.get(name, set()), f"{name}: {open_columns} may hold personal data"


PLAIN = {
    "duties": {"lane"},
    "problems": {"code", "state", "stage", "owner_kind"},
    "blind_reviews": {"month"},
    "spot_checks": {"category"},
    "ledger_events": {"action", "subject_kind", "request_id", "commitment", "payload"},
    "ledger_positions": {"leaf_hash"},
}
"""Open columns that hold codes, hashes, and payloads that are sealed or of ids."""
