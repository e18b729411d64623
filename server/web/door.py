"""The door of every page: no forged form, who is it by their cookie, may they, and one transaction with one fate."""

from collections.abc import Callable, Mapping
from functools import wraps
from inspect import unwrap
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

from flask import Response, make_response, request
from flask.typing import ResponseReturnValue

from server.accounts.signing_in import OtpRequired
from server.errors import NotFound, NotSignedIn, Refusal
from server.http.guard import in_one_look, in_one_transaction, work
from server.http.parts import parts
from server.permissions import Can
from server.web.cookies import session_token
from server.web.forms import take_in
from server.web.refusing import ForgedForm

Answer = TypeVar("Answer")
View = TypeVar("View", bound=Callable[..., ResponseReturnValue])
SAFE = frozenset({"GET", "HEAD"})
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
) -> Callable[[View], View]:
    """Declare what a page needs.

    `again` shows the page on which a refused form stood once more, with the refusal and what was typed, in a new
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
                return in_one(can, lambda: make_response(view(*args, **kwargs)))
            except Refusal as refusal:
                if again is None or isinstance(refusal, ANSWERED_ELSEWHERE):
                    raise
                return _once_more(can, refusal, again, kwargs)

        guarded.__dict__["needs"] = can
        return cast("View", guarded)

    return decorate


def in_one(can: Can, act: Callable[[], Answer]) -> Answer:
    """Run `act` for the worker whose browser this is: one look for a page, one transaction for a form."""

    def at_browser() -> Answer:
        if can is not Can.ANYONE and not work().actor.at_browser:
            raise NotSignedIn  # a phone's token in a cookie is not how phones sign in
        return act()

    run = in_one_look if request.method in SAFE else in_one_transaction
    return run(can, at_browser, token=session_token)


def _once_more(
    can: Can, refusal: Refusal, again: Callable[..., ResponseReturnValue], of_the_address: Mapping[str, Any]
) -> Response:
    typed = request.form.to_dict()
    show = unwrap(again)  # the door was passed already
    answer = in_one(can, lambda: make_response(show(refusal=refusal, typed=typed, **of_the_address)))
    answer.status_code = int(refusal.kind)
    return answer
