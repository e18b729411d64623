"""Receives what is left of a body that a refusal left unread, so that the refusal reaches its sender.

A server that answers and hangs up in the middle of a body makes the proxy, still writing, report a broken server: the
phone would hear "try again" (503) instead of "too large" (413) or "sign in" (401), and try for ever.
"""

import io
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed.wsgi import InputStream, StartResponse, WSGIApplication, WSGIEnvironment

MOST_BYTES = 32 * 1024 * 1024
"""More than the proxy lets through (24 MiB); whoever announces more, or sends without an end, is hung up on."""
PIECE = 64 * 1024


class Draining:
    """The application, which has received the whole request before its answer leaves."""

    def __init__(self, application: "WSGIApplication") -> None:
        self._application = application

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer a request."""
        announced = environ.get("CONTENT_LENGTH") or ""
        if announced.isdecimal():
            body = environ["wsgi.input"] = _Announced(environ["wsgi.input"], int(announced))
            answer = self._application(environ, start_response)
            if body.left <= MOST_BYTES:
                drain(body)
            return answer
        answer = self._application(environ, start_response)
        if environ.get("HTTP_TRANSFER_ENCODING"):
            drain(environ["wsgi.input"])
        return answer


class _Announced(io.RawIOBase):
    """A body of an announced length, which ends there: not every server ends it, and reading on would wait for ever."""

    def __init__(self, source: "InputStream", length: int) -> None:
        super().__init__()
        self._source = source
        self.left = length

    def read(self, size: int = -1, /) -> bytes:
        """Read at most `size` bytes, all that is left when it is negative."""
        piece = self._source.read(self.left if size < 0 else min(size, self.left)) if self.left else b""
        self.left = self.left - len(piece) if piece else 0
        return piece

    def readinto(self, room: Any, /) -> int:
        """Read into a buffer."""
        piece = self.read(len(room))
        room[: len(piece)] = piece
        return len(piece)

    def readable(self) -> bool:
        """Say that it can be read."""
        return True


def drain(body: "InputStream") -> None:
    """Read what is left of a body, in pieces and at most `MOST_BYTES`; what it says is dropped."""
    left = MOST_BYTES
    try:
        while left > 0 and (piece := body.read(min(PIECE, left))):
            left -= len(piece)
    except (OSError, ValueError):  # the sender is gone, and with them whoever wanted the answer
        return
