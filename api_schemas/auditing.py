"""The ledger, its proofs and receipts on the wire (TRUST §2, Ledger)."""

from marshmallow import ValidationError, fields, validates_schema

from api_schemas.paging import PageQuery, QueryWhole
from api_schemas.wire import Instant, Strict, TermField, Text, UuidField
from server.auditing.terms import LookKind

MOST_LEAVES = 10**15


class LooksOfQuery(PageQuery):
    """Whose looks."""

    person_id = UuidField(required=True)


class LookOut(Strict):
    """One look at a person: who, when, what."""

    seq = fields.Integer(required=True, metadata={"description": "留痕序号"})
    at = Instant(required=True)
    worker_id = UuidField(required=True, allow_none=True, metadata={"description": "空表示系统自动处理"})
    worker = fields.String(required=True, allow_none=True, metadata={"description": "查看人姓名"})
    kind = TermField(LookKind, required=True)
    action = fields.String(required=True)
    subject_kind = fields.String(required=True)
    subject_id = UuidField(required=True, allow_none=True)
    field = fields.String(required=True, allow_none=True, metadata={"description": "查看了哪一项原始信息"})
    request_id = fields.String(required=True, allow_none=True)


class LooksOut(Strict):
    """A page of looks, the latest first."""

    items = fields.List(fields.Nested(LookOut), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class EntriesQuery(PageQuery):
    """Which entries of the ledger."""

    person_id = UuidField(load_default=None)
    actor_id = UuidField(load_default=None, metadata={"description": "办理人或查看人"})
    subject_kind = Text(
        24, pattern="^[a-z_]+$", load_default=None, metadata={"description": "对象类别，如 visit"}
    )
    subject_id = UuidField(load_default=None, metadata={"description": "对象编号，须同时给出 subject_kind"})
    action = Text(
        48, pattern="^[a-z_.]+$", load_default=None, metadata={"description": "动作，如 visit.recorded"}
    )
    since = Instant(data_key="from", load_default=None, metadata={"description": "此时刻及以后"})
    until = Instant(data_key="to", load_default=None, metadata={"description": "此时刻以前"})

    @validates_schema
    def check_subject(self, data: dict[str, object], **_: object) -> None:
        """Refuse the id of a subject whose kind is not said: only together they are indexed."""
        if data.get("subject_id") is not None and data.get("subject_kind") is None:
            raise ValidationError("须同时给出 subject_kind。", field_name="subject_id")
        if data.get("subject_kind") is not None and data.get("subject_id") is None:
            raise ValidationError("须同时给出 subject_id。", field_name="subject_kind")


class EntryOut(Strict):
    """One entry of the ledger, without its payload."""

    seq = fields.Integer(
        required=True, allow_none=True, metadata={"description": "序号；刚写入、尚未编号的为空"}
    )
    at = Instant(required=True)
    actor_id = UuidField(required=True, allow_none=True)
    action = fields.String(required=True)
    subject_kind = fields.String(required=True)
    subject_id = UuidField(required=True, allow_none=True)
    person_id = UuidField(required=True, allow_none=True)
    people_named = fields.Integer(required=True, metadata={"description": "列表、同步等一次涉及的人数"})
    changes = fields.Boolean(required=True, metadata={"description": "true 为办理，false 为查看"})
    request_id = fields.String(required=True, allow_none=True)
    commitment = fields.String(required=True, metadata={"description": "内容的加盐摘要（十六进制）"})


class EntriesOut(Strict):
    """A page of entries, the latest first."""

    items = fields.List(fields.Nested(EntryOut), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class CheckpointOut(Strict):
    """A signed checkpoint: the ledger as it was when it had so many entries."""

    number = fields.Integer(required=True)
    size = fields.Integer(required=True, metadata={"description": "当时共有多少条留痕"})
    root = fields.String(required=True, metadata={"description": "树根（base64）"})
    signed_at = Instant(required=True)
    note = fields.String(required=True, metadata={"description": "C2SP 签名注记原文，可离线核验"})


class CheckpointQuery(Strict):
    """Which checkpoint."""

    number = QueryWhole(1, 2**31 - 1, load_default=None, metadata={"description": "编号；默认最近一个"})


class InclusionQuery(Strict):
    """Of which entry, in a tree of which size."""

    seq = QueryWhole(1, MOST_LEAVES, required=True, metadata={"description": "留痕序号"})
    size = QueryWhole(
        1, MOST_LEAVES, load_default=None, metadata={"description": "树的大小；默认为最近的检查点"}
    )


class ConsistencyQuery(Strict):
    """From which size of the tree to which."""

    first = QueryWhole(1, MOST_LEAVES, data_key="from", required=True, metadata={"description": "较早的大小"})
    second = QueryWhole(1, MOST_LEAVES, data_key="to", required=True, metadata={"description": "较晚的大小"})


class InclusionOut(Strict):
    """That an entry is in the tree of a size (RFC 6962 §2.1.1)."""

    seq = fields.Integer(required=True)
    size = fields.Integer(required=True)
    leaf_hash = fields.String(required=True, metadata={"description": "十六进制"})
    root = fields.String(required=True, metadata={"description": "十六进制"})
    proof = fields.List(fields.String(), required=True, metadata={"description": "自下而上，十六进制"})


class ConsistencyOut(Strict):
    """That the later tree only added to the earlier one (RFC 6962 §2.1.2)."""

    first = fields.Integer(required=True, data_key="from")
    second = fields.Integer(required=True, data_key="to")
    first_root = fields.String(required=True)
    second_root = fields.String(required=True)
    proof = fields.List(fields.String(), required=True)


class ReceiptEntryOut(Strict):
    """One entry about the visit with its proof; the leaf is hashed as it stands here, keys sorted, without spaces."""

    leaf = fields.Dict(required=True)
    payload = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "随机数（base64）、点、内容（JSON）；依法删除后为空"},
    )
    proof = fields.List(fields.String(), required=True)


class ReceiptOut(Strict):
    """A signed receipt: what the ledger tells of the visit, provable without this system."""

    format = fields.String(required=True)
    visit_id = UuidField(required=True)
    state = fields.String(required=True, metadata={"description": "检查点当时的状态"})
    entries = fields.List(fields.Nested(ReceiptEntryOut), required=True)
    checkpoint = fields.String(required=True)
