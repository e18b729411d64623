"""Takes a multipart/form-data body apart as it comes (RFC 7578): large blocks, no copies of what is in the middle.

Only what phones and browsers send is taken: lines end in CRLF, each part has a name, heads are short. A body that ends
before its closing line was cut off on its way. Nothing here knows the web framework.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from werkzeug.http import parse_options_header

BLOCK = 1 << 20
"""Bytes that are read at once; a photo of a village phone is one block."""
HEAD_MOST = 8 * 1024
"""Bytes of one part's head."""
_BOUNDARY = re.compile(r"[ -~]{0,199}[!-~]\Z")
"""RFC 2046 stops at 70 characters; clients that end theirs with a random number go a little over it now and then."""
_PADDING = b" \t"


class Source(Protocol):
    """Where a body comes from; a read may give less than it was asked for, and nothing at the end."""

    def read(self, size: int, /) -> bytes: ...


class BrokenBodyError(ValueError):
    """The body is no multipart body, or was cut off."""


class LongHeadError(BrokenBodyError):
    """The head of a part is longer than any client writes it."""


@dataclass(frozen=True, slots=True)
class Part:
    """The head of a part; `is_file` when it names a file."""

    name: str
    is_file: bool


class Multipart:
    """Walks over the parts of a body: `next_part`, then `content` of that part to its end, and so on."""

    def __init__(self, source: Source, length: int, boundary: str) -> None:
        if not _BOUNDARY.match(boundary):
            raise BrokenBodyError("no boundary, or none that may be")
        self._source = source
        self._left = length
        self._mark = b"\r\n--" + boundary.encode()
        self._held = b""
        self._at = 0
        while len(self._held) < len(self._mark):
            self._more()
        if self._held.startswith(self._mark[2:]):
            self._at = len(self._mark) - 2
        else:
            for _ in self._pieces():  # what comes before the first part is for nobody
                pass

    def next_part(self) -> Part | None:
        """Read the head of the next part; None after the last one."""
        while len(self._held) - self._at < 2:  # noqa: PLR2004
            self._more()
        if self._held.startswith(b"--", self._at):
            return None
        if self._upto(b"\r\n").strip(_PADDING):
            raise BrokenBodyError("a boundary is followed by other text")
        return _part(self._upto(b"\r\n\r\n"))

    def content(self) -> Iterator[memoryview]:
        """Give the bytes of the part in pieces."""
        # Of a part without bytes, the empty line after its head may be the one before the next boundary.
        self._at -= 2
        while len(self._held) - self._at < len(self._mark):
            self._more()
        if self._held.startswith(self._mark, self._at):
            self._at += len(self._mark)
            return
        self._at += 2
        yield from self._pieces()

    def _pieces(self) -> Iterator[memoryview]:
        while (end := self._held.find(self._mark, self._at)) < 0:
            whole = len(self._held) - len(self._mark) + 1  # the rest may be the beginning of a boundary
            if whole > self._at:
                yield memoryview(self._held)[self._at : whole]
                self._at = whole
            self._more()
        if end > self._at:
            yield memoryview(self._held)[self._at : end]
        self._at = end + len(self._mark)

    def _upto(self, mark: bytes) -> bytes:
        while (end := self._held.find(mark, self._at)) < 0 and len(self._held) - self._at <= HEAD_MOST:
            self._more()
        if not 0 <= end <= self._at + HEAD_MOST:
            raise LongHeadError
        found = self._held[self._at : end]
        self._at = end + len(mark)
        return found

    def _more(self) -> None:
        """Read the next block behind what is held and not yet taken."""
        wanted = min(BLOCK, self._left)
        block = self._source.read(wanted) if wanted else b""
        if block and len(block) < wanted:
            pieces = [block]
            missing = wanted - len(block)
            while missing and (piece := self._source.read(missing)):
                pieces.append(piece)
                missing -= len(piece)
            block = b"".join(pieces)
        if not block:
            raise BrokenBodyError("the body was cut off")
        self._left -= len(block)
        self._held = self._held[self._at :] + block if self._at < len(self._held) else block
        self._at = 0


def _part(head: bytes) -> Part:
    # A head that goes on in the next line is out of use, but not forbidden.
    lines = head.decode("utf-8", "replace").replace("\r\n ", " ").replace("\r\n\t", " ").split("\r\n")
    for line in lines:
        label, _, value = line.partition(":")
        if label.strip().lower() == "content-disposition":
            kind, said = parse_options_header(value.strip())
            if kind.lower() == "form-data" and "name" in said:
                return Part(said["name"], "filename" in said)
    raise BrokenBodyError("a part has no name")
