"""Installations as an administrator has them, healthy until a test breaks something."""

import os
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from bench.population import populate
from server.app import create_app
from server.db import unit_of_work, vault_file
from server.doctor.examining import examine
from server.doctor.terms import Finding, Part, State
from server.http.parts import Parts
from server.ledger import sealer
from server.schema import upgrade
from server.tools import Tools
from tests.conftest import KEYRING, Template, _settings

SECRETS = {
    "SECRET_KEY": "canary-secret-key-long-enough-for-the-service",
    "WECHAT_APP_SECRET": "canary-wechat-secret",
    "AWS_SECRET_ACCESS_KEY": "canary-aws-secret",
}


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
