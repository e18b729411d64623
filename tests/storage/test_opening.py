"""Which store a STORAGE_URL names."""

import subprocess
import sys
from pathlib import Path

import pytest

from server.settings import Settings, SettingsError
from server.storage import open_store
from server.storage.local import LocalStore
from server.storage.s3 import S3Store


def test_a_file_url_names_a_folder(tmp_path: Path) -> None:
    store = open_store(f"file://{tmp_path}/影 像".replace(" ", "%20"))
    assert isinstance(store, LocalStore)
    assert (tmp_path / "影 像").is_dir()


def test_an_s3_url_names_bucket_and_prefix() -> None:
    store = open_store("s3://county-photos/guangde/originals", s3_endpoint_url="http://127.0.0.1:9")
    assert isinstance(store, S3Store)
    assert (store._bucket, store._inside) == ("county-photos", "guangde/originals/")


@pytest.mark.parametrize(
    "url",
    ["", "/srv/photos", "file://srv/photos", "file:///", "file:photos", "s3://", "s3:///prefix", "s3://BUCKET/x",
     "s3://bucket/../x", "s3://bucket/a//b", "s3://bucket/x?versions", "file:///srv#x", "http://bucket/x", "file:///a%00b"],
)  # fmt: skip
def test_any_other_url_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="STORAGE_URL"):
        open_store(url)


def test_a_local_store_does_not_load_the_s3_library(tmp_path: Path) -> None:
    program = f"import sys; from server.storage import open_store; open_store('file://{tmp_path}/b'); print('boto3' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert told.stdout.strip() == "False"


def test_a_low_water_mark_below_nothing_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, value in {
        "DATABASE_URL": f"sqlite:///{tmp_path}/app.sqlite", "STORAGE_URL": f"file://{tmp_path}", "KEYRING": "{}",
        "SECRET_KEY": "x" * 32, "LOW_WATER_MB": "7",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    assert Settings.from_env().low_water_mb == 7
    monkeypatch.setenv("LOW_WATER_MB", "-1")
    with pytest.raises(SettingsError, match="LOW_WATER_MB"):
        Settings.from_env()
