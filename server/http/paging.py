"""Lists in pages: an opaque cursor that names the last row seen, so that a deep page costs what the first does."""

import base64
import json
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from server.errors import Invalid

Row = TypeVar("Row")
DEFAULT_LIMIT = 50
MOST = 200


def encode(position: Sequence[Any]) -> str:
    """Write the sort key of the last row as an opaque cursor."""
    raw = json.dumps(list(position), separators=(",", ":"), default=str)
    return base64.urlsafe_b64encode(raw.encode()).decode().rstrip("=")


def decode(cursor: str | None, shapes: Sequence[Callable[[Any], Any]]) -> list[Any] | None:
    """Read a cursor back; each part must fit its shape, or the cursor is refused."""
    if not cursor:
        return None
    try:
        raw = base64.urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
        parts = json.loads(raw)
        if not isinstance(parts, list) or len(parts) != len(shapes):
            raise ValueError  # noqa: TRY301
        return [shape(part) for shape, part in zip(shapes, parts, strict=True)]
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError, UnicodeError):
        raise Invalid("翻页标记无效，请从第一页重新打开。", errors={"cursor": ["翻页标记无效。"]}) from None


def page(
    rows: Sequence[Row], limit: int, position: Callable[[Row], Sequence[Any]]
) -> tuple[list[Row], str | None]:
    """Cut `limit + 1` fetched rows to a page and the cursor behind it."""
    kept = list(rows[:limit])
    return kept, encode(position(kept[-1])) if len(rows) > limit else None
