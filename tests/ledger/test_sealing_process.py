"""The sealing process, as the service and the demo start it: real processes, ended by SIGTERM."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from server.db import unit_of_work
from server.ledger import sealer
from server.ledger.models import Event, Pending, Position
from tests.builders.world import World

ROOT = Path(__file__).parents[2]
SECONDS = 60.0
TWO, ROUNDS = 2, 5

Sealers = list["subprocess.Popen[str]"]


@pytest.fixture
def sealers(world: World) -> Iterator[Sealers]:
    """Start two sealing processes over one database; nothing of them is left behind."""
    settings = world.house.settings
    env = {
        **os.environ,
        "DATABASE_URL": settings.database_url,
        "STORAGE_URL": settings.storage_url,
        "KEYRING": settings.keyring,
        "SECRET_KEY": settings.secret_key,
    }
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "ledger", "seal", "--every", "0.1"]
    started = [
        subprocess.Popen(
            command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(TWO)
    ]
    try:
        yield started
    finally:
        for one in started:
            if one.poll() is None:
                one.kill()
            one.communicate()


def waiting(world: World) -> int:
    with unit_of_work(world.house.sessions) as session:
        return session.scalar(select(func.count()).select_from(Pending)) or 0


def sealed_in_time(world: World, sealers: Sealers) -> bool:
    patience = time.monotonic() + SECONDS
    while waiting(world):
        assert all(one.poll() is None for one in sealers)
        if time.monotonic() > patience:
            return False
        time.sleep(0.02)
    return True


def can_be_asked_to_stop(one: "subprocess.Popen[str]") -> bool:
    """Say whether a process has come as far as to catch SIGTERM; it takes a while to start."""
    status = Path(f"/proc/{one.pid}/status").read_text(encoding="ascii")
    caught = next(line for line in status.splitlines() if line.startswith("SigCgt:"))
    return bool(int(caught.split()[1], 16) >> (signal.SIGTERM - 1) & 1)


@pytest.mark.slow
def test_two_sealers_give_each_event_one_position_and_end_when_asked(world: World, sealers: Sealers) -> None:
    for number in range(ROUNDS):
        with world.work() as work:
            for line in range(20):
                work.tell(f"told.{number}.{line}", "test")
        assert sealed_in_time(world, sealers)
    patience = time.monotonic() + SECONDS
    while not all(can_be_asked_to_stop(one) for one in sealers):
        assert time.monotonic() < patience
        time.sleep(0.02)
    for one in sealers:
        one.send_signal(signal.SIGTERM)
    said = [one.communicate(timeout=SECONDS)[0] for one in sealers]
    assert [one.returncode for one in sealers] == [0, 0]
    with unit_of_work(world.house.sessions) as session:
        events = session.scalar(select(func.count()).select_from(Event)) or 0
        assert session.scalars(select(Position.seq).order_by(Position.seq)).all() == list(
            range(1, events + 1)
        )
    assert sum(int(text.split()[1]) for text in said) == events


def test_a_backlog_is_sealed_a_batch_a_transaction(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealer, "BATCH", 5)
    with world.work() as work:
        for line in range(12):
            work.tell(f"told.{line}", "test")
    before = waiting(world)
    with unit_of_work(world.house.sessions) as session:
        assert sealer.seal(session, most=5) == 5
    assert waiting(world) == before - 5
    with unit_of_work(world.house.sessions) as session:
        assert sealer.seal(session) == before - 5
