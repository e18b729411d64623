"""Calls to a sign-in provider over HTTPS, each of which ends by a deadline whatever the other side does.

The time-outs of HTTP libraries count each read anew, so a server that drips one byte a second holds its caller for
ever. Here the time left to the whole call bounds every single step: finding the address, connecting, the handshake,
every read. A connection is not kept: a sign-in is rare, and a one-time code must never be sent twice because a kept
connection turned out to be dead. Redirects are not followed and proxies of the environment not used, since the
address carries secrets.
"""

import http.client
import io
import ipaddress
import json
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, cast
from urllib.parse import quote, urlencode, urlsplit

OK = 200
_CHUNK = 8 * 1024


class NoAnswer(Exception):  # noqa: N818  (what happened, in one word for the log)
    """No usable answer came; `reason` is one word for the log and holds nothing of the request."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class Deadline:
    """The end of a call, however many steps it takes."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def left(self, most: float | None = None) -> float:
        """Give the seconds that a step may take, at most `most`; raises NoAnswer when none are left."""
        seconds = self._end - time.monotonic()
        if seconds <= 0:
            raise NoAnswer("timed_out")
        return seconds if most is None else min(seconds, most)


class ProviderCalls:
    """JSON calls to one base URL.

    `base_url` is https; plain http is taken for loopback addresses only (tests, the demo). `connect_timeout` bounds
    reaching one address, `read_timeout` one read (both seconds), `most_bytes` an answer. Raises ValueError for a
    base URL that must not be used.
    """

    def __init__(
        self,
        base_url: str,
        *,
        connect_timeout: float,
        read_timeout: float,
        most_bytes: int,
    ) -> None:
        parts = urlsplit(base_url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username or parts.query:
            raise ValueError("the base URL of a sign-in provider is https://host[:port][/path]")
        if parts.scheme == "http" and not _is_loopback(parts.hostname):
            raise ValueError("a sign-in provider is called over https; plain http is for loopback only")
        self._host = parts.hostname
        self._port = parts.port or (443 if parts.scheme == "https" else 80)
        shown = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        self._named = shown if parts.port is None else f"{shown}:{parts.port}"
        self._path = parts.path.rstrip("/")
        self._secure = parts.scheme == "https"
        self._connect_timeout = connect_timeout
        self._read_timeout = read_timeout
        self._most_bytes = most_bytes
        self._context: ssl.SSLContext | None = None

    def get(self, path: str, query: Mapping[str, str], deadline: Deadline) -> dict[str, Any]:
        """Ask with GET and return the JSON object that answers; raises NoAnswer."""
        return self._ask("GET", path, query, None, deadline)

    def post(
        self, path: str, query: Mapping[str, str], payload: Mapping[str, object], deadline: Deadline
    ) -> dict[str, Any]:
        """Ask with POST and return the JSON object that answers; raises NoAnswer."""
        body = json.dumps(payload, ensure_ascii=False).encode("utf-8", "replace")
        return self._ask("POST", path, query, body, deadline)

    def _ask(
        self, method: str, path: str, query: Mapping[str, str], body: bytes | None, deadline: Deadline
    ) -> dict[str, Any]:
        target = self._path + path + ("?" + urlencode(query, quote_via=quote, safe="") if query else "")
        headers = {"Host": self._named, "Accept": "application/json", "Connection": "close"}
        if body is not None:
            headers["Content-Type"] = "application/json; charset=utf-8"
        # Nothing is chained: the exceptions below may show the address, and with it a secret.
        try:
            sock = self._connect(deadline)
        except (OSError, ValueError):
            raise NoAnswer("no_connection") from None
        connection = http.client.HTTPConnection(self._host, self._port)
        connection.sock = cast("socket.socket", _BoundedSocket(sock, deadline, self._read_timeout))
        try:
            connection.request(method, target, body, headers)
            with connection.getresponse() as response:
                content = self._read(response)
        except TimeoutError:
            raise NoAnswer("timed_out") from None
        except (OSError, http.client.HTTPException, ValueError):
            raise NoAnswer("broken_off") from None
        finally:
            connection.close()
            sock.close()
        return _parsed(content)

    def _read(self, response: http.client.HTTPResponse) -> bytes:
        if response.status != OK:
            raise NoAnswer(f"status_{response.status}")
        content = bytearray()
        while chunk := response.read(_CHUNK):
            content += chunk
            if len(content) > self._most_bytes:
                raise NoAnswer("too_large")
        if response.length:
            raise NoAnswer("broken_off")
        return bytes(content)

    def _connect(self, deadline: Deadline) -> socket.socket:
        """Reach the first address that answers; nothing of the request is sent yet, so trying again is safe."""
        last: OSError = OSError("no address")
        for address in self._addresses(deadline):
            try:
                sock = socket.create_connection(address, deadline.left(self._connect_timeout))
            except OSError as error:
                last = error
                continue
            if not self._secure:
                return sock
            try:
                sock.settimeout(deadline.left(self._connect_timeout))
                return self._tls().wrap_socket(sock, server_hostname=self._host)
            except OSError as error:
                sock.close()
                last = error
            except BaseException:
                sock.close()
                raise
        raise last

    def _addresses(self, deadline: Deadline) -> list[tuple[str, int]]:
        found: list[tuple[str, int]] = []

        def look_up() -> None:
            with suppress(OSError, UnicodeError):
                for *_, where in socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM):
                    found.append((str(where[0]), int(where[1])))

        # The resolver has no time-out of its own that we could set.
        thread = threading.Thread(target=look_up, name="resolve", daemon=True)
        thread.start()
        thread.join(deadline.left())
        return list(dict.fromkeys(found))

    def _tls(self) -> ssl.SSLContext:
        if self._context is None:
            self._context = ssl.create_default_context()
        return self._context


class _BoundedSocket:
    """A socket whose every step ends by the deadline of the call; what http.client asks of a socket, no more."""

    def __init__(self, sock: socket.socket, deadline: Deadline, read_timeout: float) -> None:
        self._sock = sock
        self._deadline = deadline
        self._read_timeout = read_timeout

    def sendall(self, data: bytes) -> None:
        self._sock.settimeout(self._deadline.left(self._read_timeout))
        self._sock.sendall(data)

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_BoundedReader(self))

    def recv_into(self, buffer: Any) -> int:
        self._sock.settimeout(self._deadline.left(self._read_timeout))
        return self._sock.recv_into(buffer)

    def close(self) -> None:
        """Leave the socket to its caller: http.client lets go of it before the answer is read."""


class _BoundedReader(io.RawIOBase):
    def __init__(self, sock: _BoundedSocket) -> None:
        self._sock = sock

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._sock.recv_into(buffer)


def _without_session_key(pairs: list[tuple[str, object]]) -> dict[str, object]:
    return {name: value for name, value in pairs if name != "session_key"}


def _parsed(content: bytes) -> dict[str, Any]:
    """Read an answer; the session key, of which we have no need, is dropped before anything can see it."""
    answer: object = None
    # A parser's exception carries the whole text, so it must not be chained or logged.
    with suppress(ValueError, RecursionError):
        answer = json.loads(content, object_pairs_hook=_without_session_key)
    if not isinstance(answer, dict):
        raise NoAnswer("not_json")
    return answer


def _is_loopback(host: str) -> bool:
    with suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"
