"""How many statements each operation of the API sends at most: a new one must say so, and none grows unseen.

The numbers stand in tests/golden/statements.json. They are of one small township on SQLite, as the database itself
counts; that lists do not grow with their rows is held by test_statements.py. `STATEMENTS=write` writes the file anew.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from server.permissions import Can, Role, may
from server.visits.judging import catch_up
from tests.architecture.test_statements import counted
from tests.builders.world import GUANGDE, Phone
from tests.conftest import Template
from tests.sight.test_every_route import about, others, send
from tests.sight.test_matrix import Township, ask, subjects, township

__all__ = ["township"]
GOLDEN = Path(__file__).parents[1] / "golden" / "statements.json"
MOST = 70
"""A merge of two regions, which moves what lies in them; everything else stays below 40."""
ASKERS = (Role.CHIEF, Role.VISITOR, Role.COUNTY_INSPECTOR, Role.ADMINISTRATOR, Role.AUDITOR)


@pytest.fixture
def template(sqlite_town: Template) -> Template:
    """Give SQLite alone: the statements are the same on PostgreSQL."""
    return sqlite_town


def operations(app: Flask, township: Township) -> Iterator[tuple[str, int]]:
    """Ask everything once as somebody who may, about a person of theirs; give each operation with its status and statements."""
    world, mine = township.world, township.targets["own"]
    phones = {role: world.phone(world.worker(role, GUANGDE)) for role in (Role.ADMINISTRATOR, Role.AUDITOR)}
    phones |= township.phones

    def asker(needs: Can) -> Phone:
        return next((phones[role] for role in ASKERS if may(role, needs)), phones[Role.CHIEF])

    def judged() -> None:
        """Judge what waits, as the job does: findings cost those who read them nothing but the reading."""
        with world.work() as work:
            catch_up(work, [])

    for method, path, needs in sorted(subjects(app), key=lambda one: (one[1].endswith("/death"), one)):
        judged()
        with counted(world) as statements:
            answer = ask(asker(needs), method, path, mine)
        yield f"{method} {path} {answer.status_code}", len(statements)
    everything: list[tuple[str, str, Can, Any]] = sorted(others(app), key=lambda one: one[:2])
    for method, path, needs, body in everything:
        judged()
        with counted(world) as statements:
            answer = send(asker(needs), method, path, about(body, mine))
        yield f"{method} {path} {answer.status_code}", len(statements)


def test_no_operation_sends_more_statements_than_it_says(app: Flask, township: Township) -> None:
    seen = dict(operations(app, township))
    if os.environ.get("STATEMENTS") == "write":
        GOLDEN.write_text(json.dumps(seen, indent=1, sort_keys=True) + "\n")
    golden = json.loads(GOLDEN.read_text())
    assert seen.keys() == golden.keys(), (
        "an operation is new or gone: STATEMENTS=write, and look at the numbers"
    )
    grown = {name: (golden[name], count) for name, count in seen.items() if count > golden[name]}
    assert grown == {}
    assert max(golden.values()) <= MOST
