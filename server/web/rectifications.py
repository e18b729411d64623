"""Rectifications on pages: what must be put right, by whom and when, step by step until it is closed (整改)."""

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from api_schemas import backchecks as wire
from server.errors import Refusal
from server.http.guard import work
from server.permissions import Can, Role
from server.spotchecks import listing, rectifying
from server.spotchecks.showing import one_rectification
from server.spotchecks.states import RECTIFICATIONS
from server.spotchecks.terms import RectificationState, RectificationStep
from server.web import showing
from server.web.door import shows
from server.web.features import Entry, feature
from server.web.forms import asked, sent
from server.web.places import villages_within

blueprint = feature("rectifications")
ENTRY = Entry(
    "整改",
    "web_rectifications.rectifications",
    Can.SEE_RECTIFICATIONS,
    "抽查发现的问题：通知、答复、复核、销号",
)
SAYS: Final[Mapping[RectificationStep, str]] = {
    RectificationStep.NOTIFY: "通知责任人按期整改，可写明要求。",
    RectificationStep.ANSWER: "写明怎样整改的、结果如何。照片请用手机小程序随走访记录上传。",
    RectificationStep.RECHECK: "写明怎样复核的、看到了什么。答复的人不能自己复核。",
    RectificationStep.CLOSE: "确认已整改到位，销号。",
    RectificationStep.REOPEN: "写明哪里没有整改到位，退回责任人。",
    RectificationStep.WITHDRAW: "写明为什么不需要整改。",
}
"""What stands above the text of each step's form."""
DONE: Final = {step.value: f"已{step.label}。" for step in RectificationStep}


@blueprint.get("/rectifications")
@shows(Can.SEE_RECTIFICATIONS)
def rectifications() -> ResponseReturnValue:
    """List the rectifications within sight; a visitor sees their own."""
    query = asked(wire.RectificationsQuery)
    limit, cursor = query.pop("limit"), query.pop("cursor")
    filters = listing.RectificationFilters(**query)
    found = listing.rectifications_page(work(), filters, limit=limit, cursor=cursor)
    kept = {name: text for name, text in request.args.items() if name in query and text}
    return showing.page(
        "rectifications.html",
        found=found,
        kept=kept,
        states=RectificationState,
        villages=() if work().actor.role is Role.VISITOR else villages_within(work()),
    )


@blueprint.get("/rectifications/<uuid:rectification_id>")
@shows(Can.SEE_RECTIFICATIONS)
def rectification_page(
    rectification_id: UUID, refusal: Refusal | None = None, typed: Mapping[str, str] | None = None
) -> ResponseReturnValue:
    """Show one rectification with its story, and the steps that its reader may take."""
    found = one_rectification(work(), rectification_id)
    return showing.page(
        "rectification.html",
        one=found,
        steps=_steps(found["state"], found["owner"]["id"] if found["owner"] else None),
        says=SAYS,
        needs_text=rectifying.NEEDS_TEXT,
        refusal=refusal,
        typed=typed or {},
        done=DONE.get(request.args.get("done", "")),
    )


@blueprint.post("/rectifications/<uuid:rectification_id>/steps")
@shows(Can.SEE_RECTIFICATIONS, again=rectification_page)
def post_step(rectification_id: UUID) -> ResponseReturnValue:
    """Take one step on the revision that was seen."""
    move = sent(wire.RectificationStepIn, lists=("photo_ids",), numbers=("revision",))
    rectifying.take_step(work(), rectification_id, move)
    work().session.flush()
    return redirect(
        url_for(
            "web_rectifications.rectification_page",
            rectification_id=rectification_id,
            done=move.step.value,
        ),
        303,
    )


def _steps(state: RectificationState, owner_id: UUID | None) -> list[RectificationStep]:
    """List the steps that the state allows and the reader's role may take; the service has the last word."""
    actor = work().actor
    possible = [step for step in RectificationStep if (state, step) in RECTIFICATIONS]

    def may(step: RectificationStep) -> bool:
        if step in rectifying.BY_THE_OWNER:
            return actor.worker_id == owner_id
        if step is not RectificationStep.NOTIFY and actor.worker_id == owner_id:
            return False
        checks = step in rectifying.BY_A_CHECKER
        return actor.may(Can.CARRY_OUT_SPOT_CHECKS if checks else Can.JUDGE_SPOT_CHECKS)

    return [step for step in possible if may(step)]
