"""The doctor finds each trouble, says what to do in plain words, and shows neither secret nor personal datum."""

import base64
import datetime as dt
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import create_engine, text

from bench.population import populate
from server.app import create_app
from server.db import unit_of_work, vault_file
from server.doctor.clock import examine_clock
from server.doctor.commands import bare_app, doctor
from server.doctor.examining import examine
from server.doctor.places import examine_disks
from server.doctor.terms import Finding, Part, State
from server.http.parts import Parts
from server.ledger import sealer
from server.ledger.models import Event
from server.schema import upgrade
from server.settings import Settings
from server.tools import Tools
from server.vault.keyring import Keyring
from tests.conftest import KEYRING, Template, _settings
from tests.engines.postgres import postgres

SECRETS = {
    "SECRET_KEY": "canary-secret-key-long-enough-for-the-service",
    "WECHAT_APP_SECRET": "canary-wechat-secret",
    "AWS_SECRET_ACCESS_KEY": "canary-aws-secret",
}
ROOT = Path(__file__).parents[2]


@dataclass
class WeChatStandIn:
    """A server that answers anything with 404 and remembers what it was asked."""

    asked: list[str] = field(default_factory=list)
    url: str = ""


@pytest.fixture
def wechat() -> Iterator[WeChatStandIn]:
    seen = WeChatStandIn()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.asked.append(f"{self.path} {self.headers}")
            self.send_error(404)

        def log_message(self, *_args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    seen.url = f"http://127.0.0.1:{server.server_port}"
    yield seen
    server.shutdown()
    server.server_close()
    thread.join(5)


def fill(url: str, uploads: Path) -> None:
    """Put people, rules and opened duties into a database, and seal its ledger."""
    app = create_app(_settings(url, uploads))
    house: Parts = app.extensions["parts"]
    populate(house, people=4, people_each=2)
    house.keys.reserve(1)
    with unit_of_work(house.sessions) as session:
        sealer.seal(session)
    house.engine.dispose()


def fill_schema(url: str, uploads: Path) -> None:
    app = create_app(_settings(url, uploads))
    house: Parts = app.extensions["parts"]
    upgrade(house.engine)
    house.engine.dispose()


@pytest.fixture(scope="module")
def filled(sqlite_template: Template, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give an SQLite database as a healthy service has it, to copy."""
    folder = tmp_path_factory.mktemp("filled")
    fill(sqlite_template.copy(folder), folder / "uploads")
    return folder / "app.sqlite"


def copy(source: Path, target: Path) -> None:
    for one in ("{}", "vault"):
        names = [str(path) if one == "{}" else vault_file(f"sqlite:///{path}") for path in (source, target)]
        shutil.copy(*names)


@dataclass
class Installation:
    """A service as an administrator has it: settings in the environment, a ring in a file, folders."""

    monkeypatch: pytest.MonkeyPatch
    folder: Path
    tools: Tools = field(default_factory=Tools)

    def set(self, **settings: str) -> None:
        for name, value in settings.items():
            self.monkeypatch.setenv(name, value)

    @property
    def ring(self) -> Path:
        return self.folder / "etc" / "keyring.json"

    def examine(self) -> list[Finding]:
        return examine(self.tools)

    def found(self, part: Part, state: State = State.TROUBLE) -> list[str]:
        """Give the sentences that were found about a part; every one of them says what to do."""
        mine = [one for one in self.examine() if one.part is part and one.state is state]
        assert all(one.advice for one in mine if state in {State.TROUBLE, State.WARNING})
        return [one.sentence for one in mine]


@pytest.fixture
def installation(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, filled: Path, wechat: WeChatStandIn
) -> Installation:
    made = Installation(monkeypatch, tmp_path)
    for name in ("etc", "data", "uploads"):
        (tmp_path / name).mkdir()
    made.ring.write_text(KEYRING)
    made.ring.chmod(0o600)
    copy(filled, tmp_path / "data" / "app.sqlite")
    made.set(
        DATABASE_URL=f"sqlite:///{tmp_path}/data/app.sqlite",
        STORAGE_URL=f"file://{tmp_path}/uploads",
        KEYRING=f"file:{made.ring}",
        WECHAT_BASE_URL=wechat.url,
        WECHAT_APP_ID="wx",
        TRUSTED_PROXIES="1",
        **SECRETS,
    )
    return made


@pytest.fixture
def on_postgres(installation: Installation, postgres_template: Template) -> Installation:
    url = postgres_template.copy(installation.folder)
    fill(url, installation.folder / "uploads")
    installation.set(DATABASE_URL=url)
    return installation


def sql(installation: Installation, statement: str, *values: Any) -> None:
    engine = create_engine(os.environ["DATABASE_URL"], isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement), *values)
    engine.dispose()


def troubles(findings: list[Finding]) -> list[Finding]:
    return [one for one in findings if one.state is State.TROUBLE]


def test_a_healthy_installation_has_no_trouble_and_every_part_is_told_of(installation: Installation) -> None:
    findings = installation.examine()
    assert troubles(findings) == []
    assert [part for part in Part if part not in {one.part for one in findings}] == []
    assert list(dict.fromkeys(one.part for one in findings)) == list(Part)


@pytest.mark.postgres
def test_a_healthy_installation_on_postgresql_has_no_trouble(on_postgres: Installation) -> None:
    assert troubles(on_postgres.examine()) == []


def test_nothing_secret_is_told_and_no_secret_is_sent_to_wechat(
    installation: Installation, wechat: WeChatStandIn
) -> None:
    ring = json.loads(KEYRING)
    secrets = [*SECRETS.values(), *ring["kek"].values(), *ring["index"].values()]
    for broken in ("", "x", KEYRING[:-30]):
        if broken:
            installation.ring.write_text(broken)
        told = repr(installation.examine()) + repr(wechat.asked)
        assert [secret for secret in secrets if secret in told] == []
    assert len(wechat.asked) == 3


def test_it_examines_and_changes_nothing(installation: Installation) -> None:
    def everything() -> dict[str, bytes]:
        folders = (installation.folder / "uploads", installation.folder / "etc")
        return {str(path): path.read_bytes() for one in folders for path in one.rglob("*") if path.is_file()}

    before = everything()
    installation.examine()
    assert everything() == before


def test_a_missing_setting_is_named(installation: Installation) -> None:
    installation.monkeypatch.delenv("SECRET_KEY")
    (sentence,) = installation.found(Part.CONFIGURATION)
    assert "SECRET_KEY" in sentence
    assert installation.found(Part.DATABASE, State.UNKNOWN) != []


def test_a_short_secret_is_refused_without_showing_it(installation: Installation) -> None:
    installation.set(SECRET_KEY="canary-short")
    (sentence,) = installation.found(Part.CONFIGURATION)
    assert "SECRET_KEY" in sentence
    assert "canary-short" not in sentence


def test_half_a_wechat_account_and_a_plain_address_are_found(installation: Installation) -> None:
    installation.set(WECHAT_APP_SECRET="", WECOM_BASE_URL="http://example.com")
    sentences = installation.found(Part.CONFIGURATION)
    assert any("WECHAT_APP_ID" in one for one in sentences)
    assert any("WECOM_BASE_URL" in one for one in sentences)


def test_no_trusted_proxy_is_a_warning(installation: Installation) -> None:
    installation.set(TRUSTED_PROXIES="0")
    assert len(installation.found(Part.CONFIGURATION, State.WARNING)) == 1


def test_a_broken_ring_and_one_that_others_can_read_are_found(installation: Installation) -> None:
    installation.ring.chmod(0o640)
    assert any("0640" in one for one in installation.found(Part.KEYS))
    installation.ring.write_text(KEYRING[:-40])
    installation.ring.chmod(0o600)
    assert any("不能用" in one for one in installation.found(Part.KEYS))


def test_another_ring_than_the_data_s_is_found_although_its_keys_have_the_same_names(
    installation: Installation,
) -> None:
    installation.ring.write_text(Keyring.generate().to_json())
    assert any("打不开" in one for one in installation.found(Part.KEYS))


def test_a_ring_beside_the_data_is_a_warning(installation: Installation) -> None:
    beside = installation.folder / "uploads" / "keyring.json"
    shutil.copy(installation.ring, beside)
    installation.set(KEYRING=f"file:{beside}")
    assert len(installation.found(Part.KEYS, State.WARNING)) == 1


def test_a_database_that_is_not_there_is_not_made(installation: Installation) -> None:
    installation.set(DATABASE_URL=f"sqlite:///{installation.folder}/nothing/app.sqlite")
    assert len(installation.found(Part.DATABASE)) == 1
    assert not (installation.folder / "nothing").exists()


def test_a_database_that_does_not_answer_is_told_without_its_address(installation: Installation) -> None:
    installation.set(DATABASE_URL="postgresql+psycopg://visits:canary-password@127.0.0.1:9/visits")
    (sentence,) = installation.found(Part.DATABASE)
    assert "canary" not in sentence
    assert installation.found(Part.STORAGE) == []


@pytest.mark.postgres
def test_an_unsafe_database_is_named_by_its_setting(on_postgres: Installation) -> None:
    url = os.environ["DATABASE_URL"].replace("+psycopg", "")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {url.rpartition('/')[2]} SET synchronous_commit = off")
    (sentence,) = on_postgres.found(Part.DATABASE)
    assert "synchronous_commit" in sentence


@pytest.mark.postgres
def test_a_database_that_only_follows_another_is_found(installation: Installation) -> None:
    with postgres(durable=False) as server:
        url = server.new_database()
        fill_schema(url, installation.folder / "uploads")
        installation.set(DATABASE_URL=url)
        server.stop(signal.SIGINT)
        (server.data / "standby.signal").touch()
        server.start()
        assert any("备库" in one for one in installation.found(Part.DATABASE))


@pytest.mark.postgres
def test_too_few_connections_for_the_pools_is_a_warning(on_postgres: Installation) -> None:
    on_postgres.set(POOL_SIZE="60")
    assert any("max_connections" in one for one in on_postgres.found(Part.DATABASE, State.WARNING))


def test_a_schema_that_is_behind_empty_or_ahead_is_told_apart(installation: Installation) -> None:
    sql(installation, "UPDATE alembic_version SET version_num = '0001'")
    assert any("旧" in one for one in installation.found(Part.SCHEMA))
    sql(installation, "UPDATE alembic_version SET version_num = '9999'")
    assert any("新" in one for one in installation.found(Part.SCHEMA, State.WARNING))
    sql(installation, "DELETE FROM alembic_version")
    assert any("空" in one for one in installation.found(Part.SCHEMA))


@pytest.mark.postgres
@pytest.mark.parametrize(("minutes", "word"), [(-10, "慢"), (10, "快")])
def test_a_clock_that_differs_from_the_database_s_is_found(
    on_postgres: Installation, minutes: int, word: str
) -> None:
    on_postgres.tools = Tools(clock=lambda: Tools().clock() + dt.timedelta(minutes=minutes))
    sentences = on_postgres.found(Part.CLOCK)
    assert any(word in one and "600" in one for one in sentences)


def test_a_clock_that_jumped_back_is_found_by_what_was_recorded(installation: Installation) -> None:
    installation.tools = Tools(clock=lambda: Tools().clock() - dt.timedelta(hours=2))
    assert any("留痕" in one for one in installation.found(Part.CLOCK))


@pytest.mark.parametrize(
    ("right", "state"), [(True, State.OK), (False, State.WARNING), (None, State.UNKNOWN)]
)
def test_whether_the_clock_is_kept_right_is_told(house: Parts, right: bool | None, state: State) -> None:
    with unit_of_work(house.sessions) as session:
        found = list(examine_clock(house.engine, session, Tools(), kept_right=lambda: right))
    assert [one.state for one in found] == [state]


def test_a_disk_below_the_low_water_mark_is_found(installation: Installation) -> None:
    settings = Settings.from_env()
    free = shutil.disk_usage(installation.folder).free
    states = [
        [one.state for one in examine_disks(settings, low_water=mark)]
        for mark in (free // 10, free // 3, free * 10)
    ]
    assert states == [[State.OK], [State.WARNING], [State.TROUBLE]]


def test_a_folder_of_photos_that_is_gone_is_found_and_not_made(installation: Installation) -> None:
    (installation.folder / "uploads").rmdir()
    assert len(installation.found(Part.STORAGE)) == 1
    assert not (installation.folder / "uploads").exists()


def test_the_age_of_the_backup_is_told(installation: Installation) -> None:
    assert len(installation.found(Part.BACKUP, State.UNKNOWN)) == 1
    for name in ("backup", "keys"):
        (installation.folder / name).mkdir()
    installation.set(
        BACKUP_URL=f"file://{installation.folder}/backup",
        BACKUP_KEYS_URL=f"file://{installation.folder}/keys",
        BACKUP_KEY=base64.b64encode(b"k" * 32).decode(),
    )
    assert installation.found(Part.BACKUP) == ["还没有一份完整的备份。"]
    assert [*(installation.folder / "backup").iterdir(), *(installation.folder / "keys").iterdir()] == []
    app = create_app(Settings.from_env())
    made = app.test_cli_runner().invoke(args=["backup"])
    app.extensions["parts"].engine.dispose()
    assert made.exit_code == 0, made.output
    assert len(installation.found(Part.BACKUP, State.OK)) == 1
    for hours, state in ((3, State.WARNING), (30, State.TROUBLE)):
        later = dt.timedelta(hours=hours, minutes=5)
        installation.tools = Tools(clock=lambda later=later: Tools().clock() + later)
        (sentence,) = installation.found(Part.BACKUP, state)
        assert f"{hours} 小时" in sentence


def test_a_backup_that_cannot_be_read_is_told_without_its_key(installation: Installation) -> None:
    key = base64.b64encode(b"canary" * 5 + b"xx").decode()
    installation.set(BACKUP_URL=f"file://{installation.folder}/unmounted", BACKUP_KEY=key)
    (sentence,) = installation.found(Part.BACKUP)
    assert "文件夹不在" in sentence
    assert not (installation.folder / "unmounted").exists()
    (installation.folder / "unmounted").mkdir()
    assert any("BACKUP_KEYS_URL" in one for one in installation.found(Part.BACKUP))
    assert key not in repr(installation.examine())


def test_wechat_that_is_down_is_found(installation: Installation) -> None:
    installation.set(WECHAT_BASE_URL="http://127.0.0.1:9")
    (sentence,) = installation.found(Part.SIGN_IN)
    assert "微信" in sentence


def test_a_sealer_that_stands_still_is_found_by_the_age_of_what_waits(installation: Installation) -> None:
    app = create_app(Settings.from_env())
    house: Parts = app.extensions["parts"]
    with unit_of_work(house.sessions) as session:
        work = house.work(session)
        session.add(
            Event(
                at=work.now - dt.timedelta(hours=3),
                action="x",
                subject_kind="x",
                changes=False,
                commitment=b"x" * 32,
            )
        )
    (sentence,) = installation.found(Part.BACKGROUND)
    assert "3 小时" in sentence
    with unit_of_work(house.sessions) as session:
        sealer.seal(session)
    house.engine.dispose()
    assert installation.found(Part.BACKGROUND) == []


def test_duties_that_nobody_opened_are_found(installation: Installation) -> None:
    installation.tools = Tools(clock=lambda: Tools().clock() + dt.timedelta(days=400))
    assert any("没有打开" in one for one in installation.found(Part.BACKGROUND))


def test_rules_that_were_never_written_are_found(installation: Installation) -> None:
    sql(installation, "DELETE FROM visit_rules")
    assert any("规定" in one for one in installation.found(Part.BACKGROUND))


def test_the_command_ends_with_0_or_1_and_has_a_form_for_machines(installation: Installation) -> None:
    runner = bare_app().test_cli_runner()
    said = runner.invoke(doctor, [])
    assert (said.exit_code, "故障 0 项" in said.output) == (0, True)
    installation.ring.chmod(0o644)
    said = runner.invoke(doctor, ["--json"])
    document = json.loads(said.output)
    assert (said.exit_code, document["healthy"]) == (1, False)
    assert {one["part"] for one in document["findings"]} == {part.value for part in Part}


def test_flask_doctor_works_when_the_service_cannot_start(installation: Installation) -> None:
    installation.ring.write_text("{}")
    done = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "wsgi", "doctor"],
        cwd=ROOT, env=dict(os.environ), capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (1, "")
    assert "[故障] 密钥环" in done.stdout
    assert "[正常] 数据库" in done.stdout
