"""Visit rules and emergencies on the wire (CONTRACT §7)."""

from typing import Any

from marshmallow import fields, post_load

from api_schemas.wire import DateField, Instant, Many, Strict, TermField, Text, UuidField, Whole, YesNo
from server.people.terms import CareLevel, Category, Tag
from server.schedule.terms import EmergencyKind, NewEmergency, NewRuleVersion, PeriodUnit, VisitRule

AREA_PATTERN = "^([0-9]{6}|[0-9]{9}|[0-9]{12})$"


class RuleVersionIn(Strict):
    """A version of a visit rule; it holds from the first day of a period that has not begun."""

    id = UuidField(required=True)
    key = Text(60, required=True, pattern="^[a-z0-9_]+$", metadata={"example": "tekun_dispersed"})
    area_code = Text(12, required=True, pattern=AREA_PATTERN, metadata={"example": "341882"})
    category = TermField(Category, allow_none=True, load_default=None)
    care_level = TermField(CareLevel, allow_none=True, load_default=None)
    tag = TermField(Tag, allow_none=True, load_default=None)
    unit = TermField(PeriodUnit, required=True)
    required = Whole(1, 31, required=True, metadata={"description": "每期至少走访次数"})
    in_person = Whole(0, 31, load_default=0, metadata={"description": "其中必须见面的次数"})
    alert_days = Many(Whole(0, 366), most=10, load_default=(), metadata={"description": "到期前几天提醒"})
    cutoff_day = Whole(
        1, 31, load_default=20, metadata={"description": "期末月份几日之前纳入的，本期仍须走访"}
    )
    heads_only = YesNo(load_default=False, metadata={"description": "只计户主"})
    effective_from = DateField(required=True)
    effective_to = DateField(allow_none=True, load_default=None)
    source_doc_no = Text(100, required=True, metadata={"description": "依据的文号"})
    source_url = Text(300, least=0, load_default="")

    @post_load
    def made(self, data: dict[str, Any], **_: object) -> NewRuleVersion:
        """Give the version as the service takes it."""
        rule = VisitRule(
            **{name: data[name] for name in ("key", "category", "care_level", "tag", "unit", "required")},
            **{name: data[name] for name in ("in_person", "alert_days", "cutoff_day", "effective_from")},
            effective_to=data["effective_to"],
            applies_to_head_only=data["heads_only"],
            source=data["source_doc_no"],
            confirmed=True,
        )
        return NewRuleVersion(data["id"], data["area_code"], rule, data["source_url"])


class RuleVersionOut(Strict):
    """A version of a visit rule, with its source and where and when it holds."""

    id = UuidField(required=True)
    key = fields.String(required=True)
    area_code = fields.String(required=True, metadata={"description": "空表示各地通用"})
    category = TermField(Category, required=True, allow_none=True)
    care_level = TermField(CareLevel, required=True, allow_none=True)
    tag = TermField(Tag, required=True, allow_none=True)
    unit = TermField(PeriodUnit, required=True)
    required = fields.Integer(required=True)
    in_person = fields.Integer(required=True)
    alert_days = fields.List(fields.Integer(), required=True)
    cutoff_day = fields.Integer(required=True)
    heads_only = fields.Boolean(required=True)
    effective_from = DateField(required=True)
    effective_to = DateField(required=True, allow_none=True)
    source_doc_no = fields.String(required=True)
    source_url = fields.String(required=True)
    needs_confirmation = fields.Boolean(required=True, metadata={"description": "待县级民政部门确认"})
    recorded_at = Instant(required=True)


class RuleVersionsOut(Strict):
    """Every version in force, past and to come."""

    items = fields.List(fields.Nested(RuleVersionOut), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class EmergencyIn(Strict):
    """An emergency, for an area or for named people; `hours` is the setting in force when left out."""

    id = UuidField(required=True)
    kind = TermField(EmergencyKind, required=True)
    happened_at = Instant(required=True)
    area_code = Text(
        12, pattern=AREA_PATTERN, allow_none=True, load_default=None, metadata={"example": "341882003"}
    )
    person_ids = Many(UuidField(), most=2000, least=1, distinct=True, allow_none=True, load_default=None)
    hours = Whole(1, 720, allow_none=True, load_default=None)
    note = Text(500, least=0, allow_none=True, load_default=None)

    @post_load
    def made(self, data: dict[str, Any], **_: object) -> NewEmergency:
        """Give the declaration as the service takes it."""
        return NewEmergency(**data)


class EmergencyOut(Strict):
    """A declared emergency, and how many people it reaches."""

    id = UuidField(required=True)
    kind = TermField(EmergencyKind, required=True)
    happened_at = Instant(required=True)
    due_at = Instant(required=True)
    area_code = fields.String(required=True, allow_none=True)
    hours = fields.Integer(required=True)
    people = fields.Integer(required=True, metadata={"description": "因此须走访的人数"})
    declared_at = Instant(required=True)
