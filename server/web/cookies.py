"""The two cookies of the pages: whose session it is, and how large the reader wants the text (docs/adr/0010)."""

from flask import Response, request

from server.accounts.signing_in import SignedIn

SESSION = "__Host-session"
"""A browser sends a cookie of this name back only to the host that set it, over TLS or on the machine itself."""
LARGE_TEXT = "large-text"
TEXT_KEPT_S = 365 * 24 * 3600


def session_token() -> str | None:
    """Give the token of the session cookie; None when there is none."""
    return request.cookies.get(SESSION)


def keep_session(answer: Response, signed_in: SignedIn) -> None:
    """Let the browser keep the session until its window is closed; the server ends it earlier (TRUST §2)."""
    answer.set_cookie(SESSION, signed_in.token, path="/", secure=True, httponly=True, samesite="Strict")


def forget_session(answer: Response) -> None:
    """Let the browser forget the session."""
    answer.delete_cookie(SESSION, path="/", secure=True, httponly=True, samesite="Strict")


def wants_large_text() -> bool:
    """Say whether the reader asked for large text (长辈版)."""
    return request.cookies.get(LARGE_TEXT) == "1"


def keep_text_size(answer: Response, *, large: bool) -> None:
    """Remember on this machine how large the text shall be."""
    answer.set_cookie(
        LARGE_TEXT,
        "1" if large else "0",
        path="/web",
        max_age=TEXT_KEPT_S,
        httponly=True,
        secure=True,
        samesite="Strict",
    )
