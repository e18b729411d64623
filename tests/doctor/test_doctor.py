"""The doctor finds each trouble, says what to do in plain words, and shows neither secret nor personal datum."""

import datetime as dt
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from server.app import create_app
from server.db import unit_of_work
from server.doctor.clock import examine_clock
from server.doctor.commands import bare_app, doctor
from server.doctor.places import examine_disks
from server.doctor.terms import Part, State
from server.http.parts import Parts
from server.ledger import sealer
from server.ledger.models import Event
from server.settings import Settings
from server.tools import Tools
from server.vault.keyring import Keyring
from tests.conftest import KEYRING
from tests.doctor.conftest import SECRETS, Installation, WeChatStandIn, fill_schema, sql, troubles
from tests.engines.postgres import postgres

ROOT = Path(__file__).parents[2]


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
