"""Lists on pages do not ask more of the database when they have more rows."""

import pytest
from flask import Flask

from server.permissions import Role
from tests.architecture.test_statements import counted
from tests.builders.world import GUANGDE, SHENGPING, World
from tests.conftest import Template
from tests.spotchecks.case import Case
from tests.web.test_sight import at_browser
from tests.web.town import town

MOST = 8
"""What the door asks (who is it, since when, what is written of the look) and a list's own few reads."""


@pytest.fixture
def template(sqlite_town: Template) -> Template:
    """Give SQLite alone: the statements are the same on PostgreSQL."""
    return sqlite_town


def test_a_list_of_many_asks_what_a_list_of_few_asks(app: Flask, world: World) -> None:
    there = town(world)
    chief = at_browser(app, world, world.worker(Role.CHIEF, SHENGPING))
    administrator = at_browser(app, world, world.worker(Role.ADMINISTRATOR, GUANGDE))
    auditor = at_browser(app, world, world.worker(Role.AUDITOR, GUANGDE))
    pages = (
        (chief, "/problems", {}),
        (chief, "/rectifications", {}),
        (chief, "/spot-checks/plans", {}),
        (chief, "/hand-overs", {"from_worker": there.visitor.worker_id}),
        (chief, f"/archives/{there.people[0]}/looks", {}),
        (administrator, "/accounts", {}),
        (auditor, "/audit", {}),
    )

    def asked() -> dict[str, int]:
        found = {}
        for browser, address, query in pages:
            assert browser.get(address, **query).status_code == 200
            with counted(world) as statements:
                assert browser.get(address, **query).status_code == 200
            found[address] = len(statements)
        return found

    few = asked()
    problem = {"code": "old_wiring", "severity": "high", "description": "电线老化", "fixed_on_site": False}
    for _ in range(6):
        there.people.append(world.person(there.visitor))
        there.record(there.people[-1], problems=[problem], no_photo_reason="老人不愿意拍照")
        world.worker()
    many = asked()
    assert {address: (few[address], many[address]) for address in few if many[address] > few[address]} == {}
    assert {address: count for address, count in many.items() if count > MOST} == {}


def test_a_file_is_five_reads_whatever_happened_to_the_person(app: Flask, world: World) -> None:
    there = town(world)
    chief = at_browser(app, world, world.worker(Role.CHIEF, SHENGPING))
    address = f"/archives/{there.people[0]}"
    for _ in range(3):
        assert chief.get(address).status_code == 200
        with counted(world) as statements:
            assert chief.get(address).status_code == 200
        reads = [one for one in statements if str(one).lstrip().upper().startswith("SELECT")]
        assert len(reads) <= 5
        there.record(there.people[0])


def test_a_page_of_checks_asks_what_a_single_check_asks(app: Flask, world: World) -> None:
    case = Case(world)
    case.go(share=100, count=4)
    assert case.assign(case.reviewer).status_code == 200
    reviewer = at_browser(app, world, case.reviewer.actor)
    counts = []
    for limit, rows in ((1, 1), (200, 8)):
        with counted(world) as statements:
            page = reviewer.get("/spot-checks", plan_id=case.plan, limit=limit)
        assert page.text.count('href="/web/spot-checks/0') == rows
        counts.append(len(statements))
    assert counts[1] <= counts[0] <= MOST
