"""Reading the answers of a sign-in provider, which are taken for what they say only when they have the right shape."""

from collections.abc import Mapping
from typing import Any

from server.accounts.provider_calls import NoAnswer

LONGEST_CODE = 128
LONGEST_LIFE = 7200


def is_printable(text: str, most: int) -> bool:
    """Say whether a text has 1 to `most` characters, all of them printable ASCII."""
    return 0 < len(text) <= most and text.isascii() and text.isprintable()


def text_of(answer: Mapping[str, Any], name: str, most: int = 128) -> str | None:
    """Give a member that is a printable ASCII text, None when it is absent; raises NoAnswer for any other shape."""
    text = answer.get(name)
    if text is None or text == "":
        return None
    if not isinstance(text, str) or not is_printable(text, most):
        raise NoAnswer("odd_answer")
    return text


def errcode_of(answer: Mapping[str, Any]) -> int:
    """Give the error code of an answer, 0 when there is none; raises NoAnswer when it is no whole number."""
    errcode = answer.get("errcode", 0)
    if not isinstance(errcode, int) or isinstance(errcode, bool):
        raise NoAnswer("odd_answer")
    return errcode


def life_of(answer: Mapping[str, Any]) -> int:
    """Give how long a token lives, in seconds from 1 to 7200; raises NoAnswer when that is not told."""
    seconds = answer.get("expires_in")
    if not isinstance(seconds, int) or isinstance(seconds, bool) or seconds < 1:
        raise NoAnswer("odd_answer")
    return min(seconds, LONGEST_LIFE)
