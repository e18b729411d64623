"""Writes answers as JSON: instants with +08:00, dates, ids and money as strings.

Views answer with plain dicts; the schemas that they name describe them in the OpenAPI file, and tests hold the two
together. Dumping every row through a schema would cost more than the whole rest of a request.
"""

import datetime as dt
import json
from decimal import Decimal
from typing import Any
from uuid import UUID

from flask import Response

from server.tools import SHANGHAI


def wire_instant(instant: dt.datetime) -> str:
    """Write an instant as the wire has it: RFC 3339, whole seconds, +08:00."""
    return instant.astimezone(SHANGHAI).isoformat(timespec="seconds")


def _plain(value: object) -> str:
    if isinstance(value, dt.datetime):
        return wire_instant(value)
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, Decimal):
        return f"{value:.2f}"
    raise TypeError(type(value).__name__)


def wire_json(data: Any) -> str:
    """Write data as JSON in UTF-8, as short as it goes."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"), default=_plain)


def answer(data: Any, status: int = 200) -> Response:
    """Answer with JSON."""
    return Response(wire_json(data), status=status, content_type="application/json")


def nothing() -> Response:
    """Answer that it is done and there is nothing to tell."""
    return Response(status=204)
