"""Spot-check plans, draws and their proofs over HTTP (DOMAIN §7)."""

from typing import Any
from uuid import UUID

from flask import Response
from flask.typing import ResponseReturnValue

from api_schemas import spotchecks as wire
from api_schemas.paging import PageQuery
from server.http.answer import answer
from server.http.blueprint import Blueprint
from server.http.guard import needs, work
from server.permissions import Can
from server.spotchecks import planning, publishing
from server.spotchecks.assigning import assign_all
from server.spotchecks.listing import plans_page
from server.spotchecks.models import SpotCheckPlan
from server.spotchecks.showing import plan_shown
from server.spotchecks.summarising import summary

blueprint = Blueprint("spotchecks", __name__, description="抽查计划")
CSV = "text/csv; charset=utf-8"


@blueprint.put("/spot-checks/plans/<uuid:plan_id>")
@needs(Can.PLAN_SPOT_CHECKS)
@blueprint.arguments(wire.SpotCheckPlanIn)
@blueprint.response(200, wire.SpotCheckPlanOut)
@blueprint.alt_response(201, schema=wire.SpotCheckPlanOut, description="第一次收到")
def put_plan(body: dict[str, Any], plan_id: UUID) -> ResponseReturnValue:
    """制定抽查计划，须在月份开始之前；同一计划重复提交只保存一份，内容不能修改。"""
    plan, is_new = planning.make_plan(work(), wire.new_plan(plan_id, body))
    return _shown(plan, 201 if is_new else 200)


@blueprint.get("/spot-checks/plans")
@needs(Can.PROVE_DRAWS)
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, wire.SpotCheckPlansOut)
def list_plans(query: dict[str, Any]) -> ResponseReturnValue:
    """抽查计划，最近的月份在前；作废的也在内。"""
    return answer(plans_page(work(), **query))


@blueprint.get("/spot-checks/plans/<uuid:plan_id>")
@needs(Can.PROVE_DRAWS)
@blueprint.response(200, wire.SpotCheckPlanOut)
def get_plan(plan_id: UUID) -> ResponseReturnValue:
    """一份抽查计划。"""
    plan = planning.plan_in_sight(work(), plan_id)
    work().looked("spot_check.plan_read", "spot_check_plan", plan.id)
    return _shown(plan)


@blueprint.post("/spot-checks/plans/<uuid:plan_id>/commitment")
@needs(Can.PLAN_SPOT_CHECKS)
@blueprint.arguments(wire.SeedCommitmentIn)
@blueprint.response(200, wire.SpotCheckPlanOut)
def post_commitment(body: dict[str, Any], plan_id: UUID) -> ResponseReturnValue:
    """在月份开始之前承诺种子：自带承诺，或由系统生成种子并密封。保管种子的人不能封存名单。"""
    text = body["commitment"]
    return _shown(planning.commit_seed(work(), plan_id, bytes.fromhex(text) if text else None))


@blueprint.post("/spot-checks/plans/<uuid:plan_id>/frame")
@needs(Can.PLAN_SPOT_CHECKS)
@blueprint.response(200, wire.SpotCheckPlanOut)
def post_frame(plan_id: UUID) -> ResponseReturnValue:
    """月份结束后封存名单并公布摘要；由另一岗位的另一人办理。"""
    return _shown(planning.freeze(work(), plan_id))


@blueprint.post("/spot-checks/plans/<uuid:plan_id>/draw")
@needs(Can.PLAN_SPOT_CHECKS)
@blueprint.arguments(wire.SeedIn)
@blueprint.response(200, wire.SpotCheckPlanOut)
def post_draw(body: dict[str, Any], plan_id: UUID) -> ResponseReturnValue:
    """封存名单后公布种子并抽取；任何人都能用公布的内容重新抽取核对。"""
    text = body["seed"]
    return _shown(planning.reveal(work(), plan_id, bytes.fromhex(text) if text else None))


@blueprint.post("/spot-checks/plans/<uuid:plan_id>/annulment")
@needs(Can.PLAN_SPOT_CHECKS)
@blueprint.arguments(wire.AnnulmentIn)
@blueprint.response(200, wire.SpotCheckPlanOut)
def post_annulment(body: dict[str, str], plan_id: UUID) -> ResponseReturnValue:
    """作废尚未抽取的计划（如种子遗失）；计划和原因长期可查。"""
    return _shown(planning.annul(work(), plan_id, body["reason"]))


@blueprint.get("/spot-checks/plans/<uuid:plan_id>/proof")
@needs(Can.PROVE_DRAWS)
@blueprint.response(200, wire.SpotCheckProofOut)
def get_proof(plan_id: UUID) -> ResponseReturnValue:
    """抽取的凭据：计划、承诺、种子、名单摘要、样本，只有编号；与名单一起即可重新抽取（docs/spot-checks.md）。"""
    return answer(publishing.proof(work(), plan_id))


@blueprint.get("/spot-checks/plans/<uuid:plan_id>/frame.csv")
@needs(Can.PROVE_DRAWS)
@blueprint.doc(
    responses={
        "200": {
            "description": "封存的名单",
            "content": {"text/csv": {"schema": {"type": "string"}}},
        }
    }
)
def get_frame(plan_id: UUID) -> ResponseReturnValue:
    """封存的名单，只有编号和区划代码；文件的 SHA-256 就是名单摘要。"""
    text = "".join(publishing.frame(work(), plan_id))
    said = {"Content-Disposition": 'attachment; filename="frame.csv"'}
    return Response(text, content_type=CSV, headers=said)


@blueprint.post("/spot-checks/plans/<uuid:plan_id>/assignments")
@needs(Can.PLAN_SPOT_CHECKS)
@blueprint.arguments(wire.AssignmentsIn)
@blueprint.response(200, wire.AssignmentsOut)
def post_assignments(body: dict[str, Any], plan_id: UUID) -> ResponseReturnValue:
    """把待分派的抽查件均匀分给可以核查的人；走访人员、责任人和近亲属一律回避。"""
    return answer(assign_all(work(), plan_id, body["checker_ids"]))


@blueprint.get("/spot-checks/plans/<uuid:plan_id>/summary")
@needs(Can.SEE_SPOT_CHECKS)
@blueprint.arguments(wire.SpotCheckSummaryQuery, location="query")
@blueprint.response(200, wire.SpotCheckSummaryOut)
def get_plan_summary(query: dict[str, Any], plan_id: UUID) -> ResponseReturnValue:
    """抽查结果：各状态、各结果的件数，各题目的不一致率（附比较数和 95% 区间）；不按走访人员汇总。"""
    return answer(summary(work(), plan_id, query["by"]))


def _shown(plan: SpotCheckPlan, status: int = 200) -> ResponseReturnValue:
    work().session.flush()
    return answer(plan_shown(work(), [plan])[0], status)
