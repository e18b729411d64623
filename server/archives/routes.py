"""The archives over HTTP (CONTRACT §7)."""

from typing import Any
from uuid import UUID

from flask.typing import ResponseReturnValue

from api_schemas import archives as wire
from api_schemas.paging import PageQuery
from server.archives import service
from server.archives.terms import RevealField, Wanted
from server.http.answer import answer
from server.http.blueprint import Blueprint
from server.http.guard import needs, work
from server.permissions import Can

blueprint = Blueprint("archives", __name__, description="一人一档")


@blueprint.get("/archives")
@needs(Can.SEE_ARCHIVES, only_looks=True)
@blueprint.arguments(wire.ArchivesQuery, location="query")
@blueprint.response(200, wire.ArchivesOut)
def list_archives(query: dict[str, Any]) -> ResponseReturnValue:
    """查找档案：姓名、拼音首字母、档案编号、身份证号或其后四位。"""
    limit, cursor = query.pop("limit"), query.pop("cursor")
    return answer(service.search(work(), Wanted(**query), limit=limit, cursor=cursor))


@blueprint.get("/archives/<uuid:person_id>")
@needs(Can.SEE_ARCHIVES, only_looks=True)
@blueprint.response(200, wire.FileOut)
def get_archive(person_id: UUID) -> ResponseReturnValue:
    """一个人的完整档案。"""
    return answer(service.read_file(work(), person_id))


@blueprint.get("/archives/<uuid:person_id>/timeline")
@needs(Can.SEE_ARCHIVES, only_looks=True)
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, wire.TimelineOut)
def get_timeline(query: dict[str, Any], person_id: UUID) -> ResponseReturnValue:
    """一个人的经过：走访、审核、救助、任务、移交、问题，最近的在前。"""
    return answer(service.read_timeline(work(), person_id, **query))


@blueprint.post("/archives/<uuid:person_id>/reveal")
@needs(Can.REVEAL)
@blueprint.arguments(wire.RevealIn)
@blueprint.response(200, wire.RevealOut)
def post_reveal(body: dict[str, Any], person_id: UUID) -> ResponseReturnValue:
    """查看一项原始信息，须写明原因，全程留痕。"""
    field: RevealField = body["field"]
    return answer({"field": field, "value": service.reveal(work(), person_id, field, body["reason"])})
