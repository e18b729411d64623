"""The words of reviewing."""

from dataclasses import dataclass
from uuid import UUID

from server.terms import Term


class Decision(Term):
    """What is decided on a visit record (审核结论)."""

    ACCEPT = "accept", "通过", "CONTRACT §6"
    RETURN = "return", "退回更正", "CONTRACT §6"
    VOID = "void", "作废", "CONTRACT §6"
    WITHDRAW = "withdraw", "撤回", "CONTRACT §6"


class ReviewStage(Term):
    """Where a record stands in the review (审核阶段)."""

    SUBMITTED = "submitted", "待审核", "CONTRACT §6"
    AWAITING_SECOND = "awaiting_second", "待第二人确认", "CONTRACT §6"
    RETURNED = "returned", "已退回", "CONTRACT §6"
    ACCEPTED = "accepted", "已通过", "CONTRACT §6"
    VOID = "void", "已作废", "CONTRACT §6"


class QueuePart(Term):
    """Which part of the review queue (审核队列)."""

    RESUBMITTED = "resubmitted", "更正后重新提交", "CONTRACT §6"
    AWAITING_SECOND = "awaiting_second", "等待第二人确认", "CONTRACT §6"
    RETURNED = "returned", "已退回待更正", "CONTRACT §6"


@dataclass(frozen=True, slots=True)
class NewDecision:
    """A decision on the revision that the decider saw."""

    decision: Decision
    revision: int
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Acceptance:
    """One record to accept among many, and the revision that the reviewer saw."""

    visit_id: UUID
    revision: int


@dataclass(frozen=True, slots=True)
class SecondLook:
    """What a second reviewer would decide on an accepted record, without having seen the first decision."""

    decision: Decision
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Upheld:
    """Why an accepted record stands although the second look disagreed."""

    reason: str


@dataclass(frozen=True, slots=True)
class QueueFilters:
    """Which records of the queue: in an area, with a finding, of one recorder, a part of it.

    `worker` is for whoever goes through what one phone sent; nothing is counted by worker anywhere.
    """

    village: str | None = None
    finding: str | None = None
    worker: UUID | None = None
    part: QueuePart | None = None
