"""Reads and interprets a roster of 50,000 rows and prints the seconds and the peak memory: `python -m bench.roster`."""

import io
import resource
import subprocess
import sys
import time
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import xlsxwriter
from stdnum.cn import ric

from server.people.roster.error_workbook import write_error_workbook
from server.people.roster.reader import read_roster
from server.people.roster.terms import Field, RejectedRow
from server.people.roster.villages import VillageName, village_lookup

ROWS = 50_000
TODAY = date(2026, 3, 5)
FIELDS = (Field.IGNORED, Field.NAME, Field.ID_NUMBER, Field.SEX, Field.BIRTH_ON, Field.TOWNSHIP, Field.VILLAGE, Field.ADDRESS,
          Field.PHONE, Field.CATEGORY, Field.CARE_LEVEL, Field.STARTED_ON, Field.HOUSEHOLD_NO, Field.AMOUNT, Field.BANK_ACCOUNT,
          Field.DISABILITY_TYPE, Field.HEALTH, Field.CAREGIVER_NAME, Field.CAREGIVER_PHONE, Field.VISITOR_NAME)  # fmt: skip


def write(path: Path, rows: int) -> None:
    """Write a synthetic roster; every hundredth row has a mistake."""
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet()
        for column, field in enumerate(FIELDS):
            sheet.write_string(0, column, field.label)
        for row in range(1, rows + 1):
            day = 1 + row % 28
            body = f"999999{1940 + row // 10_000}{1 + row % 12:02}{day:02}{row % 999 + 1:03}"
            number = body + ric.calc_check_digit(body + "0")
            values = [str(row), "张三", number, "", "", "升平街道", f"村{row % 100}村", f"第{row}号", "13800000000",
                      "分散供养特困人员" if row % 100 else "?", "半护理", "2024年1月", f"H{row}", "755.00", f"6217{row:015}",
                      "肢体二级", "高血压", f"李{row}", "13800000001", "王五"]  # fmt: skip
            for column, value in enumerate(values):
                sheet.write_string(row, column, value)


def read(path: Path) -> None:
    """Read the roster in this process and print what it took."""
    lookup = village_lookup(
        VillageName(f"341882003{n:03}", f"村{n}村村民委员会", "升平街道") for n in range(100)
    )
    begin = time.perf_counter()
    with path.open("rb") as stream:
        roster = read_roster(stream, today=TODAY, village_lookup=lookup)
        rejected = (row for row in roster.rows() if isinstance(row, RejectedRow))
        write_error_workbook(io.BytesIO(), roster.header, rejected, today=TODAY)
    seconds = time.perf_counter() - begin
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{roster.report.accepted} accepted, {roster.report.rejected} rejected, {seconds:.1f} s, peak {peak:.0f} MB"
    )


def main() -> None:
    """Write in this process and read in one of its own, so that the peak is the reader's."""
    if len(sys.argv) > 1:
        read(Path(sys.argv[1]))
        return
    with TemporaryDirectory() as folder:
        path = Path(folder) / "roster.xlsx"
        write(path, ROWS)
        subprocess.run([sys.executable, "-m", "bench.roster", str(path)], check=True)


if __name__ == "__main__":
    main()
