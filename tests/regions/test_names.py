"""A committee's name and the village's name are the same place."""

import pytest

from server.regions.service import short


@pytest.mark.parametrize(
    ("name", "village"),
    [
        ("团山村村民委员会", "团山村"),
        ("团山村委会", "团山村"),
        ("团山村村委会", "团山村"),
        ("升平社区居民委员会", "升平社区"),
        ("升平社区居委会", "升平社区"),
        ("团山村", "团山村"),
        ("居委会", "居委会"),
    ],
)
def test_a_committee_is_called_by_its_village(name: str, village: str) -> None:
    assert short(name) == village
