"""What is killed with SIGKILL while phones send: workers, the whole server, back ends of the database, its postmaster."""

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress

from tests.engines.postgres import Postgres, alive
from tests.faults.harness import WORKERS, Phones, Server, children, command


def kill_while(
    kill: Mapping[str, Callable[[], int]],
    phones: Phones,
    *,
    kills: int,
    total: int,
    seed: int = 1,
    every: float = 0.3,
) -> Counter[str]:
    """Kill what `kill` names, in turn, spread over the sending; says how many of each were killed.

    A kill waits until its share of the records has been taken up, so that all of them hit a server at work.
    """
    chance = random.Random(seed)
    done: Counter[str] = Counter()
    names = list(kill)
    for number in range(kills):
        share = total * (kills - number) // (kills + 1)
        patience = time.monotonic() + 60
        while phones.left > share and phones.busy and time.monotonic() < patience:
            time.sleep(0.01)
        time.sleep(chance.uniform(0, every))
        name = names[number % len(names)]
        patience = time.monotonic() + 10
        while not (killed := kill[name]()) and time.monotonic() < patience:
            time.sleep(0.02)
        done[name] += killed
    return done


def killers_of(
    server: Server, database: Postgres | None = None, *, seed: int = 1
) -> dict[str, Callable[[], int]]:
    """Name what may be killed, each with the way to do it; the way says how many it hit."""
    chance = random.Random(seed)

    def restart() -> int:
        server.kill()
        server.start()
        return 1

    def worker() -> int:
        return server.kill_worker(chance.randrange(WORKERS))

    killers = {"worker": worker, "server": restart}
    if database is not None:
        killers |= {
            "back end": lambda: kill_back_end(database, chance.randrange(99)),
            "postmaster": lambda: kill_postmaster(database),
        }
    return killers


def kill_back_end(database: Postgres, which: int) -> int:
    """End one back end that serves somebody with SIGKILL; PostgreSQL then ends the others and recovers."""
    serving = [pid for pid in children(database.pid) if b"127.0.0.1" in command(pid)]
    if not serving:
        return 0
    with suppress(ProcessLookupError):
        os.kill(serving[which % len(serving)], signal.SIGKILL)
    return 1


def kill_postmaster(database: Postgres) -> int:
    """End the postmaster with SIGKILL, wait until its back ends noticed, and start it again."""
    serving = children(database.pid)
    database.stop(signal.SIGKILL)
    patience = time.monotonic() + 10
    while any(alive(pid) for pid in serving) and time.monotonic() < patience:
        time.sleep(0.02)
    database.start()
    return 1
