"""Problems found on visits, on pages: what is due, one problem with its story, and the next step about it (问题整改)."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from api_schemas import problems as wire
from server.accounts.recorders import recorders_within
from server.errors import Refusal
from server.http.guard import work
from server.permissions import Can, Role
from server.problems import states
from server.problems.terms import ProblemState, ProblemStep, Severity
from server.remedies.queries import problems_page
from server.remedies.service import take_step
from server.remedies.showing import whole as shown_whole
from server.web import showing
from server.web.door import shows
from server.web.features import Entry, feature
from server.web.forms import asked, sent
from server.web.places import villages_within

blueprint = feature("problems")
ENTRY = Entry(
    "问题",
    "web_problems.problems",
    Can.SEE_PROBLEMS,
    "走访发现的问题：由谁整改、何时到期、整改后由他人核查关闭",
)
SAYS: Final[Mapping[ProblemStep, str]] = {
    ProblemStep.START: "可写明打算怎样处理。",
    ProblemStep.ANSWER: "写明怎样整改的、结果如何。照片请用手机小程序随走访记录上传。",
    ProblemStep.CLOSE: "确认已整改到位。整改的人不能核查自己的整改。",
    ProblemStep.REOPEN: "写明哪里没有整改到位。",
    ProblemStep.ASSIGN: "写明转交的原因，并选择由谁整改。",
}
"""What stands above the text of each step's form."""
DONE: Final = {step.value: f"已{step.label}。" for step in SAYS}
FILTERS: Final = ("state", "village", "severity", "overdue", "restricted", "mine", "person_id", "code")


@blueprint.get("/problems")
@shows(Can.SEE_PROBLEMS)
def problems() -> ResponseReturnValue:
    """List the problems within sight, the most urgent due date first."""
    query = asked(wire.ProblemsQuery)
    found = problems_page(work(), **query)
    return showing.page(
        "problems.html",
        found=found,
        kept={name: text for name, text in request.args.items() if name in FILTERS and text},
        states=ProblemState,
        severities=Severity,
        sees_restricted=work().actor.may(Can.SEE_RESTRICTED),
        villages=() if work().actor.role is Role.VISITOR else villages_within(work()),
    )


@blueprint.get("/problems/<uuid:problem_id>")
@shows(Can.SEE_PROBLEMS)
def problem_page(
    problem_id: UUID, refusal: Refusal | None = None, typed: Mapping[str, str] | None = None
) -> ResponseReturnValue:
    """Show one problem with its story, and the steps that its reader may take."""
    found = shown_whole(work(), problem_id)
    steps = _steps(found)
    return showing.page(
        "problem.html",
        one=found,
        steps=steps,
        says=SAYS,
        needs_note=states.NEEDS_NOTE,
        workers=recorders_within(work().session, work().actor.area_code)
        if ProblemStep.ASSIGN in steps
        else (),
        may_see_visit=work().actor.may(Can.SEE_VISITS),
        refusal=refusal,
        typed=typed or {},
        done=DONE.get(request.args.get("done", "")),
    )


@blueprint.post("/problems/<uuid:problem_id>/steps")
@shows(Can.HANDLE_PROBLEMS, again=problem_page)
def post_step(problem_id: UUID) -> ResponseReturnValue:
    """Take one step on the revision that was seen."""
    new = sent(wire.StepIn, lists=("photo_ids",), numbers=("revision",))
    take_step(work(), problem_id, new)
    work().session.flush()
    return redirect(url_for("web_problems.problem_page", problem_id=problem_id, done=new.step.value), 303)


def _steps(found: Mapping[str, Any]) -> list[ProblemStep]:
    """List the steps that the state allows and the reader's role may take; the service has the last word."""
    actor = work().actor
    if not actor.may(Can.HANDLE_PROBLEMS):
        return []
    return [
        step
        for step in SAYS
        if (found["state"], step) in states.TRANSITIONS
        and (step not in states.BY_CHECKERS or actor.may(Can.CHECK_PROBLEMS))
    ]
