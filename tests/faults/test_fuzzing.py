"""Fuzzed requests of two identities: no 500, nothing undocumented, nobody reads what is not theirs (TRUST §1).

FAULT_FUZZED says how many requests; the short form searches the paths about one person's file, the long form all.
"""

import dataclasses
import itertools

import pytest
from flask import Flask

from server.permissions import Role
from tests.builders.world import GUANGDE, SHENGPING, TUANSHAN, World
from tests.conftest import Template
from tests.faults.sizes import LONG, seen, size
from tests.http.fuzzing import Mine, Seen, as_text, no_outside, plant, search

REQUESTS = size("FAULT_FUZZED", short=400, long=100_000)
EXAMPLES = 20 if LONG else 2
SHORT_PATHS = r"/archives/\{person_id\}(/reveal)?$|/visits/\{visit_id\}/decisions$|/worklist$"
FAR, FAR_VILLAGE = "341882100", "341882100009"

pytestmark = [
    pytest.mark.slow,
    # The client in the tests' process leaves the temporary file open in which it writes a large form.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture
def template(request: pytest.FixtureRequest) -> Template:
    """Give SQLite in the short form, PostgreSQL in the long one."""
    found: Template = request.getfixturevalue("postgres_town" if LONG else "sqlite_town")
    return found


def pairs(world: World) -> list[tuple[Mine, Mine]]:
    """Give two identities that must not meet, of each kind; those who see no files at all must read no word."""
    near, far = world.worker(area=TUANSHAN), world.worker(area=FAR_VILLAGE)
    chiefs = [world.worker(Role.CHIEF, area) for area in (SHENGPING, FAR)]
    here = plant(world, chiefs[0], near, TUANSHAN, "近处金丝雀")
    there = plant(world, chiefs[1], far, FAR_VILLAGE, "远处金丝雀")

    def as_other(mine: Mine, role: Role, area: str) -> Mine:
        return dataclasses.replace(mine, token=world.phone(world.worker(role, area)).token)

    visitors = [
        dataclasses.replace(mine, token=world.phone(actor).token)
        for mine, actor in ((here, near), (there, far))
    ]
    blind = [as_other(here, Role.ADMINISTRATOR, GUANGDE), as_other(there, Role.AUDITOR, GUANGDE)]
    return [(here, there), (visitors[0], visitors[1]), (blind[0], blind[1])]


def test_fuzzed_requests_of_two_identities_find_nothing(app: Flask, world: World) -> None:
    no_outside(app)
    found, kinds = Seen(), pairs(world)
    for seed in itertools.count(1):
        if found.requests >= REQUESTS:
            break
        one, two = kinds[(seed - 1) // 2 % len(kinds)]
        me, other = (one, two) if seed % 2 else (two, one)
        search(app, me, other, found, seed=seed, examples=EXAMPLES, only="" if LONG else SHORT_PATHS)
    seen("fuzzed requests", as_text(found))
    assert found.leaks == []
    assert not found.failures, "\n\n".join(list(found.failures.values())[:5])
    assert not [status for status in found.statuses if status >= 500]
    assert found.statuses[200]
    assert found.statuses[404]
    assert set(found.phases) == {"examples", "coverage", "fuzzing", "stateful"}


def test_a_leak_would_be_seen(app: Flask, world: World) -> None:
    """The control: an identity that is taken for the other one reads words that are not its own."""
    one, two = pairs(world)[0]
    found = Seen()
    search(
        app,
        dataclasses.replace(one, token=two.token),
        two,
        found,
        seed=1,
        examples=1,
        only=r"/worklist$|/archives$",
    )
    assert found.leaks
