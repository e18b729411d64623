"""Bytes on their way to or from an S3 store, with an eye on the time."""

import http.client
import io
from collections.abc import Callable
from typing import Any, BinaryIO

import urllib3.exceptions
from botocore.exceptions import BotoCoreError
from botocore.parsers import ResponseParserError

from server.errors import Unavailable
from server.storage.waiting import Seat

# All that botocore lets through when a store is slow, cut off, or answers nonsense.
TROUBLE = (
    BotoCoreError,
    ResponseParserError,
    urllib3.exceptions.HTTPError,
    http.client.HTTPException,
    OSError,
)


class LateError(OSError):
    """The body was still on its way when the time was up."""


class Paced:
    """A file that stops giving bytes when `in_time` says no."""

    def __init__(self, file: BinaryIO, in_time: Callable[[], bool]) -> None:
        self._file = file
        self._in_time = in_time

    def read(self, size: int = -1) -> bytes:
        if not self._in_time():
            raise LateError
        return self._file.read(size)

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()


class Reading(io.RawIOBase):
    """The body of an answer; Unavailable when the store lets us wait more than `patience` seconds in all.

    Only time spent waiting for the store counts, not the reader's own. The seat is given back at the end.
    """

    def __init__(self, body: Any, patience: float, clock: Callable[[], float], seat: Seat) -> None:
        self._body = body
        self._seat = seat
        self._left = patience
        self._clock = clock

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        began = self._clock()
        try:
            data = self._body.read(len(buffer))
        except TROUBLE as error:
            self._seat.failed()
            raise Unavailable from error
        self._left -= self._clock() - began
        if self._left < 0:
            self._seat.failed()
            raise Unavailable
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._body.close()
            self._seat.well()
        super().close()
