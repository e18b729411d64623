"""The demo sets itself up, serves, lists its accounts, and deletes nothing but what it made."""

import datetime as dt
import http.client
import json
import os
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any

import pytest

from demo import population
from demo.errands import Manner, plan_month
from demo.population import KINDS, VILLAGES
from demo.resetting import reset
from demo.settings import SERVICE
from demo.state import DATABASE_FILE, DemoError, database_name, fresh, load, save
from demo.township import SEED, first_of_previous_month, new_township
from server.people.id_numbers import SYNTHETIC_AREA, read_id_number
from server.people.terms import Category
from server.permissions import Role

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 90.0
TODAY = dt.date(2026, 2, 28)


def environment(folder: Path, **more: str) -> dict[str, str]:
    """Give an environment in which only the demo's folder is set."""
    kept = {name: value for name, value in os.environ.items() if name not in {*SERVICE, "S3_ENDPOINT_URL"}}
    return {**kept, "DATA_DIR": str(folder), **more}


def free_port() -> int:
    with closing(socket.socket()) as trial:
        trial.bind(("127.0.0.1", 0))
        return int(trial.getsockname()[1])


def command(*arguments: str, env: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=ROOT, env=dict(env), capture_output=True, text=True, timeout=SECONDS, check=False,
    )  # fmt: skip


def call(port: int, method: str, path: str, body: Any = None, token: str = "") -> tuple[int, Any]:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=20)) as connection:
        headers = {
            "Content-Type": "application/json",
            **({"Authorization": f"Bearer {token}"} if token else {}),
        }
        connection.request(method, f"/api/v1{path}", json.dumps(body) if body is not None else None, headers)
        response = connection.getresponse()
        return response.status, json.loads(response.read() or b"null")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, int]]:
    """Serve a demo that was not played, in a folder of its own."""
    folder, port = tmp_path_factory.mktemp("demo") / "data", free_port()
    log = folder.with_name("served.log")
    with log.open("w") as file:
        server = subprocess.Popen(
            [sys.executable, "-m", "demo", "serve"],
            cwd=ROOT, env=environment(folder, PORT=str(port)), stdout=file, stderr=file,
        )  # fmt: skip
    patience = time.monotonic() + SECONDS
    while "Ctrl-C" not in log.read_text():
        assert server.poll() is None, log.read_text()
        assert time.monotonic() < patience, log.read_text()
        time.sleep(0.1)
    yield folder, port
    server.send_signal(signal.SIGTERM)
    assert server.wait(30) == 0, log.read_text()
    with closing(socket.socket()) as trial:  # whatever listened is gone
        assert trial.connect_ex(("127.0.0.1", port)) != 0


@pytest.mark.slow
def test_every_account_signs_in_and_visitors_have_people_to_visit(served: tuple[Path, int]) -> None:
    folder, port = served
    listed = command("flask", "--app", "wsgi", "demo", "accounts", "--json", env=environment(folder))
    assert listed.returncode == 0, listed.stderr
    accounts = json.loads(listed.stdout)
    names = {"username", "password", "role", "area", "wechat_subject", "invite_code"}
    assert all(set(one) == names for one in accounts)
    assert {one["role"] for one in accounts} == {role.value for role in Role}
    for account in accounts:
        sent = {"username": account["username"], "password": account["password"]}
        status, signed_in = call(port, "POST", "/auth/password", sent)
        assert (status, signed_in["worker"]["role"]) == (200, account["role"])
        if account["role"] == "visitor":
            assert call(port, "GET", "/worklist?limit=5", token=signed_in["token"])[1]["items"]


@pytest.mark.slow
def test_what_happens_gets_its_place_in_the_ledger_though_no_phone_asks(served: tuple[Path, int]) -> None:
    folder, port = served
    assert call(port, "POST", "/auth/password", {"username": "nobody", "password": "wrong"})[0] == 401
    patience = time.monotonic() + SECONDS
    with closing(sqlite3.connect(f"file:{folder / DATABASE_FILE}?mode=ro", uri=True)) as records:
        while records.execute("SELECT count(*) FROM ledger_pending").fetchone() != (0,):
            assert time.monotonic() < patience
            time.sleep(0.05)
        events = records.execute("SELECT count(*) FROM ledger_events").fetchone()
        assert records.execute("SELECT max(seq) FROM ledger_positions").fetchone() == events


@pytest.mark.slow
def test_a_phone_binds_once_with_its_invite_code_which_is_then_used(served: tuple[Path, int]) -> None:
    folder, port = served
    env = environment(folder)
    listed = json.loads(command("flask", "--app", "wsgi", "demo", "accounts", "--json", env=env).stdout)
    visitor = next(one for one in listed if one["role"] == "visitor")
    status, refused = call(port, "POST", "/auth/wechat", {"code": f"demo:{visitor['wechat_subject']}:first"})
    assert (status, refused["code"]) == (403, "account_not_bound")
    bind = {"bind_ticket": refused["bind_ticket"], "invite_code": visitor["invite_code"]}
    assert call(port, "POST", "/auth/wechat/bind", bind)[0] == 200
    again = call(port, "POST", "/auth/wechat", {"code": f"demo:{visitor['wechat_subject']}:second"})
    assert (again[0], again[1]["worker"]["area"]) == (200, visitor["area"])
    listed = json.loads(command("flask", "--app", "wsgi", "demo", "accounts", "--json", env=env).stdout)
    assert next(one for one in listed if one["username"] == visitor["username"])["invite_code"] is None


@pytest.mark.slow
def test_a_served_demo_is_not_deleted_and_its_port_is_refused(served: tuple[Path, int]) -> None:
    folder, port = served
    refused = command("demo", "reset", env=environment(folder))
    assert (refused.returncode, (folder / "demo.json").exists()) == (1, True)
    busy = command("demo", "serve", env=environment(folder, PORT=str(port)))
    assert busy.returncode == 1
    assert str(port) in busy.stderr


def test_without_settings_and_without_a_demo_wsgi_says_what_to_do(tmp_path: Path) -> None:
    said = command("flask", "--app", "wsgi", "routes", env=environment(tmp_path / "nothing"))
    assert said.returncode != 0
    assert "make run" in said.stderr
    assert "KEYRING" in said.stderr


def test_reset_refuses_a_folder_that_holds_no_demo(tmp_path: Path) -> None:
    (tmp_path / "uploads").mkdir()
    (tmp_path / "demo.sqlite").write_text("somebody else's")
    with pytest.raises(DemoError):
        reset(tmp_path)
    (tmp_path / "demo.json").write_text('{"made_by": "somebody else"}')
    with pytest.raises(DemoError):
        reset(tmp_path)
    for folder in (Path("/"), Path.home(), ROOT, ROOT.parent):
        with pytest.raises(DemoError):
            reset(folder)
    assert (tmp_path / "demo.sqlite").exists()


def test_reset_deletes_what_the_demo_made_and_nothing_else(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    (folder / "uploads" / "ab").mkdir(parents=True)
    (folder / "uploads" / "ab" / "blob").write_text("sealed")
    (folder / "uploads" / "holiday").mkdir()
    (folder / "letters.txt").write_text("mine")
    for name in ("demo.sqlite", "demo.sqlite-wal", "demo-vault.sqlite", "keyring.json"):
        (folder / name).write_text("made by the demo")
    save(folder, fresh())
    reset(folder)
    left = sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))
    assert left == ["letters.txt", "uploads", "uploads/holiday"]
    with pytest.raises(DemoError):
        reset(folder)


def test_secrets_are_random_and_readable_by_their_owner_only(tmp_path: Path) -> None:
    state = fresh()
    state.townships["embedded"] = new_township(first_of_previous_month(TODAY))
    save(tmp_path, state)
    assert load(tmp_path) == state
    assert stat.S_IMODE((tmp_path / "demo.json").stat().st_mode) == 0o600
    other = new_township(first_of_previous_month(TODAY))
    passwords = [one.password for one in (*state.townships["embedded"].accounts, *other.accounts)]
    assert len(set(passwords)) == len(passwords)
    assert [one.id for one in other.accounts] == [one.id for one in state.townships["embedded"].accounts]


def test_each_database_has_a_township_of_its_own_whatever_its_password() -> None:
    one = database_name({"DATABASE_URL": "postgresql+psycopg://u:one@h/d"})
    assert one == database_name({"DATABASE_URL": "postgresql+psycopg://u:two@h/d"})
    assert one != database_name({"DATABASE_URL": "postgresql+psycopg://u:one@h/other"})
    assert database_name({}) == "embedded"


def test_the_people_are_as_many_as_promised_synthetic_and_always_the_same() -> None:
    people = population.draw(Random(SEED), TODAY)
    assert len(people) == sum(kind.people for kind in KINDS) == 840
    assert len({(one.village.code, one.household) for one in people}) == 600
    assert sum(one.category is Category.TEKUN_DISPERSED for one in people) == 45
    assert {one.category for one in people} == set(Category)
    assert {one.village for one in people} == set(VILLAGES)
    assert len({one.id_number for one in people}) == 840
    for one in people:
        assert one.id_number.startswith(SYNTHETIC_AREA)
        assert read_id_number(one.id_number, today=TODAY).birth_on == one.born_on
        assert one.since <= TODAY
    assert population.draw(Random(SEED), TODAY) == people


def test_a_planned_month_forgets_a_few_and_meets_most() -> None:
    items = [{"person_id": str(number), "categories": ["tekun_dispersed"]} for number in range(45)]
    errands = plan_month(TODAY.replace(day=1), {"one": items[:30], "two": items[15:]}, Random(1), {})
    met = {one.item["person_id"] for one in errands if one.manner not in {Manner.ABSENT, Manner.WRONG}}
    assert 30 <= len(met) < 45
    assert {one.manner for one in errands} >= {Manner.CARELESS, Manner.FILED_AFTER_THE_MONTH, Manner.HAZARD}
    assert all(one.filed_at > one.at for one in errands)
