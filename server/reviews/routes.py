"""Deciding on visits over HTTP (CONTRACT §6)."""

from typing import Any
from uuid import UUID

from flask.typing import ResponseReturnValue

from api_schemas.reviews import DecisionIn, QueueQuery
from api_schemas.visits import VisitOut, VisitsOut
from server.http.answer import answer
from server.http.blueprint import Blueprint
from server.http.guard import needs, work
from server.permissions import Can
from server.reviews.queries import queue
from server.reviews.service import decide
from server.reviews.terms import NewDecision
from server.visits.showing import shown

blueprint = Blueprint("reviews", __name__, description="审核")


@blueprint.get("/reviews/queue")
@needs(Can.DECIDE_ON_VISITS)
@blueprint.arguments(QueueQuery, location="query")
@blueprint.response(200, VisitsOut)
def get_queue(query: dict[str, Any]) -> ResponseReturnValue:
    """待审核的走访记录，最早收到的在前。"""
    return answer(queue(work(), **query))


@blueprint.post("/visits/<uuid:visit_id>/decisions")
@needs(Can.RECORD_VISITS)
@blueprint.arguments(DecisionIn)
@blueprint.response(201, VisitOut)
def post_decision(body: NewDecision, visit_id: UUID) -> ResponseReturnValue:
    """审核走访记录：通过、退回、作废；`withdraw` 由填报人本人撤回。"""
    visit = decide(work(), visit_id, body)
    work().session.flush()
    return answer(shown(work(), [visit])[0], 201)
