"""What tests of drawn checks begin with."""

import pytest

from tests.builders.world import World
from tests.spotchecks.case import Case


@pytest.fixture
def case(world: World) -> Case:
    """Give a drawn sample of everything, not given out yet."""
    made = Case(world)
    made.go(share=100, count=4)
    return made


@pytest.fixture
def given(case: Case) -> str:
    """Give a check that the reviewer has."""
    assert case.assign(case.reviewer).status_code == 200
    return str(case.checks(case.reviewer, mine="true")[0]["id"])
