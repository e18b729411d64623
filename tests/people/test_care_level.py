"""The self-care assessment: six answers, one level."""

from itertools import product

import pytest

from server.people.care_level import SelfCareIncomplete, care_level
from server.people.terms import Ability, CareLevel


def answers(lost: int) -> dict[Ability, bool]:
    return {ability: place >= lost for place, ability in enumerate(Ability)}


@pytest.mark.parametrize(
    ("lost", "level"),
    [
        (0, CareLevel.FULL_SELF),
        (1, CareLevel.HALF_CARE),
        (2, CareLevel.HALF_CARE),
        (3, CareLevel.HALF_CARE),
        (4, CareLevel.FULL_CARE),
        (5, CareLevel.FULL_CARE),
        (6, CareLevel.FULL_CARE),
    ],
)
def test_the_number_of_lost_abilities_gives_the_level(lost: int, level: CareLevel):
    assert care_level(answers(lost)) is level


def test_only_the_number_matters_and_not_which_ability_is_lost():
    for given in product([True, False], repeat=6):
        can = dict(zip(Ability, given, strict=True))
        assert care_level(can) is care_level(answers(given.count(False)))


@pytest.mark.parametrize("ability", list(Ability))
def test_a_missing_answer_is_refused_and_named(ability: Ability):
    can = answers(0)
    del can[ability]
    with pytest.raises(SelfCareIncomplete) as refused:
        care_level(can)
    assert list(refused.value.errors) == [f"can.{ability}"]


@pytest.mark.parametrize("answer", [None, "yes", 1, 0, "not_asked"])
def test_an_answer_that_is_not_yes_or_no_is_refused(answer: object):
    with pytest.raises(SelfCareIncomplete):
        care_level({**answers(0), Ability.WALK: answer})  # type: ignore[dict-item]
