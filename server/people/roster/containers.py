"""What a received file really is, and whether it is safe to hand to the parser, by content and never by name.

The parser lays a sheet out as a full rectangle and ends the process when that does not fit into memory, so one cell
far away is a weapon. Every sheet is therefore walked here first, in a stream, and refused before it is parsed.
"""

import io
import posixpath
import zipfile
import zlib
from dataclasses import dataclass, field
from enum import StrEnum
from typing import IO
from xml.parsers import expat

from server.people.roster.refusals import RosterProtected, RosterTooLarge, RosterUnreadable
from server.people.roster.terms import RosterLimits

_CHUNK = 1 << 18
_MOST_MEMBERS = 2_000
_MOST_ELEMENTS = 12_000_000
_ENCRYPTED = 0x1
_TABLE = "urn:oasis:names:tc:opendocument:xmlns:table:1.0 "
_OFFICE = "urn:oasis:names:tc:opendocument:xmlns:office:1.0 "
_TEXT = "urn:oasis:names:tc:opendocument:xmlns:text:1.0 "


class Kind(StrEnum):
    """The formats that are read."""

    XLSX = "xlsx"
    XLS = "xls"
    ODS = "ods"
    CSV = "csv"


@dataclass(slots=True)
class SheetFacts:
    """What the walk over a sheet saw: its used size, hidden rows and error cells, positions counted from 0."""

    rows: int = 0
    columns: int = 0
    hidden: set[int] = field(default_factory=set)
    errors: set[tuple[int, int]] = field(default_factory=set)

    def touch(self, row: int, column: int, limits: RosterLimits) -> None:
        """Note a used cell; raises `RosterTooLarge` when the rectangle round all used cells is not to be had."""
        self.rows = max(self.rows, row + 1)
        self.columns = max(self.columns, column + 1)
        check_size(self.rows, self.columns, limits)


def check_size(rows: int, columns: int, limits: RosterLimits) -> None:
    """Refuse a sheet with more rows, columns or cells than are taken; raises `RosterTooLarge`."""
    if rows > limits.rows:
        raise RosterTooLarge(f"名册超过{limits.rows}行，请按村或按乡镇分开，并删除表格下方远处的多余内容。")
    if columns > limits.columns or rows * columns > limits.cells:
        raise RosterTooLarge("名册的列太多，请删除表格右侧远处的多余内容后再上传。")


def kind_of(data: bytes) -> Kind:
    """Recognise the format by content; raises `RosterUnreadable` that names what the file is instead."""
    head = data[:4096].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if not data.strip():
        raise RosterUnreadable("这个文件是空的，请检查后再上传。")
    if data.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        return Kind.XLS
    if data.startswith(b"PK"):
        return _kind_of_zip(data)
    if data.startswith((b"\x09\x00\x04\x00", b"\x09\x02\x06\x00", b"\x09\x04\x06\x00", b"\x09\x08")):
        raise RosterUnreadable
    if head.startswith((b"<", b"mime-version")):
        raise RosterUnreadable("这个文件其实是网页或 XML，请用 Excel 或 WPS 打开后另存为 .xlsx 再上传。")
    if head.startswith((b"%pdf", b"\xff\xd8\xff", b"\x89png", b"{\\rtf", b"rar!", b"7z\xbc")):
        raise RosterUnreadable("这个文件是文档、图片或压缩包，不是表格，请上传 Excel 名册。")
    return Kind.CSV


def _kind_of_zip(data: bytes) -> Kind:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = set(archive.namelist())
            if "xl/workbook.xml" in names:
                return Kind.XLSX
            if "content.xml" in names and b"spreadsheet" in archive.open("mimetype").read(200):
                return Kind.ODS
    except (
        zipfile.BadZipFile,
        zlib.error,
        KeyError,
        OSError,
        ValueError,
        NotImplementedError,
        RuntimeError,
        EOFError,
    ):
        raise RosterUnreadable("这个文件已损坏，请重新导出或另存后再上传。") from None
    raise RosterUnreadable("这个文件不是能读取的表格，请用 Excel 或 WPS 另存为 .xlsx 再上传。")


def check_archive(data: bytes, limits: RosterLimits) -> zipfile.ZipFile:
    """Open a zip container after counting what it really unpacks to; the sizes that it claims are not believed alone."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        members = archive.infolist()
        names = [member.filename for member in members]
        if len(names) > _MOST_MEMBERS or len(set(names)) != len(names):
            raise RosterUnreadable
        if sum(member.file_size for member in members) > limits.unpacked_bytes:
            raise RosterTooLarge("这个文件解压后太大，请新建表格，只复制名册内容后再上传。")
        if any(member.flag_bits & _ENCRYPTED for member in members):
            raise RosterProtected
        for member in members:
            if member.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
                raise RosterUnreadable
            if _unpacked_size(data, member) != member.file_size:
                raise RosterUnreadable
    except (zipfile.BadZipFile, zlib.error, OSError, ValueError, NotImplementedError, RuntimeError, EOFError):
        raise RosterUnreadable("这个文件已损坏，请重新导出或另存后再上传。") from None
    return archive


def _unpacked_size(data: bytes, member: zipfile.ZipInfo) -> int:
    local = data[member.header_offset : member.header_offset + 30]
    if len(local) < 30:  # noqa: PLR2004  (the fixed part of a local header)
        raise zipfile.BadZipFile
    start = (
        member.header_offset
        + 30
        + int.from_bytes(local[26:28], "little")
        + int.from_bytes(local[28:30], "little")
    )
    packed = memoryview(data)[start : start + member.compress_size]
    if member.compress_type == zipfile.ZIP_STORED:
        return len(packed)
    inflate = zlib.decompressobj(-15)
    size = 0
    pending: bytes | memoryview = packed
    while not inflate.eof and size <= member.file_size:
        # unconsumed_tail copies, so the input goes in by pieces
        piece, pending = pending[:_CHUNK], pending[_CHUNK:]
        if not len(piece):
            break
        tail: bytes = bytes(piece)
        while tail and not inflate.eof and size <= member.file_size:
            size += len(inflate.decompress(tail, _CHUNK))
            tail = inflate.unconsumed_tail
    return size + len(inflate.flush()) if not inflate.eof else size


class _Walk:
    """An XML stream read for its elements; entities of its own and malformed text are refused."""

    def __init__(self, separator: str | None) -> None:
        self.parser = expat.ParserCreate(namespace_separator=separator) if separator else expat.ParserCreate()
        self.parser.StartDoctypeDeclHandler = self._refuse
        self.elements = 0

    @staticmethod
    def _refuse(*_: object) -> None:
        raise RosterUnreadable

    def over(self, stream: IO[bytes]) -> None:
        try:
            while chunk := stream.read(_CHUNK):
                self.parser.Parse(chunk, False)  # noqa: FBT003  (the parser takes it by position)
            self.parser.Parse(b"", True)  # noqa: FBT003
        except (
            expat.ExpatError,
            zipfile.BadZipFile,
            zlib.error,
            OSError,
            EOFError,
            ValueError,
            RuntimeError,
        ):
            raise RosterUnreadable("这个文件已损坏，请重新导出或另存后再上传。") from None

    def count(self) -> None:
        self.elements += 1
        if self.elements > _MOST_ELEMENTS:
            raise RosterTooLarge


def _attributes_of(archive: zipfile.ZipFile, member: str, element: str) -> list[dict[str, str]]:
    found: list[dict[str, str]] = []
    walk = _Walk(None)

    def start(name: str, attributes: dict[str, str]) -> None:
        walk.count()
        if name.rpartition(":")[2] == element:
            found.append(attributes)

    walk.parser.StartElementHandler = start
    try:
        stream = archive.open(member)
    except (KeyError, zipfile.BadZipFile, RuntimeError, NotImplementedError):
        raise RosterUnreadable from None
    with stream:
        walk.over(stream)
    return found


def xlsx_members(archive: zipfile.ZipFile) -> dict[str, str]:
    """Map the names of the sheets of an .xlsx workbook to the members that hold them."""
    relations = _attributes_of(archive, "xl/_rels/workbook.xml.rels", "Relationship")
    targets = {relation.get("Id", ""): relation.get("Target", "") for relation in relations}
    sheets = {}
    for sheet in _attributes_of(archive, "xl/workbook.xml", "sheet"):
        relation = next((value for name, value in sheet.items() if name.rpartition(":")[2] == "id"), "")
        target = targets.get(relation, "")
        member = target.lstrip("/") if target.startswith("/") else posixpath.normpath(f"xl/{target}")
        sheets[sheet.get("name", "")] = member
    return sheets


def walk_xlsx_sheet(archive: zipfile.ZipFile, member: str, limits: RosterLimits) -> SheetFacts:
    """Walk one sheet of an .xlsx file; raises `RosterTooLarge` or `RosterUnreadable`."""
    facts = SheetFacts()
    walk = _Walk(None)
    row, column, cell_type = -1, -1, ""

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal row, column, cell_type
        walk.count()
        name = name.rpartition(":")[2]
        if name == "c":
            reference = attributes.get("r")
            if reference is None:
                column += 1
            else:
                row, column = _position(reference)
            cell_type = attributes.get("t", "")
        elif name in {"v", "is"}:
            facts.touch(max(row, 0), max(column, 0), limits)
            if cell_type == "e":
                facts.errors.add((row, column))
        elif name == "row":
            row = _whole(attributes.get("r", ""), row + 2) - 1
            column = -1
            if attributes.get("hidden") in {"1", "true"}:
                facts.hidden.add(row)

    walk.parser.StartElementHandler = start
    try:
        stream = archive.open(member)
    except (KeyError, zipfile.BadZipFile, RuntimeError, NotImplementedError):
        raise RosterUnreadable from None
    with stream:
        walk.over(stream)
    return facts


def _position(reference: str) -> tuple[int, int]:
    letters = reference.rstrip("0123456789")
    digits = reference[len(letters) :]
    if not (letters.isascii() and letters.isalpha() and digits) or len(letters) > 3 or len(digits) > 7:  # noqa: PLR2004
        raise RosterUnreadable
    column = 0
    for letter in letters.upper():
        column = column * 26 + ord(letter) - 64
    return int(digits) - 1, column - 1


def _whole(text: str, otherwise: int) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 9 else otherwise  # noqa: PLR2004


def walk_ods(archive: zipfile.ZipFile, limits: RosterLimits) -> list[SheetFacts]:
    """Walk all sheets of an .ods file, with its repeated rows and cells counted as often as they repeat."""
    sheets: list[SheetFacts] = []
    walk = _Walk(" ")
    row = column = row_repeat = repeat = 0
    hidden = False

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal row, column, row_repeat, repeat, hidden
        walk.count()
        if name == _TABLE + "table":
            sheets.append(SheetFacts())
            row = column = row_repeat = repeat = 0
        elif name == _TABLE + "table-row":
            row += row_repeat
            row_repeat = max(1, _whole(attributes.get(_TABLE + "number-rows-repeated", ""), 1))
            column = repeat = 0
            hidden = attributes.get(_TABLE + "visibility") in {"collapse", "filter"}
        elif name in {_TABLE + "table-cell", _TABLE + "covered-table-cell"}:
            column += repeat
            repeat = max(1, _whole(attributes.get(_TABLE + "number-columns-repeated", ""), 1))
            if any(key.startswith(_OFFICE) for key in attributes):
                used()
        elif name == _TEXT + "p":
            used()

    def used() -> None:
        if not sheets:
            raise RosterUnreadable
        last = row + max(row_repeat, 1) - 1
        sheets[-1].touch(last, column + max(repeat, 1) - 1, limits)
        if hidden:
            sheets[-1].hidden.update(range(row, last + 1))

    walk.parser.StartElementHandler = start
    with archive.open("content.xml") as stream:
        walk.over(stream)
    return sheets
