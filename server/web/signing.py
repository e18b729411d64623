"""Signing in with password and one-time code, signing out, and the size of the text (TRUST §2 "Sign-in")."""

from typing import cast
from urllib.parse import urlsplit

from flask import Response, redirect, request, url_for
from flask.typing import ResponseReturnValue

from api_schemas.accounts import PasswordIn
from server.accounts import signing_in
from server.accounts.routes import open_by_password
from server.errors import NotSignedIn, Refusal
from server.http.guard import work
from server.permissions import Can
from server.web import showing
from server.web.cookies import forget_session, keep_session, keep_text_size, session_token
from server.web.door import shows
from server.web.features import feature
from server.web.forms import sent

blueprint = feature("signing")


@blueprint.get("/sign-in")
@shows(Can.ANYONE, own_transactions=True)
def sign_in_page() -> ResponseReturnValue:
    """Ask for user name, password and one-time code."""
    return _asked(request.args.get("next"))


@blueprint.post("/sign-in")
@shows(Can.ANYONE, own_transactions=True)
def sign_in() -> ResponseReturnValue:
    """Open a session in this browser and lead to where its owner wanted to go."""
    following = request.args.get("next")
    try:
        typed = sent(PasswordIn)
        signed_in = open_by_password(typed["username"], typed["password"], typed["otp"], must_have_otp=True)
    except Refusal as refusal:
        answer = _asked(following, refusal, request.form.get("username", "")[:64])
        answer.status_code = int(refusal.kind)
        return answer
    answer = _to(back_to(following))
    keep_session(answer, signed_in)
    return answer


@blueprint.post("/sign-out")
@shows(Can.SIGNED_IN)
def sign_out() -> ResponseReturnValue:
    """End the session; its token is dead at once, here and wherever else it may be."""
    token = session_token()
    if token is None:
        raise NotSignedIn
    signing_in.sign_out(work(), token)
    answer = _to(url_for("web_signing.sign_in_page"))
    forget_session(answer)
    # What the browser kept of the pages goes too: the next at this machine may be somebody else.
    answer.headers["Clear-Site-Data"] = '"cache", "storage"'
    return answer


@blueprint.post("/text-size")
@shows(Can.ANYONE, own_transactions=True)
def text_size() -> ResponseReturnValue:
    """Change between usual and large text (长辈版), and lead back."""
    answer = _to(back_to(_with_its_query(request.form.get("back"))))
    keep_text_size(answer, large=request.form.get("large") == "1")
    return answer


def _with_its_query(address: str | None) -> str | None:
    """Give the address of the page on which a form stood as the browser tells it: with what it was asked for."""
    before = urlsplit(request.referrer or "")
    is_that_page = before.netloc == urlsplit(request.host_url).netloc and before.path == address
    return f"{address}?{before.query}" if is_that_page and before.query else address


def back_to(address: str | None) -> str:
    """Give an address of ours as it is, and the first page for any other."""
    return address if address is not None and showing.OURS.match(address) else url_for("web_home.home")


def _asked(following: str | None, refusal: Refusal | None = None, username: str = "") -> Response:
    return showing.page(
        "sign_in.html",
        following=following if following and showing.OURS.match(following) else None,
        refusal=refusal,
        username=username,
    )


def _to(address: str) -> Response:
    return cast("Response", redirect(address, 303))
