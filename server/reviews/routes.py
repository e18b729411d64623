"""Deciding on visits over HTTP (CONTRACT §6)."""

from typing import Any
from uuid import UUID

from flask.typing import ResponseReturnValue

from api_schemas import reviews as wire
from api_schemas.paging import PageQuery
from api_schemas.visits import VisitOut
from server.http.answer import answer
from server.http.blueprint import Blueprint
from server.http.guard import needs, work
from server.permissions import Can
from server.reviews import blind
from server.reviews.accepting import accept_many
from server.reviews.agreeing import agreement_by_month
from server.reviews.history import compared, history
from server.reviews.queries import next_waiting, queue
from server.reviews.service import decide
from server.reviews.terms import NewDecision, SecondLook, Upheld
from server.visits.showing import shown

blueprint = Blueprint("reviews", __name__, description="审核")


@blueprint.get("/reviews/queue")
@needs(Can.DECIDE_ON_VISITS, only_looks=True)
@blueprint.arguments(wire.QueueQuery, location="query")
@blueprint.response(200, wire.QueueOut)
def get_queue(query: dict[str, Any]) -> ResponseReturnValue:
    """待审核的走访记录，最早收到的在前；不含本人填报的和已由本人先行通过的。"""
    return answer(queue(work(), **query))


@blueprint.get("/reviews/next")
@needs(Can.DECIDE_ON_VISITS, only_looks=True)
@blueprint.arguments(wire.NextQuery, location="query")
@blueprint.response(200, wire.NextOut)
def get_next(query: dict[str, Any]) -> ResponseReturnValue:
    """处理完一条之后的下一条待审核记录。"""
    return answer({"visit_id": next_waiting(work(), **query)})


@blueprint.post("/visits/<uuid:visit_id>/decisions")
@needs(Can.RECORD_VISITS)
@blueprint.arguments(wire.DecisionIn)
@blueprint.response(201, VisitOut)
def post_decision(body: NewDecision, visit_id: UUID) -> ResponseReturnValue:
    """审核走访记录：通过、退回、作废；`withdraw` 由填报人本人撤回。须两人审核的记录第一次通过后 `awaiting_second` 为真。"""
    visit = decide(work(), visit_id, body)
    work().session.flush()
    return answer(shown(work(), [visit])[0], 201)


@blueprint.post("/reviews/acceptances")
@needs(Can.DECIDE_ON_VISITS)
@blueprint.arguments(wire.AcceptancesIn)
@blueprint.response(200, wire.AcceptancesOut)
def post_acceptances(body: dict[str, Any]) -> ResponseReturnValue:
    """一次通过多条没有疑点的记录；逐条给出结果，没有通过的保持原样。"""
    return answer({"items": accept_many(work(), body["items"])})


@blueprint.get("/visits/<uuid:visit_id>/history")
@needs(Can.SEE_FINDINGS, only_looks=True)
@blueprint.response(200, wire.HistoryOut)
def get_history(visit_id: UUID) -> ResponseReturnValue:
    """一条走访记录的经过：填报、每次更正改了什么、每次审核。"""
    return answer(history(work(), visit_id))


@blueprint.get("/visits/<uuid:visit_id>/comparison")
@needs(Can.SEE_FINDINGS, only_looks=True)
@blueprint.response(200, wire.VisitComparisonOut)
def get_comparison(visit_id: UUID) -> ResponseReturnValue:
    """与上一次走访相比，哪些回答有变化。"""
    return answer(compared(work(), visit_id))


@blueprint.get("/reviews/second-looks")
@needs(Can.DECIDE_ON_VISITS, only_looks=True)
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, wire.SecondLooksOut)
def get_second_looks(query: dict[str, Any]) -> ResponseReturnValue:
    """抽到由本人盲审复核的记录，不显示原审核结论。"""
    return answer(blind.offered(work(), **query))


@blueprint.post("/visits/<uuid:visit_id>/second-look")
@needs(Can.DECIDE_ON_VISITS)
@blueprint.arguments(wire.SecondLookIn)
@blueprint.response(201, wire.SecondLookOut)
def post_second_look(body: SecondLook, visit_id: UUID) -> ResponseReturnValue:
    """提交盲审复核结论；记录本身的状态不变，不一致的由第三人处理。"""
    row = blind.look_again(work(), visit_id, body)
    return answer({"visit_id": visit_id, "agreed": row.agreed}, 201)


@blueprint.get("/reviews/disagreements")
@needs(Can.DECIDE_ON_VISITS, only_looks=True)
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, wire.DisagreementsOut)
def get_disagreements(query: dict[str, Any]) -> ResponseReturnValue:
    """复核结论不一致、等待第三人处理的记录。"""
    return answer(blind.disagreements(work(), **query))


@blueprint.post("/visits/<uuid:visit_id>/upholding")
@needs(Can.DECIDE_ON_VISITS)
@blueprint.arguments(wire.UpheldIn)
@blueprint.response(201, wire.SecondLookOut)
def post_upholding(body: Upheld, visit_id: UUID) -> ResponseReturnValue:
    """复核不一致时由第三人写明原因维持通过；要作废的走作废。"""
    row = blind.uphold(work(), visit_id, body)
    return answer({"visit_id": visit_id, "agreed": row.agreed}, 201)


@blueprint.get("/reviews/agreement")
@needs(Can.SEE_FINDINGS, only_looks=True)
@blueprint.response(200, wire.AgreementsOut)
def get_agreement() -> ResponseReturnValue:
    """盲审复核的一致率，按月，仅就辖区整体，不按个人统计。"""
    return answer(agreement_by_month(work()))
