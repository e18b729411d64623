"""Recording and reading visits over HTTP (CONTRACT §4)."""

from typing import Any
from uuid import UUID

from flask.typing import ResponseReturnValue

from api_schemas.visits import RevisionQuery, VisitIn, VisitOut, VisitsOut, VisitsQuery
from server.http.answer import answer
from server.http.blueprint import Blueprint
from server.http.guard import needs, work
from server.permissions import Can
from server.visits import service
from server.visits.form import VisitRecord
from server.visits.listing import VisitFilters, visits_page
from server.visits.showing import shown_alone, shown_recorded
from server.visits.sight import visit_to_read

blueprint = Blueprint("visits", __name__, description="走访记录")


@blueprint.put("/visits/<uuid:visit_id>")
@needs(Can.RECORD_VISITS)
@blueprint.arguments(RevisionQuery, location="query")
@blueprint.arguments(VisitIn)
@blueprint.response(200, VisitOut)
@blueprint.alt_response(201, schema=VisitOut, description="第一次收到")
def put_visit(query: dict[str, int | None], body: VisitRecord, visit_id: UUID) -> ResponseReturnValue:
    """提交走访记录。同一记录无论提交多少次，只保存一份；`?revision=N` 用于本人更正。"""
    recorded = service.record(work(), visit_id, body, revision=query["revision"])
    return answer(shown_recorded(work(), recorded), 201 if recorded.is_new else 200)


@blueprint.get("/visits/<uuid:visit_id>")
@needs(Can.SEE_VISITS, only_looks=True)
@blueprint.response(200, VisitOut)
def get_visit(visit_id: UUID) -> ResponseReturnValue:
    """一条走访记录。"""
    visit, key = visit_to_read(work(), visit_id)
    work().looked("visit.read", "visit", visit_id, person_id=visit.person_id)
    return answer(shown_alone(work(), visit, key))


@blueprint.get("/visits")
@needs(Can.SEE_VISITS, only_looks=True)
@blueprint.arguments(VisitsQuery, location="query")
@blueprint.response(200, VisitsOut)
def list_visits(query: dict[str, Any]) -> ResponseReturnValue:
    """走访记录列表，最近的在前。"""
    filters = VisitFilters(
        query["person_id"], query["village"], query["state"], query["since"], query["until"]
    )
    return answer(visits_page(work(), filters, limit=query["limit"], cursor=query["cursor"]))
