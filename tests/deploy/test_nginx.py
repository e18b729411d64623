"""The nginx that we ship, in front of the application: what it refuses, what it hides, and that slow senders wait in it."""

import json
import re
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from http.client import HTTPResponse
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, request
from werkzeug.serving import WSGIRequestHandler, make_server

from server import errors
from server.app import create_app
from server.http import log
from server.http.problems import catalogue, slug
from server.settings import Settings
from tests.conftest import KEYRING, Template
from tests.engines.nginx import SHIPPED, Nginx, nginx

CONFIGURATION = (SHIPPED / "visits.conf").read_text()
ANSWERS = re.compile(r"return (\d+) '(\{.*?\})';")


class Quiet(WSGIRequestHandler):
    """Serves without telling."""

    def log(self, *_args: object) -> None:
        """Say nothing."""


class Upstream:
    """The application behind one single thread, so that any slow sender that got through would stop it."""

    def __init__(self, app: Flask) -> None:
        self.addresses: list[str | None] = []
        app.before_request(lambda: self.addresses.append(request.remote_addr))
        self.server = make_server("127.0.0.1", 0, app, threaded=False, request_handler=Quiet)
        self._thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Go away, as a server that has crashed."""
        self.server.shutdown()
        self.server.server_close()
        self._thread.join(5)


@pytest.fixture(scope="module")
def upstream(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Template) -> Iterator[Upstream]:
    folder = tmp_path_factory.mktemp("upstream")
    app = create_app(
        Settings(
            database_url=sqlite_template.copy(folder),
            storage_url=f"file://{folder}/uploads",
            keyring=KEYRING,
            secret_key="only for tests, and long enough for them",
            proxies=1,
        )
    )
    running = Upstream(app)
    yield running
    running.close()
    app.extensions["parts"].engine.dispose()


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory, upstream: Upstream) -> Iterator[Nginx]:
    with nginx(tmp_path_factory.mktemp("nginx"), [upstream.server.server_port]) as running:
        yield running


@pytest.fixture(scope="module")
def orphan(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    """Give a proxy whose server is down: nobody listens where it looks."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with nginx(tmp_path_factory.mktemp("orphan"), [taken.getsockname()[1]]) as running:
            yield running


def ask(
    proxy: Nginx, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
) -> tuple[int, dict[str, str], bytes]:
    connection = proxy.connection()
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def raw(proxy: Nginx, sent: bytes, *, host: str = "127.0.0.1") -> tuple[int, dict[str, str], bytes]:
    """Send bytes as they are, and read the answer."""
    with (
        socket.create_connection(("127.0.0.1", proxy.port), 10) as plain,
        proxy.context.wrap_socket(plain, server_hostname=host) as line,
    ):
        line.sendall(sent)
        return parsed(line)


def parsed(line: socket.socket) -> tuple[int, dict[str, str], bytes]:
    answer = HTTPResponse(line)
    answer.begin()
    return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()


def check_browser_headers(headers: dict[str, str]) -> None:
    assert headers["strict-transport-security"] == "max-age=31536000; includeSubDomains"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


def check_problem(answer: tuple[int, dict[str, str], bytes], kind: type[errors.Refusal]) -> dict[str, Any]:
    status, headers, body = answer
    assert status == int(kind.kind)
    assert headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = json.loads(body)
    assert problem["code"] == kind.code()
    assert problem["request_id"] == headers["x-request-id"] != ""
    check_browser_headers(headers)
    return problem


def test_what_nginx_refuses_is_worded_as_the_service_words_it() -> None:
    kinds = {kind.code(): kind for kind in catalogue()}
    written = [(int(status), json.loads(text)) for status, text in ANSWERS.findall(CONFIGURATION)]
    assert {status for status, _ in written} == {400, 404, 405, 411, 413, 429, 500, 503}
    for status, problem in written:
        kind = kinds[problem["code"]]
        assert problem == {
            "type": f"/problems/{slug(kind)}",
            "title": kind.title,
            "status": status,
            "detail": kind.detail,
            "code": kind.code(),
            "errors": {},
            "request_id": "$visits_request_id",
        }
        assert status == int(kind.kind)
    for kind in (errors.TooMany, errors.Unavailable):
        assert f'"{int(kind.kind)}:" {kind.retry_after};' in CONFIGURATION


def test_a_request_id_is_judged_as_the_service_judges_it() -> None:
    assert log._CLEAN.pattern.removesuffix(r"\Z") in CONFIGURATION
    assert log._LONG_DIGITS.pattern in CONFIGURATION


@pytest.mark.nginx
@pytest.mark.parametrize("method", ["GET", "PUT", "POST", "DELETE"])
def test_a_server_that_is_down_is_a_problem_document_that_says_try_again(orphan: Nginx, method: str) -> None:
    answer = ask(orphan, method, "/api/v1/visits/1", b"{}" if method in {"PUT", "POST"} else None)
    check_problem(answer, errors.Unavailable)
    assert answer[1]["retry-after"] == "5"


@pytest.mark.nginx
def test_a_photo_for_a_server_that_is_down_is_told_to_try_again_and_not_that_it_is_too_large(
    orphan: Nginx,
) -> None:
    path = "/api/v1/visits/0190b5f0-0000-7000-8000-000000000001/photos"
    answer = ask(orphan, "POST", path, b"x" * 3_000_000, {"Content-Type": "multipart/form-data; boundary=x"})
    check_problem(answer, errors.Unavailable)


@pytest.mark.nginx
def test_a_photo_without_an_end_is_a_problem_document(proxy: Nginx) -> None:
    head = b"POST /api/v1/visits/1/photos HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunk = b"100000\r\n" + b"x" * 0x100000 + b"\r\n"
    with proxy.connect() as line:
        line.sendall(head)
        with suppress(OSError):  # nginx stops to listen when it has had enough
            for _ in range(20):
                line.sendall(chunk)
        check_problem(parsed(line), errors.TooLarge)


@pytest.mark.nginx
def test_a_body_that_is_too_large_is_refused_before_the_server_sees_it(
    proxy: Nginx, upstream: Upstream
) -> None:
    seen = len(upstream.addresses)
    head = b"PUT /api/v1/visits/1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 600000\r\n\r\n"
    check_problem(raw(proxy, head), errors.TooLarge)
    head = b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n"
    check_problem(raw(proxy, head), errors.TooLarge)
    assert len(upstream.addresses) == seen


@pytest.mark.nginx
def test_a_photo_of_12_mib_reaches_the_server_and_17_mb_do_not(proxy: Nginx) -> None:
    path = "/api/v1/visits/0190b5f0-0000-7000-8000-000000000001/photos"
    body = b"x" * (12 * 1024 * 1024 + 2000)
    status, headers, _ = ask(proxy, "POST", path, body, {"Content-Type": "multipart/form-data; boundary=x"})
    assert (status, headers["www-authenticate"]) == (401, "Bearer")
    head = (
        f"POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 17000000\r\n\r\n".encode()
    )
    check_problem(raw(proxy, head), errors.TooLarge)


@pytest.mark.nginx
@pytest.mark.parametrize(
    ("sent", "kind"),
    [
        (b"NONSENSE\r\n\r\n", errors.NotJson),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 40_000 + b"\r\n\r\n", errors.NotJson),
        (b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello", errors.NotJson),
        (b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", errors.NotJson),
        (b"TRACE / HTTP/1.1\r\nHost: x\r\n\r\n", errors.MethodNotAllowed),
        (b"GET / HTTP/9.9\r\nHost: x\r\n\r\n", errors.NotJson),
        (b"PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", errors.NotJson),
    ],
    ids=["nonsense", "long header", "two lengths", "negative length", "trace", "version", "coding"],
)
def test_a_malformed_request_is_a_problem_document(
    proxy: Nginx, sent: bytes, kind: type[errors.Refusal]
) -> None:
    check_problem(raw(proxy, sent), kind)


@pytest.mark.nginx
def test_plain_http_on_the_tls_port_is_refused(proxy: Nginx) -> None:
    with socket.create_connection(("127.0.0.1", proxy.port), 10) as line:
        line.sendall(b"GET /api/v1/me HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer x\r\n\r\n")
        check_problem(parsed(line), errors.NotJson)


@pytest.mark.nginx
def test_old_tls_is_refused_and_http2_is_spoken(proxy: Nginx) -> None:
    with socket.create_connection(("127.0.0.1", proxy.port), 10) as plain:
        context = ssl.create_default_context(cafile=str(proxy.folder / "tls.crt"))
        context.set_alpn_protocols(["h2"])
        with context.wrap_socket(plain, server_hostname="127.0.0.1") as line:
            assert (line.version(), line.selected_alpn_protocol()) == ("TLSv1.3", "h2")
    with socket.create_connection(("127.0.0.1", proxy.port), 10) as plain:
        old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        old.load_verify_locations(str(proxy.folder / "tls.crt"))
        old.set_ciphers("ALL:@SECLEVEL=0")
        with pytest.warns(DeprecationWarning, match="TLSv1_1"):
            old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
        with pytest.raises(ssl.SSLError):
            old.wrap_socket(plain, server_hostname="127.0.0.1")


@pytest.mark.nginx
def test_the_server_sees_the_address_that_connected_whatever_the_client_says(
    proxy: Nginx, upstream: Upstream
) -> None:
    spoofed = {"X-Forwarded-For": "203.0.113.9", "Forwarded": "for=203.0.113.9", "X-Real-IP": "203.0.113.9"}
    ask(proxy, "GET", "/healthz", headers=spoofed)
    assert upstream.addresses[-1] == "127.0.0.1"


@pytest.mark.nginx
@pytest.mark.parametrize("path", ["/healthz", "/docs", "/api/v1/me", "/api/v1/openapi.json"])
def test_what_the_service_tells_browsers_is_added_to_and_never_said_twice(proxy: Nginx, path: str) -> None:
    connection = proxy.connection()
    connection.request("GET", path)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    names = [name.lower() for name, _ in answer.getheaders()]
    assert len(names) == len(set(names))
    check_browser_headers({name.lower(): value for name, value in answer.getheaders()})
    if path == "/docs":
        assert "style-src" in (answer.getheader("Content-Security-Policy") or "")


@pytest.mark.nginx
def test_figures_are_not_for_outside(proxy: Nginx) -> None:
    check_problem(ask(proxy, "GET", "/metrics"), errors.NotFound)
    assert ask(proxy, "GET", "/metrics/")[0] == 404


@pytest.mark.nginx
def test_no_log_of_nginx_holds_a_query_an_id_or_a_body(proxy: Nginx, orphan: Nginx) -> None:
    canaries = ("13912345678", "99999919400101001X", "canaryname", "canary-body", "canarytoken")
    query = "?query=13912345678&name=canaryname&id=99999919400101001X"
    headers = {
        "Authorization": "Bearer canarytoken",
        "X-Request-Id": "13912345678",
        "Referer": f"https://x/{query}",
        "User-Agent": "canaryname",
    }
    for one in (proxy, orphan):
        for path in (
            f"/api/v1/archives{query}",
            f"/api/v1/archives/canaryname{query}",
            f"/canaryname{query}",
        ):
            ask(one, "GET", path, headers=headers)
            ask(one, "PUT", path, b"canary-body" * 20_000, headers)
            ask(
                one, "POST", path, b"canary-body" * 60_000, headers | {"Connection": "close"}
            ) if one is proxy else None
        for sent in (
            f"GET /{query}{'a' * 9000} HTTP/1.1\r\n\r\n",
            f"PUT /{query} HTTP/1.1\r\nContent-Length: x\r\n\r\n",
        ):
            raw(one, sent.encode())
        written = one.access_log + one.error_log
        assert '"place":"/api/v1/archives"' in written
        assert [canary for canary in canaries if canary in written] == []


@pytest.mark.nginx
def test_one_id_leads_from_the_answer_to_the_log_of_nginx(proxy: Nginx) -> None:
    _, headers, _ = ask(proxy, "GET", "/api/v1/me", headers={"X-Request-Id": "phone-7.a"})
    assert headers["x-request-id"] == "phone-7.a"
    _, named, body = ask(proxy, "GET", "/api/v1/me", headers={"X-Request-Id": "13912345678"})
    assert json.loads(body)["request_id"] == named["x-request-id"] != "13912345678"
    wanted, patience = {"phone-7.a", named["x-request-id"]}, time.monotonic() + 10
    written: set[str] = set()
    while not wanted <= written and time.monotonic() < patience:  # nginx logs after it has answered
        written = {json.loads(line)["request_id"] for line in proxy.access_log.splitlines()}
    assert wanted <= written


@pytest.mark.nginx
def test_senders_that_stall_wait_in_nginx_and_the_server_goes_on(proxy: Nginx) -> None:
    """The server has one thread: a single stalled request that reached it would stop every other."""
    heads = [
        b"GET /api/v1/me HTTP/1.1\r\nHost: x\r\nX-Sl",
        b"PUT /api/v1/visits/1 HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n{",
        b"POST /api/v1/visits/1/photos HTTP/1.1\r\nHost: x\r\nContent-Length: 3000000\r\n\r\n"
        + b"x" * 200_000,
    ]
    with ExitStack() as held:
        for number in range(60):
            plain = held.enter_context(socket.create_connection(("127.0.0.1", proxy.port), 10))
            line = held.enter_context(proxy.context.wrap_socket(plain, server_hostname="127.0.0.1"))
            line.sendall(heads[number % 3])
        for _ in range(30):
            connection = proxy.connection(timeout=15)
            connection.request("GET", "/healthz")
            assert connection.getresponse().status == 200
            connection.close()


@pytest.mark.nginx
def test_too_many_sign_ins_from_one_address_are_a_problem_document(
    tmp_path: Path, upstream: Upstream
) -> None:
    with nginx(tmp_path / "busy", [upstream.server.server_port]) as proxy:
        connection = proxy.connection()
        answers: list[tuple[int, dict[str, str], bytes]] = []
        while len(answers) < 300 and (not answers or answers[-1][0] != 429):
            connection.request("POST", "/api/v1/auth/password", b"{}", {"Content-Type": "application/json"})
            answer = connection.getresponse()
            headers = {name.lower(): value for name, value in answer.getheaders()}
            answers.append((answer.status, headers, answer.read()))
        connection.close()
    assert [status for status, *_ in answers[:60]] == [422] * 60
    check_problem(answers[-1], errors.TooMany)
    assert answers[-1][1]["retry-after"] == "60"
