"""A visitor's phone: signs in through WeChat, repeats what got no answer, and never does anything but HTTP."""

import http.client
import json
import secrets
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

API = "/api/v1"
TRIES = 6
SECONDS = 60.0
OK, CREATED, UNAUTHENTICATED, TOO_MANY, UNAVAILABLE = 200, 201, 401, 429, 503


class PhoneError(Exception):
    """The server answered something that a phone does not expect; the message has its problem document."""


@dataclass(frozen=True)
class Reply:
    """What the server answered; `data` is the JSON of its body, None for an empty one."""

    status: int
    data: Any

    def expect(self, *statuses: int) -> Any:
        """Give the data of an answer with one of these statuses, or raise PhoneError."""
        if self.status not in statuses:
            raise PhoneError(f"{self.status}: {json.dumps(self.data, ensure_ascii=False)[:600]}")
        return self.data


class Phone:
    """One worker's phone. `lose_next` makes it lose the answer of the next call, as a bad network does."""

    def __init__(self, address: str, subject: str, invite_code: str | None = None) -> None:
        parts = urlsplit(address)
        assert parts.hostname is not None
        assert parts.port is not None
        self._host, self._port = parts.hostname, parts.port
        self._subject, self._invite_code = subject, invite_code
        self._connection: http.client.HTTPConnection | None = None
        self._token: str | None = None
        self.worker: Mapping[str, Any] = {}
        self.lose_next = False
        self.lost = 0

    def sign_in(self) -> None:
        """Sign in with a code of `wx.login`; the first time, bind the account with the invite code."""
        for _ in range(3):  # a code works once, whatever became of the answer
            code = f"demo:{self._subject}:{secrets.token_hex(8)}"
            reply = self._call("POST", "/auth/wechat", {"code": code}, tries=1)
            if reply.status not in {UNAUTHENTICATED, TOO_MANY, UNAVAILABLE}:
                break
        if reply.status == http.client.FORBIDDEN and reply.data.get("code") == "account_not_bound":
            ticket = reply.data["bind_ticket"]
            bind = {"bind_ticket": ticket, "invite_code": self._invite_code or ""}
            reply = self._call("POST", "/auth/wechat/bind", bind)
        signed_in = reply.expect(OK)
        self._token, self.worker = signed_in["token"], signed_in["worker"]

    def get(self, path: str, **query: object) -> Any:
        """Read."""
        asked = f"{path}?{urlencode(query)}" if query else path
        return self._signed_in("GET", asked).expect(OK)

    def put(self, path: str, body: Mapping[str, Any]) -> Any:
        """Send a whole record."""
        return self._signed_in("PUT", path, body).expect(OK, CREATED)

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """Ask for something to be done."""
        return self._signed_in("POST", path, body).expect(OK, CREATED)

    def upload(self, path: str, fields: Mapping[str, str], picture: bytes) -> Any:
        """Send one picture as `wx.uploadFile` does."""
        return self._signed_in("POST", path, Form(fields, picture)).expect(OK, CREATED)

    def close(self) -> None:
        """Switch the phone off."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _signed_in(self, method: str, path: str, body: "Mapping[str, Any] | Form | None" = None) -> Reply:
        if self._token is None:
            self.sign_in()
        reply = self._call(method, path, body)
        if reply.status == UNAUTHENTICATED:
            self.sign_in()
            reply = self._call(method, path, body)
        return reply

    def _call(
        self, method: str, path: str, body: "Mapping[str, Any] | Form | None" = None, *, tries: int = TRIES
    ) -> Reply:
        """Call until there is an answer. Every call of a phone is safe to repeat."""
        headers = {"Accept": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        content: bytes | None = None
        if isinstance(body, Form):
            content, headers["Content-Type"] = body.encoded(), body.content_type
        elif body is not None:
            content, headers["Content-Type"] = json.dumps(body).encode(), "application/json"
        problem: Exception | None = None
        for attempt in range(tries):
            try:
                status, data = self._once(method, path, content, headers)
            except (OSError, http.client.HTTPException) as error:
                problem = error
                self.close()
                time.sleep(0.02 * attempt)
                continue
            if status not in {TOO_MANY, UNAVAILABLE} or attempt + 1 == tries:
                return Reply(status, json.loads(data) if data else None)
            time.sleep(0.2 * (attempt + 1))
        raise PhoneError(f"{method} {path.partition('?')[0]}: {problem!r}")

    def _once(
        self, method: str, path: str, content: bytes | None, headers: Mapping[str, str]
    ) -> tuple[int, bytes]:
        if self._connection is None:
            self._connection = http.client.HTTPConnection(self._host, self._port, timeout=SECONDS)
            self._connection.connect()
            assert self._connection.sock is not None
            self._connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._connection.request(method, API + path, content, dict(headers))
        if self.lose_next:
            self.lose_next = False
            self.lost += 1
            raise ConnectionResetError("the network lost the answer")
        response = self._connection.getresponse()
        return response.status, response.read()


class Form:
    """A multipart form with one file, as `wx.uploadFile` sends it."""

    def __init__(self, fields: Mapping[str, str], picture: bytes) -> None:
        self._fields, self._picture = fields, picture
        self._boundary = f"----wx{secrets.token_hex(12)}"

    @property
    def content_type(self) -> str:
        """Give the header that names the boundary."""
        return f"multipart/form-data; boundary={self._boundary}"

    def encoded(self) -> bytes:
        """Give the bytes of the form."""
        edge = f"--{self._boundary}\r\n"
        head = "".join(
            f'{edge}Content-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
            for name, value in self._fields.items()
        )
        file = (
            f'{edge}Content-Disposition: form-data; name="file"; filename="tmp_0.jpg"\r\n'
            "Content-Type: image/jpeg\r\n\r\n"
        )
        return (head + file).encode() + self._picture + f"\r\n--{self._boundary}--\r\n".encode()
