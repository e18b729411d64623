"""Old .xls files: the container is walked before it is parsed, for a chain that never ends or a far cell kills a parser."""

import struct
from collections.abc import Iterator

from server.people.roster.containers import SheetFacts
from server.people.roster.refusals import RosterProtected, RosterUnreadable
from server.people.roster.terms import RosterLimits

_END, _FREE = 0xFFFFFFFE, 0xFFFFFFFF
_LAST_SECTOR = 0xFFFFFFFA
_ENTRY = 128
_FILEPASS, _BOUND_SHEET, _DIMENSIONS, _EOF = 0x2F, 0x85, 0x0200, 0x0A
# Records of one cell, which begin with row and column, in all ages of the format (by their low byte), and of a row of cells.
_CELLS = frozenset({0x02, 0x03, 0x04, 0x05, 0x06, 0x7E, 0xBE, 0xD6, 0xFD})
_AGES = frozenset({0x00, 0x02, 0x04})
_MANY = 0x00BD
_ERROR = 0x0205
_ROWS, _COLUMNS = 65_536, 256


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
    """Find the sheets by the offsets that the workbook states, as the parser does, whatever record stands there."""
    sheets = []
    for record, body in _from(stream, 0):
        if record == _FILEPASS:
            raise RosterProtected
        if record == _BOUND_SHEET and len(body) >= 4:  # noqa: PLR2004  (the offset)
            sheets.append(_sheet(stream, struct.unpack_from("<I", body)[0], limits))
            if len(sheets) > _COLUMNS:
                raise RosterUnreadable
        if record == _EOF:
            break
    return sheets


def _from(stream: bytes, offset: int) -> Iterator[tuple[int, bytes]]:
    while offset + 4 <= len(stream):
        record, length = struct.unpack_from("<HH", stream, offset)
        yield record, stream[offset + 4 : offset + 4 + length]
        offset += 4 + length


def _sheet(stream: bytes, offset: int, limits: RosterLimits) -> SheetFacts:
    facts = SheetFacts()
    for record, body in _from(stream, offset):
        if record == _EOF:
            break
        if record == _DIMENSIONS:
            _check_dimensions(body)
        elif len(body) >= 6 and (record == _MANY or (record & 0xFF in _CELLS and record >> 8 in _AGES)):  # noqa: PLR2004
            _cell(facts, record, body, limits)
    return facts


def _check_dimensions(body: bytes) -> None:
    """Refuse a stated size that no sheet of this format has, for the parser reserves memory by it."""
    if len(body) >= 14:  # noqa: PLR2004  (rows of four bytes; the older form holds two)
        _, rows, _, columns = struct.unpack_from("<IIHH", body)
    elif len(body) >= 8:  # noqa: PLR2004
        _, rows, _, columns = struct.unpack_from("<HHHH", body)
    else:
        return
    if rows > _ROWS or columns > _COLUMNS:
        raise RosterUnreadable


def _cell(facts: SheetFacts, record: int, body: bytes, limits: RosterLimits) -> None:
    row, column = struct.unpack_from("<HH", body)
    last = max(column, struct.unpack_from("<H", body, len(body) - 2)[0]) if record == _MANY else column
    facts.touch(row, last, limits)
    # an error, and not a truth value
    if record == _ERROR and len(body) >= 8 and body[7]:  # noqa: PLR2004
        facts.errors.add((row, column))
