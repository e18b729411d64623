"""Settings over HTTP: policy numbers as versions."""

from typing import Any

from flask.typing import ResponseReturnValue

from api_schemas import policies as wire
from server.errors import Invalid, NotFound
from server.http.answer import answer
from server.http.blueprint import Blueprint
from server.http.guard import needs, work
from server.permissions import Can
from server.policies.rules import checked_value
from server.policies.service import set_number
from server.policies.showing import settings
from server.policies.terms import NUMBERS
from server.regions.service import refuse_area

blueprint = Blueprint("policies", __name__, description="政策参数")


@blueprint.get("/settings")
@needs(Can.SEE_SETTINGS)
@blueprint.response(200, wire.SettingsOut)
def list_settings() -> ResponseReturnValue:
    """政策参数：今天在本人辖区的取值，以及各个版本。"""
    return answer({"items": settings(work()), "next_cursor": None})


@blueprint.put("/settings/<string:key>")
@needs(Can.EDIT_SETTINGS)
@blueprint.arguments(wire.SettingIn)
@blueprint.response(200, wire.SettingOut)
def put_setting(body: dict[str, Any], key: str) -> ResponseReturnValue:
    """设置政策参数，自指定日期起生效；原取值保留在历史中。"""
    number = NUMBERS.get(key)
    if number is None:
        raise NotFound("没有这项参数。")
    area = body.pop("area_code") or work().actor.area_code
    value = checked_value(number, body.pop("value"))
    if body["effective_from"] < work().today:
        raise Invalid(errors={"effective_from": ["生效日期不能早于今天。"]})
    refuse_area(work(), area)
    set_number(work(), key, value, area_code=area, **body)
    work().session.flush()
    return answer(settings(work(), only=key)[0])
