"""Two versions over one database: migrations only add, and a program goes on over a schema that is ahead of it."""

import ast
import io
import json
import subprocess
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import text

from bench import phone
from bench.population import populate
from server.app import create_app
from server.http.parts import Parts
from server.schema import MIGRATIONS, upgrade
from server.settings import Settings
from tests.builders.visits import a_visit_body
from tests.builders.world import World
from tests.conftest import KEYRING, Template
from tests.deploy.processes import ROOT, Process, processes

FIRST_VERSION = "0005"
TAKES_AWAY = {"drop_column", "drop_table", "rename_table", "alter_column", "drop_constraint"}


def later_migrations() -> list[Path]:
    """List the migrations after those of the first version, which nobody can be rolling from."""
    return sorted(
        path for path in (MIGRATIONS / "versions").glob("[0-9]*.py") if path.name[:4] > FIRST_VERSION
    )


def what_it_takes_away(source: str) -> list[str]:
    """Name the steps of a migration that a program of the version before would stumble over.

    A migration that ends a change (drops what nothing uses any more) says so: `ENDS = "0.7: nothing reads it since 0.6"`.
    """
    tree = ast.parse(source)
    if any(
        isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "ENDS" for node in tree.body
    ):
        return []
    found = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        words = {word.arg: word.value for word in node.keywords}
        if name in TAKES_AWAY:
            found.append(name)
        if name == "add_column":
            column = next((one for one in node.args if isinstance(one, ast.Call)), None)
            inner = {word.arg: word.value for word in column.keywords} if column else words
            required = isinstance(inner.get("nullable"), ast.Constant) and inner["nullable"].value is False  # type: ignore[union-attr]
            if required and "server_default" not in inner:
                found.append("add_column, required and without a server default")
    return found


def test_what_takes_something_away_is_told_from_what_adds() -> None:
    adds = "def upgrade():\n op.add_column('visits', sa.Column('x', sa.Text(), nullable=True))\n op.create_index('i', 'visits', ['x'])"
    assert what_it_takes_away(adds) == []
    defaulted = "op.add_column('visits', sa.Column('x', sa.Integer(), nullable=False, server_default='0'))"
    assert what_it_takes_away(defaulted) == []
    for takes in (
        "op.drop_column('visits', 'notes')",
        "op.alter_column('visits', 'notes', nullable=False)",
        "op.rename_table('visits', 'calls')",
        "op.add_column('visits', sa.Column('x', sa.Integer(), nullable=False))",
        "with op.batch_alter_table('visits') as batch:\n batch.drop_column('notes')",
    ):
        assert len(what_it_takes_away(takes)) == 1
        assert what_it_takes_away(f"ENDS = '0.7: nothing uses it since 0.6'\n{takes}") == []


def test_every_migration_after_the_first_version_only_adds() -> None:
    found = {path.name: what_it_takes_away(path.read_text(encoding="utf-8")) for path in later_migrations()}
    assert {name: steps for name, steps in found.items() if steps} == {}


def test_the_main_job_goes_on_while_a_later_version_adds_to_the_schema(
    app: Flask, house: Parts, world: World
) -> None:
    """The statements are prepared and cached by then; a column that appears under them must not matter."""
    worker = world.worker()
    hand = world.phone(worker)

    def main_job() -> None:
        person, visit = world.person(worker), str(uuid4())
        body = a_visit_body(person, visitors=[str(worker.worker_id)])
        assert hand.put(f"/visits/{visit}", body).status_code == 201
        assert hand.put(f"/visits/{visit}", body).status_code == 200
        assert hand.put(f"/visits/{visit}", {**body, "notes": "再看一次"}, revision=1).status_code == 200
        for path in (f"/visits/{visit}", "/worklist", "/sync", "/visits"):
            assert hand.get(path).status_code == 200, path

    for _ in range(8):  # psycopg prepares a statement at its fifth use
        main_job()
    with house.engine.begin() as connection:
        for table in (
            "visits",
            "visit_revisions",
            "persons",
            "duties",
            "ledger_events",
            "workers",
            "sign_ins",
        ):
            connection.execute(text(f"ALTER TABLE {table} ADD COLUMN of_a_later_version TEXT"))
            connection.execute(text(f"CREATE INDEX ix_later_{table} ON {table} (of_a_later_version)"))
        connection.execute(text("CREATE TABLE of_a_later_version (id INTEGER PRIMARY KEY)"))
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    for _ in range(8):
        main_job()


def version_before_the_newest_migration() -> str:
    """Name the commit before the newest migration; this very version while there is none after the first."""
    later = later_migrations()
    if not later:
        return "HEAD"
    path = later[-1].relative_to(ROOT).as_posix()
    added = git("log", "--diff-filter=A", "--format=%H", "-1", "--", path).decode().strip()
    return f"{added}^" if added else "HEAD"


def git(*words: str) -> bytes:
    return subprocess.run(["git", *words], cwd=ROOT, check=True, capture_output=True, timeout=60).stdout


@pytest.fixture
def version_before(tmp_path: Path) -> Path:
    """Unpack the program as it was before the newest migration."""
    folder = tmp_path / "before"
    folder.mkdir()
    packed = git("archive", version_before_the_newest_migration())
    subprocess.run(["tar", "-x", "-C", str(folder)], input=packed, check=True, timeout=60)
    return folder


@pytest.mark.postgres
@pytest.mark.slow
def test_the_version_before_and_this_one_do_the_main_job_together(
    version_before: Path, postgres_template: Template, tmp_path: Path
) -> None:
    environment = {
        "DATABASE_URL": postgres_template.copy(tmp_path),
        "STORAGE_URL": f"file://{tmp_path}/uploads",
        "KEYRING": KEYRING,
        "SECRET_KEY": "only for tests, and long enough for them",
    }
    app = create_app(
        Settings(
            database_url=environment["DATABASE_URL"],
            storage_url=environment["STORAGE_URL"],
            keyring=KEYRING,
            secret_key=environment["SECRET_KEY"],
        )
    )
    house: Parts = app.extensions["parts"]
    upgrade(house.engine)
    visitors = populate(house, people=40)
    house.engine.dispose()
    with processes([environment], tmp_path) as (new,):
        log = tmp_path / "before.log"
        old = Process(environment, log, root=version_before)
        try:
            old.start()
            for number, (writer, reader) in enumerate([(old, new), (new, old)] * 8):
                visitor = visitors[number % 2]
                check_main_job(
                    writer, reader, visitor.token, str(visitor.worker), str(visitor.people[number // 2])
                )
        finally:
            old.kill()
    assert "unforeseen" not in log.read_text() + new.log()


def check_main_job(writer: Process, reader: Process, token: str, worker: str, person: str) -> None:
    visit, photo = str(uuid4()), str(uuid4())
    body = phone.visit(person, worker, 1, [photo])
    status, said = writer.ask("PUT", f"/api/v1/visits/{visit}", token, body)
    assert status == 201, said
    assert reader.ask("PUT", f"/api/v1/visits/{visit}", token, body)[0] == 200
    form, kind = phone.upload(photo, _picture())
    assert writer.ask("POST", f"/api/v1/visits/{visit}/photos", token, form, kind)[0] == 201
    assert reader.ask("GET", f"/api/v1/photos/{photo}?size=thumb", token)[0] == 200
    changed: dict[str, Any] = {**json.loads(body), "notes": "更正"}
    status, said = reader.ask(
        "PUT", f"/api/v1/visits/{visit}?revision=1", token, json.dumps(changed).encode()
    )
    assert (status, json.loads(said)["notes"]) == (200, "更正"), said
    for path in (f"/visits/{visit}", "/worklist", "/sync", "/visits"):
        for one in (writer, reader):
            status, said = one.ask("GET", f"/api/v1{path}", token)
            assert status == 200, (path, said)
            if path.endswith(visit):
                assert json.loads(said)["notes"] == "更正"


def _picture() -> bytes:
    from PIL import Image

    out = io.BytesIO()
    Image.new("RGB", (320, 240), "tan").save(out, "JPEG")
    return out.getvalue()
