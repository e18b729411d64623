"""The overdue list as a workbook, in constant memory; every cell is text, so that nothing in it can calculate."""

import io
from collections.abc import Iterable
from typing import Any

import xlsxwriter

HEADINGS = (
    "档案编号",
    "姓名",
    "村（社区）",
    "住址",
    "电话",
    "走访责任人",
    "应访截止日",
    "逾期天数",
    "尝试次数",
    "上次见到本人",
)


def overdue_workbook(items: Iterable[dict[str, Any]]) -> bytes:
    """Write overdue people as .xlsx; at most some tens of thousands of rows of about 100 bytes."""
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, {"constant_memory": True, "in_memory": False})
    sheet = book.add_worksheet("逾期清单")
    for column, heading in enumerate(HEADINGS):
        sheet.write_string(0, column, heading)
    for row, item in enumerate(items, 1):
        for column, text in enumerate(_cells(item)):
            sheet.write_string(row, column, text)
    book.close()
    return target.getvalue()


def _cells(item: dict[str, Any]) -> tuple[str, ...]:
    person = item["person"]
    return (
        person["file_no"],
        person["name"],
        person["village"]["name"],
        person["address"] or "",
        person["phone"] or "",
        item["responsible"]["name"] if item["responsible"] else "",
        item["due_on"].isoformat(),
        str(item["days_overdue"]),
        str(item["attempts"]),
        item["last_met_on"].isoformat() if item["last_met_on"] else "",
    )
