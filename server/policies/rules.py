"""What a policy number may be: the unit says the type and the bounds."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from server.errors import Invalid
from server.policies.terms import PolicyNumber

BOUNDS: Mapping[str, tuple[int, int]] = {
    "second": (0, 3600),
    "minute": (0, 1440),
    "hour": (1, 2160),
    "day": (1, 3660),
    "piece": (0, 100),
    "metre": (1, 100_000),
    "year": (1, 100),
    "times": (1, 10_000),
    "percent": (0, 100),
    "character": (1, 4000),
    "km_per_hour": (1, 1000),
}
"""The least and the most of each unit: beyond them a number is a typing error, whatever a county decides."""


def checked_value(number: PolicyNumber, value: Any) -> Any:
    """Give the value as it is stored; refuse one that is not of the number's unit.

    A date is `YYYY-MM-DD`, a yes or no a truth value (stored as 1 or 0), everything else a whole number.
    """
    if number.unit == "yes_no":
        if not isinstance(value, bool):
            raise Invalid(errors={"value": ["应当是 true 或 false。"]})
        return int(value)
    if number.unit == "date":
        try:
            return dt.date.fromisoformat(value).isoformat()
        except (TypeError, ValueError):
            raise Invalid(errors={"value": ["日期应当像 2026-03-05。"]}) from None
    least, most = BOUNDS[number.unit]
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise Invalid(errors={"value": [f"应当是{least}至{most}之间的整数。"]})
    return value


def shown_value(number: PolicyNumber, value: Any) -> Any:
    """Give a stored value as the wire shows it: a yes or no as a truth value."""
    return bool(value) if number.unit == "yes_no" else value
