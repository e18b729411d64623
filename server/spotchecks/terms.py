"""The words of spot checks (抽查), back-checks (回访核查) and rectification (整改)."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from server.people.terms import Category
from server.terms import Term
from server.visits.form import Answer
from server.visits.terms import Outcome, VisitState

_CHECKS = "DOMAIN §7"
LONGEST_TEXT = 2000  # characters
LONGEST_NAME = 100  # characters
SEED_BYTES = 32


class SpotCheckPlanState(Term):
    """How far a plan has come (抽查计划状态)."""

    PLANNED = "planned", "已制定", _CHECKS
    COMMITTED = "committed", "已承诺种子", _CHECKS
    FROZEN = "frozen", "已封存名单", _CHECKS
    DRAWN = "drawn", "已抽取", _CHECKS
    ANNULLED = "annulled", "已作废", _CHECKS


class SpotCheckPlanStep(Term):
    """What is done with a plan (抽查步骤)."""

    COMMIT = "commit", "承诺种子", _CHECKS
    FREEZE = "freeze", "封存名单", _CHECKS
    DRAW = "draw", "公布种子并抽取", _CHECKS
    ANNUL = "annul", "作废", _CHECKS


class FrameDates(Term):
    """By which date a visit belongs to a month (按什么日期归月)."""

    RECEIVED = "received", "收到日期"
    OCCURRED = "occurred", "走访日期"


class StratumBy(Term):
    """By what a frame is parted, each part drawn from by itself (分层)."""

    VILLAGE = "village", "村（社区）", _CHECKS
    VISITOR = "visitor", "走访人员", _CHECKS
    CATEGORY = "category", "救助类别", _CHECKS


class AlwaysIncluded(Term):
    """What is checked whatever chance says (必查)."""

    DEATH = "death", "死亡", _CHECKS
    NAMED_PERSON = "named_person", "指定人员", _CHECKS
    URGENT_PROBLEM = "urgent_problem", "有紧急问题", _CHECKS
    WARNING_FINDING = "warning_finding", "有待核实的疑点", _CHECKS
    NOT_MET = "not_met", "未见到本人", _CHECKS
    FILED_LATE = "filed_late", "补录", _CHECKS


class WhyDrawn(Term):
    """Why a visit is in the sample (入选原因)."""

    ALWAYS = "always", "必查", _CHECKS
    STRATUM = "stratum", "分层抽取", _CHECKS
    EVERY_VISITOR = "every_visitor", "每名走访人员至少一次", _CHECKS
    EVERY_VILLAGE = "every_village", "每村（社区）至少一次", _CHECKS


class SpotCheckState(Term):
    """Where one visit of a sample stands (抽查件状态)."""

    DRAWN = "drawn", "待分派", _CHECKS
    ASSIGNED = "assigned", "待核查", _CHECKS
    CHECKED = "checked", "待认定", _CHECKS
    INQUIRY = "inquiry", "调查中", _CHECKS
    JUDGED = "judged", "已认定", _CHECKS
    NOT_POSSIBLE = "not_possible", "无法核查", _CHECKS


class SpotCheckStep(Term):
    """What is done with one visit of a sample (抽查件操作)."""

    ASSIGN = "assign", "分派", _CHECKS
    TRY = "try", "核查未联系上", _CHECKS
    SUBMIT = "submit", "提交核查", _CHECKS
    GIVE_UP = "give_up", "登记无法核查", _CHECKS
    JUDGE = "judge", "认定", _CHECKS
    SEND_TO_INQUIRY = "send_to_inquiry", "转入调查", _CHECKS


class CheckMethod(Term):
    """How a visit is checked (核查方式)."""

    CALL_BACK = "call_back", "电话回访", _CHECKS
    REVISIT = "revisit", "上门复核", _CHECKS


class Recall(Term):
    """Whether the visit is remembered (对走访的记忆)."""

    CONFIRMED = "confirmed", "记得来过", _CHECKS
    DENIED = "denied", "说没有来过", _CHECKS
    CANNOT_REMEMBER = "cannot_remember", "记不清", _CHECKS
    UNREACHABLE = "unreachable", "未联系上", _CHECKS


class SpokeTo(Term):
    """Who answered the checker (受访人)."""

    PERSON = "person", "本人", _CHECKS
    CAREGIVER = "caregiver", "照料服务人", _CHECKS
    RELATIVE = "relative", "亲属", _CHECKS
    NEIGHBOUR = "neighbour", "邻居", _CHECKS
    CADRE = "cadre", "村（社区）干部", _CHECKS
    NOBODY = "nobody", "无人应答", _CHECKS


class SpotCheckResult(Term):
    """What a person concludes from a back-check (认定结果)."""

    PASS = "pass", "属实", _CHECKS
    MINOR = "minor", "一般问题", _CHECKS
    MAJOR = "major", "严重问题", _CHECKS
    NEEDS_INQUIRY = "needs_inquiry", "需进一步调查", _CHECKS


class CheckNotPossible(Term):
    """Why a visit cannot be checked any more (无法核查原因)."""

    UNREACHABLE = "unreachable", "多次未联系上", _CHECKS
    DEAD = "dead", "本人已去世", _CHECKS
    MOVED = "moved", "已迁出或外出", _CHECKS
    REFUSED = "refused", "拒绝受访", _CHECKS
    UNABLE = "unable", "本人无法表达且无知情人", _CHECKS


class QuestionKind(Term):
    """What a difference in a question speaks of, after the back-check practice of IPA (题目类型)."""

    TYPE_1 = "type_1", "一类：稳定且易问，差异提示没有认真问", "IPA back checks"
    TYPE_2 = "type_2", "二类：稳定但难问，差异提示需要培训", "IPA back checks"
    TYPE_3 = "type_3", "三类：会变化，差异说明题目本身不稳定", "IPA back checks"


class CannotCheck(Term):
    """Why a worker must not check a visit (回避原因)."""

    VISITED = "visited", "是该次走访的走访人员"
    RECORDED = "recorded", "是该条记录的填报人"
    ANSWERS_FOR = "answers_for", "是此人的责任人或代理责任人"
    RELATED_TO_PERSON = "related_to_person", "与救助对象是近亲属", "DOMAIN §12.28"
    RELATED_TO_VISITOR = "related_to_visitor", "与走访人员是近亲属", "DOMAIN §12.28"
    OUT_OF_AREA = "out_of_area", "不在其辖区"
    NO_CHECKER = "no_checker", "岗位不做核查或账户已停用"


class KinshipRelation(Term):
    """How a worker is related to somebody (近亲属关系)."""

    SPOUSE = "spouse", "配偶", "DOMAIN §12.28"
    PARENT = "parent", "父母", "DOMAIN §12.28"
    CHILD = "child", "子女", "DOMAIN §12.28"
    SIBLING = "sibling", "兄弟姐妹", "DOMAIN §12.28"
    GRANDPARENT = "grandparent", "祖父母、外祖父母", "DOMAIN §12.28"
    GRANDCHILD = "grandchild", "孙子女、外孙子女", "DOMAIN §12.28"
    IN_LAW = "in_law", "姻亲", "DOMAIN §12.28"
    OTHER = "other", "其他近亲属", "DOMAIN §12.28"


class RectificationState(Term):
    """Where a rectification stands (整改状态)."""

    OPEN = "open", "待通知", _CHECKS
    NOTIFIED = "notified", "已通知", _CHECKS
    ANSWERED = "answered", "已答复", _CHECKS
    RECHECKED = "rechecked", "已复核", _CHECKS
    REOPENED = "reopened", "重新整改", _CHECKS
    CLOSED = "closed", "已销号", _CHECKS
    WITHDRAWN = "withdrawn", "已撤销", _CHECKS


class RectificationStep(Term):
    """What is done about a rectification (整改操作)."""

    NOTIFY = "notify", "通知", _CHECKS
    ANSWER = "answer", "答复", _CHECKS
    RECHECK = "recheck", "复核", _CHECKS
    CLOSE = "close", "销号", _CHECKS
    REOPEN = "reopen", "退回重新整改", _CHECKS
    WITHDRAW = "withdraw", "撤销", _CHECKS


@dataclass(frozen=True, slots=True)
class NewPlan:
    """A plan as somebody makes it: which visits, how they are parted, how many of each part.

    `period_start` is the first day of a month. Empty `outcomes` and `categories` mean all of them; `share` is in
    percent, `number` a count per stratum; neither means the setting's share. `every_visitor` and `every_village` promise
    one at least; None leaves it to the settings.
    """

    id: UUID
    area_code: str
    period_start: dt.date
    dates: FrameDates = FrameDates.RECEIVED
    outcomes: tuple[Outcome, ...] = ()
    categories: tuple[Category, ...] = ()
    states: tuple[VisitState, ...] = ()
    strata: tuple[StratumBy, ...] = ()
    share: int | None = None
    number: int | None = None
    always: tuple[AlwaysIncluded, ...] = ()
    person_ids: tuple[UUID, ...] = ()
    every_visitor: bool | None = None
    every_village: bool | None = None


@dataclass(frozen=True, slots=True)
class NewBackCheck:
    """A back-check as the checker's phone or browser sends it; the id is made there.

    `recalled_on` and `who_came` are what the person says, unprompted. `answers` are given to the questions of the form,
    whose earlier answers the checker has not seen there.
    """

    check_id: UUID
    method: CheckMethod
    occurred_at: dt.datetime
    spoke_to: SpokeTo
    recall: Recall
    recalled_on: dt.date | None = None
    who_came: str | None = None
    answers: Mapping[str, Answer] = field(default_factory=dict)
    notes: str | None = None
    photo_ids: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True)
class ToRectify:
    """What must be put right, by whom; without an owner it is the worker who recorded the visit."""

    what: str
    owner_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """What somebody concludes from a back-check, on the revision that they saw."""

    result: SpotCheckResult
    revision: int
    reason: str | None = None
    rectify: ToRectify | None = None


@dataclass(frozen=True, slots=True)
class RectificationMove:
    """A step of a rectification, on the revision that its taker saw; `photo_ids` are evidence."""

    step: RectificationStep
    revision: int
    text: str | None = None
    owner_id: UUID | None = None
    photo_ids: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True)
class NewKinship:
    """A worker's relation to a person on file or to another worker; exactly one of the two is named."""

    id: UUID
    worker_id: UUID
    relation: KinshipRelation
    person_id: UUID | None = None
    relative_id: UUID | None = None
