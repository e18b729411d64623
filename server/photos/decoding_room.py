"""Keeps the memory of decoding bounded, whatever arrives at once: few light pictures a process, one heavy one a host.

A heavy picture may take 430 MB. Two of them in two processes would pass what a modest server can spare, so the right to
decode one is a lock that every process of this installation on the host shares, and that the system takes back from a
process that dies.
"""

import ctypes
import fcntl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LIGHT_AT_ONCE = 4
"""Light pictures examined at once in a process; more would not be quicker, but would hold more memory."""
DRAWN_AT_ONCE = 2
"""Pictures drawn small at once in a process, which holds some 30 MB for each from the first row to the last byte."""

light = threading.BoundedSemaphore(LIGHT_AT_ONCE)
drawn = threading.BoundedSemaphore(DRAWN_AT_ONCE)


@contextmanager
def alone_on_this_host() -> Iterator[None]:
    """Wait until no other process of this installation decodes a heavy picture."""
    # The lock is on this file itself: every process has it, nothing is left behind, and it may be read-only.
    with Path(__file__).open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
        _give_back()


def _give_back() -> None:
    """Return the memory of a heavy picture to the system before the next one begins, in whatever process (glibc)."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
