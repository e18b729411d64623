"""Checks of a sample, back-checks, judgements and rectifications on the wire (DOMAIN §7)."""

from typing import Any

from marshmallow import fields, post_load

from api_schemas.answers import Answers
from api_schemas.paging import PageQuery, QueryYesNo
from api_schemas.spotchecks import SpotCheckWorkerOut
from api_schemas.wire import DateField, Instant, Many, One, Strict, TermField, Text, UuidField, Whole
from api_schemas.worklists import ListedVillageOut
from server.people.terms import Sex
from server.spotchecks.terms import (
    LONGEST_NAME,
    LONGEST_TEXT,
    CheckMethod,
    CheckNotPossible,
    Judgement,
    KinshipRelation,
    QuestionKind,
    Recall,
    RectificationMove,
    RectificationState,
    RectificationStep,
    SpokeTo,
    SpotCheckResult,
    SpotCheckState,
    ToRectify,
    WhyDrawn,
)

MOST_PHOTOS = 9
REVISION = {"description": "操作时看到的版本号"}


def _revision() -> Whole:
    return Whole(1, 1_000_000, required=True, metadata=REVISION)


def _photos() -> Many:
    return Many(
        UuidField(),
        most=MOST_PHOTOS,
        distinct=True,
        load_default=(),
        metadata={"description": "作为依据的照片，须是此人的、已随走访上传的"},
    )


class SpotChecksQuery(PageQuery):
    """Which checks."""

    plan_id = UuidField(load_default=None, metadata={"description": "抽查计划编号"})
    state = TermField(SpotCheckState, load_default=None)
    mine = QueryYesNo(load_default=False, metadata={"description": "只看分派给自己的"})


class CheckerIn(Strict):
    """Who is to check instead."""

    worker_id = UuidField(required=True)
    revision = _revision()


class NotPossibleIn(Strict):
    """Why a visit cannot be checked."""

    reason = TermField(CheckNotPossible, required=True)
    revision = _revision()


class BackCheckIn(Strict):
    """A call or a visit to check with; its id is made on the phone or in the browser."""

    check_id = UuidField(required=True)
    method = TermField(CheckMethod, required=True)
    occurred_at = Instant(required=True)
    spoke_to = TermField(SpokeTo, required=True)
    recall = TermField(Recall, required=True, metadata={"description": "不提示地问：这个月有没有人来看过您"})
    recalled_on = DateField(
        allow_none=True, load_default=None, metadata={"description": "受访人说的日期，不提示"}
    )
    who_came = Text(
        LONGEST_NAME, allow_none=True, load_default=None, metadata={"description": "受访人说谁来的，不提示"}
    )
    answers = Answers(load_default=dict, metadata={"description": "对核查题目的回答；核查前看不到原记录"})
    notes = Text(LONGEST_TEXT, allow_none=True, load_default=None)
    photo_ids = _photos()


class ToRectifyIn(Strict):
    """What must be put right; the owner is the recorder of the visit when nobody is named."""

    what = Text(LONGEST_TEXT, required=True)
    owner_id = UuidField(allow_none=True, load_default=None)

    @post_load
    def made(self, data: dict[str, Any], **_: object) -> ToRectify:
        """Give it as the service takes it."""
        return ToRectify(**data)


class JudgementIn(Strict):
    """What is concluded; a conclusion other than the proposed one needs a reason."""

    result = TermField(SpotCheckResult, required=True)
    revision = _revision()
    reason = Text(LONGEST_TEXT, least=0, allow_none=True, load_default=None)
    rectify = One(ToRectifyIn, allow_none=True, load_default=None)

    @post_load
    def made(self, data: dict[str, Any], **_: object) -> Judgement:
        """Give it as the service takes it."""
        return Judgement(**data)


class RectificationsQuery(PageQuery):
    """Which rectifications."""

    state = TermField(RectificationState, load_default=None)
    village = Text(12, pattern="^[0-9]{6,12}$", load_default=None)
    late = QueryYesNo(load_default=False, metadata={"description": "只看超期的"})
    plan_id = UuidField(load_default=None, metadata={"description": "抽查计划编号"})


class RectificationStepIn(Strict):
    """One step; who answered neither re-checks nor closes it."""

    step = TermField(RectificationStep, required=True)
    revision = _revision()
    text = Text(
        LONGEST_TEXT,
        least=0,
        allow_none=True,
        load_default=None,
        metadata={"description": "答复、复核、退回、撤销须写明情况"},
    )
    owner_id = UuidField(
        allow_none=True, load_default=None, metadata={"description": "只在通知时填：由谁整改"}
    )
    photo_ids = _photos()

    @post_load
    def made(self, data: dict[str, Any], **_: object) -> RectificationMove:
        """Give it as the service takes it."""
        return RectificationMove(**data)


class KinshipsQuery(PageQuery):
    """Whose relatives."""

    worker_id = UuidField(load_default=None)


class KinshipIn(Strict):
    """A worker's relation to a person on file or to another worker; exactly one of the two."""

    worker_id = UuidField(required=True)
    relation = TermField(KinshipRelation, required=True)
    person_id = UuidField(allow_none=True, load_default=None)
    relative_id = UuidField(allow_none=True, load_default=None, metadata={"description": "另一名工作人员"})


class KinshipOut(Strict):
    """A registered relation."""

    id = UuidField(required=True)
    worker_id = UuidField(required=True)
    worker_name = fields.String()
    person_id = UuidField(required=True, allow_none=True)
    relative_id = UuidField(required=True, allow_none=True)
    relation = TermField(KinshipRelation, required=True)
    declared_at = Instant(required=True)
    ended_at = Instant(required=True, allow_none=True)


class KinshipsOut(Strict):
    """A page of relations."""

    items = fields.List(fields.Nested(KinshipOut), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class CheckedPersonOut(Strict):
    """Whom a check is about; phone and address are there for the checker who must reach them."""

    person_id = UuidField(required=True)
    file_no = fields.String(required=True)
    name = fields.String(required=True)
    sex = TermField(Sex, required=True)
    birth_year = fields.Integer(required=True, allow_none=True)
    phone = fields.String(required=True, allow_none=True)
    address = fields.String(required=True, allow_none=True)


class SpotCheckOut(Strict):
    """A check as lists show it."""

    id = UuidField(required=True)
    plan_id = UuidField(required=True)
    ordinal = fields.Integer(required=True)
    why = TermField(WhyDrawn, required=True)
    state = TermField(SpotCheckState, required=True)
    revision = fields.Integer(required=True)
    result = TermField(SpotCheckResult, required=True, allow_none=True)
    not_possible = TermField(CheckNotPossible, required=True, allow_none=True)
    due_on = DateField(required=True, allow_none=True)
    days_late = fields.Integer(required=True)
    checker = One(SpotCheckWorkerOut, required=True, allow_none=True)
    person = One(CheckedPersonOut, required=True)
    village = One(ListedVillageOut, required=True)


class SpotChecksOut(Strict):
    """A page of checks."""

    items = fields.List(fields.Nested(SpotCheckOut), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class CheckQuestionOut(Strict):
    """A question that the checker asks."""

    name = fields.String(required=True)
    label = fields.String(required=True)
    kind = TermField(QuestionKind, required=True)


class WorksheetOut(Strict):
    """What a checker takes along on paper."""

    plan_id = UuidField(required=True)
    period = fields.String(required=True)
    items = fields.List(fields.Nested(SpotCheckOut), required=True)
    questions = fields.List(fields.Nested(CheckQuestionOut), required=True)
    more = fields.Boolean(required=True, metadata={"description": "还有未列出的，核查完这些后再打印"})


class BackCheckOut(Strict):
    """A back-check as it was stored."""

    id = UuidField(required=True)
    method = TermField(CheckMethod, required=True)
    occurred_at = Instant(required=True)
    received_at = Instant(required=True)
    spoke_to = TermField(SpokeTo, required=True)
    recall = TermField(Recall, required=True)
    recalled_on = DateField(required=True, allow_none=True)
    who_came = fields.String(required=True, allow_none=True)
    notes = fields.String(required=True, allow_none=True)
    answers = fields.Dict(required=True)
    photo_ids = fields.List(UuidField(), required=True)
    blind = fields.Boolean(required=True, metadata={"description": "核查前没有打开过原记录"})
    proposed = TermField(SpotCheckResult, required=True, allow_none=True)


class ComparedAnswerOut(Strict):
    """One question, as recorded and as checked."""

    question = fields.String(required=True)
    label = fields.String(required=True)
    kind = TermField(QuestionKind, required=True)
    recorded = fields.Raw(required=True, allow_none=True)
    checked = fields.Raw(required=True, allow_none=True)
    differs = fields.Boolean(required=True, allow_none=True, metadata={"description": "null：有一方没有问"})


class ComparisonOut(Strict):
    """The record beside the back-check, as the record stood when the frame was frozen."""

    visited_at = Instant(required=True)
    recorder = One(SpotCheckWorkerOut, required=True, allow_none=True)
    day_fits = fields.Boolean(required=True, allow_none=True)
    answers = fields.List(fields.Nested(ComparedAnswerOut), required=True)


class JudgementOut(Strict):
    """What somebody concluded."""

    result = TermField(SpotCheckResult, required=True)
    proposed = TermField(SpotCheckResult, required=True, allow_none=True)
    reason = fields.String(required=True, allow_none=True)
    judged_by = One(SpotCheckWorkerOut, required=True, allow_none=True)
    judged_at = Instant(required=True)


class SpotCheckWholeOut(SpotCheckOut):
    """A check with its form; what was recorded shows only once it was checked."""

    period = fields.String(required=True)
    questions = fields.List(fields.Nested(CheckQuestionOut), required=True)
    visit_id = UuidField(required=True, allow_none=True)
    tries = fields.List(fields.Nested(BackCheckOut), required=True)
    comparison = One(ComparisonOut, required=True, allow_none=True)
    judgements = fields.List(fields.Nested(JudgementOut), required=True)
    rectification_id = UuidField(required=True, allow_none=True)


class RectifiedPersonOut(Strict):
    """Whom a rectification is about."""

    person_id = UuidField(required=True)
    file_no = fields.String(required=True)
    name = fields.String(required=True)


class RectificationOut(Strict):
    """Something that must be put right."""

    id = UuidField(required=True)
    check_id = UuidField(required=True, allow_none=True)
    plan_id = UuidField(required=True)
    visit_id = UuidField(required=True)
    person = One(RectifiedPersonOut, required=True)
    village = One(ListedVillageOut, required=True)
    owner = One(SpotCheckWorkerOut, required=True, allow_none=True)
    state = TermField(RectificationState, required=True)
    revision = fields.Integer(required=True)
    round = fields.Integer(required=True)
    what = fields.String(required=True, allow_none=True)
    opened_at = Instant(required=True)
    due_on = DateField(required=True, allow_none=True)
    days_late = fields.Integer(required=True)
    escalated = fields.Integer(required=True, metadata={"description": "超期已上报到第几步"})
    closed_at = Instant(required=True, allow_none=True)


class RectificationsOut(Strict):
    """A page of rectifications."""

    items = fields.List(fields.Nested(RectificationOut), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class RectificationStepOut(Strict):
    """One step that was taken."""

    step = TermField(RectificationStep, required=True)
    state = TermField(RectificationState, required=True)
    text = fields.String(required=True, allow_none=True)
    photo_ids = fields.List(UuidField(), required=True)
    taken_by = One(SpotCheckWorkerOut, required=True, allow_none=True)
    taken_at = Instant(required=True)


class RectificationWholeOut(RectificationOut):
    """A rectification with each of its steps."""

    steps = fields.List(fields.Nested(RectificationStepOut), required=True)
