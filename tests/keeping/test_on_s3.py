"""Photos in a bucket, and the backup in others, on a real S3 server."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from uuid import uuid4

import pytest
from flask import Flask

from server.app import create_app
from server.settings import Settings
from server.tools import Tools
from tests.builders.clock import Clock
from tests.engines.ceph import S3Endpoint, ceph
from tests.keeping.conftest import done, refused
from tests.photos.sending import Scene, picture

pytestmark = pytest.mark.s3


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Endpoint]:
    with ceph(tmp_path_factory.mktemp("engine")) as running:
        yield running


@pytest.fixture
def app(app: Flask, endpoint: S3Endpoint, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", endpoint.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", endpoint.secret_key)
    mark = uuid4().hex[:12]
    photos, kept, keys = (endpoint.make_bucket(f"{name}-{mark}") for name in ("photos", "kept", "keys"))
    local: Settings = app.extensions["parts"].settings
    settings = replace(
        local,
        storage_url=f"s3://{photos}/p",
        s3_endpoint_url=endpoint.url,
        backup_url=f"s3://{kept}/visits",
        backup_keys_url=f"s3://{keys}",
    )
    over_s3 = create_app(settings, Tools(clock=clock))
    yield over_s3
    over_s3.extensions["parts"].engine.dispose()


@pytest.mark.parametrize("back_to", ["bucket", "folder"])
def test_a_backup_in_buckets_comes_back_whole(
    app: Flask, scene: Scene, endpoint: S3Endpoint, empty_place: Callable[..., Flask], back_to: str
) -> None:
    for _ in range(3):
        scene.stored(picture())
    assert done(app, "backup")["photos_copied"] == 3
    assert done(app, "backup")["photos_copied"] == 0
    bucket = endpoint.make_bucket(f"back-{uuid4().hex[:12]}")
    fresh = empty_place(**({"storage_url": f"s3://{bucket}/p"} if back_to == "bucket" else {}))
    report = done(fresh, "restore", "--photos", "1")
    assert (report["photos"], report["check"]["photos"]["ok"], report["check"]["faults"]) == (3, 3, [])


def test_a_store_that_does_not_answer_is_told_in_a_sentence(
    scene: Scene, empty_place: Callable[..., Flask]
) -> None:
    away = empty_place(s3_endpoint_url="http://127.0.0.1:9")
    assert "备份位置现在无法读写" in refused(away, "restore")
