"""The workbook that goes back to the sender: only the rows with problems, each with its reasons, ready to be corrected."""

from collections.abc import Iterable
from datetime import date, datetime, time
from typing import BinaryIO

import xlsxwriter

from server.people.roster.columns import field_of
from server.people.roster.terms import Field, Header, RejectedRow

REASONS = "错误说明"
_LONGEST = 32_000


def write_error_workbook(
    out: BinaryIO, header: Header, rejected: Iterable[RejectedRow], *, today: date
) -> int:
    """Write the rejected rows with the columns as received behind a column of reasons; gives how many there were.

    Every cell is text: ids keep their digits, and nothing that somebody typed becomes a formula. An id number that had
    lost digits is left empty, so that the wrong one cannot come back.
    """
    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    count = 0
    with xlsxwriter.Workbook(out, options) as book:
        book.set_properties({"created": datetime.combine(today, time())})
        text = book.add_format({"num_format": "@", "text_wrap": True, "valign": "top"})
        head = book.add_format({"num_format": "@", "bold": True, "text_wrap": True})
        sheet = book.add_worksheet("需要修改")
        sheet.freeze_panes(1, 0)
        sheet.set_column(0, 0, 50, text)
        columns = [column for column in header.columns if column.header != REASONS]
        sheet.set_column(1, max(1, len(columns)), 20, text)
        sheet.write_string(0, 0, REASONS, head)
        for position, column in enumerate(columns, start=1):
            # headers over two lines are one line here, and must lead to the same field
            clear = (
                column.field is None
                or field_of(column.header) is column.field
                or _stands_in(column.header, column.field)
            )
            title = column.header if clear or column.field is None else column.field.label
            sheet.write_string(0, position, title, head)
        for count, row in enumerate(rejected, start=1):
            reasons = (
                ";".join(":".join(filter(None, (one.column, one.message))) for one in row.problems)
                .replace(";", "；")
                .replace(":", "：")
            )
            sheet.write_string(count, 0, f"原第{row.row_number}行：{reasons}"[:_LONGEST], text)
            for position, column in enumerate(columns, start=1):
                value = row.cells[column.index] if column.index < len(row.cells) else ""
                if value:
                    sheet.write_string(count, position, value[:_LONGEST], text)
                else:
                    # an empty cell, too, must take a number that is typed into it as text
                    sheet.write_blank(count, position, None, text)
    return count


def _stands_in(title: str, field: Field) -> bool:
    return field_of(title) in {Field.HEAD_NAME, Field.HEAD_ID_NUMBER} and field in {
        Field.NAME,
        Field.ID_NUMBER,
    }
