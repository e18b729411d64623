"""Settings on the wire: policy numbers with their source, the area and the day from which they hold."""

from marshmallow import fields

from api_schemas.wire import DateField, Instant, Strict, Text


class SettingIn(Strict):
    """A new value from a day on, with the document that it follows."""

    value = fields.Raw(
        required=True,
        metadata={
            "description": "按 unit 填写：整数、true/false 或日期",
            "type": ["integer", "boolean", "string"],
        },
    )
    area_code = Text(
        12,
        pattern="^([0-9]{6}|[0-9]{9}|[0-9]{12})$",
        load_default=None,
        allow_none=True,
        metadata={"description": "适用地区，默认本人辖区；越具体的地区越优先"},
    )
    effective_from = DateField(required=True, metadata={"description": "自哪一天起，不能早于今天"})
    source_doc_no = Text(100, required=True, metadata={"description": "依据的文号"})
    source_url = Text(300, least=0, load_default="")


class SettingVersionOut(Strict):
    """One value, where and since when."""

    area_code = fields.String(required=True, metadata={"description": "空表示各地通用"})
    value = fields.Raw(required=True, allow_none=True)
    effective_from = DateField(required=True)
    effective_to = DateField(required=True, allow_none=True)
    source_doc_no = fields.String(required=True)
    source_url = fields.String(required=True)
    needs_confirmation = fields.Boolean(required=True, metadata={"description": "待县级民政部门确认"})
    recorded_at = Instant(required=True)


class SettingOut(Strict):
    """A policy number: its value today in one's area, and its versions."""

    key = fields.String(required=True)
    label = fields.String(required=True)
    unit = fields.String(required=True)
    source = fields.String(required=True)
    value = fields.Raw(required=True, allow_none=True)
    versions = fields.List(fields.Nested(SettingVersionOut), required=True)


class SettingsOut(Strict):
    """Every policy number."""

    items = fields.List(fields.Nested(SettingOut), required=True)
    next_cursor = fields.String(required=True, allow_none=True)
