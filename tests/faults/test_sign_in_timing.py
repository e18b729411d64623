"""How long a wrong guess takes says nothing about the account (TRUST §2).

The same passes of argon2 and the same statements are held by tests/accounts/test_guessing.py; here are the clocks.
"""

import statistics
import time

import pytest
from flask import Flask

from server.accounts import managing
from tests.builders.clock import Clock
from tests.builders.world import World
from tests.conftest import Template
from tests.faults.sizes import seen, size

ROUNDS = size("FAULT_SIGN_INS", short=15, long=300)
PASSWORD, WRONG = "correct horse battery", "wrong wrong wrong wrong"
APART = 0.10
"""How far the medians may lie apart, as a share: a guesser over a network sees less than the noise of that."""

pytestmark = pytest.mark.slow


@pytest.fixture
def template(sqlite_town: Template) -> Template:
    """Give SQLite alone: the statements are the same on PostgreSQL."""
    return sqlite_town


def test_a_wrong_guess_takes_the_same_time_for_every_account(app: Flask, world: World, clock: Clock) -> None:
    world.worker(username="known", password=PASSWORD)
    world.worker(username="without")
    gone = world.worker(username="disabled", password=PASSWORD)
    with world.work(world.boss) as work:
        managing.disable(work, gone.worker_id)
    taken: dict[str, list[float]] = {"unknown": [], "known": [], "without": [], "disabled": []}
    for number in range(ROUNDS):
        if number % 5 == 0:
            clock.move(minutes=16)  # a new window of tries
        for username, times in taken.items():
            body = {"username": username, "password": WRONG}
            began = (
                time.thread_time()
            )  # processor time of this thread: other work on the machine does not count
            answer = app.test_client().post("/api/v1/auth/password", json=body)
            times.append(time.thread_time() - began)
            assert answer.status_code == 401
    medians = {username: statistics.median(times) * 1000 for username, times in taken.items()}
    seen("wrong guesses, median ms", ", ".join(f"{name} {taken:.1f}" for name, taken in medians.items()))
    assert min(medians.values()) > 1, "nothing was hashed"
    assert max(medians.values()) / min(medians.values()) < 1 + APART, medians
