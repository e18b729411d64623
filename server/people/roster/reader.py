"""A received roster file, opened and read row by row."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, BinaryIO, Protocol

import python_calamine

from server.people.roster import cells, delimited
from server.people.roster.cells import Cell
from server.people.roster.columns import find_header, key_of
from server.people.roster.containers import (
    Kind,
    SheetFacts,
    check_archive,
    check_size,
    kind_of,
    walk_ods,
    walk_xlsx_sheet,
    xlsx_members,
)
from server.people.roster.interpret import Interpreter
from server.people.roster.legacy_xls import walk_xls
from server.people.roster.refusals import (
    RosterColumnsMissing,
    RosterHeaderMissing,
    RosterProtected,
    RosterSheetMissing,
    RosterTooLarge,
    RosterUnreadable,
)
from server.people.roster.terms import (
    Field,
    Header,
    LeftOut,
    RejectedRow,
    RosterLimits,
    RosterReport,
    RosterRow,
    RowProblem,
)
from server.people.roster.villages import VillageLookup
from server.people.terms import Category

_LIMITS = RosterLimits()
_MOST_NOTES = 1_000
_FEWEST = 2
_TOTALS = re.compile(r"(?:本页|全[村镇乡县市])?(?:合计|总计|小计|共计)")
_FOOTER = re.compile(
    r"(?:备注|说明|注|填表|制表|审核|填报|负责人|单位|经办|联系电话|日期|盖章|签字|签名|村民?委?会?意见|复核|报送|第\d+页)[^,]{0,6}[::]|^注[::\d]"
)
_EXAMPLE = re.compile(r"[(\[【]?示例")
# A value that stands once for several rows of a household or village, in cells merged downwards.
_SHARED = frozenset(
    {Field.TOWNSHIP, Field.VILLAGE, Field.CATEGORY, Field.SUPPORT_MODE, Field.RESIDENCE, Field.HOUSEHOLD_NO, Field.HEAD_NAME,
     Field.HEAD_ID_NUMBER, Field.ADDRESS, Field.VISITOR_NAME, Field.DIBAO_CLASS, Field.STARTED_ON}
)  # fmt: skip

Range = tuple[tuple[int, int], tuple[int, int]]


class _Source(Protocol):
    facts: SheetFacts
    merged: Sequence[Range]

    def rows(self) -> Iterator[list[Any]]: ...


class _Lines:
    merged: Sequence[Range] = ()

    def __init__(self, data: bytes, limits: RosterLimits) -> None:
        self.facts = SheetFacts()
        self.data, self.encoding = data, delimited.encoding_of(data)
        self.separator = delimited.separator_of(data, self.encoding, limits)
        delimited.check_lines(data, self.encoding, self.separator, limits)

    def rows(self) -> Iterator[list[Any]]:
        return delimited.lines(self.data, self.encoding, self.separator)


class _Sheet:
    def __init__(self, sheet: Any, facts: SheetFacts, limits: RosterLimits) -> None:
        self.facts, self.sheet = facts, sheet
        check_size(sheet.total_height, sheet.total_width, limits)
        self.merged = sheet.merged_cell_ranges or ()

    def rows(self) -> Iterator[list[Any]]:
        # iter_rows counts from the first row, but leaves out empty columns at the left
        left = [""] * (self.sheet.start[1] if self.sheet.start else 0)
        for row in self.sheet.iter_rows():
            yield left + row


@dataclass(slots=True)
class Roster:
    """An opened roster: `header` says what is read from where, `rows()` reads, `report` tells what became of it."""

    header: Header
    report: RosterReport
    _source: _Source
    _make: Any

    def rows(self) -> Iterator[RosterRow | RejectedRow]:
        """Read the persons in the order of the file, lazily; calling it again reads again from the beginning."""
        for _, result in self._read():
            yield result

    def rejected(self, refused: Mapping[int, Sequence[RowProblem]]) -> Iterator[RejectedRow]:
        """Read again and give, in the order of the file, the rows not understood and those refused later, as received.

        `refused` gives what was found wrong with understood rows, by row number, when they were compared with others.
        """
        for row, result in self._read():
            if isinstance(result, RejectedRow):
                yield result
            elif result.row_number in refused:
                texts = tuple(map(cells.text_of, row))
                yield RejectedRow(result.row_number, texts, tuple(refused[result.row_number]))

    def _read(self) -> Iterator[tuple[Sequence[Cell], RosterRow | RejectedRow]]:
        old = self.report
        self.report = report = RosterReport(old.kind, old.sheet, old.other_sheets, self.header)
        interpreter: Interpreter = self._make()
        shared = _Shared(self._source.merged, self.header)
        facts = self._source.facts
        errors_at: dict[int, set[int]] = {}
        for at_row, at_column in facts.errors:
            errors_at.setdefault(at_row, set()).add(at_column)
        header_keys = self._header_keys()
        for index, row in enumerate(self._source.rows()):
            if index < self.header.last_row:
                continue
            shared.fill(row, index)
            if not any(value != "" and value is not None for value in row) and index not in errors_at:
                continue
            reason = self._not_a_person(row, header_keys, has_errors=index in errors_at)
            if reason is not None:
                report.left_out_count += 1
                if len(report.left_out) < _MOST_NOTES:
                    report.left_out.append(LeftOut(index + 1, reason))
                continue
            if index in facts.hidden:
                report.hidden_count += 1
                if len(report.hidden_rows) < _MOST_NOTES:
                    report.hidden_rows.append(index + 1)
            result = interpreter.read(index + 1, row, frozenset(errors_at.get(index, ())))
            if isinstance(result, RosterRow):
                report.accepted += 1
            else:
                report.rejected += 1
                report.problems_by_column.update({problem.column for problem in result.problems})
            yield row, result

    def _header_keys(self) -> list[set[str]]:
        rows = []
        for index, row in enumerate(self._source.rows()):
            if index >= self.header.last_row:
                break
            if index >= self.header.first_row - 1:
                rows.append({key_of(cells.text_of(value)) for value in row} - {""})
        return rows

    def _not_a_person(
        self, row: Sequence[Cell], header_keys: list[set[str]], *, has_errors: bool
    ) -> str | None:
        places = {column.field: column.index for column in self.header.matched}

        def at(field: Field) -> str:
            index = places.get(field)
            return cells.text_of(row[index]) if index is not None and index < len(row) else ""

        name, number = at(Field.NAME), at(Field.ID_NUMBER)
        texts = [text for text in map(cells.text_of, row) if text]
        keys = {key_of(text) for text in texts}
        filled = {index for index, value in enumerate(row) if cells.text_of(value)}
        own = {index for field, index in places.items() if field not in {Field.IGNORED, *_SHARED}}
        footer = any(_FOOTER.search(text) for text in texts[:2]) and (
            not name or _FOOTER.search(name) is not None
        )
        tests = (
            ("空行", not texts and not has_errors),
            ("重复的表头", len(keys) > 1 and any(len(keys & line) * 2 > len(keys) for line in header_keys)),
            ("模板里的示例行", _EXAMPLE.match(name) is not None),
            ("合计行", any(_TOTALS.match(text.replace(" ", "")) for text in (*texts[:1], name))),
            ("表头下的编号行", _counts(row)),
            ("表尾说明", footer and not number),
            (
                "没有姓名和身份证号码",
                not (name or number or has_errors) and (len(filled) < _FEWEST or not filled & own),
            ),
        )
        return next((reason for reason, holds in tests if holds), None)


def _counts(row: Sequence[Cell]) -> bool:
    """Tell whether the row numbers the columns: 1 2 3 4, or 甲 乙 1 2."""
    texts = [text for text in map(cells.text_of, row) if text and text not in "甲乙丙丁戊"]
    return len(texts) > 2 and texts == [str(number) for number in range(1, len(texts) + 1)]  # noqa: PLR2004


class _Shared:
    """The values of cells merged downwards, carried into the rows below; at most one for each column at a time."""

    def __init__(self, merged: Sequence[Range], header: Header) -> None:
        places = {column.index for column in header.matched if column.field in _SHARED}
        self.starts: dict[int, dict[int, int]] = {}
        self.active: dict[int, tuple[int, Any]] = {}
        for (top, left), (bottom, right) in merged:
            if bottom > top >= header.last_row and left == right and left in places:
                self.starts.setdefault(top, {})[left] = bottom

    def fill(self, row: list[Any], index: int) -> None:
        for column, bottom in self.starts.get(index, {}).items():
            self.active[column] = (bottom, row[column] if column < len(row) else "")
        if not self.active or all(value in {"", None} for value in row):
            return
        for column, (bottom, value) in list(self.active.items()):
            if bottom < index:
                del self.active[column]
            elif column < len(row) and row[column] in {"", None}:
                row[column] = value


def read_roster(
    stream: BinaryIO,
    *,
    today: date,
    village_lookup: VillageLookup,
    sheet: str | None = None,
    category: Category | None = None,
    village_code: str | None = None,
    limits: RosterLimits = _LIMITS,
) -> Roster:
    """Open a roster of any make (.xlsx, .xls, .ods, .csv), recognised by content.

    `sheet` names the sheet, else the first with a header is taken. `category` and `village_code` are what holds for
    rows that do not say it, as in a roster of one village. Raises a `RosterUnreadable` or `RosterTooLarge`.
    """
    data = stream.read(limits.file_bytes + 1)
    if len(data) > limits.file_bytes:
        raise RosterTooLarge(
            f"文件超过{limits.file_bytes // 1024 // 1024}MB，请按村或按乡镇分成几个文件上传。"
        )
    kind = kind_of(data)
    if kind is Kind.CSV:
        sources: Iterator[tuple[str | None, _Source]] = iter([(None, _Lines(data, limits))])
        names: list[str] = []
    else:
        names, sources = _sheets(data, kind, sheet, limits)
    for name, source in sources:
        header = _header_of(source, limits)
        if header is None:
            continue
        _check_columns(header, category, village_code)
        others = tuple(other for other in names if other != name)

        def make(header: Header = header) -> Interpreter:
            return Interpreter(header, today=today, village_lookup=village_lookup, limits=limits, category=category,
                               village_code=village_code)  # fmt: skip

        return Roster(header, RosterReport(kind.value, name, others, header), source, make)
    raise RosterHeaderMissing


def _sheets(
    data: bytes, kind: Kind, wanted: str | None, limits: RosterLimits
) -> tuple[list[str], Iterator[tuple[str, _Source]]]:
    import io

    walked: list[SheetFacts] = []
    archive = None
    if kind is Kind.XLS:
        walked = walk_xls(data, limits)
    else:
        archive = check_archive(data, limits)
        walked = walk_ods(archive, limits) if kind is Kind.ODS else []
    members = xlsx_members(archive) if kind is Kind.XLSX and archive is not None else {}
    book = _guarded(lambda: python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data)))
    names: list[str] = [
        meta.name for meta in book.sheets_metadata if meta.typ == python_calamine.SheetTypeEnum.WorkSheet
    ]
    if wanted is not None and wanted not in names:
        raise RosterSheetMissing
    # a sheet that was put out of sight comes last: it is mostly a list of choices or last year's roster
    visible = {
        meta.name: meta.visible == python_calamine.SheetVisibleEnum.Visible for meta in book.sheets_metadata
    }
    order = [wanted] if wanted is not None else sorted(names, key=lambda name: not visible[name])

    def each() -> Iterator[tuple[str, _Source]]:
        for name in order:
            position = book.sheet_names.index(name)
            if kind is Kind.XLSX and archive is not None:
                if name not in members:
                    raise RosterUnreadable
                facts = walk_xlsx_sheet(archive, members[name], limits)
            else:
                facts = walked[position] if position < len(walked) else SheetFacts()
            yield name, _Sheet(_guarded(lambda name=name: book.get_sheet_by_name(name)), facts, limits)

    return names, each()


def _guarded(parse: Any) -> Any:
    """Call the parser; what it throws on a broken file, a panic of its Rust side included, becomes a refusal."""
    try:
        return parse()
    except python_calamine.PasswordError:
        raise RosterProtected from None
    except (KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except BaseException as reason:  # noqa: BLE001  (a panic is no Exception)
        if "password" in str(reason).lower():
            raise RosterProtected from None
        raise RosterUnreadable("这个文件已损坏或不是表格，请用 Excel 或 WPS 另存为 .xlsx 再上传。") from None


def _header_of(source: _Source, limits: RosterLimits) -> Header | None:
    rows: list[list[str]] = []
    for row in source.rows():
        rows.append([cells.text_of(value) for value in row])
        if len(rows) >= limits.header_search_rows:
            break
    for (top, left), (bottom, right) in source.merged:
        if top >= len(rows) or left >= len(rows[top]):
            continue
        for line in rows[top : bottom + 1]:
            for index in range(left, min(right + 1, len(line))):
                line[index] = line[index] or rows[top][left]
    return find_header(rows)


def _check_columns(header: Header, category: Category | None, village_code: str | None) -> None:
    fields = {column.field for column in header.matched}
    missing = [Field.ID_NUMBER] if Field.ID_NUMBER not in fields else []
    if Field.VILLAGE not in fields and village_code is None:
        missing.append(Field.VILLAGE)
    if not fields & {Field.CATEGORY, Field.SUPPORT_MODE} and category is None:
        missing.append(Field.CATEGORY)
    if missing:
        raise RosterColumnsMissing(
            f"名册缺少这些列：{'、'.join(field.label for field in missing)}。请补上后再上传。"
        )
