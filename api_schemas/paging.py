"""Which page of a list (CONTRACT §1)."""

from marshmallow import fields, validate

from api_schemas.wire import Strict


class PageQuery(Strict):
    """Which page."""

    limit = fields.Integer(
        load_default=50,
        validate=validate.Range(1, 200, error="每页 1 到 200 条。"),
        metadata={"description": "每页条数"},
    )
    cursor = fields.String(load_default=None, metadata={"description": "上一页给出的 next_cursor"})
