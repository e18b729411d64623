"""Rosters as officials send them: every format by its own builder, all people synthetic (area 999999)."""

import io
import struct
import zipfile
from collections.abc import Sequence
from typing import Any
from xml.sax.saxutils import escape

import xlsxwriter
from stdnum.cn import ric

VILLAGES = {
    "团山村": ["341882003200"],
    "钱村村": ["341882003201"],
    "升平社区": ["341882003001"],
    "同名村": ["1", "2"],
}
HEADER = ["姓名", "身份证号码", "村（社区）", "救助类别"]


def lookup(name: str) -> list[str]:
    return VILLAGES.get(name, [])


def id_number(sequence: int, birth: str = "19500101") -> str:
    body = f"999999{birth}{sequence:03}"
    return body + ric.calc_check_digit(body + "0")


def person(sequence: int, name: str = "张三") -> list[Any]:
    return [name, id_number(sequence), "团山村", "特困（分散）"]


def xlsx(rows: Sequence[Sequence[Any]], *, merges: Sequence[tuple[int, int, int, int, str]] = (), hidden: Sequence[int] = (),
         sheets_before: Sequence[Sequence[Sequence[Any]]] = ()) -> io.BytesIO:  # fmt: skip
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"default_date_format": "yyyy-mm-dd"}) as book:
        for table in [*sheets_before, rows]:
            sheet = book.add_worksheet()
            for index, row in enumerate(table):
                for column, value in enumerate(row):
                    if isinstance(value, str) and value.startswith("=1/0"):
                        sheet.write_formula(index, column, value, None, "#DIV/0!")
                    elif isinstance(value, str):
                        sheet.write_string(index, column, value)
                    elif value is not None:
                        sheet.write(index, column, value)
        for merge in merges:
            sheet.merge_range(*merge)
        for row_number in hidden:
            sheet.set_row(row_number, None, None, {"hidden": True})
    out.seek(0)
    return out


def ods(rows: Sequence[Sequence[str]], *, extra: str = "") -> io.BytesIO:
    body = "".join(
        "<table:table-row>"
        + "".join(
            f'<table:table-cell office:value-type="string"><text:p>{escape(c)}</text:p></table:table-cell>'
            for c in row
        )
        + "</table:table-row>"
        for row in rows
    )
    names = " ".join(
        f'xmlns:{n}="urn:oasis:names:tc:opendocument:xmlns:{n}:1.0"' for n in ("office", "table", "text")
    )
    manifest = "urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", kind)
        archive.writestr(
            "META-INF/manifest.xml",
            f'<m:manifest xmlns:m="{manifest}"><m:file-entry m:full-path="/" m:media-type="{kind}"/></m:manifest>',
        )
        archive.writestr("content.xml", f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {names}><office:body><office:spreadsheet>'
                         f'<table:table table:name="名册">{body}{extra}</table:table></office:spreadsheet></office:body></office:document-content>')  # fmt: skip
    out.seek(0)
    return out


def xls(
    rows: Sequence[Sequence[Any]], *, far: tuple[int, int] | None = None, locked: bool = False
) -> io.BytesIO:
    """Write BIFF8 by hand into a compound file of 512-byte sectors: LABEL and NUMBER records only."""

    def record(kind: int, body: bytes) -> bytes:
        return struct.pack("<HH", kind, len(body)) + body

    cells = b""
    for index, row in enumerate(rows):
        for column, value in enumerate(row):
            if isinstance(value, str):
                cells += record(
                    0x204, struct.pack("<HHHHB", index, column, 0, len(value), 1) + value.encode("utf-16-le")
                )
            elif value is not None:
                cells += record(0x203, struct.pack("<HHHd", index, column, 0, value))
    if far:
        cells += record(0x203, struct.pack("<HHHd", *far, 0, 1.0))
    bof = lambda kind: record(0x809, struct.pack("<HHHHII", 0x600, kind, 0, 1997, 0, 6))  # noqa: E731
    lock = record(0x2F, b"\0" * 6) if locked else b""
    code = record(0x42, struct.pack("<H", 1200))
    name = "名册".encode("utf-16-le")
    sheet_record = lambda at: record(0x85, struct.pack("<IHBB", at, 0, 2, 1) + name)  # noqa: E731
    start = len(bof(5) + lock + code + sheet_record(0) + record(0x0A, b""))
    stream = (
        bof(5) + lock + code + sheet_record(start) + record(0x0A, b"") + bof(0x10) + cells + record(0x0A, b"")
    )
    return compound("Workbook", stream)


def compound(name: str, stream: bytes) -> io.BytesIO:
    stream += b"\0" * (max(4096, -(-len(stream) // 512) * 512) - len(stream))
    sectors = len(stream) // 512
    tables = 1
    while tables * 128 < sectors + 1 + tables:
        tables += 1
    fat = [0xFFFFFFFD] * tables + [0xFFFFFFFE] + [tables + 2 + n for n in range(sectors - 1)] + [0xFFFFFFFE]
    fat += [0xFFFFFFFF] * (tables * 128 - len(fat))

    def entry(title: str, kind: int, start: int, size: int, child: int) -> bytes:
        raw = title.encode("utf-16-le") + b"\0\0"
        return (
            raw.ljust(64, b"\0")
            + struct.pack("<HBBIII", len(raw), kind, 1, 0xFFFFFFFF, 0xFFFFFFFF, child)
            + b"\0" * 36
            + struct.pack("<IQ", start, size)
        )

    directory = (
        entry("Root Entry", 5, 0xFFFFFFFE, 0, 1)
        + entry(name, 2, tables + 1, len(stream), 0xFFFFFFFF)
        + b"\0" * 256
    )
    head = (
        bytes.fromhex("D0CF11E0A1B11AE1")
        + b"\0" * 16
        + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6)
        + b"\0" * 6
    )
    head += struct.pack("<IIIIIIIII", 0, tables, tables, 0, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0)
    head += struct.pack("<109I", *range(tables), *[0xFFFFFFFF] * (109 - tables))
    return io.BytesIO(head + struct.pack(f"<{len(fat)}I", *fat) + directory + stream)
