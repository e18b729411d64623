"""Regions over HTTP."""

from typing import Any

from flask.typing import ResponseReturnValue

from api_schemas import regions as wire
from server.errors import NotFound
from server.http.answer import answer
from server.http.blueprint import Blueprint
from server.http.guard import needs, work
from server.permissions import Can
from server.regions.queries import regions_page, shown
from server.regions.service import rename

blueprint = Blueprint("regions", __name__, description="行政区划")


@blueprint.get("/regions")
@needs(Can.SEE_REGIONS)
@blueprint.arguments(wire.RegionsQuery, location="query")
@blueprint.response(200, wire.RegionsOut)
def list_regions(query: dict[str, Any]) -> ResponseReturnValue:
    """某一天的行政区划，按代码排列。"""
    return answer(
        regions_page(
            work().session,
            query["area"] or work().actor.area_code,
            query["on"] or work().today,
            limit=query["limit"],
            cursor=query["cursor"],
        )
    )


@blueprint.post("/regions/renames")
@needs(Can.EDIT_SETTINGS)
@blueprint.arguments(wire.RenameIn)
@blueprint.response(201, wire.RegionOut)
def post_rename(body: dict[str, Any]) -> ResponseReturnValue:
    """区划更名，自指定日期起生效；原名称保留在历史中。"""
    if not body["code"].startswith(work().actor.area_code):
        raise NotFound
    return answer(shown(rename(work(), body["code"], body["name"], on=body["on"])), 201)
