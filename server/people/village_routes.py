"""Merging villages over HTTP: the people who live there move along."""

from typing import Any

from flask.typing import ResponseReturnValue

from api_schemas import regions as wire
from server.errors import NotFound
from server.http.answer import answer
from server.http.blueprint import Blueprint
from server.http.guard import needs, work
from server.people.moving import merge_regions
from server.permissions import Can

blueprint = Blueprint("villages", __name__, description="行政区划")


@blueprint.post("/regions/merges")
@needs(Can.EDIT_SETTINGS)
@blueprint.arguments(wire.MergeIn)
@blueprint.response(201, wire.MergeOut)
def post_merge(body: dict[str, Any]) -> ResponseReturnValue:
    """区划合并，自指定日期起生效；人员、家庭、走访任务和责任人员随之转入。"""
    if not all(code.startswith(work().actor.area_code) for code in (*body["codes"], body["into"])):
        raise NotFound
    ended, people = merge_regions(work(), body["codes"], body["into"], on=body["on"])
    return answer({"ended": ended, "people": people}, 201)
