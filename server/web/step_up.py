"""Asks at a browser for a one-time code again before a deed that needs fresh proof (TRUST §2 "Step-up")."""

from flask import request

from server.accounts.proving import ProofNeeded, is_proved, prove, try_to_prove
from server.http.guard import work
from server.permissions import Can
from server.web.cookies import session_token
from server.web.door import in_one


def must_prove() -> bool:
    """Say whether the form of such a deed must ask for a code; within the work of this request."""
    return not is_proved(work(), session_token() or "")


def proved_by_form(can: Can) -> None:
    """Take the code of this form as proof, or refuse; outside of a transaction, as a failed try stays counted."""
    token = session_token() or ""
    otp = request.form.get("otp", "")
    if not otp:
        if in_one(can, must_prove):
            raise ProofNeeded
        return
    counted = in_one(can, lambda: try_to_prove(work()))
    in_one(can, lambda: prove(work(), token, otp, counted))
