"""The two steps by which any masked datum is shown: ask for the reason, then show it once, after fresh proof."""

from collections.abc import Callable
from dataclasses import dataclass

from flask import Response, request
from flask.typing import ResponseReturnValue

from api_schemas.archives import ReasonIn
from server.errors import NotFound, NotSignedIn, Refusal
from server.permissions import Can
from server.web import showing
from server.web.door import in_one
from server.web.forms import sent
from server.web.step_up import must_prove, proved_by_form


@dataclass(frozen=True, slots=True)
class Masked:
    """What is masked, as its form says it: `what` of `whose`; `mark` tells two forms on one page apart."""

    what: str
    whose: str
    mark: str
    action: str
    back: str


def asked(masked: Masked, refusal: Refusal | None = None) -> Response:
    """Show the form that asks for the reason; within the work of this request."""
    return showing.page(
        "reveal.html",
        what=masked.what,
        whose=masked.whose,
        mark=masked.mark,
        action=masked.action,
        refusal=refusal,
        reason=request.form.get("reason", ""),
        must_prove=must_prove(),
        is_part=is_part(),
    )


def shown(can: Can, look: Callable[[], Masked], reveal: Callable[[str], str | None]) -> ResponseReturnValue:
    """Show the datum, or the form again with what is wrong; `look` finds whose it is, `reveal` takes the reason."""
    masked = in_one(can, look)  # nobody proves themselves for what is not there
    try:
        reason = sent(ReasonIn, leave_out=("otp",))["reason"]
        proved_by_form(can)
        value = in_one(can, lambda: reveal(reason))
    except (NotSignedIn, NotFound):
        raise
    except Refusal as refusal:
        why = refusal
        answer = in_one(can, lambda: asked(masked, why))
        answer.status_code = int(why.kind)
        return answer
    return showing.page("revealed.html", what=masked.what, value=value, back=masked.back, is_part=is_part())


def is_part() -> bool:
    """Say whether htmx asks, which puts the answer into a page that is there."""
    return request.headers.get("HX-Request") == "true"
