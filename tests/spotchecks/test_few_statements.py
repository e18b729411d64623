"""Lists of checks, plans and rectifications ask no more for many rows than for few."""

from uuid import uuid4

import pytest

from tests.architecture.test_statements import counted, listed
from tests.builders.world import World
from tests.conftest import Template
from tests.spotchecks.case import Case

MOST = 8


@pytest.fixture
def template(sqlite_town: Template) -> Template:
    """Give SQLite alone, which tells every statement that it is sent; they are the same on PostgreSQL."""
    return sqlite_town


def test_lists_ask_no_more_for_many_than_for_few(world: World) -> None:
    case = Case(world)
    case.go(share=100, count=4)
    case.assign(case.reviewer)
    for check in case.checks():
        assert case.submit(check["id"], case.reviewer).status_code == 201
        judged = case.judge(check["id"], case.chief, "minor", rectify={"what": "补正"})
        assert judged.status_code == 201
    for month in ("2026-06", "2026-07", "2026-08"):
        case.plan = uuid4()
        assert case.make(period=month).status_code == 201
    for path, many in (("/spot-checks", 8), ("/rectifications", 8), ("/spot-checks/plans", 4)):
        case.chief.get(path)  # what a process learns once
        found = []
        for limit in (2, many):
            with counted(world) as statements:
                assert len(case.chief.get(path, limit=limit).json["items"]) == limit
            found.append(statements)
        assert len(found[0]) == len(found[1]) <= MOST, (path, listed(found[1]))
