"""Worklist, sync and overdue over HTTP (CONTRACT §3, §7)."""

from typing import Any

from flask import Response
from flask.typing import ResponseReturnValue

from api_schemas import worklists as wire
from api_schemas.paging import PageQuery
from server.http.answer import answer
from server.http.blueprint import Blueprint
from server.http.guard import needs, work
from server.permissions import Can
from server.worklists import overdue as board
from server.worklists.sync import sync
from server.worklists.terms import Filters
from server.worklists.workbook import overdue_workbook
from server.worklists.worklist import worklist

blueprint = Blueprint("worklists", __name__, description="走访清单、同步与逾期")


@blueprint.get("/worklist")
@needs(Can.SEE_WORKLIST)
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, wire.WorklistOut)
def get_worklist(query: dict[str, Any]) -> ResponseReturnValue:
    """登录人员应走访的对象，最急的在前。"""
    return answer(worklist(work(), **query))


@blueprint.get("/sync")
@needs(Can.SEE_WORKLIST)
@blueprint.arguments(wire.SyncQuery, location="query")
@blueprint.response(200, wire.SyncOut)
def get_sync(query: dict[str, Any]) -> ResponseReturnValue:
    """自上次同步以来的变化；不带 cursor 时给出全部。"""
    return answer(sync(work(), query["cursor"]))


@blueprint.get("/overdue")
@needs(Can.SEE_OVERDUE)
@blueprint.arguments(wire.OverdueQuery, location="query")
@blueprint.response(200, wire.OverdueOut)
def get_overdue(query: dict[str, Any]) -> ResponseReturnValue:
    """逾期未走访的对象，逾期最久的在前；可查过去任何一天，以及当时系统已知的情况。"""
    limit, cursor = query.pop("limit"), query.pop("cursor")
    return answer(board.overdue(work(), Filters(**query), limit=limit, cursor=cursor))


@blueprint.get("/overdue.xlsx")
@needs(Can.SEE_OVERDUE)
@blueprint.arguments(wire.OverdueExportQuery, location="query")
@blueprint.doc(
    responses={
        "200": {
            "description": "逾期清单工作簿",
            "content": {
                "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": {
                    "schema": {"type": "string", "format": "binary"}
                }
            },
        }
    }
)
def get_overdue_workbook(query: dict[str, Any]) -> ResponseReturnValue:
    """逾期清单（Excel），筛选条件与 /overdue 相同。"""
    data = overdue_workbook(board.every_item(work(), Filters(**query)))
    return Response(
        data,
        content_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        headers={"Content-Disposition": 'attachment; filename="overdue.xlsx"'},
    )


@blueprint.get("/overdue/summary")
@needs(Can.SEE_OVERDUE)
@blueprint.arguments(wire.SummaryQuery, location="query")
@blueprint.response(200, wire.SummaryOut)
def get_summary(query: dict[str, Any]) -> ResponseReturnValue:
    """按村（社区）汇总：应访、已访、补报、仅尝试、逾期、错过、暂停。"""
    return answer(board.summary(work(), category=query["category"], as_of=query["as_of"]))
