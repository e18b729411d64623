"""Reads JSON bodies strictly: what stock parsers let through (NaN, lone surrogates, doubled names) is refused.

Bound into flask-smorest by `StrictParser`; errors name the field's path in words that its sender understands.
"""

import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Any, NoReturn

from flask import Request
from flask import request as flask_request
from marshmallow import RAISE, Schema, ValidationError
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import ClientDisconnected

from server.errors import Invalid, LengthRequired, NotJson, TooLarge, WrongType

MOST_BYTES = 256 * 1024
MOST_NESTING = 32
_SUSPECT = re.compile(rb"\\u(?:[dD][89a-fA-F]|0000)")


class _DoubledError(ValueError):
    pass


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise _DoubledError
    return made


def _constant(_name: str) -> NoReturn:
    raise Invalid("数字无效。", errors={"": ["不能填 NaN 或无穷大。"]})


def _depth(value: Any) -> int:
    deepest, layer = 0, [value]
    while layer:
        deepest += 1
        if deepest > MOST_NESTING:
            return deepest
        layer = [
            inner
            for outer in layer
            if isinstance(outer, (dict, list))
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, (dict, list))
        ]
    return deepest


def _texts_are_sound(value: Any) -> bool:
    if isinstance(value, str):
        return "\x00" not in value and not any("\ud800" <= char <= "\udfff" for char in value)
    if isinstance(value, dict):
        return all(_texts_are_sound(key) and _texts_are_sound(inner) for key, inner in value.items())
    if isinstance(value, list):
        return all(_texts_are_sound(inner) for inner in value)
    return True


def read_json(request: Request) -> Any:
    """Read the body as JSON of at most 256 KiB and 32 levels, or refuse it in the right words."""
    if request.content_length is None:
        if request.environ.get("HTTP_TRANSFER_ENCODING"):
            raise LengthRequired
        raise NotJson("请求没有内容，请更新小程序后再试。")
    if request.content_length > MOST_BYTES:
        raise TooLarge("提交的内容超过 256 KB，请减少文字后再试。")
    try:
        raw = request.get_data(cache=True)  # kept, as a transaction that is tried again reads it again
    except ClientDisconnected:
        raise NotJson("内容没有传完整，请在信号好的地方重新提交。") from None
    if raw.strip() and not request.is_json:
        raise WrongType("请以 application/json 提交。")
    return parse_json(raw)


def parse_json(raw: bytes) -> Any:
    """Parse JSON bytes strictly; `Invalid` for what is JSON in form but not in sense."""
    try:
        text = raw.decode("utf-8")
        value = json.loads(text, object_pairs_hook=_object, parse_constant=_constant)
    except _DoubledError:
        raise Invalid("同一项内容出现了两次。", errors={"": ["同一个名称出现了两次。"]}) from None
    except RecursionError:
        raise Invalid("内容嵌套太深。", errors={"": ["嵌套超过 32 层。"]}) from None
    except (ValueError, UnicodeDecodeError):
        raise NotJson from None
    if raw.count(b"[") + raw.count(b"{") > MOST_NESTING and _depth(value) > MOST_NESTING:
        raise Invalid("内容嵌套太深。", errors={"": ["嵌套超过 32 层。"]})
    if _SUSPECT.search(raw) and not _texts_are_sound(value):
        raise Invalid("文字中有无法保存的字符。", errors={"": ["文字中有无法保存的字符。"]})
    return value


def flat(messages: Any, path: str = "") -> dict[str, list[str]]:
    """Flatten marshmallow's nested messages to field paths: `problems.0.code` → sentences."""
    if isinstance(messages, Mapping):
        found: dict[str, list[str]] = {}
        for key, inner in messages.items():
            step = "" if key == "_schema" else str(key)
            found |= flat(inner, ".".join(part for part in (path, step) if part))
        return found
    if isinstance(messages, (list, tuple)):
        return {path: [str(message) for message in messages]}
    return {path: [str(messages)]}


@cache
def _made(schema: type[Schema]) -> Schema:
    return schema()


class StrictParser(FlaskParser):
    """Binds bodies and queries for flask-smorest; unknown names are refused, so that a typing error is seen."""

    DEFAULT_UNKNOWN_BY_LOCATION = {  # noqa: RUF012  (webargs' own shape)
        "json": RAISE,
        "query": RAISE,
        "query_and_headers": RAISE,
        "form": RAISE,
        "files": RAISE,
    }

    def parse(
        self, argmap: Any, req: Request | None = None, *, location: str | None = None, **options: Any
    ) -> Any:
        """Bind one location; its schema is made once, not anew for every request, as it keeps nothing of one."""
        schema = _made(argmap) if isinstance(argmap, type) else argmap
        asked = req or flask_request
        # The two that nearly every request takes, without the machinery for the others.
        if location == "json":
            return self._checked(schema, self.load_json(asked, schema))
        if location == "query" and not asked.query_string:
            return self._checked(schema, {})
        return super().parse(schema, asked, location=location, **options)

    def _checked(self, schema: Schema, value: Mapping[str, Any]) -> Any:
        try:
            return schema.load(value, unknown=RAISE)
        except ValidationError as error:
            self.handle_error(error, flask_request, schema, error_status_code=None, error_headers=None)

    def load_json(self, req: Request, schema: Schema) -> Any:
        """Read the body of a request for its schema."""
        del schema
        value = read_json(req)
        if not isinstance(value, dict):
            raise Invalid("提交的内容应当是一个对象。", errors={"": ["应当是一个对象（{…}）。"]})
        return value

    def handle_error(
        self,
        error: ValidationError,
        req: Request,
        schema: Schema,
        *,
        error_status_code: int | None,
        error_headers: Mapping[str, str] | None,
    ) -> NoReturn:
        """Turn a schema's complaint into a problem that names each field."""
        del req, schema, error_status_code, error_headers
        messages: Any = error.messages
        for location in ("json", "query", "form", "files"):
            if isinstance(messages, dict) and set(messages) == {location}:
                messages = messages[location]
        raise Invalid(errors=flat(messages)) from None
