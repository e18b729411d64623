"""Restarts, exchanges and kills one process after the other under load, and counts the requests that are lost.

Two processes as the shipped unit starts them, behind the shipped nginx, over PostgreSQL; clients that never try again.
"""

import os
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from bench.measuring import Figure, Plan
from bench.server import Running, running
from tests.deploy.field_work import FieldWork, exchange_worker
from tests.deploy.processes import Clients, Process, processes
from tests.engines.nginx import nginx

CLIENTS = 8
BETWEEN = 20
"""How many requests are answered between one deed and the next."""


def lose_none(plan: Plan) -> list[Figure]:
    """Do each deed over and over for the plan's seconds; print how often, among how many requests, and what was lost."""
    print("| deed | times | requests | lost |\n|---|---|---|---|", flush=True)
    with (
        running(people=plan.people) as base,
        tempfile.TemporaryDirectory(prefix="bench-restarts-") as folder,
        processes([_environment(base)] * 2, Path(folder)) as both,
        nginx(Path(folder) / "nginx", [one.port for one in both]) as proxy,
    ):
        for name, deed in DEEDS.items():
            with Clients(proxy.connection, FieldWork(base.visitors), CLIENTS) as clients:
                times = _over_and_over(deed, both, clients, plan.seconds)
            lost = Counter(clients.failed)
            print(f"| {name} | {times} | {clients.done} | {lost.total()} |", flush=True)
            for what, count in lost.most_common(5):
                print(f"    {count} x {what}")
    return []


def _over_and_over(
    deed: Callable[[Process], None], both: list[Process], clients: Clients, seconds: float
) -> int:
    times, end = 0, time.monotonic() + seconds
    while time.monotonic() < end:
        clients.wait_for(BETWEEN)
        deed(both[times % 2])
        times += 1
    clients.wait_for(BETWEEN)
    return times


def _restart(process: Process) -> None:
    process.stop()
    process.start()


def _kill(process: Process) -> None:
    process.kill()
    process.start()


DEEDS = {
    "restarted (SIGTERM, then started)": _restart,
    "worker exchanged (SIGHUP)": exchange_worker,
    "killed (SIGKILL, then started)": _kill,
}


def _environment(base: Running) -> dict[str, str]:
    settings = base.house.settings
    return {
        **os.environ,
        "DATABASE_URL": settings.database_url,
        "STORAGE_URL": settings.storage_url,
        "KEYRING": settings.keyring,
        "SECRET_KEY": settings.secret_key,
        "TRUSTED_PROXIES": "1",
    }
