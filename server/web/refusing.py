"""Shows every refusal as a page that says what happened, that nothing was half-done, and what to do now."""

from flask import Response, redirect, request, url_for
from flask.typing import ResponseReturnValue

from server.accounts.signing_in import OtpRequired
from server.errors import Kind, NotAllowed, NotSignedIn, Refusal, TooLarge
from server.http.problems import refusal_of
from server.web import showing
from server.web.cookies import forget_session, session_token

WRITTEN = ("reason", "note", "notes", "description", "answer")
"""Fields of forms in which somebody writes sentences."""


class ForgedForm(NotAllowed):
    """A form was sent from another site's page, or by a browser that does not say from where; nothing was done."""

    title = "表单来源不明"
    detail = "这个操作不是从本系统的页面上提交的，没有执行。请从本系统的页面重新操作。"


def page_of(error: Exception) -> ResponseReturnValue:
    """Answer with a page of a refusal; whoever is not signed in and only looks is sent to sign in."""
    refusal = refusal_of(error)
    if isinstance(refusal, NotSignedIn) and not isinstance(refusal, OtpRequired):
        return _to_sign_in(refusal)
    answer = _shown(refusal)
    answer.status_code = int(refusal.kind)
    if refusal.retry_after is not None:
        answer.headers["Retry-After"] = str(refusal.retry_after)
    return answer


def _to_sign_in(refusal: Refusal) -> Response:
    if "HX-Request" in request.headers:  # a part of a page: the whole of it has to go
        answer = Response(status=int(Kind.UNAUTHENTICATED))
        answer.headers["HX-Redirect"] = url_for("web_signing.sign_in_page")
    elif request.method != "GET":
        answer = _shown(refusal)
        answer.status_code = int(Kind.UNAUTHENTICATED)
    else:
        # Only the path: a query may hold more than where somebody was.
        answer = redirect(url_for("web_signing.sign_in_page", next=request.path), 303)  # type: ignore[assignment]
    if session_token() is not None:
        forget_session(answer)
    return answer


def _shown(refusal: Refusal) -> Response:
    was_sending = request.method not in {"GET", "HEAD"}
    return showing.page("refused.html", refusal=refusal, was_sending=was_sending, typed=_typed(refusal))


def _typed(refusal: Refusal) -> str:
    """Give back the longer texts of a form that was refused, so that nobody writes them twice."""
    if request.method != "POST" or isinstance(refusal, (ForgedForm, TooLarge)):
        return ""
    return "\n\n".join(request.form.get(name, "") for name in WRITTEN if request.form.get(name))
