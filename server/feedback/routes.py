"""Complaints and suggestions over HTTP (CONTRACT §8)."""

from typing import Any

from flask.typing import ResponseReturnValue

from api_schemas.feedback import FeedbackIn, FeedbackPageOut, FeedbackReceivedOut
from api_schemas.paging import PageQuery
from server.feedback.service import NewFeedback, feedback_page, give
from server.http.answer import answer
from server.http.blueprint import Blueprint
from server.http.guard import needs, work
from server.permissions import Can

blueprint = Blueprint("feedback", __name__, description="意见建议")


@blueprint.post("/feedback")
@needs(Can.SIGNED_IN)
@blueprint.arguments(FeedbackIn)
@blueprint.response(201, FeedbackReceivedOut)
@blueprint.alt_response(200, schema=FeedbackReceivedOut, description="同一条意见已收到过")
def post_feedback(body: dict[str, Any]) -> ResponseReturnValue:
    """提交意见或建议（国办函〔2026〕12号）。同一编号重复提交只保存一份；请不要写身份证号等个人信息。"""
    stored, is_new = give(work(), NewFeedback(**body))
    return answer({"id": stored.id, "received_at": stored.received_at}, 201 if is_new else 200)


@blueprint.get("/feedback")
@needs(Can.READ_FEEDBACK)
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, FeedbackPageOut)
def list_feedback(query: dict[str, Any]) -> ResponseReturnValue:
    """收到的意见和建议，最近的在前；仅系统管理员。"""
    return answer(feedback_page(work(), limit=query["limit"], cursor=query["cursor"]))
