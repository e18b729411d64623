"""Lists in pages on the wire (CONTRACT §1), and the numbers that stand in a query."""

import re
from typing import Any

from marshmallow import fields
from marshmallow.exceptions import ValidationError

from api_schemas.wire import MESSAGES, Strict, Text

DEFAULT_LIMIT = 50
MOST = 200
LONGEST_CURSOR = 2000  # characters

_WHOLE = re.compile(r"-?[0-9]{1,18}")


class QueryWhole(fields.Field[int]):
    """A whole number from `least` to `most`, as plain digits in a query."""

    default_error_messages = MESSAGES

    def __init__(self, least: int, most: int, **options: Any) -> None:
        shown = {"type": "integer", "minimum": least, "maximum": most}
        super().__init__(**options | {"metadata": shown | dict(options.get("metadata", {}))})
        self.least = least
        self.most = most

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        del attr, data, kwargs
        if not isinstance(value, str) or not _WHOLE.fullmatch(value):
            raise ValidationError("应当是整数。")
        if not self.least <= int(value) <= self.most:
            raise ValidationError(f"应当在{self.least}至{self.most}之间。")
        return int(value)


class QueryYesNo(fields.Field[bool]):
    """`true` or `false` in a query, and nothing that merely looks like it."""

    default_error_messages = MESSAGES

    def __init__(self, **options: Any) -> None:
        super().__init__(**options | {"metadata": {"type": "boolean"} | dict(options.get("metadata", {}))})

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        del attr, data, kwargs
        if value not in {"true", "false"}:
            raise ValidationError("应当是 true 或 false。")
        return bool(value == "true")


class PageQuery(Strict):
    """Which page."""

    limit = QueryWhole(1, MOST, load_default=DEFAULT_LIMIT, metadata={"description": "每页条数"})
    cursor = Text(
        LONGEST_CURSOR, least=0, load_default=None, metadata={"description": "上一页给出的 next_cursor"}
    )
