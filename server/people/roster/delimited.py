"""Delimited text (.csv) as spreadsheets write it: its encoding and its separator are found out, never asked for."""

import codecs
import csv
import io
from collections.abc import Iterator

from server.people.roster.cells import text_of
from server.people.roster.columns import find_header
from server.people.roster.containers import check_size
from server.people.roster.refusals import RosterUnreadable
from server.people.roster.terms import Field, RosterLimits

_SEPARATORS = (",", "\t", ";", "，", "|")


def encoding_of(data: bytes) -> str:
    """Find the encoding: by byte order mark, else UTF-8, else GB 18030; raises `RosterUnreadable`."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        candidates = ["utf-16"]
    elif b"\0" in data:
        candidates = []
    else:
        candidates = ["utf-8-sig", "gb18030"]
    for encoding in candidates:
        decoder = codecs.getincrementaldecoder(encoding)()
        try:
            for start in range(0, len(data), 1 << 20):
                if "\0" in decoder.decode(data[start : start + (1 << 20)]):
                    break
            else:
                decoder.decode(b"", final=True)
                return encoding
        except UnicodeError:
            continue
    raise RosterUnreadable("这个文件不是表格，或文字编码无法识别，请用 Excel 或 WPS 另存为 .xlsx 再上传。")


def separator_of(data: bytes, encoding: str, limits: RosterLimits) -> str:
    """Find the separator under which the first lines hold the best header."""

    def worth(separator: str) -> int:
        rows = []
        try:
            for row in _lines(data, encoding, separator):
                rows.append([text_of(cell) for cell in row[: limits.columns]])
                if len(rows) >= limits.header_search_rows:
                    break
        except csv.Error:
            return 0
        header = find_header(rows)
        return len({column.field for column in header.matched} - {Field.IGNORED}) if header else 0

    return max(_SEPARATORS, key=worth)


def check_lines(data: bytes, encoding: str, separator: str, limits: RosterLimits) -> None:
    """Read the text once through, so that nothing can break half-way; raises `RosterUnreadable`, `RosterTooLarge`."""
    number = width = 0
    try:
        for number, row in enumerate(_lines(data, encoding, separator), start=1):
            width = max(width, len(row))
            check_size(number, width, limits)
    except csv.Error:
        raise RosterUnreadable(
            f"第{number + 1}行附近的引号不成对，请用 Excel 或 WPS 另存为 .xlsx 再上传。"
        ) from None


def lines(data: bytes, encoding: str, separator: str) -> Iterator[list[str]]:
    """Iterate over the rows of a text that `check_lines` has passed."""
    return _lines(data, encoding, separator)


def _lines(data: bytes, encoding: str, separator: str) -> Iterator[list[str]]:
    text = io.TextIOWrapper(io.BytesIO(data), encoding=encoding, newline="")
    return csv.reader(text, delimiter=separator, strict=True)
