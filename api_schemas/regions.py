"""Regions on the wire: what lies where on a day, renamed and merged over the years."""

from marshmallow import fields

from api_schemas.paging import PageQuery
from api_schemas.wire import DateField, Many, Strict, TermField, Text
from server.regions.terms import Level

CODE_PATTERN = "^([0-9]{6}|[0-9]{9}|[0-9]{12})$"


class RegionsQuery(PageQuery):
    """Which regions, on which day."""

    area = Text(12, pattern=CODE_PATTERN, load_default=None, metadata={"description": "默认本人辖区"})
    on = DateField(load_default=None, metadata={"description": "哪一天的区划，默认今天"})


class RegionOut(Strict):
    """A region under one name for a span of days."""

    code = fields.String(required=True)
    name = fields.String(required=True)
    level = TermField(Level, required=True)
    parent_code = fields.String(required=True, allow_none=True)
    valid_from = DateField(required=True)
    valid_to = DateField(required=True, allow_none=True)
    successor_code = fields.String(
        required=True, allow_none=True, metadata={"description": "撤销后并入的区划"}
    )


class RegionsOut(Strict):
    """A page of regions, by code."""

    items = fields.List(fields.Nested(RegionOut), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class RenameIn(Strict):
    """Another name from a day on."""

    code = Text(12, pattern=CODE_PATTERN, required=True, metadata={"example": "341882003201"})
    name = Text(60, required=True)
    on = DateField(required=True)


class MergeIn(Strict):
    """Regions that end, and the one of the same level that they are merged into from a day on."""

    codes = Many(
        Text(12, pattern=CODE_PATTERN, metadata={"example": "341882003200"}),
        least=1,
        most=50,
        distinct=True,
        required=True,
    )
    into = Text(12, pattern=CODE_PATTERN, required=True, metadata={"example": "341882003201"})
    on = DateField(required=True)


class MergeOut(Strict):
    """How many regions ended, and how many people have moved by now."""

    ended = fields.Integer(required=True)
    people = fields.Integer(required=True, metadata={"description": "已随迁的人数；生效日未到时为 0"})
