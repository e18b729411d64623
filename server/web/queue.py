"""The queue of records that wait for a reviewer, with filters; led with the keyboard as well (审核队列)."""

from typing import Any
from uuid import UUID

from flask import request
from flask.typing import ResponseReturnValue

from api_schemas.reviews import QueueQuery
from server.accounts.queries import names_of
from server.http.guard import work
from server.permissions import Can
from server.reviews.queries import queue
from server.web import showing
from server.web.door import shows
from server.web.features import Entry, feature
from server.web.forms import asked
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


@blueprint.get("/queue")
@shows(Can.DECIDE_ON_VISITS)
def waiting() -> ResponseReturnValue:
    """List what waits for a decision, the longest waiting first."""
    query = asked(QueueQuery)
    found = queue(work(), **query)
    people = people_shown(work(), list({UUID(visit["person_id"]) for visit in found["items"]}))
    return showing.page(
        "queue.html",
        rows=[_row(visit, people) for visit in found["items"]],
        next_cursor=found["next_cursor"],
        recorders=names_of(work().session, {visit["recorder"] for visit in found["items"]}),
        villages=villages_within(work()),
        chosen={name: kept for name in ("village", "finding") if (kept := getattr(query["filters"], name))},
        done=DONE.get(request.args.get("done", "")),
    )


def _row(visit: dict[str, Any], people: Any) -> dict[str, Any]:
    person = people.get(UUID(visit["person_id"]))
    return visit | {"person": person.data if person else None}
