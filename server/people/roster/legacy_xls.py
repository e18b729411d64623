"""Old .xls files: the container is walked before it is parsed, for a chain that never ends or a far cell kills a parser."""

import struct

from server.people.roster.containers import SheetFacts
from server.people.roster.refusals import RosterProtected, RosterUnreadable
from server.people.roster.terms import RosterLimits

_END, _FREE = 0xFFFFFFFE, 0xFFFFFFFF
_LAST_SECTOR = 0xFFFFFFFA
_ENTRY = 128
_FILEPASS = 0x2F
_BOF, _EOF = 0x809, 0x0A
# Records of one cell, and of several cells in one row, that begin with row and column.
_CELLS = frozenset({0x0006, 0x0203, 0x0204, 0x0205, 0x00FD, 0x027E, 0x00D6, 0x0406, 0x0206})
_MANY = {0x00BD: 6}
_ERROR = 0x0205
_GLOBALS = 5


class _Compound:
    """The compound file: sectors chained through a table; every chain is followed at most once round."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        shift, mini_shift = struct.unpack_from("<HH", data, 30)
        if shift not in {9, 12} or mini_shift != 6:  # noqa: PLR2004  (the only sizes that the format has)
            raise RosterUnreadable
        self.size = 1 << shift
        (self.directory,) = struct.unpack_from("<I", data, 48)
        self.cutoff, self.mini_start, _, difat, difat_count = struct.unpack_from("<5I", data, 56)
        tables = list(struct.unpack_from("<109I", data, 76))
        seen = set()
        while difat <= _LAST_SECTOR and difat_count:
            if difat in seen:
                raise RosterUnreadable
            seen.add(difat)
            more = struct.unpack(f"<{self.size // 4}I", self.sector(difat))
            tables += more[:-1]
            difat = more[-1]
        used = [table for table in tables if table <= _LAST_SECTOR]
        if len(set(used)) != len(used):
            raise RosterUnreadable
        self.next = [
            entry for table in used for entry in struct.unpack(f"<{self.size // 4}I", self.sector(table))
        ]

    def sector(self, number: int) -> bytes:
        start = (number + 1) * self.size
        sector = self.data[start : start + self.size]
        if len(sector) < self.size:
            # writers cut the last sector short
            sector += b"\0" * (self.size - len(sector))
            if start >= len(self.data):
                raise RosterUnreadable
        return sector

    def chain(self, number: int) -> bytes:
        parts, seen = [], set()
        while number <= _LAST_SECTOR:
            if number in seen or number >= len(self.next):
                raise RosterUnreadable
            seen.add(number)
            parts.append(self.sector(number))
            number = self.next[number]
        return b"".join(parts)

    def streams(self) -> dict[str, bytes]:
        directory = self.chain(self.directory)
        found: dict[str, tuple[int, int]] = {}
        root = 0
        for offset in range(0, len(directory) - _ENTRY + 1, _ENTRY):
            entry = directory[offset : offset + _ENTRY]
            length, kind = struct.unpack_from("<HB", entry, 64)
            start, size = struct.unpack_from("<II", entry, 116)
            if kind == 5:  # noqa: PLR2004  (the root, which holds the small streams)
                root = start
            elif kind == 2:  # noqa: PLR2004  (a stream)
                found[entry[: max(0, min(length, 64) - 2)].decode("utf-16-le", "replace")] = (start, size)
        mini = {name: place for name, place in found.items() if place[1] < self.cutoff}
        small = self._small(root) if mini else None
        return {
            name: small(start)[:size] if small and name in mini else self.chain(start)[:size]
            for name, (start, size) in found.items()
            if name in {"Workbook", "Book", "EncryptedPackage"}
        }

    def _small(self, root: int):  # type: ignore[no-untyped-def]  # noqa: ANN202
        body = self.chain(root)
        table = self.chain(self.mini_start)
        following = struct.unpack(f"<{len(table) // 4}I", table[: len(table) // 4 * 4])

        def chain(number: int) -> bytes:
            parts, seen = [], set()
            while number <= _LAST_SECTOR:
                if number in seen or number >= len(following):
                    raise RosterUnreadable
                seen.add(number)
                parts.append(body[number * 64 : number * 64 + 64])
                number = following[number]
            return b"".join(parts)

        return chain


def walk_xls(data: bytes, limits: RosterLimits) -> list[SheetFacts]:
    """Walk the sheets of an .xls file in the order of the file.

    Raises `RosterProtected` for a password, `RosterTooLarge` for a sheet too wide or long, `RosterUnreadable` else.
    """
    try:
        streams = _Compound(data).streams()
    except struct.error:
        raise RosterUnreadable from None
    if "EncryptedPackage" in streams:
        raise RosterProtected
    stream = streams.get("Workbook") or streams.get("Book")
    if not stream:
        raise RosterUnreadable("这个文件不是表格，请上传 Excel 名册。")
    return _records(stream, limits)


def _records(stream: bytes, limits: RosterLimits) -> list[SheetFacts]:
    sheets: list[SheetFacts] = []
    offset, at_globals = 0, True
    while offset + 4 <= len(stream):
        record, length = struct.unpack_from("<HH", stream, offset)
        body = offset + 4
        offset = body + length
        if record == _BOF:
            at_globals = stream[body + 2 : body + 4] in {b"", bytes((_GLOBALS, 0))}
            if not at_globals:
                sheets.append(SheetFacts())
        elif record == _FILEPASS:
            raise RosterProtected
        elif sheets and not at_globals and length >= 6 and offset <= len(stream):  # noqa: PLR2004
            _cell(sheets[-1], record, stream[body:offset], limits)
    return sheets


def _cell(facts: SheetFacts, record: int, body: bytes, limits: RosterLimits) -> None:
    if record in _CELLS or record in _MANY:
        row, column = struct.unpack_from("<HH", body)
        last = column + (len(body) - 6) // _MANY[record] - 1 if record in _MANY else column
        facts.touch(row, max(column, last), limits)
        # an error, and not a truth value
        if record == _ERROR and len(body) >= 8 and body[7]:  # noqa: PLR2004
            facts.errors.add((row, column))
