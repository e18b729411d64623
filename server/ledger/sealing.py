"""The sealer as a process of its own: every event has its position about a second after its commit (docs/adr/0005).

However many of these run, and whatever else seals, each event gets one position; one that ends in the middle of a
batch leaves the batch to the next.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import structlog
from sqlalchemy.exc import DBAPIError

from server.db import Sessions, unit_of_work
from server.ledger import sealer

_log = structlog.get_logger()


def seal_until(stop: threading.Event, sessions: Sessions, every: float) -> int:
    """Seal every so many seconds until `stop` is set, a batch a transaction; returns how many events were sealed.

    While more than a batch waits, the next follows at once. A database that is away for a while is tried again.
    """
    sealed = 0
    while not stop.is_set():
        done = 0
        try:
            with unit_of_work(sessions) as session:
                done = sealer.seal(session, most=sealer.BATCH)
        except DBAPIError as away:
            _log.warning("sealing_failed", kind=type(away).__name__)
        sealed += done
        if done < sealer.BATCH:
            stop.wait(every)
    return sealed


@contextmanager
def asked_to_stop() -> Iterator[threading.Event]:
    """Give an event that SIGTERM or SIGINT sets, so that what was begun is finished first."""
    stop = threading.Event()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    before = {one: signal.signal(one, on_signal) for one in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
