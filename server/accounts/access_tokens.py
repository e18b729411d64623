"""The access token of a provider: fetched by one thread for all, kept in memory until shortly before its end."""

import datetime as dt
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from server.accounts.provider_calls import Deadline, NoAnswer

Fetch = Callable[[bool, Deadline], tuple[str, int]]


@dataclass(frozen=True, slots=True)
class _Held:
    token: str = field(repr=False)
    until: dt.datetime


class AccessTokens:
    """The token that calls to a provider carry.

    `fetch(forced, deadline)` asks the provider and returns a token and the seconds that it lives; `margin` is how
    long before its end a token is no longer used; `clock` gives aware instants.
    """

    def __init__(self, fetch: Fetch, clock: Callable[[], dt.datetime], margin: dt.timedelta) -> None:
        self._fetch = fetch
        self._clock = clock
        self._margin = margin
        self._lock = threading.Lock()
        self._held: _Held | None = None

    def current(self, deadline: Deadline) -> str:
        """Give the token, fetching one if there is none; of many callers at once, one asks and the others wait."""
        held = self._held
        if held is not None and self._clock() < held.until:
            return held.token
        with _waited(self._lock, deadline):
            held = self._held
            if held is not None and self._clock() < held.until:
                return held.token
            return self._keep(*self._fetch(False, deadline))  # noqa: FBT003

    def instead_of(self, refused: str, deadline: Deadline) -> str:
        """Give another token than the one that the provider just refused.

        It is asked for in the ordinary way first: another process may have renewed it already, and forcing would
        make that one's token worthless in turn (WeChat allows 20 forced refreshes a day). Only when the very token
        that was refused comes back is a new one forced.
        """
        with _waited(self._lock, deadline):
            if self._held is not None and self._held.token != refused:
                return self._held.token
            self._held = None
            token, lives = self._fetch(False, deadline)  # noqa: FBT003
            if token == refused:
                token, lives = self._fetch(True, deadline)  # noqa: FBT003
            return self._keep(token, lives)

    def _keep(self, token: str, lives: int) -> str:
        whole = dt.timedelta(seconds=lives)
        self._held = _Held(token, self._clock() + whole - min(self._margin, whole / 2))
        return token


class _waited:  # noqa: N801  (reads as a word in `with`)
    def __init__(self, lock: threading.Lock, deadline: Deadline) -> None:
        self._lock = lock
        self._deadline = deadline

    def __enter__(self) -> None:
        if not self._lock.acquire(timeout=self._deadline.left()):
            raise NoAnswer("timed_out")

    def __exit__(self, *_: object) -> None:
        self._lock.release()
