"""A restore that cannot be right is refused in a sentence, and leaves the place as empty as it was."""

import base64
import hashlib
import json
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import inspect, text

from server.http.parts import Parts
from server.keeping.following import Generation
from tests.keeping.conftest import done, everything, refused, said
from tests.photos.sending import Scene, picture

EmptyPlace = Callable[..., Flask]


def is_empty(app: Flask) -> bool:
    """Say whether a place holds neither rows nor photos."""
    house: Parts = app.extensions["parts"]
    with house.engine.connect() as connection:
        names = inspect(connection).get_table_names()
        rows = [
            connection.execute(text(f"SELECT count(*) FROM {name}")).scalar_one()
            for name in names
            if name != "alembic_version"
        ]
    return not any(rows)


@pytest.fixture
def ticked(scene: Scene, generation: Generation) -> Generation:
    """A generation with a base and three ticks."""
    for _ in range(3):
        scene.stored(picture())
        generation.tick()
    return generation


HARMS: dict[str, Callable[[bytes], bytes | None]] = {
    "flipped": lambda content: content[:-40] + bytes([content[-40] ^ 4]) + content[-39:],
    "cut": lambda content: content[:-20],
    "gone": lambda content: None,
    "emptied": lambda content: b"",
}
FOUND = ("损坏", "不完整", "缺少", "没有可用", "接不上")


def test_what_was_changed_cut_lost_or_exchanged_is_found(
    ticked: Generation, app: Flask, empty_place: EmptyPlace, tmp_path: Path
) -> None:
    ticks = tmp_path / f"backup/ticks/{ticked.name}"
    records = tmp_path / f"backup/records/{ticked.name}"
    keys = tmp_path / f"backup-of-keys/keys/{ticked.name}"
    biggest = max(records.glob("p00000000*"), key=lambda one: one.stat().st_size)
    harmed = [
        ticks / "t00000000", ticks / "t00000002", biggest, records / "p00000001n000", min(keys.iterdir()),
    ]  # fmt: skip
    fresh = empty_place()
    for file in harmed:
        genuine, another = file.read_bytes(), (ticks / "t00000001").read_bytes()
        for harm in (*HARMS.values(), lambda content, another=another: another):
            content = harm(genuine)
            file.unlink() if content is None else file.write_bytes(content)
            sentence = refused(fresh, "restore")
            assert any(word in sentence for word in FOUND), sentence
            assert is_empty(fresh)
        file.write_bytes(genuine)
    assert done(fresh, "restore")["check"]["faults"] == []


def test_what_lies_before_a_damage_can_still_be_had(
    ticked: Generation, app: Flask, scene: Scene, empty_place: EmptyPlace, tmp_path: Path
) -> None:
    (tmp_path / f"backup/ticks/{ticked.name}/t00000002").unlink()
    fresh = empty_place()
    assert "缺少第 2 个时点" in refused(fresh, "restore")
    result = said(fresh, "restore", "--until", scene.world.clock().isoformat(), "--photos", "1")
    assert result.exit_code == 0, result.output
    assert "只能用到第 1 个时点为止" in result.stderr
    report = json.loads(result.stdout)
    assert (report["changes"], report["check"]["photos"]["ok"], report["check"]["faults"]) == (1, 1, [])


def test_another_backup_key_opens_nothing(app: Flask, scene: Scene, empty_place: EmptyPlace) -> None:
    done(app, "backup")
    fresh = empty_place(backup_key=base64.b64encode(secrets.token_bytes(32)).decode())
    assert "备份密钥不对" in refused(fresh, "restore")
    assert is_empty(fresh)


def test_a_place_that_is_not_empty_is_left_alone(app: Flask, scene: Scene, empty_place: EmptyPlace) -> None:
    scene.stored(picture())
    done(app, "backup")
    before = everything(app)
    assert "目标数据库不是空的" in refused(app, "restore")
    assert everything(app) == before
    photos = app.extensions["parts"].settings.storage_url
    elsewhere = empty_place()
    other = elsewhere.extensions["parts"].store
    with other.spool() as file:
        file.write(b"another's")
        other.put("ab/cd/0123456789", file, size=9, sha256=hashlib.sha256(b"another's").digest())
    assert "目标照片存储不是空的" in refused(elsewhere, "restore")
    assert is_empty(elsewhere)
    # The photos that a restore brought, before it was cut off, are no hindrance.
    report = done(empty_place(storage_url=photos), "restore")
    assert (report["photos"], report["check"]["faults"]) == (0, [])


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"backup_key": None}, "没有设置备份密钥 BACKUP_KEY"),
    ({"backup_key": "c2hvcnQ="}, "备份密钥 BACKUP_KEY 不对"),
    ({"backup_key": "不是密钥"}, "备份密钥 BACKUP_KEY 不对"),
    ({"backup_key": "file:/nowhere/backup.key"}, "备份密钥读不出来"),
    ({"backup_url": None}, "没有设置 BACKUP_URL"),
    ({"backup_keys_url": None}, "没有设置 BACKUP_KEYS_URL"),
    ({"backup_url": "file:///same", "backup_keys_url": "file:///same/"}, "必须分开"),
    ({"backup_url": "file:///same", "backup_keys_url": "file:///same/inside"}, "必须分开"),
    ({"backup_url": "ftp://elsewhere"}, "备份位置不对"),
]


def test_a_setting_that_is_missing_or_wrong_is_named(empty_place: EmptyPlace) -> None:
    for changed, sentence in WRONG:
        place = empty_place(**changed)
        for command in ("backup", "backups", "restore"):
            assert sentence in refused(place, command)


def test_where_there_is_no_backup_it_is_said(empty_place: EmptyPlace) -> None:
    assert "没有可用的备份" in refused(empty_place(), "restore")
    assert "没有这一代备份" in refused(empty_place(), "restore", "--generation", "20260101t000000x00000000")
