"""The words of problems."""

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from server.terms import Term


class Severity(Term):
    """How bad a problem is (严重程度)."""

    LOW = "low", "轻微", "DOMAIN §3.8"
    MEDIUM = "medium", "一般", "DOMAIN §3.8"
    HIGH = "high", "严重", "DOMAIN §3.8"
    URGENT = "urgent", "紧急", "DOMAIN §3.8"


class ProblemState(Term):
    """Where a problem stands (问题状态)."""

    OPEN = "open", "待处理", "DOMAIN §3.8"
    IN_PROGRESS = "in_progress", "处理中", "DOMAIN §7"
    ANSWERED = "answered", "已整改待核查", "DOMAIN §7"
    REOPENED = "reopened", "退回重新整改", "DOMAIN §7"
    FIXED = "fixed", "现场已解决", "DOMAIN §3.8"
    CLOSED = "closed", "已关闭", "DOMAIN §7"
    WITHDRAWN = "withdrawn", "已撤回", "CONTRACT §6"


class ProblemStep(Term):
    """What is done about a problem (问题处理)."""

    START = "start", "开始处理", "DOMAIN §7"
    ANSWER = "answer", "提交整改情况", "DOMAIN §7"
    CLOSE = "close", "核查关闭", "DOMAIN §7"
    REOPEN = "reopen", "退回重新整改", "DOMAIN §7"
    ASSIGN = "assign", "转交", "DOMAIN §7"
    UNMENTIONED = "unmentioned", "更正后不再提及", "CONTRACT §4"
    WITHDRAW = "withdraw", "随走访记录撤回", "CONTRACT §6"


class OwnerKind(Term):
    """Who has to see to a problem (责任人)."""

    RESPONSIBLE = "responsible", "探视责任人", "DOMAIN §3.8"
    CHIEF = "chief", "民政负责人", "DOMAIN §3.2"
    NAMED = "named", "指定人员", "DOMAIN §3.8"


@dataclass(frozen=True, slots=True)
class NewStep:
    """A step on the revision that its taker saw.

    An answer says in `note` what was done, and may name a later visit or photos as evidence; `worker_id` is to whom
    a problem is assigned.
    """

    step: ProblemStep
    revision: int
    note: str | None = None
    visit_id: UUID | None = None
    photo_ids: tuple[UUID, ...] = ()
    worker_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class ProblemFilters:
    """Which problems: those that still have to be seen to, unless `state` asks for others.

    `mine`: those that the asker owns; `overdue`: due before today; `restricted`: suspected abuse alone, or without it.
    """

    state: ProblemState | None = None
    village: str | None = None
    severity: Severity | None = None
    code: str | None = None
    person_id: UUID | None = None
    overdue: bool | None = None
    restricted: bool | None = None
    mine: bool = False


@dataclass(frozen=True, slots=True)
class Deadlines:
    """The days that settings give: to put a problem right by severity, and to check what was answered."""

    by_severity: dict[Severity, int]
    check_within: int

    def first(self, severity: Severity, found_on: dt.date, asked: dt.date | None = None) -> dt.date:
        """Give the day by which a problem must be put right; who found it may ask for an earlier one, not a later."""
        latest = found_on + dt.timedelta(days=self.by_severity[severity])
        return latest if asked is None else max(found_on, min(asked, latest))

    def to_check(self, today: dt.date) -> dt.date:
        """Give the day by which an answer must be looked at."""
        return today + dt.timedelta(days=self.check_within)
