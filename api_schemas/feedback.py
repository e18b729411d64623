"""Complaints and suggestions on the wire (CONTRACT §8)."""

from marshmallow import fields

from api_schemas.wire import Instant, Strict, Text, UuidField

LONGEST_TEXT = 2000  # characters
LONGEST_CONTACT = 100  # characters


class FeedbackIn(Strict):
    """What a worker complains about or suggests."""

    id = UuidField(required=True, metadata={"description": "编号，由手机生成；重复提交用同一个"})
    text = Text(
        LONGEST_TEXT,
        required=True,
        metadata={"description": "意见或建议", "example": "希望清单能按村组排序。"},
    )
    contact = Text(
        LONGEST_CONTACT, allow_none=True, load_default=None, metadata={"description": "联系方式（可不填）"}
    )


class FeedbackReceivedOut(Strict):
    """That it arrived."""

    id = UuidField(required=True)
    received_at = Instant(required=True)


class SenderOut(Strict):
    """Who wrote it."""

    id = UuidField(required=True)
    name = fields.String(required=True)


class FeedbackOut(Strict):
    """One piece of feedback as administrators read it."""

    id = UuidField(required=True)
    worker = fields.Nested(SenderOut, required=True)
    text = fields.String(required=True)
    contact = fields.String(required=True, allow_none=True)
    received_at = Instant(required=True)


class FeedbackPageOut(Strict):
    """A page of feedback, the latest first."""

    items = fields.List(fields.Nested(FeedbackOut), required=True)
    next_cursor = fields.String(required=True, allow_none=True)
