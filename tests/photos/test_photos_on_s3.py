"""The way of a photo over a real S3 server: in, out, sealed, refused, swept (CONTRACT §5)."""

import datetime as dt
import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest
from flask import Flask

from server.app import create_app
from server.permissions import Role
from server.photos.sweeping import sweep
from server.settings import Settings
from server.tools import Tools
from tests.builders.clock import Clock
from tests.builders.world import SHENGPING
from tests.engines.ceph import S3Endpoint, ceph
from tests.photos.sending import Scene, blobs, digest, lines, picture, rows, send

pytestmark = pytest.mark.s3


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Endpoint]:
    with ceph(tmp_path_factory.mktemp("engine")) as running:
        yield running


@pytest.fixture
def bucket(endpoint: S3Endpoint) -> str:
    return endpoint.make_bucket(f"b{secrets.token_hex(8)}")


@pytest.fixture
def app(
    app: Flask, endpoint: S3Endpoint, bucket: str, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Flask]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", endpoint.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", endpoint.secret_key)
    local: Settings = app.extensions["parts"].settings
    settings = replace(local, storage_url=f"s3://{bucket}/photos", s3_endpoint_url=endpoint.url)
    over_s3 = create_app(settings, Tools(clock=clock))
    yield over_s3
    over_s3.extensions["parts"].engine.dispose()


def test_a_photo_goes_the_whole_way(scene: Scene, endpoint: S3Endpoint, bucket: str, tmp_path: Path) -> None:
    photo = uuid4()
    scene.visit = scene.record(photo)
    first = send(scene.phone, scene.visit, picture(6), photo, sha256=digest(picture(6)))
    assert (first.status_code, first.json["photo_debt"]) == (201, []), first.json
    assert send(scene.phone, scene.visit, picture(6), photo).status_code == 200
    other = send(scene.phone, scene.visit, picture(), photo)
    assert (other.status_code, other.json["code"]) == (409, "photo_conflict")
    broken = send(scene.phone, scene.visit, picture()[:5000])
    assert (broken.status_code, broken.json["code"]) == (422, "photo_unreadable")
    [key] = blobs(scene.world)
    sealed = endpoint.client().get_object(Bucket=bucket, Key=f"photos/{key}")["Body"].read()
    assert sealed.startswith(b"TFBL")
    assert picture(6)[1000:1032] not in sealed
    for size in ("thumb", "screen"):
        answers = [scene.phone.get(f"/photos/{photo}", size=size) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [200, 200]
        assert answers[0].data == answers[1].data
    assert len(blobs(scene.world)) == 3
    assert scene.phone.get(f"/photos/{photo}", size="original").status_code == 403
    assert scene.original(photo) == picture(6)
    link = scene.phone.get(f"/photos/{photo}/link", size="thumb").json["url"]
    assert scene.world.app.test_client().get(link).status_code == 200
    assert [path for path in (tmp_path / "uploads").rglob("*") if path.is_file()] == []


def test_the_same_upload_five_times_at_once_is_one_photo(scene: Scene) -> None:
    photo = uuid4()
    scene.visit = scene.record(photo)
    phones = [scene.world.phone(scene.visitor) for _ in range(5)]
    with ThreadPoolExecutor(5) as at_once:
        answers = list(at_once.map(lambda phone: send(phone, scene.visit, picture(), photo), phones))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 200, 201]
    assert len(rows(scene.world, photo)) == len(blobs(scene.world)) == 1
    assert len(lines(scene.world, "photo.stored", photo)) == 1


def test_an_orphan_is_swept_and_a_photo_is_not(scene: Scene) -> None:
    photo = scene.stored(picture())
    [named] = blobs(scene.world)
    with scene.world.house.store.spool() as file:
        file.write(b"sealed")
        content = bytes.fromhex(digest(b"sealed"))
        scene.world.house.store.put("ab/cd/0123456789", file, size=6, sha256=content)
    scene.world.clock.instant = dt.datetime.now(dt.UTC)
    seen = []
    for days in (1, 31, 1):
        scene.world.clock.move(days=days)
        with scene.world.work() as work:
            seen.append(sweep(work, scene.world.house.store))
    assert seen == [(1, 0), (0, 1), (0, 0)]
    assert blobs(scene.world) == [named]
    assert len(lines(scene.world, "blob.swept")) == 1
    reviewer = scene.world.phone(scene.world.worker(Role.REVIEWER, SHENGPING))
    assert reviewer.get(f"/photos/{photo}", size="original").data == picture()
