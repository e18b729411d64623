"""A clock that stands still until a test moves it."""

import datetime as dt


class Clock:
    """Call it for the instant; `move` and `set` change it."""

    def __init__(self, instant: dt.datetime) -> None:
        self.instant = instant

    def __call__(self) -> dt.datetime:
        return self.instant

    def move(self, **by: float) -> dt.datetime:
        """Move the clock by days, hours, minutes…"""
        self.instant += dt.timedelta(**by)
        return self.instant

    def set(self, text: str) -> dt.datetime:
        """Set the clock to an instant written as RFC 3339."""
        self.instant = dt.datetime.fromisoformat(text)
        return self.instant
