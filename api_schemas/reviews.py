"""Decisions on visits on the wire (CONTRACT §6)."""

from typing import Any

from marshmallow import fields, post_load

from api_schemas.paging import PageQuery
from api_schemas.visits import VisitOut
from api_schemas.wire import Instant, Many, One, Strict, TermField, Text, UuidField, Whole, YesNo
from server.reviews.terms import (
    Acceptance,
    Decision,
    NewDecision,
    QueueFilters,
    QueuePart,
    SecondLook,
    Upheld,
)
from server.visits.terms import Method, Outcome, VisitState

LONGEST_REASON = 500  # characters
MOST_ACCEPTED = 200  # records of one request
_FILTERS = ("village", "finding", "worker", "part")


def _says(text: str) -> dict[str, Any]:
    return {"description": text}


class _Filtered(Strict):
    """Which waiting visits."""

    village = Text(
        12,
        pattern="^[0-9]{6,12}$",
        load_default=None,
        metadata=_says("行政区划代码（村、乡镇或县）"),
    )
    finding = Text(
        60,
        pattern="^[a-z0-9_]+$",
        load_default=None,
        metadata=_says("只看有这一提示的记录（代码见 GET /terms 的 finding_code）"),
    )
    worker = UuidField(load_default=None, metadata=_says("只看这一填报人的记录"))
    part = TermField(QueuePart, load_default=None, metadata=_says("只看队列的一部分"))


def _with_filters(data: dict[str, Any]) -> dict[str, Any]:
    chosen = {name: data.pop(name) for name in _FILTERS}
    return {"filters": QueueFilters(**chosen), **data}


class QueueQuery(PageQuery, _Filtered):
    """Which waiting visits, and which page."""

    @post_load
    def _made(self, data: dict[str, Any], **_: object) -> dict[str, Any]:
        return _with_filters(data)


class NextQuery(_Filtered):
    """Which waiting visit comes after one."""

    after = UuidField(load_default=None, metadata=_says("刚处理完的走访编号；没有则给出最早的一条"))

    @post_load
    def _made(self, data: dict[str, Any], **_: object) -> dict[str, Any]:
        return _with_filters(data)


class NextOut(Strict):
    """The visit to decide on next."""

    visit_id = UuidField(required=True, allow_none=True, metadata=_says("没有待审核的记录时为 null"))


class WaitingOut(VisitOut):
    """A record of the queue."""

    may_decide = YesNo(required=True, metadata=_says("本人能否审核；自己参加的走访不能"))


class QueueOut(Strict):
    """A page of the queue, the longest waiting first."""

    items = fields.List(fields.Nested(WaitingOut), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class DecisionIn(Strict):
    """A decision on the revision that the decider saw."""

    decision = TermField(Decision, required=True)
    reason = Text(
        LONGEST_REASON,
        least=0,
        allow_none=True,
        load_default=None,
        metadata=_says("退回和作废须写明原因"),
    )
    revision = Whole(1, 1_000_000, required=True, metadata=_says("审核时看到的版本号"))

    @post_load
    def made(self, data: dict[str, object], **_: object) -> NewDecision:
        """Give the decision as the service takes it."""
        return NewDecision(**data)  # type: ignore[arg-type]


class AcceptanceIn(Strict):
    """One record to accept."""

    visit_id = UuidField(required=True)
    revision = Whole(1, 1_000_000, required=True, metadata=_says("审核时看到的版本号"))

    @post_load
    def made(self, data: dict[str, Any], **_: object) -> Acceptance:
        """Give the record as the service takes it."""
        return Acceptance(**data)


class AcceptancesIn(Strict):
    """Records to accept at once; those with findings and those that need two reviewers are left as they are."""

    items = Many(
        One(AcceptanceIn), least=1, most=MOST_ACCEPTED, required=True, metadata=_says("要通过的记录")
    )


class AcceptanceOut(Strict):
    """What became of one of them."""

    visit_id = UuidField(required=True)
    accepted = YesNo(required=True)
    state = TermField(VisitState, required=True, allow_none=True)
    revision = Whole(1, 2**31 - 1, required=True, allow_none=True)
    code = fields.String(required=True, allow_none=True, metadata=_says("没有通过的原因代码"))
    detail = fields.String(required=True, allow_none=True, metadata=_says("没有通过的原因"))


class AcceptancesOut(Strict):
    """What became of each, in the order of the request."""

    items = fields.List(fields.Nested(AcceptanceOut), required=True)


class SecondLookIn(Strict):
    """What the second reviewer would decide."""

    decision = TermField(Decision, required=True, metadata=_says("通过、退回更正或作废；不改变记录的状态"))
    reason = Text(
        LONGEST_REASON,
        least=0,
        allow_none=True,
        load_default=None,
        metadata=_says("退回和作废须写明原因"),
    )

    @post_load
    def made(self, data: dict[str, Any], **_: object) -> SecondLook:
        """Give the look as the service takes it."""
        return SecondLook(**data)


class SecondLookOut(Strict):
    """Whether both reviewers decided alike."""

    visit_id = UuidField(required=True)
    agreed = YesNo(required=True)


class UpheldIn(Strict):
    """Why the record stands."""

    reason = Text(LONGEST_REASON, required=True)

    @post_load
    def made(self, data: dict[str, Any], **_: object) -> Upheld:
        """Give the reason as the service takes it."""
        return Upheld(**data)


class SecondLooksOut(Strict):
    """Records for a second look, shown as if nobody had decided on them."""

    items = fields.List(fields.Nested(VisitOut), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class DisagreementOut(Strict):
    """A second look that disagreed with the acceptance."""

    visit_id = UuidField(required=True)
    person_id = UuidField(required=True)
    decision = TermField(Decision, required=True, metadata=_says("复核人的结论"))
    reason = fields.String(required=True, allow_none=True)
    decided_at = Instant(required=True)
    may_settle = YesNo(required=True, metadata=_says("本人能否处理；两名审核人员自己不能"))


class DisagreementsOut(Strict):
    """A page of disagreements, the longest waiting first."""

    items = fields.List(fields.Nested(DisagreementOut), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class AgreementOut(Strict):
    """The second looks of a month, of the area as a whole."""

    month = fields.String(required=True, metadata=_says("YYYY-MM"))
    drawn = Whole(0, 2**31 - 1, required=True, metadata=_says("抽到的记录数"))
    looked_at = Whole(0, 2**31 - 1, required=True, metadata=_says("已复核的记录数"))
    agreed = Whole(0, 2**31 - 1, required=True)
    disagreed = Whole(0, 2**31 - 1, required=True)
    rate = fields.Float(required=True, allow_none=True, metadata=_says("一致率，0 至 1；尚无复核时为 null"))
    seed_sha256 = fields.String(required=True, metadata=_says("当月种子的摘要"))
    seed = fields.String(required=True, allow_none=True, metadata=_says("种子（十六进制），当月结束后公布"))


class AgreementsOut(Strict):
    """The second looks by month, the latest first."""

    items = fields.List(fields.Nested(AgreementOut), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class ChangeOut(Strict):
    """A field or answer that differs."""

    path = fields.String(required=True, metadata=_says("例如 answers.food"))
    label = fields.String(required=True)
    before = fields.Raw(required=True, allow_none=True)
    after = fields.Raw(required=True, allow_none=True)
    before_text = fields.String(required=True)
    after_text = fields.String(required=True)


class ByOut(Strict):
    """A worker."""

    id = UuidField(required=True)
    name = fields.String(required=True, allow_none=True)


class HistoryLineOut(Strict):
    """What happened to a record."""

    kind = fields.String(
        required=True,
        metadata={"enum": ["recorded", "corrected", "decided"], "description": "填报、更正或审核"},
    )
    revision = Whole(1, 2**31 - 1, required=True, metadata=_says("由此产生的版本号"))
    at = Instant(required=True)
    by = One(ByOut, required=True)
    decision = TermField(Decision, metadata=_says("审核结论；仅 decided"))
    state = TermField(VisitState, metadata=_says("审核后的状态；仅 decided"))
    reason = fields.String(allow_none=True, metadata=_says("审核意见；仅 decided"))
    changes = fields.List(fields.Nested(ChangeOut), required=True, metadata=_says("更正了什么"))


class HistoryOut(Strict):
    """The story of a record, the oldest first."""

    visit_id = UuidField(required=True)
    items = fields.List(fields.Nested(HistoryLineOut), required=True)


class PreviousOut(Strict):
    """The person's visit before."""

    visit_id = UuidField(required=True)
    occurred_at = Instant(required=True)
    outcome = TermField(Outcome, required=True)
    method = TermField(Method, required=True)
    state = TermField(VisitState, required=True)
    recorder = One(ByOut, required=True)


class VisitComparisonOut(Strict):
    """What is answered otherwise than on the visit before."""

    visit_id = UuidField(required=True)
    previous = One(PreviousOut, required=True, allow_none=True, metadata=_says("没有更早的走访时为 null"))
    changes = fields.List(fields.Nested(ChangeOut), required=True)
