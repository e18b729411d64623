"""Big, endless, ambiguous and many-parted requests are refused with the right status and bounded memory (TRUST §1).

Each is sent through nginx with the configuration that we ship, and straight to the server, as a second line.
"""

import re
import socket
import ssl
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import pytest

from tests.builders.world import Phone
from tests.faults.served import Served, served
from tests.faults.sizes import seen, size

ROUNDS = size("FAULT_ODD_ROUNDS", short=1, long=25)
GROWTH = 64 * 1024 * 1024
"""Bytes by which all processes of server and proxy together may grow over all that is sent here."""
MOST_SENT = 64 * 1024 * 1024
"""Bytes after which an endless sender gives up; far more than anything that is taken."""
PIECE = b"a" * 65536
LINE = "\r\n"
SMUGGLED = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"

pytestmark = [pytest.mark.slow, pytest.mark.nginx]


@dataclass(frozen=True)
class Odd:
    """One odd request: what is sent, and the statuses with which either side may refuse it."""

    name: str
    sent: Iterable[bytes]
    proxy: set[int]
    server: set[int]
    headers: dict[str, str] = field(default_factory=dict)


def head(method: str, path: str, token: str, **headers: object) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", f"Authorization: Bearer {token}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return (LINE.join(lines) + LINE * 2).encode()


class Endless:
    """The same piece again and again, from the start each time that it is walked."""

    def __init__(self, begin: bytes, piece: bytes) -> None:
        self.begin, self.piece = begin, piece

    def __iter__(self) -> Iterator[bytes]:
        yield self.begin
        for _ in range(MOST_SENT // len(self.piece)):
            yield self.piece


def parts(many: int, more: str = "") -> bytes:
    one = f'--x\r\nContent-Disposition: form-data; name="a{{}}"{more}\r\n\r\n1\r\n'
    return "".join(one.format(number) for number in range(many)).encode() + b"--x--\r\n"


def odd_requests(visit: str, token: str) -> list[Odd]:
    photos = f"{visit}/photos"
    form = {"Content_Type": "multipart/form-data; boundary=x"}
    json = {"Content_Type": "application/json"}

    def put(**headers: object) -> bytes:
        return head("PUT", visit, token, **json, **headers)

    def post(**headers: object) -> bytes:
        return head("POST", photos, token, **form, **headers)

    many, files = parts(100_000), parts(100_000, '; filename="a.jpg"')
    long_head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="' + b"a" * 4_000_000
    chunk = b"10000\r\n" + PIECE + b"\r\n"
    two = (b"Content-Length: 2\r\n", b"Content-Length: 44\r\n")
    ambiguous = put()[:-2]
    return [
        Odd("a terabyte of JSON", [put(Content_Length=1 << 40), PIECE], {413}, {413}),
        Odd("ten megabytes of JSON", [put(Content_Length=10 << 20), *[PIECE] * 160], {413}, {413}),
        Odd("a gigabyte of photo", [post(Content_Length=1 << 30), PIECE], {413}, {413}),
        Odd("JSON without an end", Endless(put(Transfer_Encoding="chunked"), chunk), {413}, {411}),
        Odd("a photo without an end", Endless(post(Transfer_Encoding="chunked"), chunk), {413}, {411}),
        Odd("100,000 parts", [post(Content_Length=len(many)), many], {413, 422}, {413, 422}),
        Odd("100,000 files", [post(Content_Length=len(files)), files], {413, 422}, {413, 422}),
        Odd(
            "the head of a part without an end",
            [post(Content_Length=len(long_head)), long_head],
            {413, 422},
            {413, 422},
        ),
        Odd("100,000 headers", [head("GET", "/api/v1/me", token)[:-2],
                                *(f"X-{number}: a\r\n".encode() for number in range(100_000)), b"\r\n"],
            {400}, {431}),
        Odd("a header of a megabyte", [head("GET", "/api/v1/me", token, X_Big="a" * 1_000_000)], {400}, {431}),
        Odd("a header without an end", Endless(head("GET", "/api/v1/me", token)[:-2] + b"X-Big: ", PIECE), {400}, {431}),
        Odd("a path of a megabyte", [head("GET", "/" + "a" * 1_000_000, token)], {413, 414}, {431, 414}),
        Odd("a length and chunks", [ambiguous + b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n",
                                    b"0\r\n\r\n" + SMUGGLED], {400}, {400, 411}),
        Odd("two lengths", [ambiguous + b"".join(two) + b"\r\n{}" + SMUGGLED], {400}, {400}),
        Odd("a length below nothing", [put(Content_Length=-5), b"{}"], {400}, {400}),
        Odd("a length with a sign", [put(Content_Length="+2"), b"{}"], {400}, {400}),
        Odd("a length beyond numbers", [put(Content_Length="9" * 30), b"{}"], {400}, {400}),
        Odd("chunks of another kind", [put(Content_Length=2, Transfer_Encoding="xchunked"), b"{}" + SMUGGLED], {400}, {400}),
        Odd("a blank before the colon", [ambiguous + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + SMUGGLED], {400}, {400}),
        Odd("a chunk of no number", [put(Transfer_Encoding="chunked"), b"zz\r\n{}\r\n0\r\n\r\n" + SMUGGLED], {400}, {400, 411}),
        Odd("a chunk beyond numbers", [put(Transfer_Encoding="chunked"), b"f" * 40 + b"\r\n{}\r\n" + SMUGGLED], {400, 413}, {400, 411}),
        Odd("TLS inside", [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"a" * 200 + b"\r\n\r\n"], {400}, {400}),
    ]  # fmt: skip


def talk(township: Served, way: str, sent: Iterable[bytes]) -> bytes:
    """Send until the other side refuses or hangs up; gives what it said."""
    straight = ("127.0.0.1", township.server.port)
    line = township.proxy.connect() if way == "nginx" else socket.create_connection(straight, timeout=20)
    heard = b""
    with suppress(OSError):  # one thread for both ways: a TLS connection is not made for two
        for number, piece in enumerate(sent):
            line.settimeout(5)
            line.sendall(piece)
            if number % 50 == 0:
                line.settimeout(0)
                with suppress(BlockingIOError, ssl.SSLWantReadError):
                    heard += line.recv(65536)
                    break
    with suppress(OSError):
        line.settimeout(5 if not heard else 0.15)
        while piece := line.recv(65536):
            heard += piece
            line.settimeout(0.15)  # and nothing more comes
    line.close()
    return heard


def memory(township: Served) -> int:
    """Give the resident bytes of all processes of server and proxy."""
    roots, total = [township.server.pid, township.proxy.process.pid], 0
    while roots:
        pid = roots.pop()
        with suppress(OSError):
            total += int(re.findall(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[0]) * 1024
            for task in Path(f"/proc/{pid}/task").glob("*/children"):
                roots += [int(word) for word in task.read_text().split()]
    return total


def a_visit(phone: Phone, township: Served) -> str:
    """Record a visit that photos may be sent for, and give its path."""
    from tests.builders.visits import a_visit_body

    at = township.world.clock().isoformat(timespec="seconds")
    body = a_visit_body(
        township.world.person(phone.actor),
        visitors=[str(phone.actor.worker_id)],
        occurred_at=at,
        ended_at=None,
        client_created_at=at,
    )
    path = f"/visits/{uuid4()}"
    answer = phone.put(path, body)
    assert answer.status_code == 201, answer.text
    return f"/api/v1{path}"


def test_odd_requests_are_refused_and_leave_no_weight(tmp_path: Path) -> None:
    with served(tmp_path) as township:
        phone = township.world.phone(township.world.worker())
        requests = odd_requests(a_visit(phone, township), phone.token)
        wrong, grown, before = [], 0, 0
        for number in range(ROUNDS + 1):
            for odd in requests:
                for way, allowed in (("nginx", odd.proxy), ("server", odd.server)):
                    heard = b""
                    for _ in range(10):  # whoever hangs up on a sender may take the answer back with it
                        heard = heard or talk(township, way, odd.sent)
                    statuses = [int(one) for one in re.findall(rb"HTTP/1\.[01] (\d{3})", heard)]
                    if not statuses or statuses[0] not in allowed or b'"ok"' in heard:
                        wrong.append((odd.name, way, statuses, heard[-200:]))
                    if way == "nginx" and b"application/problem+json" not in heard:
                        wrong.append((odd.name, way, statuses, "no problem document"))
            if number == 0:  # the first round loads what is loaded once
                before = memory(township)
            grown = memory(township) - before
        seen(
            "odd requests",
            f"{len(requests)} kinds, {2 * (ROUNDS + 1)} times each, {before >> 20} MB before, {grown >> 20} MB more after",
        )
        assert not wrong, "\n".join(str(one)[:300] for one in wrong)
        assert grown < GROWTH
        assert township.server.answers()
        assert '"status": 5' not in township.server.log()


def test_the_proxy_writes_no_name_or_number_into_its_logs(tmp_path: Path) -> None:
    """Searches carry names in their query, odd requests carry anything anywhere; nginx keeps neither."""
    name, number = "%E9%87%91%E4%B8%9D%E9%9B%80", "999999195001010018"
    with served(tmp_path) as township:
        for sent in (
            head(
                "GET",
                f"/api/v1/archives?query={name}",
                "A" * 43,
                User_Agent=number,
                Referer=number,
                Cookie=number,
            ),
            head(
                "GET", f"/healthz?{number}={name}", "A" * 43, X_Forwarded_For=number, Origin=f"https://{name}"
            ),
            head("PUT", f"/api/v1/visits?query={number}", "A" * 43, Content_Length="x" + number),
            head("GET", f"/api/v1/archives?query={number}", "A" * 43, X_Big=name * 10_000),
            head("PUT", f"/api/v1/visits?query={name}", "A" * 43, Content_Length=1_000_000)
            + number.encode() * 50_000,
            f"GET /?{number} HTTP/1.1\r\nHost: {number}\r\n{name}\r\n\r\n".encode(),
        ):
            talk(township, "nginx", [sent])
        written = "".join(
            one.read_text(errors="replace") for one in township.proxy.folder.glob("*log*") if one.is_file()
        )
    assert written.count("/api/v1/") + written.count("malformed") > 2
    assert not [word for word in (name, "金丝雀", number, number[:12]) if word in written], written


def test_what_is_pipelined_is_answered_in_order_and_nothing_else_is(tmp_path: Path) -> None:
    """A body that looks like a request stays a body, also when nobody reads it."""
    with served(tmp_path) as township:
        token = township.world.phone(township.world.worker()).token
        hidden = head(
            "PUT",
            "/api/v1/visits/5b0d9a77-6c1e-4d55-8a43-0f5e2c9b1d21",
            "nobody",
            Content_Length=len(SMUGGLED),
        )
        in_get = head("GET", "/api/v1/me", token, Content_Length=len(SMUGGLED))
        last = b"GET /api/v1/terms HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        for way in ("nginx", "server"):
            for sent, statuses in (
                (in_get + SMUGGLED + last, [200, 200]),
                (hidden + SMUGGLED + last, [401, 200]),
            ):
                heard = talk(township, way, [sent])
                assert b'"status":"ok"' not in heard.replace(b": ", b":"), way
                found = [int(one) for one in re.findall(rb"HTTP/1\.[01] (\d{3})", heard)]
                # Whoever refuses before the body was read may hang up instead of answering what follows.
                assert found in (statuses, statuses[:1]), (way, heard)
