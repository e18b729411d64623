"""The key ring is made, rotated and rewrapped by command, and nothing sealed becomes unreadable on the way."""

import dataclasses
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from click.testing import CliRunner, Result
from flask import Flask
from sqlalchemy import func, select

from server.app import create_app
from server.db import unit_of_work
from server.http.parts import Parts
from server.settings import Settings, SettingsError
from server.vault.__main__ import ring as ring_command
from server.vault.keyring import Keyring
from server.vault.models import StoredKey
from server.vault.rewrapping import locked_with, rewrap_all

PLACE = {"table": "persons", "column": "phone_sealed", "row": UUID(int=1)}


@pytest.fixture
def reopened(house: Parts) -> Iterator[Callable[[Keyring], Flask]]:
    """Give a function that starts the application again over the same database, with another ring."""
    made: list[Flask] = []

    def reopen(keyring: Keyring) -> Flask:
        settings = dataclasses.replace(house.settings, keyring=keyring.to_json())
        made.append(create_app(settings, house.tools))
        return made[-1]

    yield reopen
    for app in made:
        app.extensions["parts"].engine.dispose()


@pytest.fixture
def sealed(house: Parts) -> dict[UUID, str]:
    """Give what forty keys have sealed, by key."""
    house.keys.reserve(40)
    keys = [house.keys.take() for _ in range(40)]
    return {key.key_id: key.seal(f"1390000{number:04}", **PLACE) for number, key in enumerate(keys)}


def opened(app: Flask, sealed: dict[UUID, str]) -> list[str]:
    house: Parts = app.extensions["parts"]
    with unit_of_work(house.sessions) as session:
        keys = house.keys.fetch(session, sealed)
    return [keys[key_id].open(text, **PLACE) for key_id, text in sealed.items()]


def flask(app: Flask, *words: str) -> Result:
    return app.test_cli_runner().invoke(args=list(words))


def test_after_rewrapping_the_old_key_can_be_taken_off_the_ring(
    house: Parts, sealed: dict[UUID, str], reopened: Callable[[Keyring], Flask]
) -> None:
    rotated = house.keys.keyring.with_new_active("k2")
    app = reopened(rotated)
    total = locked_with(house.sessions)["k1"]
    assert flask(app, "keyring", "status").output == f"k1  old  {total}\nk2  active  0\n"
    assert flask(app, "keyring", "rewrap").output == f"rewrapped {total} keys\n"
    assert flask(app, "keyring", "rewrap").output == "rewrapped 0 keys\n"
    assert flask(app, "keyring", "status").output == f"k1  old  0\nk2  active  {total}\n"
    assert opened(reopened(rotated.without("k1")), sealed) == [f"1390000{n:04}" for n in range(40)]


def test_rewrapping_in_small_batches_reaches_every_key(house: Parts, sealed: dict[UUID, str]) -> None:
    total = sum(locked_with(house.sessions).values())
    assert total >= len(sealed)
    rotated = house.keys.keyring.with_new_active("k2")
    assert rewrap_all(rotated, house.sessions, batch=7) == total
    assert locked_with(house.sessions) == {"k2": total}


def test_a_destroyed_key_stays_destroyed(house: Parts, sealed: dict[UUID, str]) -> None:
    gone = next(iter(sealed))
    with unit_of_work(house.sessions) as session:
        house.keys.destroy(session, gone)
    rewrap_all(house.keys.keyring.with_new_active("k2"), house.sessions)
    with unit_of_work(house.sessions) as session:
        assert session.scalars(select(StoredKey.id).where(StoredKey.wrapped.is_(None))).all() == [gone]


def test_a_key_that_is_missing_from_the_ring_is_named_and_nothing_is_changed(
    house: Parts, sealed: dict[UUID, str], reopened: Callable[[Keyring], Flask]
) -> None:
    before = locked_with(house.sessions)
    app = reopened(house.keys.keyring.with_new_active("k2").without("k1"))
    refused = flask(app, "keyring", "rewrap")
    assert refused.exit_code == 1
    assert "'k1'" in refused.output
    assert "k1  MISSING" in flask(app, "keyring", "status").output
    assert locked_with(house.sessions) == before


def test_no_data_key_is_added_or_lost_by_rewrapping(house: Parts, sealed: dict[UUID, str]) -> None:
    def ids() -> set[UUID]:
        with unit_of_work(house.sessions) as session:
            return set(session.scalars(select(StoredKey.id)))

    before = ids()
    rewrap_all(house.keys.keyring.with_new_active("k2"), house.sessions, batch=3)
    assert ids() == before
    with unit_of_work(house.sessions) as session:
        assert session.scalar(select(func.count()).where(StoredKey.wrapped.is_(None))) == 0


def ring(*words: str) -> Result:
    return CliRunner().invoke(ring_command, list(words))


def test_a_new_ring_is_readable_by_its_owner_only_and_never_overwrites_one(tmp_path: Path) -> None:
    file = tmp_path / "keyring.json"
    made = ring("new", str(file))
    text = file.read_text()
    assert made.exit_code == 0
    assert Keyring.parse(text).active == "k1"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert not any(key in made.output for key in text.split('"') if len(key) > 40)
    assert ring("new", str(file)).exit_code == 1
    assert file.read_text() == text


def test_a_ring_rotates_in_its_file_and_keeps_index_keys_and_mode(tmp_path: Path) -> None:
    file = tmp_path / "keyring.json"
    ring("new", str(file))
    first = Keyring.parse(file.read_text())
    assert ring("rotate", str(file)).output == "active: k2; on the ring: k1, k2\n"
    assert ring("rotate", str(file), "--kid", "y2027").output == "active: y2027; on the ring: k1, k2, y2027\n"
    last = Keyring.parse(file.read_text())
    key_id = uuid4()
    assert last.unwrap(first.wrap(b"x" * 32, key_id), key_id) == b"x" * 32
    assert last.index == first.index
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["keyring.json"]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("remove", "k2"), "active"),
        (("remove", "k9"), "no key named"),
        (("rotate", "--kid", "k1"), "already"),
        (("rotate", "--kid", "two words"), "letters"),
    ],
)
def test_a_change_that_would_break_a_ring_is_refused(
    tmp_path: Path, words: tuple[str, ...], why: str
) -> None:
    file = tmp_path / "keyring.json"
    ring("new", str(file))
    ring("rotate", str(file))
    before = file.read_text()
    refused = ring(words[0], str(file), *words[1:])
    assert refused.exit_code == 1
    assert why in refused.output
    assert file.read_text() == before


@pytest.mark.parametrize("content", [None, b"", b"{}", b"\xff\xfe"])
def test_a_file_that_is_no_ring_is_refused_in_a_sentence(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "keyring.json"
    if content is not None:
        file.write_bytes(content)
    for words in (("rotate", str(file)), ("remove", str(file), "k1")):
        refused = ring(*words)
        assert refused.exit_code == 1
        assert str(file) in refused.output


def test_a_service_reads_its_ring_from_the_file_that_the_setting_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "keyring.json"
    ring("new", str(file))
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'app.sqlite'}")
    monkeypatch.setenv("STORAGE_URL", tmp_path.as_uri())
    monkeypatch.setenv("SECRET_KEY", "only for tests, and long enough for them")
    for text in (f"file:{file}", f"file://{file}", file.read_text()):
        monkeypatch.setenv("KEYRING", text)
        assert Keyring.parse(Settings.from_env().keyring) == Keyring.parse(file.read_text())
    monkeypatch.setenv("KEYRING", f"file:{tmp_path / 'missing.json'}")
    with pytest.raises(SettingsError, match=r"KEYRING: .*missing\.json cannot be read"):
        Settings.from_env()


def test_the_first_start_writes_regions_and_rules_once(app: Flask) -> None:
    first = flask(app, "db", "seed", "--begin-on", "2026-04-01")
    assert first.exit_code == 0, first.output
    assert "regions" in first.output
    assert "policy numbers" in first.output
    assert "visit rules" in first.output
    assert flask(app, "db", "seed", "--begin-on", "2026-05-01").output == "nothing to write\n"
