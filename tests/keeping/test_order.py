"""In whatever moment the machine dies, a restored record has its key and its photo (docs/adr/0008, Order)."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from server.keeping import following, sqlite_source
from server.keeping.catalogue import Archives, ticks
from server.keeping.following import Generation, Places
from server.keeping.source import PutBase
from server.keeping.terms import KeepingRefused
from tests.keeping.conftest import done
from tests.photos.sending import Scene, picture

EmptyPlace = Callable[..., Flask]


# PostgreSQL tells records and keys together, by transaction.
pytestmark = pytest.mark.parametrize("template", ["sqlite"], indirect=True)


def test_a_person_entered_while_a_tick_is_gathered_has_their_key(
    app: Flask, scene: Scene, generation: Generation, empty_place: EmptyPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    gathered = sqlite_source._gathered

    def and_somebody_is_entered(*told: Any) -> Any:
        found = gathered(*told)
        for _ in range(20):  # more than the keys that are made in advance
            scene.world.person(scene.visitor)
        return found

    monkeypatch.setattr(sqlite_source, "_gathered", and_somebody_is_entered)
    assert generation.tick()
    assert done(empty_place(), "restore")["check"]["faults"] == []


def test_a_person_entered_while_the_base_is_copied_has_their_key(
    app: Flask, scene: Scene, places: Places, empty_place: EmptyPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = sqlite_source.SqliteSource.base

    def and_somebody_is_entered(self: sqlite_source.SqliteSource, put: PutBase) -> Any:
        def put_slowly(role: str, content: Any) -> Any:
            piece = put(role, content)
            for _ in range(20):
                scene.world.person(scene.visitor)
            return piece

        return base(self, put_slowly)

    monkeypatch.setattr(sqlite_source.SqliteSource, "base", and_somebody_is_entered)
    Generation(places).close()
    assert done(empty_place(), "restore")["check"]["faults"] == []


def test_a_tick_is_not_written_before_its_photos_are_there(
    scene: Scene, generation: Generation, archives: Archives, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.stored(picture())

    def fails(*_told: object) -> int:
        raise KeepingRefused("照片复制不了")

    monkeypatch.setattr(following.photos, "copy_named", fails)
    with pytest.raises(KeepingRefused):
        generation.tick()
    assert [tick.number for tick in ticks(archives, generation.name)] == [0]


def test_a_photo_sent_while_a_tick_is_gathered_comes_with_its_row(
    app: Flask, scene: Scene, generation: Generation, empty_place: EmptyPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    gathered = sqlite_source._gathered

    def after_a_photo(*told: Any) -> Any:
        scene.stored(picture())
        return gathered(*told)

    monkeypatch.setattr(sqlite_source, "_gathered", after_a_photo)
    assert generation.tick()
    report = done(empty_place(), "restore", "--photos", "1")
    assert report["check"]["faults"] == []
    assert report["check"]["photos"]["named"] == 1
