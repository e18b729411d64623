"""The queue of records that wait for a reviewer, with filters; led with the keyboard as well (审核队列)."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import request
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from api_schemas.reviews import AcceptancesIn, QueueQuery
from server.accounts.queries import names_of
from server.errors import Invalid, Refusal
from server.evidence.terms import ABOVE_INFO
from server.http.guard import work
from server.permissions import Can
from server.reviews.accepting import accept_many
from server.reviews.queries import queue
from server.reviews.terms import Acceptance
from server.visits.models import Visit
from server.web import showing
from server.web.door import shows
from server.web.features import Entry, feature
from server.web.forms import asked, fitted, whole
from server.web.places import villages_within
from server.worklists.people import shown as people_shown

blueprint = feature("queue")
ENTRY = Entry(
    "审核队列", "web_queue.waiting", Can.DECIDE_ON_VISITS, "待审核的走访记录，照片、位置、提示在旁，逐条决定"
)
DONE = {
    "accept": "已通过。",
    "return": "已退回更正，填报人的手机下次同步时会收到。",
    "void": "已作废，走访任务已重新打开。",
}
"""What is said at the top of the page that follows a decision, by the decision."""
PICKED = "picked"
"""Under this name a form sends the records that are to be accepted."""
FILTERS = ("village", "finding")
"""What goes along from the queue to a record, to the next, and back."""


@blueprint.get("/queue")
@shows(Can.DECIDE_ON_VISITS)
def waiting(refusal: Refusal | None = None, typed: Mapping[str, str] | None = None) -> ResponseReturnValue:
    """List what waits for a decision, the longest waiting first."""
    del typed  # which records were picked is not kept: they are looked at anew
    query = asked(QueueQuery)
    found = queue(work(), **query)
    people = people_shown(work(), list({UUID(visit["person_id"]) for visit in found["items"]}))
    return showing.page(
        "queue.html",
        rows=[_row(visit, people) for visit in found["items"]],
        next_cursor=found["next_cursor"],
        recorders=names_of(work().session, {visit["recorder"] for visit in found["items"]}),
        villages=villages_within(work()),
        chosen={name: value for name in FILTERS if (value := getattr(query["filters"], name))},
        done=DONE.get(request.args.get("done", "")),
        refusal=refusal,
    )


@blueprint.post("/queue/acceptances")
@shows(Can.DECIDE_ON_VISITS, again=waiting)
def post_acceptances() -> ResponseReturnValue:
    """Accept the picked records that show no doubt, and say of each what became of it."""
    results = accept_many(work(), _picked())
    in_sight = [one["visit_id"] for one in results if one["state"] is not None]
    rows = work().session.execute(
        select(Visit.id, Visit.person_id, Visit.occurred_at).where(Visit.id.in_(in_sight))
    )
    there = {row.id: row for row in rows}
    people = people_shown(work(), list({visit.person_id for visit in there.values()}))
    return showing.page(
        "queue_accepted.html",
        results=[
            one | {"visit": visit, "person": people[visit.person_id].data if visit else None}
            for one in results
            for visit in [there.get(one["visit_id"])]
        ],
        accepted=sum(one["accepted"] for one in results),
        kept=filters_kept(),
    )


def filters_kept() -> dict[str, Any]:
    """Give the filters of the queue that this request's address carries."""
    return {name: request.args[name] for name in FILTERS if request.args.get(name)}


def _picked() -> list[Acceptance]:
    """Read the picked records, each its id and the revision that the reviewer saw."""
    parts = [text.partition("@") for text in request.form.getlist(PICKED)]
    items = [{"visit_id": visit_id, "revision": whole([revision])} for visit_id, _, revision in parts]
    try:
        picked: list[Acceptance] = fitted(AcceptancesIn, {"items": items})["items"]
    except Invalid:
        raise Invalid(errors={PICKED: ["请勾选 1 到 200 条记录，再点确认。"]}) from None
    return picked


def _row(visit: dict[str, Any], people: Any) -> dict[str, Any]:
    person = people.get(UUID(visit["person_id"]))
    signs = [one for one in visit.get("findings") or () if one["severity"] in ABOVE_INFO]
    return visit | {
        "person": person.data if person else None,
        # A first choice only: what speaks against it when it is sent is said then.
        "is_plain": not signs and not visit.get("awaiting_second") and visit["may_decide"],
    }
