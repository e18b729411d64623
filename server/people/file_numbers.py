"""File numbers (档案编号): `341882003-TK-2024-00017`, one for each person's file, never used again (DOMAIN §4.3).

The number is independent of the id number. It keeps the category under which the file was opened, whatever the person
is enrolled under later.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from server.errors import Conflict, Invalid
from server.people.id_numbers import normalise_id_number as normalise
from server.people.terms import Category

CODES: Mapping[Category, str] = MappingProxyType(
    {
        Category.DIBAO_URBAN: "DB",
        Category.DIBAO_RURAL: "DB",
        Category.TEKUN_DISPERSED: "TK",
        Category.TEKUN_CENTRAL: "TK",
        Category.MARGIN: "BY",
        Category.RIGID: "GX",
        Category.TEMP: "LS",
        Category.ORPHAN: "GE",
        Category.UNSUPPORTED_CHILD: "WF",
        Category.ANTI_RETURN: "FP",
        Category.OTHER: "QT",
    }
)
"""The two letters of a category; both kinds of 低保 and both kinds of 特困 share theirs, so a move keeps the number."""

LAST_SEQUENCE = 99_999
_FORM = re.compile(r"([0-9]{9})-([A-Z]{2})-([0-9]{4})-([0-9]{5})", re.ASCII)


class FileNumberWrong(Invalid):
    """It is not a file number of this system."""

    title = "档案编号有误"
    detail = "档案编号格式不对，应类似 341882003-TK-2024-00017。"


class FileNumbersUsedUp(Conflict):
    """The township has opened 99,999 files of this category in this year; no number is left."""

    title = "档案编号已用完"
    detail = "本年度该类别的档案编号已用完，请联系管理员。"


@dataclass(frozen=True, slots=True)
class FileNumber:
    """A file number in its parts: nine digits of the township, two letters, the year, the running number from 1."""

    township: str
    code: str
    year: int
    sequence: int

    def __str__(self) -> str:
        return f"{self.township}-{self.code}-{self.year:04d}-{self.sequence:05d}"


def file_number(township: str, category: Category, year: int, sequence: int) -> FileNumber:
    """Make the number of a new file; `sequence` is the next unused one of this township, code and year.

    Raises `FileNumbersUsedUp` above 99,999 and `FileNumberWrong` for parts that cannot be.
    """
    if sequence > LAST_SEQUENCE:
        raise FileNumbersUsedUp
    return parse_file_number(str(FileNumber(township, CODES[category], year, sequence)))


def parse_file_number(text: str) -> FileNumber:
    """Read a file number as people type it (full-width, spaces, lower case); raises `FileNumberWrong`."""
    found = _FORM.fullmatch(normalise(text))
    if found is None:
        raise FileNumberWrong
    township, code, year, sequence = found.groups()
    if code not in CODES.values() or int(sequence) == 0:
        raise FileNumberWrong
    return FileNumber(township, code, int(year), int(sequence))
