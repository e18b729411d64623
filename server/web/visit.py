"""One visit before its reviewer: answers on the left, photos, map and signals on the right, and the decision below."""

from collections.abc import Mapping
from uuid import UUID

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from api_schemas.reviews import DecisionIn
from server.accounts.queries import names_of
from server.errors import Refusal
from server.http.guard import work
from server.permissions import Can
from server.photos.listing import photos_of
from server.reviews.history import compared, history
from server.reviews.queries import next_waiting
from server.reviews.service import decide
from server.reviews.terms import Decision, QueueFilters
from server.visits.earlier import places_before
from server.visits.showing import shown_alone
from server.visits.sight import visit_to_read
from server.web import showing
from server.web.door import shows
from server.web.features import feature
from server.web.forms import sent
from server.web.queue import DONE, filters_kept
from server.web.visit_record import record
from server.worklists.people import shown as people_shown

blueprint = feature("visit")


@blueprint.get("/visits/<uuid:visit_id>")
@shows(Can.SEE_VISITS)
def visit_page(
    visit_id: UUID, refusal: Refusal | None = None, typed: Mapping[str, str] | None = None
) -> ResponseReturnValue:
    """Show one record with what speaks for and against it."""
    row, key = visit_to_read(work(), visit_id)
    work().looked("visit.read", "visit", visit_id, person_id=row.person_id)
    visit = shown_alone(work(), row, key)
    person = people_shown(work(), [row.person_id])[row.person_id].data
    names = names_of(work().session, {row.recorder_id, *(UUID(one) for one in visit["visitors"])})
    reads_all = work().actor.may(Can.SEE_FINDINGS)
    return showing.page(
        "visit.html",
        visit=visit,
        person=person,
        names=names,
        record=record(work(), visit, person, places_before(work(), row.person_id, row.occurred_at)),
        photos=photos_of(work().session, visit_id),
        may_decide=work().actor.may(Can.DECIDE_ON_VISITS) and row.recorder_id != work().actor.worker_id,
        is_own=row.recorder_id == work().actor.worker_id,
        comparison=compared(work(), visit_id) if reads_all else None,
        story=history(work(), visit_id)["items"] if reads_all else [],
        refusal=refusal,
        typed=typed or {},
        kept=filters_kept(),
        done=DONE.get(request.args.get("done", "")),
    )


@blueprint.post("/visits/<uuid:visit_id>/decisions")
@shows(Can.DECIDE_ON_VISITS, again=visit_page)
def post_decision(visit_id: UUID) -> ResponseReturnValue:
    """Decide, and go on to the record that waits next."""
    new = sent(DecisionIn, numbers=("revision",))
    decide(work(), visit_id, new, pressed_twice=True)
    work().session.flush()
    return redirect(_next(visit_id, new.decision), 303)


def _next(visit_id: UUID, decision: Decision) -> str:
    kept = filters_kept()
    following = next_waiting(work(), QueueFilters(**kept), after=visit_id)
    if following is None:
        return url_for("web_queue.waiting", done=decision.value, **kept)
    return url_for("web_visit.visit_page", visit_id=following, done=decision.value, **kept)
