"""Spot-check plans, draws and their proofs on the wire (DOMAIN §7)."""

from typing import Any

from marshmallow import fields, post_load
from marshmallow.exceptions import ValidationError

from api_schemas.wire import Instant, Many, Month, One, Strict, TermField, Text, UuidField, Whole, YesNo
from server.people.terms import Category
from server.permissions import Role
from server.spotchecks.terms import (
    AlwaysIncluded,
    FrameDates,
    NewPlan,
    QuestionKind,
    Recall,
    RectificationState,
    SpotCheckPlanState,
    SpotCheckResult,
    SpotCheckState,
    StratumBy,
    WhyDrawn,
)
from server.visits.terms import Outcome, VisitState

AREA_PATTERN = "^([0-9]{6}|[0-9]{9}|[0-9]{12})$"
HEX_64 = "^[0-9a-f]{64}$"
MOST_NAMED = 200


def _says(text: str, **more: Any) -> dict[str, Any]:
    return {"description": text, **more}


class SpotCheckPlanIn(Strict):
    """A plan, made before its month and never changed: which visits, how they are parted, how many are drawn."""

    area_code = Text(12, required=True, pattern=AREA_PATTERN, metadata={"example": "341882003"})
    period = Month(required=True, metadata=_says("抽查哪个月，须尚未开始", example="2026-04"))
    dates = TermField(FrameDates, load_default=FrameDates.RECEIVED, metadata=_says("按收到还是走访日期归月"))
    outcomes = Many(TermField(Outcome), most=20, distinct=True, load_default=(), metadata=_says("空为全部"))
    categories = Many(
        TermField(Category), most=20, distinct=True, load_default=(), metadata=_says("空为全部")
    )
    states = Many(
        TermField(VisitState), most=4, distinct=True, load_default=(), metadata=_says("空为除作废外全部")
    )
    strata = Many(
        TermField(StratumBy), most=3, distinct=True, load_default=(), metadata=_says("分层，可任意组合")
    )
    share = Whole(
        1,
        100,
        allow_none=True,
        load_default=None,
        metadata=_says("每层抽取百分之几，不低于参数规定；与 number 都不填则按参数"),
    )
    number = Whole(1, 10_000, allow_none=True, load_default=None, metadata=_says("每层抽取几次"))
    always = Many(
        TermField(AlwaysIncluded),
        most=len(AlwaysIncluded),
        distinct=True,
        load_default=(),
        metadata=_says("必查的走访；指定人员填在 person_ids"),
    )
    person_ids = Many(
        UuidField(), most=MOST_NAMED, distinct=True, load_default=(), metadata=_says("必查哪些人的走访")
    )
    every_visitor = YesNo(allow_none=True, load_default=None, metadata=_says("每名走访人员至少一次"))
    every_village = YesNo(allow_none=True, load_default=None, metadata=_says("每村（社区）至少一次"))

    @post_load
    def made(self, data: dict[str, Any], **_: object) -> dict[str, Any]:
        """Give the plan but for its id, which stands in the path."""
        if data["share"] is not None and data["number"] is not None:
            raise ValidationError({"number": ["share 与 number 只能填一项。"]})
        return {("period_start" if name == "period" else name): value for name, value in data.items()}


def new_plan(plan_id: Any, body: dict[str, Any]) -> NewPlan:
    """Put the id of the path and the body together."""
    return NewPlan(id=plan_id, **body)


class SeedCommitmentIn(Strict):
    """A commitment that the keeper made offline; without one the server makes a seed and keeps it sealed."""

    commitment = Text(
        64,
        least=64,
        pattern=HEX_64,
        allow_none=True,
        load_default=None,
        metadata=_says("SHA-256(种子 ‖ 计划编号) 的十六进制；不填则由系统生成种子并密封"),
    )


class SeedIn(Strict):
    """The seed, once the frame is frozen."""

    seed = Text(
        64,
        least=64,
        pattern=HEX_64,
        allow_none=True,
        load_default=None,
        metadata=_says("32 字节种子的十六进制；由系统密封保管的不填"),
    )


class AnnulmentIn(Strict):
    """Why a plan is annulled; it stays visible with it."""

    reason = Text(500, required=True, metadata=_says("原因，长期公开可查"))


class AssignmentsIn(Strict):
    """Who takes part in checking; everybody who may when nobody is named."""

    checker_ids = Many(
        UuidField(), most=MOST_NAMED, least=1, distinct=True, allow_none=True, load_default=None
    )


class SpotCheckWorkerOut(Strict):
    """A worker by name."""

    id = UuidField(required=True)
    name = fields.String(required=True)


class SpotCheckRulesOut(Strict):
    """The rules of a plan as they were stored."""

    dates = TermField(FrameDates, required=True)
    outcomes = fields.List(TermField(Outcome), required=True)
    categories = fields.List(TermField(Category), required=True)
    states = fields.List(TermField(VisitState), required=True)
    strata = fields.List(TermField(StratumBy), required=True)
    share = fields.Integer(required=True, allow_none=True)
    number = fields.Integer(required=True, allow_none=True)
    always = fields.List(TermField(AlwaysIncluded), required=True)
    person_ids = fields.List(UuidField(), required=True)
    every = fields.List(TermField(StratumBy), required=True)


class SpotCheckPlanOut(Strict):
    """A plan, how far it has come, and by whose hands."""

    id = UuidField(required=True)
    area_code = fields.String(required=True)
    area_name = fields.String(required=True)
    period = fields.String(required=True)
    rules = One(SpotCheckRulesOut, required=True)
    state = TermField(SpotCheckPlanState, required=True)
    revision = fields.Integer(required=True)
    created_at = Instant(required=True)
    created_by = One(SpotCheckWorkerOut, required=True, allow_none=True)
    commitment = fields.String(required=True, allow_none=True)
    committed_at = Instant(required=True, allow_none=True)
    committed_by = One(SpotCheckWorkerOut, required=True, allow_none=True)
    committed_role = TermField(Role, required=True, allow_none=True)
    seed_kept_here = fields.Boolean(required=True, metadata=_says("种子由系统密封保管"))
    frame_digest = fields.String(required=True, allow_none=True)
    frame_size = fields.Integer(required=True, allow_none=True)
    frozen_at = Instant(required=True, allow_none=True)
    frozen_by = One(SpotCheckWorkerOut, required=True, allow_none=True)
    frozen_role = TermField(Role, required=True, allow_none=True)
    seed = fields.String(required=True, allow_none=True)
    drawn_at = Instant(required=True, allow_none=True)
    drawn_by = One(SpotCheckWorkerOut, required=True, allow_none=True)
    drawn_count = fields.Integer(required=True, allow_none=True)
    annulled_at = Instant(required=True, allow_none=True)
    annulled_by = One(SpotCheckWorkerOut, required=True, allow_none=True)
    annul_reason = fields.String(required=True, allow_none=True)


class SpotCheckPlansOut(Strict):
    """A page of plans, the latest month first."""

    items = fields.List(fields.Nested(SpotCheckPlanOut), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class SampledVisitOut(Strict):
    """A visit of the sample."""

    visit_id = UuidField(required=True)
    why = TermField(WhyDrawn, required=True)


class SpotCheckProofOut(Strict):
    """What proves a draw, beside the frame."""

    format = fields.String(required=True)
    plan = One(SpotCheckPlanOut, required=True)
    commitment = fields.String(required=True, allow_none=True)
    frame_digest = fields.String(required=True, allow_none=True)
    seed = fields.String(required=True, allow_none=True)
    sample = fields.List(fields.Nested(SampledVisitOut), required=True)


class WithoutCheckerOut(Strict):
    """A check for which nobody could be found, and how many were out for which reason."""

    check_id = UuidField(required=True)
    reasons = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True)


class AssignmentsOut(Strict):
    """What became of an assignment."""

    assigned = fields.Integer(required=True)
    unassigned = fields.Integer(required=True)
    reasons = fields.List(fields.Nested(WithoutCheckerOut), required=True)


class SpotCheckSummaryQuery(Strict):
    """By what the counts are parted; never by visitor."""

    by = TermField(
        StratumBy,
        load_default=None,
        metadata=_says("village 按村（社区），category 按类别；不按走访人员", enum=["village", "category"]),
    )

    @post_load
    def made(self, data: dict[str, Any], **_: object) -> dict[str, Any]:
        """Refuse to count by worker: that would be a ranking (国办函〔2026〕12号)."""
        if data["by"] is StratumBy.VISITOR:
            raise ValidationError({"by": ["不按走访人员汇总。"]})
        return data


class ResultCountsOut(Strict):
    """How many were drawn and what was concluded of them."""

    drawn = fields.Integer(required=True)
    locals().update({one.value: fields.Integer(required=True) for one in SpotCheckResult})


class ResultPartOut(ResultCountsOut):
    """The counts of one village or category."""

    part = fields.String(required=True)


class RateOut(Strict):
    """How often answers differ, with the number compared and the 95 % interval round the share."""

    compared = fields.Integer(required=True)
    differing = fields.Integer(required=True)
    share = fields.Float(required=True, allow_none=True)
    low = fields.Float(required=True, allow_none=True)
    high = fields.Float(required=True, allow_none=True)
    kind = TermField(QuestionKind, required=True)


class QuestionRateOut(RateOut):
    """How often answers to one question differ."""

    question = fields.String(required=True)
    label = fields.String(required=True)


def _counted(words: Any) -> fields.Nested:
    made = Strict.from_dict(
        {one.value: fields.Integer(required=True) for one in words}, name=f"{words.__name__}Counts"
    )
    return One(made, required=True)


class SpotCheckSummaryOut(Strict):
    """A plan as it stands: counts and rates, never by worker."""

    plan_id = UuidField(required=True)
    state = TermField(SpotCheckPlanState, required=True)
    frame_size = fields.Integer(required=True, allow_none=True)
    drawn = fields.Integer(required=True, allow_none=True)
    states = _counted(SpotCheckState)
    by_chance = One(ResultCountsOut, required=True)
    always_included = One(ResultCountsOut, required=True)
    recall = _counted(Recall)
    rectifications = _counted(RectificationState)
    kinds = fields.List(fields.Nested(RateOut), required=True)
    questions = fields.List(fields.Nested(QuestionRateOut), required=True)
    parts = fields.List(fields.Nested(ResultPartOut), required=True)
