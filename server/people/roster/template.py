"""The empty roster that officials can fill in: the headers that are always understood, and one example."""

from collections.abc import Mapping
from datetime import date, datetime, time
from typing import BinaryIO

import xlsxwriter

from server.people.roster.terms import Field

# The area 999999 is never issued, so the example is nobody. A row whose name begins with 示例 is never read.
EXAMPLE: Mapping[Field, str] = {
    Field.IGNORED: "1",
    Field.NAME: "示例 张三",
    Field.ID_NUMBER: "999999195001010018",
    Field.SEX: "男",
    Field.BIRTH_ON: "1950-01-01",
    Field.TOWNSHIP: "升平街道",
    Field.VILLAGE: "团山村",
    Field.ADDRESS: "上村组5号",
    Field.PHONE: "13800000000",
    Field.CATEGORY: "分散供养特困人员",
    Field.CARE_LEVEL: "半护理",
    Field.STARTED_ON: "2024年1月",
    Field.AMOUNT: "755.00",
    Field.CAREGIVER_NAME: "李四",
    Field.CAREGIVER_RELATION: "邻居",
}


def write_template(out: BinaryIO, *, today: date) -> None:
    """Write the template workbook; all cells are text, so that id numbers keep their digits."""
    with xlsxwriter.Workbook(out, {"constant_memory": True}) as book:
        book.set_properties({"created": datetime.combine(today, time())})
        text = book.add_format({"num_format": "@"})
        head = book.add_format({"num_format": "@", "bold": True})
        sheet = book.add_worksheet("名册")
        fields = [Field.IGNORED, *(field for field in Field if field is not Field.IGNORED)]
        sheet.set_column(0, len(fields) - 1, 18, text)
        sheet.freeze_panes(1, 0)
        for column, field in enumerate(fields):
            sheet.write_string(0, column, field.label, head)
        for column, field in enumerate(fields):
            if field in EXAMPLE:
                sheet.write_string(1, column, EXAMPLE[field], text)
