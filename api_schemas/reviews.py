"""Decisions on visits on the wire (CONTRACT §6)."""

from marshmallow import post_load

from api_schemas.paging import PageQuery
from api_schemas.wire import Strict, TermField, Text, Whole
from server.reviews.terms import Decision, NewDecision


class QueueQuery(PageQuery):
    """Which waiting visits."""

    village = Text(
        12,
        pattern="^[0-9]{6,12}$",
        load_default=None,
        metadata={"description": "行政区划代码（村、乡镇或县）"},
    )
    finding = Text(
        60,
        pattern="^[a-z0-9_]+$",
        load_default=None,
        metadata={"description": "只看有这一提示的记录（代码见 GET /terms 的 finding_code）"},
    )


class DecisionIn(Strict):
    """A decision on the revision that the decider saw."""

    decision = TermField(Decision, required=True)
    reason = Text(
        500, least=0, allow_none=True, load_default=None, metadata={"description": "退回和作废须写明原因"}
    )
    revision = Whole(1, 1_000_000, required=True, metadata={"description": "审核时看到的版本号"})

    @post_load
    def made(self, data: dict[str, object], **_: object) -> NewDecision:
        """Give the decision as the service takes it."""
        return NewDecision(**data)  # type: ignore[arg-type]
