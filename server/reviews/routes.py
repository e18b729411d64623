"""Deciding on visits over HTTP (CONTRACT §6)."""

from uuid import UUID

from flask.typing import ResponseReturnValue

from api_schemas.reviews import DecisionIn
from api_schemas.visits import VisitOut
from server.http.answer import answer
from server.http.blueprint import Blueprint
from server.http.guard import needs, work
from server.permissions import Can
from server.reviews.service import decide
from server.reviews.terms import NewDecision
from server.visits.showing import shown

blueprint = Blueprint("reviews", __name__, description="审核")


@blueprint.post("/visits/<uuid:visit_id>/decisions")
@needs(Can.RECORD_VISITS)
@blueprint.arguments(DecisionIn)
@blueprint.response(201, VisitOut)
def post_decision(body: NewDecision, visit_id: UUID) -> ResponseReturnValue:
    """审核走访记录：通过、退回、作废；`withdraw` 由填报人本人撤回。"""
    visit = decide(work(), visit_id, body)
    work().session.flush()
    return answer(shown(work(), [visit])[0], 201)
