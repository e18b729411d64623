"""Shows pages: one set of headers for all of them, and what every page needs to know of its reader."""

import datetime as dt
import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from flask import Flask, Response, g, make_response, render_template, request

from server.evidence.terms import FindingCode, FindingSeverity
from server.http.parts import parts
from server.people.terms import Category
from server.permissions import Actor
from server.problems.terms import Severity
from server.terms import Term
from server.tools import SHANGHAI
from server.visits.terms import Conclusion, DerivedProblem, Method, Outcome, VisitState
from server.web.cookies import wants_large_text
from server.web.field_names import field_of

OURS = re.compile(r"/web(/[A-Za-z0-9_-]+)*/?(\?[A-Za-z0-9_=&%.:+-]*)?\Z")
"""Addresses that a sign-in or a change of the text may lead back to: pages of ours."""
HERE = Path(__file__).parent
STATIC = HERE / "static"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""No script, style or picture but our own files; `data:` is for the marks within the style sheet."""
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": POLICY,
    # `no-referrer` would make browsers send forms with `Origin: null`.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}


def page(template: str, **values: Any) -> Response:
    """Show a page, or for htmx the part that the template makes of it."""
    answer = make_response(render_template(f"web/{template}", **values))
    answer.headers.update(HEADERS)
    if tiles := parts().settings.map_tiles_url:
        answer.headers["Content-Security-Policy"] = policy_with(tiles)
    return answer


@cache
def policy_with(tiles_url: str) -> str:
    """Give the policy that also lets in pictures from where the tiles of maps are."""
    origin = "://".join(urlsplit(tiles_url)[:2])
    return POLICY.replace("img-src 'self' data:", f"img-src 'self' data: {origin}")


def reader() -> Actor | None:
    """Give who is signed in, as far as this request has found out."""
    work = g.get("work")
    return work.signed_in if work is not None else None


def file_url(name: str) -> str:
    """Give the address of a file of ours, with its digest, so that a browser may keep it for ever."""
    return f"/web/static/{name}?v={digest_of(name)}"


@cache
def digest_of(name: str) -> str:
    """Give the first letters of a file's SHA-256."""
    return hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]


def label(value: Any, vocabulary: type[Term] | None = None) -> str:
    """Write a word as people read it; None and what is not a word any more as it is."""
    if value is None:
        return "—"
    if isinstance(value, Term):
        return value.label
    if vocabulary is not None:
        return next((member.label for member in vocabulary if member.value == value), str(value))
    return str(value)


def moment(value: dt.datetime | str | None) -> str:
    """Write an instant as the day and minute where the work is done."""
    if value is None:
        return "—"
    instant = dt.datetime.fromisoformat(value) if isinstance(value, str) else value
    return instant.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")


def until(value: dt.datetime | str | None, begin: dt.datetime | str) -> str:
    """Write the end of a span; of one that ends on the day on which it began, the time alone."""
    end, began = moment(value), moment(begin)
    return end[11:] if end[:10] == began[:10] else end


def day(value: dt.date | str | None) -> str:
    """Write a day."""
    if value is None:
        return "—"
    return value if isinstance(value, str) else value.strftime("%Y-%m-%d")


def problem(code: str) -> str:
    """Name a problem: by its word where it follows from the record, else by the code that the phone gave it."""
    return label(code, DerivedProblem)


def money(value: Decimal | None) -> str:
    """Write an amount in yuan."""
    return "—" if value is None else f"{value:.2f} 元"


def duration(seconds: float) -> str:
    """Write a span of time in the largest unit that says enough."""
    minutes = round(abs(seconds) / 60)
    if minutes < 60:  # noqa: PLR2004
        return f"{minutes} 分钟"
    hours = minutes / 60
    return f"{hours:.1f} 小时" if hours < 48 else f"{round(hours / 24)} 天"  # noqa: PLR2004


WORDS = {
    vocabulary.__name__: vocabulary
    for vocabulary in (
        *(Outcome, Conclusion, VisitState, Method, Severity, Category),
        *(FindingCode, FindingSeverity),
    )
}
"""Vocabularies of words that come to a page as plain text, by the name under which templates know them."""

FILTERS: Mapping[str, Callable[..., Any]] = {
    "label": label,
    "field_of": field_of,
    "moment": moment,
    "until": until,
    "day": day,
    "money": money,
    "problem": problem,
    "duration": duration,
    "uuid": UUID,
}


def install(app: Flask, entries: Sequence[Any]) -> None:
    """Give the templates of an application our filters, and what each page says of its reader."""
    app.jinja_env.filters.update(FILTERS)

    def context() -> dict[str, Any]:
        if request.blueprint is None or not request.blueprint.startswith("web_"):
            return {}
        actor = reader()
        return {
            "actor": actor,
            "entries": [one for one in entries if actor is not None and one.is_for(actor)],
            "large": wants_large_text(),
            "here": request.blueprint,
            "file_url": file_url,
            "words": WORDS,
        }

    app.context_processor(context)
