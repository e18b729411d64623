"""How many may wait for a store at once, so that one that does not answer holds up nobody else."""

import threading
import time
from collections.abc import Callable

from server.errors import Unavailable

SLOW = 2.0
"""Seconds after which a request holds others up; also how long somebody stands in line for a seat."""

LOOK_AGAIN = 0.1


class Seat:
    """A place to wait for one answer of the store in; given back once."""

    def __init__(self, room: "WaitingRoom") -> None:
        self._room = room
        self.since = room.clock()

    def well(self) -> None:
        """Give the seat back: the store answered."""
        self._room.leave(self)

    def failed(self) -> None:
        """Give the seat back: the store did not do what it was asked."""
        self._room.leave(self, in_vain=True)


class WaitingRoom:
    """Seats for requests that wait for the store; whoever finds none is refused (503) in two seconds.

    Threads are what a store that hangs takes from everybody. While one request has waited long, nobody stands in line;
    after one that waited long in vain, a single request at a time is let in, until one comes back well.
    """

    def __init__(self, seats: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._seats = seats
        self._taken: list[Seat] = []
        self._suffering = False
        self._changed = threading.Condition()

    def seat(self) -> Seat:
        """Take a seat; Unavailable when there is none."""
        with self._changed:
            until = self.clock() + SLOW
            while not self._has_room():
                if self._is_slow() or self.clock() >= until:
                    raise Unavailable
                self._changed.wait(LOOK_AGAIN)
            taken = Seat(self)
            self._taken.append(taken)
            return taken

    def leave(self, seat: Seat, *, in_vain: bool = False) -> None:
        """Take a seat back. A quick refusal says nothing about the store's health, a long wait in vain does."""
        with self._changed:
            if seat not in self._taken:
                return
            self._taken.remove(seat)
            if not in_vain:
                self._suffering = False
            elif self.clock() - seat.since > SLOW:
                self._suffering = True
            self._changed.notify()

    def _has_room(self) -> bool:
        return len(self._taken) < (1 if self._suffering else self._seats)

    def _is_slow(self) -> bool:
        return self._suffering or any(self.clock() - seat.since > SLOW for seat in self._taken)
