"""A store that hangs holds up a few requests and no more; one that is well is waited for in turn."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from server.errors import Unavailable
from server.storage.waiting import SLOW, Seat, WaitingRoom


class Watch:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def room(watch: Watch) -> WaitingRoom:
    return WaitingRoom(3, watch)


def test_while_one_has_waited_long_nobody_stands_in_line(room: WaitingRoom, watch: Watch) -> None:
    for _ in range(3):
        room.seat()
    watch.now = SLOW + 0.1
    with pytest.raises(Unavailable):
        room.seat()


def test_a_line_ends_in_time(room: WaitingRoom, watch: Watch) -> None:
    for at in (0.0, 1.0, 1.0):
        watch.now = at
        room.seat()

    def wait_for(seat: threading.Event) -> None:
        with pytest.raises(Unavailable):
            room.seat()
        seat.set()

    refused = threading.Event()
    waiting = threading.Thread(target=wait_for, args=(refused,))
    waiting.start()
    assert not refused.is_set()
    watch.now = 5.0
    waiting.join(5)
    assert refused.is_set()


def test_after_waiting_long_in_vain_one_at_a_time_is_let_in_until_it_comes_back_well(
    room: WaitingRoom, watch: Watch
) -> None:
    seats = [room.seat() for _ in range(3)]
    watch.now = 8.0
    for one in seats:
        one.failed()
    trying = room.seat()
    with pytest.raises(Unavailable):
        room.seat()
    trying.failed()  # it was refused at once this time, which does not make the store well
    trying = room.seat()
    with pytest.raises(Unavailable):
        room.seat()
    trying.well()
    assert [room.seat() for _ in range(3)]


def test_a_store_that_refuses_quickly_holds_up_nobody(room: WaitingRoom) -> None:
    room.seat().failed()
    assert [room.seat() for _ in range(3)]


def test_a_seat_is_given_back_once(room: WaitingRoom, watch: Watch) -> None:
    seat = room.seat()
    seat.well()
    watch.now = 9.0
    seat.failed()
    assert [room.seat() for _ in range(3)]


def test_whoever_stands_in_line_gets_the_seat_that_is_given_back() -> None:
    room = WaitingRoom(2)
    most, here, lock = [0], [0], threading.Lock()

    def work(_: int) -> None:
        seat: Seat = room.seat()
        with lock:
            here[0] += 1
            most[0] = max(most[0], here[0])
        with lock:
            here[0] -= 1
        seat.well()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(200)))
    assert 1 <= most[0] <= 2
