"""Hundreds of senders who stall hold up nobody, with the nginx and server configuration that we ship (TRUST §1)."""

import http.client
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.engines.nginx import Nginx
from tests.faults.served import served
from tests.faults.sizes import seen, size

STALLED = size("FAULT_STALLED", short=400, long=400)
SECONDS = size("FAULT_STALLED_SECONDS", short=6, long=60)
EVERY = 0.05
"""Seconds between two health checks."""
DRIP = 2.0
"""Seconds between two bytes of a sender who stalls."""
ANSWERED, SLOWEST = 0.99, 0.5

pytestmark = [pytest.mark.slow, pytest.mark.nginx]

HEAD = b"PUT /api/v1/visits/5b0d9a77-6c1e-4d55-8a43-0f5e2c9b1d21 HTTP/1.1\r\nHost: localhost\r\n"
KINDS = {
    "no head at all": b"",
    "half a head": HEAD + b"Authorization: Bearer " + b"A" * 20,
    "a head, no body": HEAD + b"Content-Type: application/json\r\nContent-Length: 2000\r\n\r\n",
    "half a body": HEAD
    + b"Content-Type: application/json\r\nContent-Length: 2000\r\n\r\n"
    + b'{"person_id":',
    "half a photo": (
        HEAD.replace(b"PUT", b"POST").replace(b"d21 ", b"d21/photos ")
        + b"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 3000000\r\n\r\n--x\r\n"
    ),
    "half a chunk": HEAD + b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n400\r\n{",
}


@contextmanager
def stalling(proxy: Nginx, many: int) -> Iterator[list[ssl.SSLSocket]]:
    """Hold connections that send a byte now and then, never a whole request; one that was hung up on comes back."""
    over = threading.Event()
    lines: list[ssl.SSLSocket] = []

    def begin(number: int) -> ssl.SSLSocket:
        line = proxy.connect()
        line.sendall(list(KINDS.values())[number % len(KINDS)])
        return line

    def drip() -> None:
        while not over.wait(DRIP):
            for number, line in enumerate(lines):
                if over.is_set():
                    return
                try:
                    line.sendall(b"a")
                except OSError:
                    line.close()
                    with suppress(OSError):
                        lines[number] = begin(number)

    try:
        for number in range(many):
            lines += [begin(number)]
        dripping = threading.Thread(target=drip, daemon=True)
        dripping.start()
        yield lines
    finally:
        over.set()
        for line in lines:
            line.close()


def check(proxy: Nginx) -> float | None:
    """Ask for the health of the service as a monitor does; the seconds that it took, None when it was not answered."""
    began = time.monotonic()
    connection = http.client.HTTPSConnection("localhost", proxy.port, timeout=5, context=proxy.context)
    try:
        connection.request("GET", "/healthz")
        answered = connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
    return time.monotonic() - began if answered else None


def test_health_checks_are_answered_under_hundreds_of_stalled_senders(tmp_path: Path) -> None:
    with served(tmp_path) as township, stalling(township.proxy, STALLED) as lines:
        answers: list[float | None] = []
        until = time.monotonic() + SECONDS
        while time.monotonic() < until:
            answers.append(check(township.proxy))
            time.sleep(EVERY)
        assert len(lines) == STALLED
        assert township.server.answers()
        log = township.proxy.log()
    taken = sorted(one for one in answers if one is not None)
    p99 = taken[int(len(taken) * 0.99)]
    seen(
        "slow senders",
        f"{STALLED} stalled connections, {len(taken)} of {len(answers)} health checks answered, "
        f"median {taken[len(taken) // 2] * 1000:.0f} ms, p99 {p99 * 1000:.0f} ms",
    )
    assert len(answers) > SECONDS * 5
    assert len(taken) >= ANSWERED * len(answers), log[-2000:]
    assert p99 < SLOWEST
