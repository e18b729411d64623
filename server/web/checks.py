"""The visits of a sample on pages: lists, the checker's form and paper, and judging what came of it (抽查件)."""

import re
from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from api_schemas import backchecks as wire
from api_schemas.wire import Strict, UuidField
from server.accounts.queries import names_of
from server.errors import Refusal
from server.http.guard import work
from server.permissions import Can
from server.spotchecks import assigning, checking, judging, listing
from server.spotchecks.comparing import KINDS
from server.spotchecks.showing import one_check
from server.spotchecks.terms import (
    CheckMethod,
    CheckNotPossible,
    NewBackCheck,
    Recall,
    SpokeTo,
    SpotCheckResult,
    SpotCheckState,
)
from server.visits.answers import QUESTIONS, AnswerKind, Question
from server.web import showing
from server.web.door import shows
from server.web.features import Entry, feature
from server.web.forms import asked, fitted, sent, whole
from server.web.visit_record import answer_text

blueprint = feature("checks")
ENTRY = Entry(
    "抽查件", "web_checks.checks", Can.SEE_SPOT_CHECKS, "抽中的走访：打印核查表，回访、复核，认定结果"
)
DONE: Final[Mapping[str, str]] = {
    "checked": "核查已保存，等待他人认定。",
    "tried": "已登记未联系上，可以再次核查。",
    "given_up": "已登记无法核查。",
    "reassigned": "已改派。",
    "judged": "已认定。",
}
VOCABULARIES = {
    "CheckMethod": CheckMethod,
    "CheckNotPossible": CheckNotPossible,
    "Recall": Recall,
    "SpokeTo": SpokeTo,
    "SpotCheckResult": SpotCheckResult,
    "SpotCheckState": SpotCheckState,
}
BLANKS: Final = {question.name: question for question in QUESTIONS.values() if question.name in KINDS}
"""The questions of a back-check, in the order of the form."""
ANSWER: Final = "answers."
NONE_OF_THEM: Final = "none of them"
_MINUTE = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}\Z", re.ASCII)


@blueprint.get("/spot-checks")
@shows(Can.SEE_SPOT_CHECKS)
def checks() -> ResponseReturnValue:
    """List the checks of people within sight."""
    query = asked(wire.SpotChecksQuery)
    limit, cursor = query.pop("limit"), query.pop("cursor")
    found = listing.checks_page(work(), listing.CheckFilters(**query), limit=limit, cursor=cursor)
    kept = {name: text for name, text in request.args.items() if name in query and text}
    return showing.page("checks.html", found=found, kept=kept, vocabularies=VOCABULARIES)


@blueprint.get("/spot-checks/plans/<uuid:plan_id>/worksheet")
@shows(Can.CARRY_OUT_SPOT_CHECKS)
def worksheet_page(plan_id: UUID) -> ResponseReturnValue:
    """Show what a checker takes along on paper: a sheet for each visit, with nothing of what was recorded."""
    found = listing.worksheet(work(), plan_id)
    return showing.page(
        "worksheet.html", found=found, questions=BLANKS.values(), kinds=AnswerKind, vocabularies=VOCABULARIES
    )


@blueprint.get("/spot-checks/<uuid:check_id>")
@shows(Can.SEE_SPOT_CHECKS)
def check_page(
    check_id: UUID, refusal: Refusal | None = None, typed: Mapping[str, str] | None = None
) -> ResponseReturnValue:
    """Show one check: the form to its checker, the comparison once it was checked, and what may be done with it."""
    actor = work().actor
    check = one_check(work(), check_id)
    mine = check["checker"] is not None and check["checker"]["id"] == actor.worker_id
    heads = actor.may(Can.PLAN_SPOT_CHECKS)
    return showing.page(
        "check.html",
        check=check,
        may_check=mine and check["state"] is SpotCheckState.ASSIGNED,
        may_judge=actor.may(Can.JUDGE_SPOT_CHECKS)
        and not mine
        and check["state"] in {SpotCheckState.CHECKED, SpotCheckState.INQUIRY},
        checkers=_checkers(check) if heads else {},
        may_see_visit=actor.may(Can.SEE_VISITS) and check["visit_id"] is not None,
        questions=BLANKS.values(),
        kinds=AnswerKind,
        compared=_compared(check["comparison"]),
        new_id=(typed or {}).get("id") or str(work().new_id()),
        refusal=refusal,
        typed=typed or {},
        ticked=set(request.form.getlist(f"{ANSWER}chronic")) if refusal else set(),
        form=(typed or {}).get("form", ""),
        vocabularies=VOCABULARIES,
        done=DONE.get(request.args.get("done", "")),
    )


def _checkers(check: Mapping[str, Any]) -> Mapping[UUID, str]:
    if check["state"] not in {SpotCheckState.DRAWN, SpotCheckState.ASSIGNED, SpotCheckState.NOT_POSSIBLE}:
        return {}
    found = assigning.checkers_for(work(), check["village"]["code"])
    return names_of(work().session, {one.worker_id for one in found})


def _compared(comparison: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    if comparison is None:
        return []
    return [
        {
            "label": one["label"],
            "kind": one["kind"],
            "recorded": _said(one["question"], one["recorded"]),
            "checked": _said(one["question"], one["checked"]),
            "differs": one["differs"],
        }
        for one in comparison["answers"]
    ]


def _said(question: str, value: Any) -> str:
    return "没有问" if value is None else answer_text(QUESTIONS[question], value)


@blueprint.post("/spot-checks/<uuid:check_id>/back-checks")
@shows(Can.CARRY_OUT_SPOT_CHECKS, again=check_page)
def post_back_check(check_id: UUID) -> ResponseReturnValue:
    """Store a call or a visit that the checker made; the form's id makes it one however often it is sent."""
    values: dict[str, Any] = {"check_id": str(check_id), "answers": _answers()}
    for name, text in request.form.items():
        if text and not name.startswith(ANSWER) and name not in {"id", "form"}:
            values[name] = text.replace("\r\n", "\n")
    if _MINUTE.match(str(values.get("occurred_at", ""))):
        values["occurred_at"] += ":00+08:00"
    back_check_id = fitted(_BackCheckId, {"id": request.form.get("id", "")})["id"]
    new = NewBackCheck(**fitted(wire.BackCheckIn, values))
    checking.submit(work(), back_check_id, new)
    return _to(check_id, "tried" if new.recall is Recall.UNREACHABLE else "checked")


class _BackCheckId(Strict):
    """The id of a back-check, as the form carries it."""

    id = UuidField(required=True)


def _answers() -> dict[str, Any]:
    """Read the answers of the form; a question that was left open is left out."""
    found: dict[str, Any] = {}
    for name in dict.fromkeys(request.form):
        if not name.startswith(ANSWER):
            continue
        texts = [text for text in request.form.getlist(name) if text]
        question = QUESTIONS.get(name.removeprefix(ANSWER))
        if texts:
            found[name.removeprefix(ANSWER)] = _answer(question, texts)
    return found


def _answer(question: Question | None, texts: list[str]) -> Any:
    if question is None:
        return texts[0]
    if question.kind is AnswerKind.WORDS:
        return [] if texts == [NONE_OF_THEM] else texts
    if question.kind is AnswerKind.YES_NO:
        return {"yes": True, "no": False}.get(texts[0], texts[0])
    if question.kind is AnswerKind.NUMBER:
        return whole(texts)
    return texts[0]


@blueprint.post("/spot-checks/<uuid:check_id>/not-possible")
@shows(Can.CARRY_OUT_SPOT_CHECKS, again=check_page)
def post_not_possible(check_id: UUID) -> ResponseReturnValue:
    """Record that a visit cannot be checked, and why."""
    body = sent(wire.NotPossibleIn, numbers=("revision",), leave_out=("form",))
    checking.give_up(work(), check_id, body["reason"], body["revision"])
    return _to(check_id, "given_up")


@blueprint.post("/spot-checks/<uuid:check_id>/checker")
@shows(Can.PLAN_SPOT_CHECKS, again=check_page)
def post_checker(check_id: UUID) -> ResponseReturnValue:
    """Give a check to somebody else."""
    body = sent(wire.CheckerIn, numbers=("revision",), leave_out=("form",))
    assigning.reassign(work(), check_id, body["worker_id"], body["revision"])
    return _to(check_id, "reassigned")


@blueprint.post("/spot-checks/<uuid:check_id>/judgements")
@shows(Can.JUDGE_SPOT_CHECKS, again=check_page)
def post_judgement(check_id: UUID) -> ResponseReturnValue:
    """Conclude from a back-check, and say what must be put right."""
    values: dict[str, Any] = {
        name: text.replace("\r\n", "\n") for name, text in request.form.items() if text and name != "form"
    }
    what = values.pop("what", "")
    if what.strip():
        values["rectify"] = {"what": what}
    values["revision"] = whole([values.get("revision", "")])
    judging.judge(work(), check_id, fitted(wire.JudgementIn, values))
    return _to(check_id, "judged")


def _to(check_id: UUID, done: str) -> ResponseReturnValue:
    work().session.flush()
    return redirect(url_for("web_checks.check_page", check_id=check_id, done=done), 303)
