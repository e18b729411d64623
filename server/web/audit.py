"""Searching the ledger, for the auditor: ids and times, no personal datum (查留痕)."""

import datetime as dt
from typing import Any

from flask import request
from flask.typing import ResponseReturnValue
from marshmallow import pre_load

from api_schemas.auditing import EntriesQuery
from server.auditing.searching import search
from server.auditing.terms import Sought
from server.errors import Invalid, Refusal
from server.http.guard import work
from server.permissions import Can
from server.tools import SHANGHAI
from server.web import showing
from server.web.audit_words import ACTIONS, SUBJECTS
from server.web.door import shows
from server.web.features import Entry, feature
from server.web.forms import asked

blueprint = feature("audit")
ENTRY = Entry(
    "查留痕", "web_audit.entries", Can.READ_LEDGER, "谁在何时办理或查看了什么，按人员、对象、动作和时段查"
)


class SearchQuery(EntriesQuery):
    """Which entries, as the form asks: by whole days where the work is done, the last one included."""

    @pre_load
    def by_days(self, data: dict[str, Any], **_: object) -> dict[str, Any]:
        """Write days as instants; what is no day stays, for the field to refuse."""
        return data | {
            name: _midnight(data[name], later) for name, later in (("from", 0), ("to", 1)) if name in data
        }


def _midnight(day: Any, days_later: int) -> Any:
    try:
        first = dt.datetime.strptime(day, "%Y-%m-%d").replace(tzinfo=SHANGHAI)
        return (first + dt.timedelta(days=days_later)).isoformat()
    except (TypeError, ValueError, OverflowError):
        return day


@blueprint.get("/audit")
@shows(Can.READ_LEDGER)
def entries() -> ResponseReturnValue:
    """Search the ledger; what cannot be asked is said above the form, which keeps it."""
    typed = {name: text for name, text in request.args.items() if text and name not in {"cursor", "limit"}}
    found: dict[str, Any] = {"items": [], "next_cursor": None}
    refusal: Refusal | None = None
    try:
        query = asked(SearchQuery)
        limit, cursor = query.pop("limit"), query.pop("cursor")
        found = search(work(), Sought(**query), limit=limit, cursor=cursor)
    except Invalid as wrong:
        refusal = wrong
    answer = showing.page(
        "audit.html",
        found=found,
        typed=typed,
        refusal=refusal,
        is_later=bool(request.args.get("cursor")),
        subjects=SUBJECTS,
        actions=ACTIONS,
    )
    if refusal is not None:
        answer.status_code = int(refusal.kind)
    return answer
