"""Visit rules and emergencies over HTTP (CONTRACT §7)."""

from typing import Any

from flask.typing import ResponseReturnValue

from api_schemas import schedule as wire
from server.http.answer import answer
from server.http.blueprint import Blueprint
from server.http.guard import needs, work
from server.permissions import Can
from server.schedule.emergencies import declare, reached
from server.schedule.models import Emergency, RuleVersion
from server.schedule.rule_setting import add_rule_version, rule_history
from server.schedule.rules import emergency_window
from server.schedule.terms import NewEmergency, NewRuleVersion

blueprint = Blueprint("schedule", __name__, description="走访规则与应急走访")


@blueprint.get("/visit-rules")
@needs(Can.SEE_SETTINGS)
@blueprint.response(200, wire.RuleVersionsOut)
def list_rules() -> ResponseReturnValue:
    """走访规则的各个版本（含历史和尚未启用的）。"""
    return answer({"items": [_rule(row) for row in rule_history(work())], "next_cursor": None})


@blueprint.post("/visit-rules")
@needs(Can.EDIT_SETTINGS)
@blueprint.arguments(wire.RuleVersionIn)
@blueprint.response(201, wire.RuleVersionOut)
@blueprint.alt_response(200, schema=wire.RuleVersionOut, description="同一版本已保存")
def add_rule(body: NewRuleVersion) -> ResponseReturnValue:
    """新增走访规则版本，自尚未开始的周期首日起启用；进行中的周期不受影响。"""
    row, is_new = add_rule_version(work(), body)
    return answer(_rule(row), 201 if is_new else 200)


@blueprint.post("/emergencies")
@needs(Can.DECLARE_EMERGENCY, new_keys=1)
@blueprint.arguments(wire.EmergencyIn)
@blueprint.response(201, wire.EmergencyOut)
@blueprint.alt_response(200, schema=wire.EmergencyOut, description="同一事件已发布")
def declare_emergency(body: NewEmergency) -> ResponseReturnValue:
    """发布应急事件：辖区内或指定人员须在规定小时内见到本人。"""
    emergency, is_new = declare(work(), body)
    return answer(_emergency(emergency), 201 if is_new else 200)


def _rule(row: RuleVersion) -> dict[str, Any]:
    return {name: getattr(row, name) for name in wire.RuleVersionOut().fields}


def _emergency(row: Emergency) -> dict[str, Any]:
    return {
        "id": row.id,
        "kind": row.kind,
        "happened_at": row.happened_at,
        "due_at": emergency_window(row.happened_at, row.hours)[1],
        "area_code": row.area_code or None,
        "hours": row.hours,
        "people": reached(work(), row.id),
        "declared_at": row.declared_at,
    }
