"""The ledger over HTTP: search, who looked, checkpoints, proofs, receipts (TRUST §2)."""

from typing import Any
from uuid import UUID

from flask.typing import ResponseReturnValue

from api_schemas import auditing as wire
from api_schemas.paging import PageQuery
from server.auditing import looking, proving
from server.auditing.receipts import receipt
from server.auditing.searching import search
from server.auditing.terms import Sought
from server.http.answer import answer
from server.http.blueprint import Blueprint
from server.http.guard import needs, work
from server.permissions import Can

blueprint = Blueprint("auditing", __name__, description="留痕与回执")


@blueprint.get("/archives/<uuid:person_id>/looks")
@needs(Can.SEE_LOOKS)
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, wire.LooksOut)
def get_looks(query: dict[str, Any], person_id: UUID) -> ResponseReturnValue:
    """谁看过这份档案：哪位工作人员、何时、看了什么，最近的在前。"""
    return answer(looking.looks_within_sight(work(), person_id, **query))


@blueprint.get("/ledger/looks")
@needs(Can.READ_LEDGER)
@blueprint.arguments(wire.LooksOfQuery, location="query")
@blueprint.response(200, wire.LooksOut)
def get_looks_of(query: dict[str, Any]) -> ResponseReturnValue:
    """审计人员按救助对象编号查谁看过其档案。"""
    return answer(looking.looks_of(work(), **query))


@blueprint.get("/ledger/events")
@needs(Can.READ_LEDGER)
@blueprint.arguments(wire.EntriesQuery, location="query")
@blueprint.response(200, wire.EntriesOut)
def list_entries(query: dict[str, Any]) -> ResponseReturnValue:
    """查留痕：按救助对象、人员、对象、动作和时段，最近的在前。"""
    limit, cursor = query.pop("limit"), query.pop("cursor")
    return answer(search(work(), Sought(**query), limit=limit, cursor=cursor))


@blueprint.get("/ledger/checkpoint")
@needs(Can.READ_LEDGER)
@blueprint.arguments(wire.CheckpointQuery, location="query")
@blueprint.response(200, wire.CheckpointOut)
def get_checkpoint(query: dict[str, Any]) -> ResponseReturnValue:
    """签名的检查点，默认最近一次。"""
    return answer(proving.checkpoint_shown(proving.checkpoint(work(), query["number"])))


@blueprint.get("/ledger/proofs/inclusion")
@needs(Can.READ_LEDGER)
@blueprint.arguments(wire.InclusionQuery, location="query")
@blueprint.response(200, wire.InclusionOut)
def get_inclusion(query: dict[str, Any]) -> ResponseReturnValue:
    """证明一条留痕在某个大小的树里。"""
    return answer(proving.inclusion(work(), **query))


@blueprint.get("/ledger/proofs/consistency")
@needs(Can.READ_LEDGER)
@blueprint.arguments(wire.ConsistencyQuery, location="query")
@blueprint.response(200, wire.ConsistencyOut)
def get_consistency(query: dict[str, Any]) -> ResponseReturnValue:
    """证明较晚的留痕只是在较早的后面追加。"""
    return answer(proving.consistency(work(), **query))


@blueprint.get("/visits/<uuid:visit_id>/receipt")
@needs(Can.SEE_VISITS)
@blueprint.response(200, wire.ReceiptOut)
def get_receipt(visit_id: UUID) -> ResponseReturnValue:
    """走访记录的签名回执，可离线核验。"""
    return answer(receipt(work(), visit_id))
