"""Problems on the wire (DOMAIN §3.8): what was found, in whose hand it is, by when, and what was done."""

from typing import Any

from marshmallow import fields, post_load

from api_schemas.paging import PageQuery, QueryYesNo
from api_schemas.wire import (
    DateField,
    Instant,
    Many,
    One,
    Strict,
    TermField,
    Text,
    UuidField,
    Whole,
    YesNo,
)
from server.problems.terms import (
    NewStep,
    OwnerKind,
    ProblemFilters,
    ProblemState,
    ProblemStep,
    Severity,
)

LONGEST_NOTE = 2000  # characters
MOST_PHOTOS = 20  # named by one answer


def _says(text: str) -> dict[str, Any]:
    return {"description": text}


class ProblemsQuery(PageQuery):
    """Which problems."""

    state = TermField(ProblemState, load_default=None, metadata=_says("默认列出所有未了结的"))
    village = Text(
        12,
        pattern="^[0-9]{6,12}$",
        load_default=None,
        metadata=_says("行政区划代码（村、乡镇或县）"),
    )
    severity = TermField(Severity, load_default=None)
    code = Text(60, load_default=None, metadata=_says("问题代码"))
    person_id = UuidField(load_default=None)
    overdue = QueryYesNo(load_default=None, metadata=_says("是否已逾期"))
    restricted = QueryYesNo(load_default=None, metadata=_says("是否为限制查看的问题（疑似虐待）"))
    mine = QueryYesNo(load_default=False, metadata=_says("只看由本人负责整改的"))

    @post_load
    def _made(self, data: dict[str, Any], **_: object) -> dict[str, Any]:
        page = {name: data.pop(name) for name in ("limit", "cursor")}
        return {"filters": ProblemFilters(**data), **page}


class StepIn(Strict):
    """The next step about a problem, on the revision that its taker saw."""

    step = TermField(ProblemStep, required=True)
    revision = Whole(1, 1_000_000, required=True, metadata=_says("处理时看到的版本号"))
    note = Text(
        LONGEST_NOTE,
        least=0,
        allow_none=True,
        load_default=None,
        metadata=_says("整改情况、退回或转交的原因；这三步必填"),
    )
    visit_id = UuidField(
        allow_none=True, load_default=None, metadata=_says("作为整改佐证的一次走访，仅 answer")
    )
    photo_ids = Many(
        UuidField(),
        most=MOST_PHOTOS,
        distinct=True,
        load_default=(),
        metadata=_says("作为整改佐证的照片，须已上传，仅 answer"),
    )
    worker_id = UuidField(allow_none=True, load_default=None, metadata=_says("转交给谁，仅 assign"))

    @post_load
    def _made(self, data: dict[str, Any], **_: object) -> NewStep:
        return NewStep(**data)


class ProblemPersonOut(Strict):
    """The person whom a problem is about."""

    person_id = UuidField(required=True)
    name = fields.String(required=True)
    file_no = fields.String(required=True, allow_none=True)


class ProblemVillageOut(Strict):
    """Where they live."""

    code = fields.String(required=True)
    name = fields.String(required=True, allow_none=True)


class OwnerOut(Strict):
    """Who has the problem in hand."""

    id = UuidField(required=True)
    name = fields.String(required=True)
    kind = TermField(OwnerKind, required=True)


class StepWorkerOut(Strict):
    """A worker."""

    id = UuidField(required=True)
    name = fields.String(required=True, allow_none=True)


class ProblemOut(Strict):
    """A problem and how it stands today."""

    id = UuidField(required=True)
    person = One(ProblemPersonOut, required=True)
    village = One(ProblemVillageOut, required=True)
    visit_id = UuidField(required=True, metadata=_says("发现问题的走访"))
    code = fields.String(required=True)
    title = fields.String(required=True, allow_none=True, metadata=_says("由记录自动得出的问题的名称"))
    severity = TermField(Severity, required=True)
    description = fields.String(required=True, allow_none=True)
    fixed_on_site = YesNo(required=True)
    restricted = YesNo(required=True, metadata=_says("限制查看（疑似虐待）"))
    state = TermField(ProblemState, required=True)
    owner = One(OwnerOut, required=True, allow_none=True, metadata=_says("整改责任人；无人在岗时为 null"))
    due_on = DateField(required=True, metadata=_says("整改期限；已提交整改的为核查期限"))
    days_overdue = Whole(0, 100_000, required=True)
    escalation = Whole(0, 3, required=True, metadata=_says("已到第几级上报，0 为未上报"))
    found_at = Instant(required=True)
    raised_at = Instant(required=True)
    closed_at = Instant(required=True, allow_none=True)
    revision = Whole(1, 2**31 - 1, required=True)


class ProblemsOut(Strict):
    """A page of problems."""

    items = fields.List(fields.Nested(ProblemOut), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class StepOut(Strict):
    """What somebody did about a problem."""

    step = TermField(ProblemStep, required=True)
    state = TermField(ProblemState, required=True, metadata=_says("由此到达的状态"))
    revision = Whole(1, 2**31 - 1, required=True)
    due_on = DateField(required=True)
    note = fields.String(required=True, allow_none=True)
    visit_id = UuidField(required=True, allow_none=True)
    photo_ids = fields.List(UuidField(), required=True)
    worker = One(StepWorkerOut, required=True, allow_none=True, metadata=_says("转交给谁"))
    by = One(StepWorkerOut, required=True, allow_none=True, metadata=_says("系统自动记录的为 null"))
    at = Instant(required=True)


class ProblemWholeOut(ProblemOut):
    """A problem with its story, the oldest step first."""

    steps = fields.List(fields.Nested(StepOut), required=True)
