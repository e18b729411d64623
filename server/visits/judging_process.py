"""Judging as a process of its own: a visit has its findings about a second after what changed was committed.

However many of these run, one judges at a time; one that ends in the middle of a batch leaves the batch to the next.
"""

import threading

import structlog
from sqlalchemy.exc import DBAPIError

from server.db import unit_of_work
from server.http.parts import Parts
from server.visits.judging import work_off

_log = structlog.get_logger()


def judge_until(stop: threading.Event, house: Parts, every: float | None) -> int:
    """Judge what waits, a batch a transaction, every so many seconds until `stop` is set; once without `every`.

    While something waits, the next batch follows at once. A database that is away for a while is tried again.
    """
    judged = 0
    while not stop.is_set():
        done = 0
        try:
            with unit_of_work(house.sessions) as session:
                work = house.work(session)
                done = work_off(work)
                work.close()
        except DBAPIError as away:
            if every is None:
                raise
            _log.warning("judging_failed", kind=type(away).__name__)
        judged += done
        if done == 0:
            if every is None:
                break
            stop.wait(every)
    return judged
