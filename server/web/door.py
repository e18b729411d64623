"""The door of every page: no forged form, who is it by their cookie, may they, and one transaction with one fate."""

from collections.abc import Callable, Mapping
from functools import wraps
from inspect import unwrap
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

from flask import Response, make_response, request
from flask.typing import ResponseReturnValue

from server.accounts import stepping_up
from server.accounts.signing_in import OtpRequired
from server.errors import NotFound, NotSignedIn, Refusal
from server.http.guard import in_one_look, in_one_transaction, work
from server.http.parts import parts
from server.permissions import Can
from server.web.cookies import session_token
from server.web.forms import STEP_UP, take_in
from server.web.refusing import ForgedForm

Answer = TypeVar("Answer")
View = TypeVar("View", bound=Callable[..., ResponseReturnValue])
SAFE = frozenset({"GET", "HEAD"})
SECRET = frozenset({STEP_UP, "password", "seed"})
"""What was typed and is never shown again."""
ANSWERED_ELSEWHERE = (NotSignedIn, NotFound, OtpRequired)
"""Refusals after which the page that the form stood on cannot be shown again."""


def refuse_forged() -> None:
    """Refuse a form that was not sent from a page of ours: by what the browser says, which no page can change.

    `Sec-Fetch-Site` where there is one, else `Origin`. A request with neither comes from no browser that shows us.
    """
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    ours = urlsplit(request.host_url)
    is_ours = (
        urlsplit(origin or "")[:2] == (ours.scheme, ours.netloc) if site is None else site == "same-origin"
    )
    if not is_ours:
        raise ForgedForm


def shows(
    can: Can,
    *,
    new_keys: int = 0,
    own_transactions: bool = False,
    again: Callable[..., ResponseReturnValue] | None = None,
    step_up: bool = False,
    walks: bool = False,
) -> Callable[[View], View]:
    """Declare what a page needs.

    `step_up` asks for a fresh one-time code with the form (TRUST §2). `walks`: a page that walks along many rows with
    a cursor, which needs a transaction round it. `again` shows the page on which a refused form stood once more, with the refusal and what was typed, in a new
    transaction: `again(refusal=…, typed=…, **of_the_address)`.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(*args: object, **kwargs: object) -> ResponseReturnValue:
            if request.method not in SAFE:
                refuse_forged()
                take_in()
            if own_transactions:
                return make_response(view(*args, **kwargs))
            if new_keys:
                parts().keys.reserve(new_keys)
            try:
                prove = _proof(can) if step_up else None
                return in_one(can, lambda: make_response(_done(prove, view, args, kwargs)), walks=walks)
            except Refusal as refusal:
                if again is None or isinstance(refusal, ANSWERED_ELSEWHERE):
                    raise
                return _once_more(can, refusal, again, kwargs)

        guarded.__dict__["needs"] = can
        return cast("View", guarded)

    return decorate


def in_one(can: Can, act: Callable[[], Answer], *, walks: bool = False) -> Answer:
    """Run `act` for the worker whose browser this is: one look for a page, one transaction for a form."""

    def at_browser() -> Answer:
        if can is not Can.ANYONE and not work().actor.at_browser:
            raise NotSignedIn  # a phone's token in a cookie is not how phones sign in
        return act()

    run = in_one_look if request.method in SAFE and not walks else in_one_transaction
    return run(can, at_browser, token=session_token)


def _proof(can: Can) -> Callable[[], None]:
    """Count the try to confirm a deed, before it is made, so that it stays counted whatever becomes of the deed."""
    counted_at = in_one(can, lambda: stepping_up.count_try(work()))
    return lambda: stepping_up.prove(work(), request.form.get(STEP_UP, ""), counted_at)


def _done(prove: Callable[[], None] | None, view: Any, args: Any, kwargs: Any) -> ResponseReturnValue:
    if prove is not None:
        prove()
    return cast("ResponseReturnValue", view(*args, **kwargs))


def _once_more(
    can: Can, refusal: Refusal, again: Callable[..., ResponseReturnValue], of_the_address: Mapping[str, Any]
) -> Response:
    typed = {name: text for name, text in request.form.items() if name not in SECRET}
    show = unwrap(again)  # the door was passed already
    answer = in_one(can, lambda: make_response(show(refusal=refusal, typed=typed, **of_the_address)))
    answer.status_code = int(refusal.kind)
    return answer
