"""Stores to test with: a folder, and a bucket of a real S3 server."""

import secrets
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from server.storage import BlobStore
from server.storage.local import LocalStore
from server.storage.s3 import S3Settings, S3Store
from tests.engines.ceph import S3Endpoint, ceph


@pytest.fixture(scope="session")
def s3_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Endpoint]:
    with ceph(tmp_path_factory.mktemp("engine")) as endpoint:
        yield endpoint


@pytest.fixture
def s3_settings(s3_endpoint: S3Endpoint, tmp_path: Path) -> S3Settings:
    return S3Settings(
        bucket=s3_endpoint.make_bucket(f"b{secrets.token_hex(8)}"),
        prefix="photos",
        endpoint_url=s3_endpoint.url,
        access_key=s3_endpoint.access_key,
        secret_key=s3_endpoint.secret_key,
        spool_dir=tmp_path,
    )


@pytest.fixture
def hasty(s3_settings: S3Settings) -> S3Settings:
    """The same proportions of time-outs as in service, a tenth as long."""
    return replace(s3_settings, connect=0.2, read=0.6, total=2.6)


@pytest.fixture(params=["local", pytest.param("s3", marks=pytest.mark.s3)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> BlobStore:
    if request.param == "local":
        return LocalStore(tmp_path / "blobs", low_water=0)
    return S3Store(request.getfixturevalue("s3_settings"))
