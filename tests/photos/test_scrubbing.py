"""A share of the photos is read again each day; what is missing or no longer what was sent is named."""

import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete

from server.app import create_app
from server.people.models import Person
from server.photos import scrubbing
from server.photos.models import Photo
from server.photos.scrubbing import Share
from server.settings import Settings
from server.tools import Tools
from server.vault.models import StoredKey
from tests.builders.clock import Clock
from tests.photos.sending import Scene, lines, picture, send

DAYS = 30


@pytest.fixture(params=["folder", pytest.param("s3", marks=pytest.mark.s3)])
def app(
    app: Flask, request: pytest.FixtureRequest, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Flask]:
    """Give the application over a folder and over a real S3 server."""
    if request.param == "folder":
        yield app
        return
    endpoint = request.getfixturevalue("s3_endpoint")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", endpoint.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", endpoint.secret_key)
    bucket = endpoint.make_bucket(f"b{uuid4().hex[:16]}")
    local: Settings = app.extensions["parts"].settings
    settings = replace(local, storage_url=f"s3://{bucket}/photos", s3_endpoint_url=endpoint.url)
    over_s3 = create_app(settings, Tools(clock=clock))
    yield over_s3
    over_s3.extensions["parts"].engine.dispose()


@pytest.fixture(scope="module")
def s3_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    from tests.engines.ceph import ceph

    with ceph(tmp_path_factory.mktemp("engine")) as running:
        yield running


def scrubbed(scene: Scene, *words: str) -> tuple[int, dict[str, Any]]:
    result = scene.world.app.test_cli_runner().invoke(args=["photos", "scrub", *words])
    return result.exit_code, json.loads(result.stdout)


def stored(scene: Scene) -> UUID:
    """Send one more photo, with bytes of its own."""
    photo = uuid4()
    answer = send(scene.phone, scene.visit, picture() + photo.bytes, photo)
    assert answer.status_code == 201, answer.json
    return photo


def blob_of(scene: Scene, photo: UUID) -> str:
    with scene.world.work() as work:
        blob_key = work.session.get_one(Photo, photo).blob_key
        assert blob_key is not None
        return blob_key


def replace_blob(scene: Scene, photo: UUID, change: Any) -> None:
    """Change what the store holds, as a failing disk would."""
    import hashlib

    store, key = scene.world.house.store, blob_of(scene, photo)
    with store.open(key) as file:
        content = change(file.read())
    store.delete(key)
    with store.spool() as file:
        file.write(content)
        store.put(key, file, size=len(content), sha256=hashlib.sha256(content).digest())


def flipped(content: bytes) -> bytes:
    return content[:1000] + bytes([content[1000] ^ 1]) + content[1001:]


def test_a_flipped_bit_a_cut_and_a_missing_photo_are_named_and_the_others_are_right(
    scene: Scene, tmp_path: Path
) -> None:
    photos = [stored(scene) for _ in range(6)]
    scene.record(uuid4())  # a photo debt is nobody's fault
    replace_blob(scene, photos[0], flipped)
    replace_blob(scene, photos[1], lambda content: content[:-1])
    scene.world.house.store.delete(blob_of(scene, photos[2]))
    metrics = tmp_path / "scrub.prom"
    status, told = scrubbed(scene, "--share", "1", "--metrics", str(metrics))
    assert status == 1
    assert (told["seen"], told["ok"], told["erased"]) == (6, 3, 0)
    assert set(told["corrupt"]) == {str(one) for one in photos[:2]}
    assert told["missing"] == [str(photos[2])]
    [line] = lines(scene.world, "photos.scrubbed")
    assert str(photos[2]) in str(line.payload)
    assert 'photos_scrubbed{verdict="corrupt"} 2.0' in metrics.read_text()


def test_another_photo_s_blob_in_its_place_is_found(scene: Scene) -> None:
    photos = [stored(scene) for _ in range(2)]
    store = scene.world.house.store
    with store.open(blob_of(scene, photos[1])) as file:
        other = file.read()
    replace_blob(scene, photos[0], lambda _content: other)
    status, told = scrubbed(scene, "--share", "1")
    assert (status, told["corrupt"]) == (1, [str(photos[0])])


def test_whose_key_was_destroyed_is_erased_and_whose_key_is_lost_is_corrupt(scene: Scene) -> None:
    photo = stored(scene)
    with scene.world.work() as work:
        key_id = work.session.get_one(Person, scene.person).data_key_id
        work.keys.destroy(work.session, key_id)
    status, told = scrubbed(scene, "--share", "1")
    assert (status, told["seen"], told["erased"]) == (0, 1, 1)
    with scene.world.work() as work:
        work.session.execute(delete(StoredKey).where(StoredKey.id == key_id))
    status, told = scrubbed(scene, "--share", "1")
    assert (status, told["corrupt"]) == (1, [str(photo)])


def test_every_photo_has_its_turn_once_within_thirty_days(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scrubbing, "PAGE", 2)
    for _ in range(7):
        stored(scene)
    same = stored(scene)
    scene.visit = scene.record()
    send(scene.phone, scene.visit, picture() + same.bytes, uuid4())  # the same bytes under another id
    house = scene.world.house
    first = dt.date(2026, 3, 17)
    seen = [
        scrubbing.scrub(
            house.sessions,
            house.keys,
            house.store,
            Share.of_day(Fraction(1, DAYS), first + dt.timedelta(day)),
        )
        for day in range(DAYS)
    ]
    assert sum(found.seen for found in seen) == sum(found.ok for found in seen) == 9
    assert max(found.seen for found in seen) < 9


def test_a_share_that_is_none_is_refused(scene: Scene) -> None:
    for share in ("0", "-1/3", "2", "x", "1/0"):
        result = scene.world.app.test_cli_runner().invoke(args=["photos", "scrub", "--share", share])
        assert result.exit_code == 2
        assert "份额应在" in result.output


@given(st.integers(1, 60), st.integers(1, 60), st.dates(), st.binary(min_size=32, max_size=32))
def test_the_days_of_a_round_share_out_all_digests_and_none_twice(
    one: int, other: int, day: dt.date, digest: bytes
) -> None:
    share = Fraction(min(one, other), max(one, other))
    turns = -(-share.denominator // share.numerator)
    days = [dt.date.fromordinal(min(day.toordinal(), dt.date.max.toordinal() - 60) + n) for n in range(turns)]
    parts = [Share.of_day(share, each) for each in days]
    assert sum(p.begin <= digest and (p.end is None or digest < p.end) for p in parts) == 1
