"""Checks, back-checks, judgements, rectifications and the register of relatives over HTTP (DOMAIN §7)."""

from typing import Any
from uuid import UUID

from flask.typing import ResponseReturnValue

from api_schemas import backchecks as wire
from server.http.answer import answer
from server.http.blueprint import Blueprint
from server.http.guard import needs, work
from server.permissions import Can
from server.spotchecks import assigning, checking, judging, listing, rectifying, relatives
from server.spotchecks.showing import one_check, one_rectification
from server.spotchecks.terms import Judgement, NewBackCheck, NewKinship, RectificationMove

blueprint = Blueprint("backchecks", __name__, description="抽查与整改")


@blueprint.get("/spot-checks")
@needs(Can.SEE_SPOT_CHECKS)
@blueprint.arguments(wire.SpotChecksQuery, location="query")
@blueprint.response(200, wire.SpotChecksOut)
def list_checks(query: dict[str, Any]) -> ResponseReturnValue:
    """抽查件；`mine=true` 只列分派给自己的。"""
    limit, cursor = query.pop("limit"), query.pop("cursor")
    return answer(listing.checks_page(work(), listing.CheckFilters(**query), limit=limit, cursor=cursor))


@blueprint.get("/spot-checks/plans/<uuid:plan_id>/worksheet")
@needs(Can.CARRY_OUT_SPOT_CHECKS)
@blueprint.response(200, wire.WorksheetOut)
def get_worksheet(plan_id: UUID) -> ResponseReturnValue:
    """本人待核查的抽查件和核查题目，供打印；不含原记录的内容。"""
    return answer(listing.worksheet(work(), plan_id))


@blueprint.get("/spot-checks/<uuid:check_id>")
@needs(Can.SEE_SPOT_CHECKS)
@blueprint.response(200, wire.SpotCheckWholeOut)
def get_check(check_id: UUID) -> ResponseReturnValue:
    """一件抽查；核查人提交之前看不到原记录的内容。"""
    return answer(one_check(work(), check_id))


@blueprint.put("/spot-checks/<uuid:check_id>/checker")
@needs(Can.PLAN_SPOT_CHECKS)
@blueprint.arguments(wire.CheckerIn)
@blueprint.response(200, wire.SpotCheckWholeOut)
def put_checker(body: dict[str, Any], check_id: UUID) -> ResponseReturnValue:
    """改派核查人员；走访人员、责任人和近亲属一律回避。"""
    assigning.reassign(work(), check_id, body["worker_id"], body["revision"])
    return _check(check_id)


@blueprint.put("/spot-checks/back-checks/<uuid:back_check_id>")
@needs(Can.CARRY_OUT_SPOT_CHECKS)
@blueprint.arguments(wire.BackCheckIn)
@blueprint.response(200, wire.SpotCheckWholeOut)
@blueprint.alt_response(201, schema=wire.SpotCheckWholeOut, description="第一次收到")
def put_back_check(body: dict[str, Any], back_check_id: UUID) -> ResponseReturnValue:
    """提交回访或复核。同一核查无论提交多少次只保存一份；未联系上的可以再核查。"""
    stored, is_new = checking.submit(work(), back_check_id, NewBackCheck(**body))
    return _check(stored.check_id, 201 if is_new else 200)


@blueprint.post("/spot-checks/<uuid:check_id>/not-possible")
@needs(Can.CARRY_OUT_SPOT_CHECKS)
@blueprint.arguments(wire.NotPossibleIn)
@blueprint.response(200, wire.SpotCheckWholeOut)
def post_not_possible(body: dict[str, Any], check_id: UUID) -> ResponseReturnValue:
    """登记无法核查及原因；仍计入抽查件数。"""
    checking.give_up(work(), check_id, body["reason"], body["revision"])
    return _check(check_id)


@blueprint.post("/spot-checks/<uuid:check_id>/judgements")
@needs(Can.JUDGE_SPOT_CHECKS)
@blueprint.arguments(wire.JudgementIn)
@blueprint.response(201, wire.SpotCheckWholeOut)
def post_judgement(body: Judgement, check_id: UUID) -> ResponseReturnValue:
    """由人认定结果，系统只作建议；严重问题一律进入整改。核查人不能认定自己的核查。"""
    judging.judge(work(), check_id, body)
    return _check(check_id, 201)


@blueprint.get("/rectifications")
@needs(Can.SEE_RECTIFICATIONS)
@blueprint.arguments(wire.RectificationsQuery, location="query")
@blueprint.response(200, wire.RectificationsOut)
def list_rectifications(query: dict[str, Any]) -> ResponseReturnValue:
    """整改台账；走访人员看到由自己整改的。"""
    limit, cursor = query.pop("limit"), query.pop("cursor")
    filters = listing.RectificationFilters(**query)
    return answer(listing.rectifications_page(work(), filters, limit=limit, cursor=cursor))


@blueprint.get("/rectifications/<uuid:rectification_id>")
@needs(Can.SEE_RECTIFICATIONS)
@blueprint.response(200, wire.RectificationWholeOut)
def get_rectification(rectification_id: UUID) -> ResponseReturnValue:
    """一件整改和它的每一步。"""
    return answer(one_rectification(work(), rectification_id))


@blueprint.post("/rectifications/<uuid:rectification_id>/steps")
@needs(Can.SEE_RECTIFICATIONS)
@blueprint.arguments(wire.RectificationStepIn)
@blueprint.response(201, wire.RectificationWholeOut)
def post_step(body: RectificationMove, rectification_id: UUID) -> ResponseReturnValue:
    """整改的一步：通知、答复、复核、销号、退回、撤销；答复的人不能自己复核、销号。"""
    rectifying.take_step(work(), rectification_id, body)
    work().session.flush()
    return answer(one_rectification(work(), rectification_id), 201)


@blueprint.get("/kinships")
@needs(Can.EDIT_KINSHIPS)
@blueprint.arguments(wire.KinshipsQuery, location="query")
@blueprint.response(200, wire.KinshipsOut)
def list_kinships(query: dict[str, Any]) -> ResponseReturnValue:
    """工作人员近亲属登记册，供回避使用。"""
    return answer(relatives.kinships_page(work(), **query))


@blueprint.put("/kinships/<uuid:kinship_id>")
@needs(Can.EDIT_KINSHIPS)
@blueprint.arguments(wire.KinshipIn)
@blueprint.response(200, wire.KinshipOut)
@blueprint.alt_response(201, schema=wire.KinshipOut, description="第一次收到")
def put_kinship(body: dict[str, Any], kinship_id: UUID) -> ResponseReturnValue:
    """登记近亲属关系：工作人员与救助对象，或两名工作人员之间。"""
    row, is_new = relatives.register_kinship(work(), NewKinship(id=kinship_id, **body))
    return answer(relatives.kinship_shown(row), 201 if is_new else 200)


@blueprint.post("/kinships/<uuid:kinship_id>/end")
@needs(Can.EDIT_KINSHIPS)
@blueprint.response(200, wire.KinshipOut)
def post_kinship_end(kinship_id: UUID) -> ResponseReturnValue:
    """终止一条近亲属关系；登记册中仍保留。"""
    return answer(relatives.end_kinship(work(), kinship_id))


def _check(check_id: UUID, status: int = 200) -> ResponseReturnValue:
    work().session.flush()
    return answer(one_check(work(), check_id), status)
