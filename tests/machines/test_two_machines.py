"""A second machine: two processes with disks, key-ring files and temporary folders of their own share PostgreSQL and S3."""

import json
import secrets
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, text

from bench import phone
from bench.population import Visitor, populate
from server.app import create_app
from server.doctor.examining import examine
from server.doctor.terms import State
from server.http.parts import Parts
from server.schema import upgrade
from server.settings import Settings
from server.tools import Tools
from server.vault.keyring import Keyring
from tests.deploy.processes import ROOT, Process, processes
from tests.engines.ceph import S3Endpoint, ceph
from tests.engines.postgres import postgres

pytestmark = [pytest.mark.postgres, pytest.mark.s3, pytest.mark.slow]


@dataclass
class County:
    """Two machines, A and B, and who works with them."""

    a: Process
    b: Process
    folders: tuple[Path, Path]
    environments: tuple[dict[str, str], dict[str, str]]
    visitors: list[Visitor]
    taken: int = 0

    def next_target(self) -> tuple[str, str, str]:
        """Give a token, its worker, and a person whom nobody has visited in these tests."""
        pairs = [(one, person) for one in self.visitors[1:] for person in one.people]
        visitor, person = pairs[self.taken]
        self.taken += 1
        return visitor.token, str(visitor.worker), str(person)

    def count(self, statement: str) -> Any:
        """Ask the database for one value."""
        engine = create_engine(self.environments[0]["DATABASE_URL"])
        with engine.connect() as connection:
            value = connection.execute(text(statement)).scalar_one()
        engine.dispose()
        return value


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Endpoint]:
    with ceph(tmp_path_factory.mktemp("engine")) as running:
        yield running


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory, endpoint: S3Endpoint) -> Iterator[County]:
    ring = Keyring.generate().to_json()
    bucket = endpoint.make_bucket(f"b{secrets.token_hex(8)}")
    folders = tmp_path_factory.mktemp("machine-a"), tmp_path_factory.mktemp("machine-b")
    with postgres(durable=False) as server:
        shared = {
            "DATABASE_URL": server.new_database(),
            "STORAGE_URL": f"s3://{bucket}/photos",
            "S3_ENDPOINT_URL": endpoint.url,
            "AWS_ACCESS_KEY_ID": endpoint.access_key,
            "AWS_SECRET_ACCESS_KEY": endpoint.secret_key,
            "AWS_DEFAULT_REGION": "us-east-1",
            "SECRET_KEY": "only for tests, and long enough for them",
        }
        settings = Settings(
            database_url=shared["DATABASE_URL"], storage_url=f"file://{folders[0]}/unused", keyring=ring,
            secret_key=shared["SECRET_KEY"],
        )  # fmt: skip
        app = create_app(settings)
        house: Parts = app.extensions["parts"]
        upgrade(house.engine)
        visitors = populate(house, people=60)
        house.engine.dispose()
        (folders[0] / "unused" / ".tmp").rmdir()
        (folders[0] / "unused").rmdir()
        environments = []
        for folder in folders:
            (folder / "tmp").mkdir()
            (folder / "keyring.json").write_text(ring)
            (folder / "keyring.json").chmod(0o600)
            environments.append(
                shared | {"KEYRING": f"file:{folder}/keyring.json", "TMPDIR": str(folder / "tmp")}
            )
        logs = tmp_path_factory.mktemp("logs")
        with processes(environments, logs) as (a, b):
            yield County(a, b, folders, (environments[0], environments[1]), visitors)


def record(machine: Process, target: tuple[str, str, str], visit: str, photos: list[str]) -> tuple[int, Any]:
    status, said = machine.ask(
        "PUT", f"/api/v1/visits/{visit}", target[0], _body(target, visit, tuple(photos))
    )
    return status, json.loads(said)


@cache
def _body(target: tuple[str, str, str], _visit: str, photos: tuple[str, ...]) -> bytes:
    """Write a visit once; a repeat sends the same bytes."""
    return phone.visit(target[2], target[1], 1, list(photos))


@cache
def _picture() -> bytes:
    return phone.pictures(1)[0]


def upload(machine: Process, target: tuple[str, str, str], visit: str, photo: str) -> int:
    form, kind = phone.upload(photo, phone.unique(_picture(), photo))
    return machine.ask("POST", f"/api/v1/visits/{visit}/photos", target[0], form, kind)[0]


def test_what_one_machine_records_the_other_shows_notes_duty_and_all(county: County) -> None:
    target, visit = county.next_target(), str(uuid4())
    status, stored = record(county.a, target, visit, [])
    assert status == 201
    status, said = county.b.ask("GET", f"/api/v1/visits/{visit}", target[0])
    shown = json.loads(said)
    assert (status, shown) == (200, stored)
    assert "精神好" in shown["notes"]  # sealed on A, opened on B
    status, said = county.b.ask("GET", "/api/v1/worklist?limit=200", target[0])
    owed = {item["person_id"]: item["duty"]["state"] for item in json.loads(said)["items"]}
    assert owed.get(target[2], "met") == "met"
    status, said = county.b.ask("GET", "/api/v1/sync", target[0])
    assert visit in {item["id"] for item in json.loads(said)["items"]}


def test_a_photo_sent_to_one_machine_is_shown_by_the_other_and_lies_on_neither(county: County) -> None:
    target, visit, photo = county.next_target(), str(uuid4()), str(uuid4())
    assert record(county.a, target, visit, [photo])[0] == 201
    assert upload(county.a, target, visit, photo) == 201
    status, picture = county.b.ask("GET", f"/api/v1/photos/{photo}?size=thumb", target[0])
    assert (status, picture[:3]) == (200, b"\xff\xd8\xff")
    assert upload(county.b, target, visit, photo) == 200
    left = [path for folder in county.folders for path in folder.rglob("*") if path.is_file()]
    assert {path.name for path in left} == {"keyring.json"}


def test_the_same_visit_sent_to_both_machines_at_once_is_recorded_once(county: County) -> None:
    target, visit = county.next_target(), str(uuid4())
    body = phone.visit(target[2], target[1], 1, [])
    with ThreadPoolExecutor(8) as pool:
        answers = list(
            pool.map(
                lambda machine: machine.ask("PUT", f"/api/v1/visits/{visit}", target[0], body)[0],
                [county.a, county.b] * 8,
            )
        )
    assert sorted(answers) == [200] * 15 + [201]
    assert county.count(f"SELECT count(*) FROM visits WHERE id = '{visit}'") == 1
    told = f"SELECT count(*) FROM ledger_events WHERE subject_id = '{visit}' AND action = 'visit.recorded'"
    assert county.count(told) == 1


def test_who_signs_out_on_one_machine_is_out_on_the_other(county: County) -> None:
    token = county.visitors[0].token
    assert [machine.ask("GET", "/api/v1/me", token)[0] for machine in (county.a, county.b)] == [200, 200]
    assert county.a.ask("DELETE", "/api/v1/auth/session", token)[0] == 204
    assert county.b.ask("GET", "/api/v1/me", token)[0] == 401


def test_guessed_passwords_are_counted_over_both_machines(county: County) -> None:
    guess = json.dumps({"username": "nobody-here", "password": "guessed-wrongly"}).encode()
    machines = [county.a, county.b] * 6
    statuses = [machine.ask("POST", "/api/v1/auth/password", body=guess)[0] for machine in machines]
    assert statuses == [401] * 10 + [429] * 2


def test_both_machines_may_seal_the_ledger_and_open_duties_at_once(county: County) -> None:
    def run(environment: dict[str, str], *words: str) -> int:
        command = [sys.executable, "-m", "flask", "--app", "wsgi", *words]
        return subprocess.run(
            command, cwd=ROOT, env=environment, check=False, capture_output=True, timeout=240
        ).returncode

    for words in (("ledger", "seal"), ("duties", "open")):
        with ThreadPoolExecutor(2) as pool:
            both = [pool.submit(run, environment, *words) for environment in county.environments]
        assert [one.result() for one in both] == [0, 0]
    events = county.count("SELECT count(*) FROM ledger_events")
    assert county.count("SELECT count(*) FROM ledger_positions") == events
    assert county.count("SELECT max(seq) FROM ledger_positions") == events
    twice = "SELECT count(*) FROM (SELECT 1 FROM duties GROUP BY person_id, lane, period_start HAVING count(*) > 1) t"
    assert county.count(twice) == 0


def test_the_doctor_finds_nothing_wrong_with_a_shared_database_and_store(
    county: County, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in county.environments[1].items():
        monkeypatch.setenv(name, value)
    assert [one for one in examine(Tools()) if one.state is State.TROUBLE] == []


def test_when_one_machine_is_lost_the_other_goes_on_with_all_that_it_had(county: County) -> None:
    target, visit, photo = county.next_target(), str(uuid4()), str(uuid4())
    status, stored = record(county.a, target, visit, [photo])
    county.a.kill()
    assert county.b.ask("GET", f"/api/v1/visits/{visit}", target[0])[0] == status - 1 == 200
    assert record(county.b, target, visit, [photo]) == (200, stored)
    assert upload(county.b, target, visit, photo) == 201
    assert county.b.ask("GET", "/readyz")[0] == 200
