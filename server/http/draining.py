"""Receives what is left of a body that a refusal left unread, so that the refusal reaches its sender.

A server that answers and hangs up in the middle of a body makes the proxy, still writing, report a broken server: the
phone would hear "try again" (503) instead of "too large" (413) or "sign in" (401), and try for ever.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

MOST_BYTES = 32 * 1024 * 1024
"""More than the proxy lets through (24 MiB); whoever announces more, or sends without an end, is hung up on."""
PIECE = 64 * 1024


class Draining:
    """The application, which has received the whole request before its answer leaves."""

    def __init__(self, application: "WSGIApplication") -> None:
        self._application = application

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer a request."""
        answer = self._application(environ, start_response)
        drain(environ)
        return answer


def drain(environ: "WSGIEnvironment") -> None:
    """Read what is left of a request's body, in pieces and at most `MOST_BYTES`; what it says is dropped."""
    announced = environ.get("CONTENT_LENGTH") or ""
    if not announced and not environ.get("HTTP_TRANSFER_ENCODING"):
        return
    if announced.isdecimal() and int(announced) > MOST_BYTES:
        return
    left = MOST_BYTES
    try:
        while left > 0 and (piece := environ["wsgi.input"].read(min(PIECE, left))):
            left -= len(piece)
    except (OSError, ValueError):  # the sender is gone, and with them whoever wanted the answer
        return
