"""Rosters over HTTP: looked through first, then taken in whole; the rows to be corrected go back as a workbook."""

import io
import tempfile
from collections.abc import Callable
from typing import IO, Any

from flask import Response, request
from flask.typing import ResponseReturnValue

from api_schemas import people as wire
from server.http.answer import answer
from server.http.blueprint import Blueprint
from server.http.guard import in_one_transaction, needs, work
from server.http.parts import parts
from server.http.upload import read_upload
from server.people.directory import villages_within_reach
from server.people.entering import enter
from server.people.importing import Plan, RosterHasProblems, plan, split
from server.people.roster.error_workbook import write_error_workbook
from server.people.roster.reader import Roster, read_roster
from server.people.roster.terms import RejectedRow, RosterLimits, RosterRow
from server.people.roster.villages import village_lookup
from server.permissions import Can

blueprint = Blueprint("imports", __name__, description="名册导入")
LIMITS = RosterLimits()
IN_MEMORY = 1024 * 1024
SPARE_KEYS = 64
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
WORKBOOK = {
    "description": "需要修改的行，连同原因",
    "content": {XLSX: {"schema": {"type": "string", "format": "binary"}}},
}
FORM = {"required": True, "content": {"multipart/form-data": {"schema": wire.RosterForm}}}
Rows = tuple[list[RosterRow], list[RejectedRow]]


@blueprint.post("/people/imports")
@needs(Can.IMPORT_ROSTER, own_transactions=True)
@blueprint.arguments(wire.ImportQuery, location="query")
@blueprint.response(200, wire.ImportOut)
@blueprint.doc(requestBody=FORM)
def import_roster(query: dict[str, Any]) -> ResponseReturnValue:
    """导入名册（multipart，字段 `file`）。`dry_run=true` 只核对不写入；正式导入要么全部成功，要么什么都不写。"""
    roster, rows = _received(query)
    first = _in_transaction(lambda: plan(work(), *rows))
    if not query["dry_run"]:
        _refuse_problems(first, leave_out=query["leave_out_rejected"])
        parts().keys.reserve(len(first.new) + SPARE_KEYS)
        first = _in_transaction(lambda: _entered(rows, leave_out=query["leave_out_rejected"]))
    return answer({"dry_run": query["dry_run"], **first.report(), **about(roster)})


@blueprint.post("/people/imports/errors")
@needs(Can.IMPORT_ROSTER, own_transactions=True)
@blueprint.arguments(wire.ImportQuery, location="query")
@blueprint.doc(requestBody=FORM, responses={"200": WORKBOOK})
def roster_errors(query: dict[str, Any]) -> ResponseReturnValue:
    """把同一份名册里需要修改的行连同原因做成 .xlsx 返回；改好后可直接再次导入。"""
    roster, rows = _received(query)
    made, today = _in_transaction(lambda: (plan(work(), *rows), work().today))
    out = io.BytesIO()
    write_error_workbook(out, roster.header, roster.rejected(made.refused), today=today)
    made = Response(out.getvalue(), content_type=XLSX)
    made.headers["Content-Disposition"] = 'attachment; filename="roster-errors.xlsx"'
    return made


def about(roster: Roster) -> dict[str, Any]:
    """Tell what of the file was read and what was left out."""
    report = roster.report
    return {
        "sheet": report.sheet,
        "other_sheets": list(report.other_sheets),
        "unknown_columns": [column.header for column in roster.header.unknown],
        "left_out": [{"row": one.row_number, "reason": one.reason} for one in report.left_out],
        "hidden_rows": report.hidden_count,
    }


def _in_transaction(act: Callable[[], Any]) -> Any:
    return in_one_transaction(Can.IMPORT_ROSTER, act)


def _received(query: dict[str, Any]) -> tuple[Roster, Rows]:
    """Find out who it is before the file is received; then read it with no transaction open."""
    villages, today = _in_transaction(lambda: (villages_within_reach(work()), work().today))
    with tempfile.SpooledTemporaryFile(IN_MEMORY) as spooled:
        stream: IO[bytes] = spooled
        read_upload(request, stream, LIMITS.file_bytes)
        stream.seek(0)
        roster = read_roster(
            stream,  # type: ignore[arg-type]  # a spooled file reads like any other
            today=today,
            village_lookup=village_lookup(villages),
            sheet=query["sheet"],
            category=query["category"],
            village_code=query["village_code"],
        )
        return roster, split(roster.rows())


def _entered(rows: Rows, *, leave_out: bool) -> Plan:
    made = plan(work(), *rows)
    _refuse_problems(made, leave_out=leave_out)
    enter(work(), made)
    return made


def _refuse_problems(made: Plan, *, leave_out: bool) -> None:
    if made.rejected and not leave_out:
        raise RosterHasProblems(extra=made.report())
