"""Spot-check plans on pages: made, committed to, frozen, drawn or annulled, proved; and their results, never by worker (抽查计划)."""

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from flask import Response, redirect, request, url_for
from flask.typing import ResponseReturnValue

from api_schemas import spotchecks as wire
from api_schemas.paging import PageQuery
from api_schemas.wire import Strict, UuidField
from server.errors import Refusal
from server.http.answer import answer
from server.http.guard import work
from server.people.terms import Category
from server.permissions import Can
from server.regions.service import names
from server.spotchecks import planning, publishing
from server.spotchecks.assigning import assign_all
from server.spotchecks.framing import month_after
from server.spotchecks.listing import plans_page
from server.spotchecks.models import SpotCheckPlan
from server.spotchecks.showing import plan_shown
from server.spotchecks.summarising import summary
from server.spotchecks.terms import (
    AlwaysIncluded,
    CannotCheck,
    FrameDates,
    Recall,
    RectificationState,
    SpotCheckPlanState,
    SpotCheckResult,
    SpotCheckState,
    StratumBy,
)
from server.visits.terms import Outcome
from server.web import showing
from server.web.door import shows
from server.web.features import Entry, feature
from server.web.forms import asked, fitted, sent, whole
from server.web.places import villages_within

blueprint = feature("plans")
ENTRY = Entry(
    "抽查计划",
    "web_plans.plans",
    Can.PROVE_DRAWS,
    "月前制定并承诺种子，月后封存名单、公布种子、抽取，任何人都能核对",
)
DONE: Final[Mapping[str, str]] = {
    "made": "计划已制定。请在月份开始前承诺种子。",
    "committed": "种子已承诺，承诺值已写入留痕。月份结束后由另一岗位的另一人封存名单。",
    "frozen": "名单已封存，摘要已写入留痕。请由承诺种子的岗位公布种子并抽取。",
    "drawn": "种子已公布，样本已抽取。请分派核查。",
    "annulled": "计划已作废，原因长期可查。",
}
LISTS = ("outcomes", "categories", "strata", "always")
TICKS = ("every_visitor", "every_village")
VOCABULARIES = {
    "StratumBy": StratumBy,
    "AlwaysIncluded": AlwaysIncluded,
    "FrameDates": FrameDates,
    "Category": Category,
    "Outcome": Outcome,
    "SpotCheckState": SpotCheckState,
    "SpotCheckResult": SpotCheckResult,
    "RectificationState": RectificationState,
    "Recall": Recall,
    "CannotCheck": CannotCheck,
}


@blueprint.get("/spot-checks/plans")
@shows(Can.PROVE_DRAWS)
def plans() -> ResponseReturnValue:
    """List the plans that concern the reader's area, the latest month first."""
    found = plans_page(work(), **asked(PageQuery))
    return showing.page("plans.html", found=found)


@blueprint.get("/spot-checks/plans/new")
@shows(Can.PLAN_SPOT_CHECKS)
def new_page(refusal: Refusal | None = None, typed: Mapping[str, str] | None = None) -> ResponseReturnValue:
    """Ask for a new plan; its id is made here, so that a form sent twice makes one plan."""
    area = work().actor.area_code
    own = [{"code": area, "name": names(work().session, [area], work().today).get(area, area)}]
    others = [{"code": one.code, "name": one.name} for one in villages_within(work()) if one.code != area]
    return showing.page(
        "plan_new.html",
        areas=own + others,
        refusal=refusal,
        typed=typed or {"id": str(work().new_id()), "period": _next_month(work().today)},
        chosen={name: set(request.form.getlist(name)) for name in LISTS},
        vocabularies=VOCABULARIES,
    )


@blueprint.post("/spot-checks/plans")
@shows(Can.PLAN_SPOT_CHECKS, again=new_page)
def post_plan() -> ResponseReturnValue:
    """Make a plan; it is never changed afterwards."""
    values: dict[str, Any] = {name: request.form.getlist(name) for name in LISTS}
    for name, text in request.form.items():
        if name in {"id", *LISTS} or not text:
            continue
        if name in TICKS:
            values[name] = True if text == "1" else text
        else:
            values[name] = whole([text]) if name in {"share", "number"} else text
    plan_id = fitted(_PlanId, {"id": request.form.get("id", "")})["id"]
    plan, _ = planning.make_plan(work(), wire.new_plan(plan_id, fitted(wire.SpotCheckPlanIn, values)))
    return _to(plan.id, "made")


class _PlanId(Strict):
    """The id of a new plan, as the form carries it."""

    id = UuidField(required=True)


@blueprint.get("/spot-checks/plans/<uuid:plan_id>")
@shows(Can.PROVE_DRAWS)
def plan_page(
    plan_id: UUID,
    refusal: Refusal | None = None,
    typed: Mapping[str, str] | None = None,
) -> ResponseReturnValue:
    """Show one plan: its rules, how far it has come and by whose hands, and the step that is next."""
    return _shown(plan_id, refusal, typed)


def _shown(
    plan_id: UUID,
    refusal: Refusal | None = None,
    typed: Mapping[str, str] | None = None,
    assigned: Mapping[str, Any] | None = None,
) -> ResponseReturnValue:
    plan = planning.plan_in_sight(work(), plan_id)
    work().looked("spot_check.plan_read", "spot_check_plan", plan.id)
    return showing.page(
        "plan.html",
        plan=plan_shown(work(), [plan])[0],
        stage=_stage(plan),
        whole=plan.area_code.startswith(work().actor.area_code),
        may_plan=work().actor.may(Can.PLAN_SPOT_CHECKS),
        refusal=refusal,
        reason=(typed or {}).get("reason", ""),
        assigned=assigned,
        done=DONE.get(request.args.get("done", "")),
        vocabularies=VOCABULARIES,
    )


def _stage(plan: SpotCheckPlan) -> str:
    """Say what stands next: a step, a wait for the end of the month, or that the month began without a commitment."""
    today, state = work().today, plan.state
    if state is SpotCheckPlanState.PLANNED:
        return "commit" if today < plan.period_start else "too_late"
    if state is SpotCheckPlanState.COMMITTED:
        return "freeze" if today >= month_after(plan.period_start) else "wait"
    return {SpotCheckPlanState.FROZEN: "draw", SpotCheckPlanState.DRAWN: "assign"}.get(state, "over")


@blueprint.post("/spot-checks/plans/<uuid:plan_id>/commitment")
@shows(Can.PLAN_SPOT_CHECKS, again=plan_page)
def post_commitment(plan_id: UUID) -> ResponseReturnValue:
    """Commit to a seed, the keeper's own or one that is made and sealed here."""
    text = sent(wire.SeedCommitmentIn)["commitment"]
    planning.commit_seed(work(), plan_id, bytes.fromhex(text) if text else None)
    return _to(plan_id, "committed")


@blueprint.post("/spot-checks/plans/<uuid:plan_id>/frame")
@shows(Can.PLAN_SPOT_CHECKS, again=plan_page)
def post_frame(plan_id: UUID) -> ResponseReturnValue:
    """Freeze the frame."""
    planning.freeze(work(), plan_id)
    return _to(plan_id, "frozen")


@blueprint.post("/spot-checks/plans/<uuid:plan_id>/draw")
@shows(Can.PLAN_SPOT_CHECKS, again=plan_page)
def post_draw(plan_id: UUID) -> ResponseReturnValue:
    """Reveal the seed and draw; what was typed as a seed is never shown again by a refusal."""
    text = sent(wire.SeedIn)["seed"]
    planning.reveal(work(), plan_id, bytes.fromhex(text) if text else None)
    return _to(plan_id, "drawn")


@blueprint.post("/spot-checks/plans/<uuid:plan_id>/annulment")
@shows(Can.PLAN_SPOT_CHECKS, again=plan_page)
def post_annulment(plan_id: UUID) -> ResponseReturnValue:
    """Annul a plan that was not drawn."""
    planning.annul(work(), plan_id, sent(wire.AnnulmentIn)["reason"])
    return _to(plan_id, "annulled")


@blueprint.post("/spot-checks/plans/<uuid:plan_id>/assignments")
@shows(Can.PLAN_SPOT_CHECKS, again=plan_page)
def post_assignments(plan_id: UUID) -> ResponseReturnValue:
    """Give the open checks to those who may do them, and say for which nobody could be found."""
    assigned = assign_all(work(), plan_id, sent(wire.AssignmentsIn)["checker_ids"])
    work().session.flush()
    return _shown(plan_id, assigned=assigned)


@blueprint.get("/spot-checks/plans/<uuid:plan_id>/results")
@shows(Can.SEE_SPOT_CHECKS)
def results(plan_id: UUID) -> ResponseReturnValue:
    """Show what came of a plan: counts and rates with their intervals, by village or category, never by worker."""
    by = asked(wire.SpotCheckSummaryQuery)["by"]
    found = summary(work(), plan_id, by)
    plan = plan_shown(work(), [planning.plan_in_sight(work(), plan_id)])[0]
    villages = [one["part"] for one in found["parts"]] if by is StratumBy.VILLAGE else []
    called = dict(names(work().session, villages, work().today)) if villages else {}
    if by is StratumBy.CATEGORY:
        called = {word.value: word.label for word in Category}
    return showing.page(
        "plan_results.html", found=found, plan=plan, by=by, called=called, vocabularies=VOCABULARIES
    )


@blueprint.get("/spot-checks/plans/<uuid:plan_id>/frame.csv")
@shows(Can.PROVE_DRAWS, walks=True)
def frame(plan_id: UUID) -> ResponseReturnValue:
    """Give the frozen frame, whose SHA-256 is its digest."""
    return _file("".join(publishing.frame(work(), plan_id)), "frame.csv", "text/csv; charset=utf-8")


@blueprint.get("/spot-checks/plans/<uuid:plan_id>/proof.json")
@shows(Can.PROVE_DRAWS, walks=True)
def proof(plan_id: UUID) -> ResponseReturnValue:
    """Give what proves the draw, beside the frame; as the API writes it."""
    text = answer(publishing.proof(work(), plan_id)).get_data(as_text=True)
    return _file(text, "proof.json", "application/json")


def _file(text: str, name: str, kind: str) -> Response:
    made = Response(text, content_type=kind)
    made.headers.update(showing.HEADERS)
    made.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return made


def _to(plan_id: UUID, done: str) -> ResponseReturnValue:
    work().session.flush()
    return redirect(url_for("web_plans.plan_page", plan_id=plan_id, done=done), 303)


def _next_month(today: dt.date) -> str:
    return f"{month_after(today):%Y-%m}"
