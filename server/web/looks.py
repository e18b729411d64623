"""Who has looked at this file: for the township by name, for the auditor by a person's id (谁看过)."""

from uuid import UUID

from flask import request
from flask.typing import ResponseReturnValue

from api_schemas.auditing import LooksOfQuery
from api_schemas.paging import PageQuery
from server.archives.terms import RevealField
from server.auditing.looking import looks_of, looks_within_sight
from server.errors import Invalid, Refusal
from server.http.guard import work
from server.permissions import Can
from server.web import showing
from server.web.door import shows
from server.web.features import Entry, feature
from server.web.forms import asked
from server.worklists.people import shown as people_shown

blueprint = feature("looks")
ENTRY = Entry("谁看过", "web_looks.of_anybody", Can.READ_LEDGER, "按救助对象编号，查哪些人何时看过其档案")


@blueprint.get("/archives/<uuid:person_id>/looks")
@shows(Can.SEE_LOOKS)
def of_one(person_id: UUID) -> ResponseReturnValue:
    """Show who looked at a person within sight, the latest first."""
    found = looks_within_sight(work(), person_id, **asked(PageQuery))
    person = people_shown(work(), [person_id])[person_id].data
    return showing.page("looks.html", found=found, person=person, person_id=person_id, fields=RevealField)


@blueprint.get("/audit/looks")
@shows(Can.READ_LEDGER)
def of_anybody() -> ResponseReturnValue:
    """Show the auditor who looked at whom, by id; the form alone until an id is given."""
    found, refusal, query = None, None, {}
    try:
        if request.args.get("person_id"):
            query = asked(LooksOfQuery)
            found = looks_of(work(), **query)
    except Invalid as wrong:
        refusal = wrong
    return _asked_for(found, query.get("person_id"), refusal)


def _asked_for(found: object, person_id: UUID | None, refusal: Refusal | None) -> ResponseReturnValue:
    answer = showing.page(
        "audit_looks.html",
        found=found,
        person_id=person_id,
        typed=request.args.get("person_id", ""),
        refusal=refusal,
        fields=RevealField,
    )
    if refusal is not None:
        answer.status_code = int(refusal.kind)
    return answer
