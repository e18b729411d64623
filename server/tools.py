"""What the outside world lends to the house: time, ids and chance."""

import datetime as dt
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID
from zoneinfo import ZoneInfo

import uuid_utils

SHANGHAI = ZoneInfo("Asia/Shanghai")


def business_day(instant: dt.datetime) -> dt.date:
    """Give the calendar day of an instant where the work is done (Asia/Shanghai)."""
    return instant.astimezone(SHANGHAI).date()


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)  # noqa: TID251  (the one clock)


def _new_id() -> UUID:
    return UUID(bytes=uuid_utils.uuid7().bytes)


@dataclass(frozen=True)
class Tools:
    """Time, ids and chance; tests and the demo hand in their own.

    `clock` gives an aware instant; `new_id` a time-ordered UUID; `random_bytes(n)` unpredictable bytes.
    """

    clock: Callable[[], dt.datetime] = _now
    new_id: Callable[[], UUID] = _new_id
    random_bytes: Callable[[int], bytes] = secrets.token_bytes

    def now(self) -> dt.datetime:
        """Give this instant in UTC, in whole seconds as on the wire."""
        return self.clock().astimezone(dt.UTC).replace(microsecond=0)
