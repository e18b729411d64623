"""Shows one masked datum of a person whole, for a reason that stays in the ledger."""

from uuid import UUID

from flask import url_for
from flask.typing import ResponseReturnValue

from server.archives.service import reveal
from server.archives.terms import RevealField
from server.errors import NotFound
from server.http.guard import work
from server.people.sight import see
from server.permissions import Can
from server.web import revealing
from server.web.door import shows
from server.web.features import feature

blueprint = feature("reveal")

FIELDS = {field.value: field for field in RevealField}


@blueprint.get("/archives/<uuid:person_id>/reveal/<field>")
@shows(Can.REVEAL)
def ask(person_id: UUID, field: str) -> ResponseReturnValue:
    """Ask for the reason."""
    return revealing.asked(_masked(person_id, field))


@blueprint.post("/archives/<uuid:person_id>/reveal/<field>")
@shows(Can.REVEAL, own_transactions=True)
def show(person_id: UUID, field: str) -> ResponseReturnValue:
    """Show the datum, once; the page is kept nowhere."""
    return revealing.shown(
        Can.REVEAL,
        lambda: _masked(person_id, field),
        lambda reason: reveal(work(), person_id, FIELDS[field], reason),
    )


def _masked(person_id: UUID, field: str) -> revealing.Masked:
    person = see(work(), person_id)
    if field not in FIELDS:
        raise NotFound
    return revealing.Masked(
        FIELDS[field].label,
        person.name,
        f"{field}-{person_id}",
        url_for("web_reveal.show", person_id=person_id, field=field),
        url_for("web_archives.file", person_id=person_id),
    )
