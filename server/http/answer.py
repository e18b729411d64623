"""Writes answers as JSON: instants with +08:00, dates, ids and money as strings.

Views answer with plain dicts; the schemas that they name describe them in the OpenAPI file, and tests hold the two
together. Dumping every row through a schema would cost more than the whole rest of a request.
"""

import datetime as dt
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import orjson
from flask import Response

from server.tools import SHANGHAI


def wire_instant(instant: dt.datetime) -> str:
    """Write an instant as the wire has it: RFC 3339, whole seconds, +08:00."""
    return instant.astimezone(SHANGHAI).isoformat(timespec="seconds")


def _plain(value: object) -> str:
    write = _WRITERS.get(type(value))
    if write is None:
        raise TypeError(type(value).__name__)
    return write(value)


_WRITERS: Mapping[type, Callable[[Any], str]] = {
    dt.datetime: wire_instant,
    dt.date: dt.date.isoformat,
    Decimal: "{:.2f}".format,
}
"""What writes each type that JSON does not know, looked up once a value; a page has some hundreds of them."""
_OURS = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS
"""Instants are written as the wire has them, and nothing goes out that no view has put into plain words."""


def wire_json(data: Any) -> bytes:
    """Write data as JSON in UTF-8, as short as it goes."""
    return orjson.dumps(data, _plain, _OURS)


def answer(data: Any, status: int = 200) -> Response:
    """Answer with JSON."""
    return Response(wire_json(data), status=status, content_type="application/json")


def nothing() -> Response:
    """Answer that it is done and there is nothing to tell."""
    return Response(status=204)
