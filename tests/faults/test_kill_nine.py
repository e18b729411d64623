"""kill -9 of workers, the server, back ends and the postmaster loses and doubles nothing acknowledged (TRUST §1)."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.engines.postgres import Postgres, postgres
from tests.faults.harness import ROOT, Phones
from tests.faults.killing import kill_while, killers_of
from tests.faults.sizes import seen, size
from tests.faults.township import Township, township

VISITS = size("FAULT_VISITS", short=90, long=10_000)
PHOTOS = size("FAULT_PHOTOS", short=1, long=2)
KILLS = size("FAULT_KILLS", short=0, long=60)
"""How many are killed; 0 is each kind once."""

pytestmark = pytest.mark.slow


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def attacked(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Township, Postgres | None]]:
    """Give a township, and the PostgreSQL server under it if it is not SQLite's file."""
    with ExitStack() as stack:
        url, database = f"sqlite:///{tmp_path}/app.sqlite", None
        if request.param == "postgresql":
            database = stack.enter_context(postgres(durable=True))
            url = database.new_database()
        (tmp_path / "uploads").mkdir()
        made = township(url, f"file://{tmp_path}/uploads", tmp_path, people=max(30, VISITS // 20))
        yield stack.enter_context(made), database


def test_nothing_acknowledged_is_lost_or_doubled(
    attacked: tuple[Township, Postgres | None], tmp_path: Path
) -> None:
    town, database = attacked
    records = town.records(VISITS, PHOTOS)
    phones = Phones(town.server.port, records)
    began = time.monotonic()
    phones.start()
    killers = killers_of(town.server, database)
    killed = kill_while(killers, phones, kills=KILLS or len(killers), total=len(records))
    phones.finish(seconds=45 + len(records) / 5)
    took = time.monotonic() - began
    assert set(killed) == set(killers)
    assert phones.cut > 0, "no kill hit a request"
    assert phones.unexpected == [], town.server.log()[-2000:]
    assert all(one.acknowledged for one in records)
    assert town.server.answers()
    town.server.kill()  # what counts is what is durable, not what a process still knows
    town.holds_each_once(records)
    temporary = _files(tmp_path / "uploads" / ".tmp")
    blobs = sum(1 for _ in town.house.store.list(limit=1_000_000))
    _the_janitor_takes_what_the_killed_left(town, tmp_path / "uploads")
    seen(
        f"kill -9 on {town.house.engine.dialect.name}",
        f"{len(records)} visits, {len(records) * PHOTOS} photos in {took:.0f} s; killed {dict(killed)}, "
        f"{town.server.restarts} restarts by themselves; answers "
        f"{dict(phones.statuses)}, {phones.cut} cut; left behind and swept: {len(temporary)} temporary files, "
        f"{blobs - len(records) * PHOTOS} blobs",
    )


def _the_janitor_takes_what_the_killed_left(town: Township, uploads: Path) -> None:
    """Run the command as the timer does, an hour later by the files' dates; then look again past the grace."""
    left = uploads / ".tmp" / "0123456789abcdef0123456789abcdef.part"
    left.write_bytes(b"sealed, and nobody's any more")
    for path in _files(uploads):
        os.utime(path, (time.time() - 7200, time.time() - 7200))
    swept = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "wsgi", "photos", "sweep"],
        cwd=ROOT, env={**os.environ, **town.environment}, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert (swept.returncode, swept.stdout[:6]) == (0, "marked"), swept.stderr
    assert _files(uploads / ".tmp") == []
    town.sweep_after_the_grace()
    town.holds_only_named_blobs()


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]
