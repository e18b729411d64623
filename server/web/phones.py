"""Shows the phone number of a worker who answers for somebody, for a reason that stays in the ledger."""

from uuid import UUID

from flask import url_for
from flask.typing import ResponseReturnValue

from server.accounts.phoning import colleague, phone_of
from server.http.guard import work
from server.permissions import Can
from server.web import revealing
from server.web.door import shows
from server.web.features import feature

blueprint = feature("phones")


@blueprint.get("/workers/<uuid:worker_id>/phone")
@shows(Can.SEE_ACCOUNTS)
def ask(worker_id: UUID) -> ResponseReturnValue:
    """Ask for the reason."""
    return revealing.asked(_masked(worker_id))


@blueprint.post("/workers/<uuid:worker_id>/phone")
@shows(Can.SEE_ACCOUNTS, own_transactions=True)
def show(worker_id: UUID) -> ResponseReturnValue:
    """Show the number, once."""
    return revealing.shown(
        Can.SEE_ACCOUNTS,
        lambda: _masked(worker_id),
        lambda reason: phone_of(work(), worker_id, reason),
    )


def _masked(worker_id: UUID) -> revealing.Masked:
    worker = colleague(work(), worker_id)
    return revealing.Masked(
        "电话",
        worker.name,
        f"phone-{worker_id}",
        url_for("web_phones.show", worker_id=worker_id),
        url_for("web_overdue.overdue"),
    )
