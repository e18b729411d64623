"""The doctor and an S3 store: one that is down, and one that would let a stored photo be replaced."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from server.doctor.places import examine_store
from server.doctor.terms import State
from server.settings import Settings
from server.tools import Tools


@dataclass
class ForgetfulStore:
    """The least that is an S3 server; like some real ones it does not know If-None-Match on a PUT."""

    objects: dict[str, tuple[bytes, dict[str, str]]] = field(default_factory=dict)
    url: str = ""


@pytest.fixture
def forgetful() -> Iterator[ForgetfulStore]:
    store = ForgetfulStore()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_PUT(self) -> None:
            data = self.rfile.read(int(self.headers["Content-Length"]))
            kept = {
                name: value for name, value in self.headers.items() if name.lower().startswith("x-amz-meta")
            }
            store.objects[self.path] = (data, kept)
            self._answer(200, b"")

        def do_GET(self) -> None:
            found = store.objects.get(self.path)
            self._answer(200 if found else 404, *(found or (b"",)))

        def do_HEAD(self) -> None:
            self.do_GET()

        def do_DELETE(self) -> None:
            store.objects.pop(self.path, None)
            self._answer(204, b"")

        def _answer(self, status: int, data: bytes, kept: dict[str, str] | None = None) -> None:
            self.send_response(status)
            for name, value in (kept or {}).items():
                self.send_header(name, value)
            self.send_header("Last-Modified", "Thu, 05 Mar 2026 04:00:00 GMT")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(data)

        def log_message(self, *_args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    store.url = f"http://127.0.0.1:{server.server_port}"
    yield store
    server.shutdown()
    server.server_close()
    thread.join(5)


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (
        ("AWS_ACCESS_KEY_ID", "canary-id"),
        ("AWS_SECRET_ACCESS_KEY", "canary-secret"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
    ):
        monkeypatch.setenv(name, value)


def settings(url: str) -> Settings:
    return Settings(
        database_url="sqlite:////nowhere", storage_url="s3://bucket/photos", keyring="", secret_key="", s3_endpoint_url=url
    )  # fmt: skip


def test_a_store_that_would_replace_a_photo_is_found_and_the_probe_is_taken_away(
    forgetful: ForgetfulStore,
) -> None:
    found = list(examine_store(settings(forgetful.url), Tools()))
    assert [(one.state, "If-None-Match" in one.sentence) for one in found] == [(State.TROUBLE, True)]
    assert forgetful.objects == {}


def test_a_store_that_is_down_is_found_within_seconds_and_named_without_its_keys() -> None:
    found = list(examine_store(settings("http://127.0.0.1:9"), Tools()))
    assert [one.state for one in found] == [State.TROUBLE]
    assert "canary" not in repr(found)
