"""Reads the forms of pages through the schemas of the API, so that both refuse the same."""

from collections.abc import Collection, Mapping
from functools import cache
from typing import Any

from flask import request
from marshmallow import RAISE, Schema, ValidationError
from werkzeug.exceptions import RequestEntityTooLarge

from server.errors import Invalid, TooLarge
from server.http.body import MOST_BYTES, flat

MOST_FIELDS = 1000
STEP_UP = "step_up"
"""The field of a one-time code that confirms a deed; the door reads it, no schema does."""


@cache
def _made(schema: type[Schema]) -> Schema:
    return schema()


def take_in() -> None:
    """Read the form of this request, within what a form may hold."""
    request.max_content_length = MOST_BYTES
    request.max_form_memory_size = MOST_BYTES
    request.max_form_parts = MOST_FIELDS
    try:
        len(request.form)
    except RequestEntityTooLarge:
        raise TooLarge("填写的内容超过 256 KB，请减少文字后再提交。") from None


def sent(
    schema: type[Schema],
    *,
    lists: Collection[str] = (),
    numbers: Collection[str] = (),
    leave_out: Collection[str] = (),
) -> Any:
    """Load the form of this request; an empty field counts as left out.

    `lists` may come several times, `numbers` become whole numbers; what cannot stays, for the schema to refuse. `leave_out`
    are fields of the page's own.
    """
    return _loaded(schema, request.form, lists, numbers, {STEP_UP, *leave_out})


def asked(schema: type[Schema], *, numbers: Collection[str] = ()) -> Any:
    """Load the query of this request as `sent` does a form; ours own names, such as `done`, are left out."""
    return _loaded(schema, request.args, (), numbers, leave_out=frozenset({"done"}))


def _loaded(
    schema: type[Schema],
    given: Any,
    lists: Collection[str],
    numbers: Collection[str],
    leave_out: Collection[str] = (),
) -> Any:
    values: dict[str, Any] = {}
    for name, several in given.lists():
        texts = [one.replace("\r\n", "\n") for one in several if one]
        if name in leave_out or not texts:
            continue
        if name in lists:
            values[name] = texts
        else:
            values[name] = whole(texts) if name in numbers else texts[0] if len(texts) == 1 else texts
    return fitted(schema, values)


def fitted(schema: type[Schema], values: Mapping[str, Any]) -> Any:
    """Load what a page has put together from its form."""
    try:
        return _made(schema).load(values, unknown=RAISE)
    except ValidationError as error:
        raise Invalid(errors=flat(error.messages)) from None


def whole(texts: list[str]) -> Any:
    """Give a single text of digits as a number, and anything else as it is, for a schema to refuse."""
    if len(texts) == 1 and texts[0].isascii() and texts[0].isdecimal() and len(texts[0]) < 10:  # noqa: PLR2004
        return int(texts[0])
    return texts if len(texts) > 1 else texts[0]
