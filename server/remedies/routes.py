"""Problems over HTTP: lists, one with its story, and the next step about it."""

from typing import Any
from uuid import UUID

from flask.typing import ResponseReturnValue

from api_schemas import problems as wire
from server.http.answer import answer
from server.http.blueprint import Blueprint
from server.http.guard import needs, work
from server.permissions import Can
from server.problems.terms import NewStep
from server.remedies.finding import see_problem
from server.remedies.queries import problems_page
from server.remedies.service import take_step
from server.remedies.showing import shown_whole, whole

blueprint = Blueprint("problems", __name__, description="问题整改")


@blueprint.get("/problems")
@needs(Can.SEE_PROBLEMS, only_looks=True)
@blueprint.arguments(wire.ProblemsQuery, location="query")
@blueprint.response(200, wire.ProblemsOut)
def list_problems(query: dict[str, Any]) -> ResponseReturnValue:
    """问题清单：未了结的按期限先后；`mine=true` 只看由本人负责整改的。疑似虐待只有审核人员及以上可见。"""
    return answer(problems_page(work(), **query))


@blueprint.get("/problems/<uuid:problem_id>")
@needs(Can.SEE_PROBLEMS, only_looks=True)
@blueprint.response(200, wire.ProblemWholeOut)
def get_problem(problem_id: UUID) -> ResponseReturnValue:
    """一个问题及其处理经过。"""
    return answer(whole(work(), problem_id))


@blueprint.post("/problems/<uuid:problem_id>/steps")
@needs(Can.HANDLE_PROBLEMS)
@blueprint.arguments(wire.StepIn)
@blueprint.response(201, wire.ProblemWholeOut)
def post_problem_step(body: NewStep, problem_id: UUID) -> ResponseReturnValue:
    """处理问题：开始处理、提交整改情况；核查人员关闭、退回或转交。整改人不能核查自己的整改。"""
    take_step(work(), problem_id, body)
    work().session.flush()
    problem, key = see_problem(work(), problem_id)
    return answer(shown_whole(work(), problem, key), 201)
