"""Reads what PostgreSQL's logical decoding tells of committed rows (plug-in `pgoutput`, protocol 1, text values).

Format: https://www.postgresql.org/docs/15/protocol-logicalrep-message-formats.html
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from server.keeping.terms import ArchiveDamaged

UNCHANGED = object()
"""A large value that an update left as it was, and that is therefore not told."""
_LENGTH = struct.Struct(">I")
_LONGEST = 1 << 30

Values = list[object]


@dataclass(frozen=True, slots=True)
class Relation:
    """A table as it was when its rows changed; `keys` says which columns name a row."""

    oid: int
    schema: str
    table: str
    columns: tuple[str, ...]
    keys: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class RowChange:
    """One row: `kind` is I, U or D; `old` names the row where its key changed or it is deleted, `new` holds values."""

    kind: str
    oid: int
    old: Values | None
    new: Values | None


def relation(message: bytes) -> Relation:
    """Read an R message."""
    reader = _Reader(message, 1)
    oid = reader.number(4)
    schema, table = reader.text(), reader.text()
    reader.number(1)  # replica identity
    columns, keys = [], []
    for _ in range(reader.number(2)):
        keys.append(bool(reader.number(1) & 1))
        columns.append(reader.text())
        reader.number(8)  # type and its modifier
    return Relation(oid, schema, table, tuple(columns), tuple(keys))


def relation_of(message: bytes) -> int:
    """Name the table that an R, I, U or D message is about, by its number."""
    return int.from_bytes(message[1:5], "big")


def row_change(message: bytes) -> RowChange:
    """Read an I, U or D message."""
    reader = _Reader(message, 1)
    oid = reader.number(4)
    old = new = None
    while not reader.at_end:
        part = reader.letter()
        if part == "N":
            new = reader.values()
        else:
            old = reader.values()
    return RowChange(chr(message[0]), oid, old, new)


def committed_until(message: bytes) -> int:
    """Read from a C message up to where the log has been told."""
    return int.from_bytes(message[10:18], "big")


def write(target: BinaryIO, message: bytes) -> None:
    """Append a message to a stretch of them."""
    target.write(_LENGTH.pack(len(message)) + message)


def read_all(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Give the messages of a stretch that comes in chunks of any size."""
    rest = b""
    for chunk in chunks:
        rest += chunk
        at = 0
        while len(rest) - at >= _LENGTH.size:
            (size,) = _LENGTH.unpack_from(rest, at)
            if size > _LONGEST:
                raise ArchiveDamaged("备份的变更读不懂，备份已损坏；请改用另一代备份。")
            if len(rest) - at - _LENGTH.size < size:
                break
            at += _LENGTH.size
            yield rest[at : at + size]
            at += size
        rest = rest[at:]
    if rest:
        raise ArchiveDamaged("备份的变更比清单所列的短，备份不完整；请改用另一代备份。")


class _Reader:
    def __init__(self, message: bytes, at: int) -> None:
        self._message = message
        self._at = at

    @property
    def at_end(self) -> bool:
        return self._at >= len(self._message)

    def number(self, size: int) -> int:
        self._at += size
        return int.from_bytes(self._message[self._at - size : self._at], "big")

    def letter(self) -> str:
        return chr(self.number(1))

    def text(self) -> str:
        end = self._message.index(0, self._at)
        content = self._message[self._at : end].decode()
        self._at = end + 1
        return content

    def values(self) -> Values:
        found: Values = []
        for _ in range(self.number(2)):
            kind = self.letter()
            if kind == "n":
                found.append(None)
            elif kind == "u":
                found.append(UNCHANGED)
            else:
                size = self.number(4)
                found.append(self._message[self._at : self._at + size].decode())
                self._at += size
        return found
