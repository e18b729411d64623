"""The engines that other tests lean on really start, answer, keep data and go away."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.engines.postgres import Postgres, alive, postgres, sweep

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with postgres(durable=False) as running:
        yield running


def ask(url: str, question: str) -> object:
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        row = connection.execute(question).fetchone()
        assert row is not None
        return row[0]


def tell(url: str, statement: str) -> None:
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(statement)


def test_postgresql_answers_and_is_new_enough(server: Postgres) -> None:
    assert int(str(ask(server.url, "SHOW server_version_num"))) >= 150000


@pytest.mark.parametrize("setting", ["fsync", "full_page_writes", "synchronous_commit"])
def test_nothing_that_keeps_records_is_switched_off(server: Postgres, setting: str) -> None:
    assert ask(server.url, f"SHOW {setting}") == "on"


def test_words_sort_by_code_point(server: Postgres) -> None:
    url = server.new_database()
    assert (
        ask(url, "SELECT string_agg(w, '' ORDER BY w) FROM unnest(array['村', 'b', 'B', 'a']) w") == "Bab村"
    )


def test_a_copied_database_holds_what_its_template_held_and_goes_its_own_way(server: Postgres) -> None:
    template = server.new_database()
    tell(template, "CREATE TABLE visit AS SELECT 1 AS n")
    copy = server.new_database(template=template)
    tell(copy, "INSERT INTO visit VALUES (2)")
    assert ask(copy, "SELECT count(*) FROM visit") == 2
    assert ask(template, "SELECT count(*) FROM visit") == 1


def test_an_acknowledged_row_survives_a_killed_server() -> None:
    with postgres(durable=True) as server:
        tell(server.url, "CREATE TABLE visit AS SELECT 7 AS n")
        server.stop(signal.SIGKILL)
        server.start()
        assert ask(server.url, "SELECT n FROM visit") == 7


def test_nothing_is_left_behind() -> None:
    with postgres(durable=False) as server:
        pid, directory = server.pid, server.directory
    assert not alive(pid)
    assert not directory.exists()


def test_a_server_whose_test_run_was_killed_is_ended_by_the_next_run() -> None:
    script = (
        "from tests.engines.postgres import postgres\n"
        "import os, signal\n"
        "with postgres(durable=False) as server:\n"
        "    print(server.pid, server.directory, flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    here = Path(__file__).parents[2]
    run = subprocess.run(
        [sys.executable, "-c", script],
        cwd=here,
        env={**os.environ},
        capture_output=True,
        text=True,
        check=False,
    )
    pid, directory = run.stdout.split()
    sweep()
    patience = time.monotonic() + 15
    while (alive(int(pid)) or Path(directory).exists()) and time.monotonic() < patience:
        time.sleep(0.05)  # another run on this machine may be sweeping the same folder
    assert not alive(int(pid))
    assert not Path(directory).exists()
