"""The last of a day's ticks is found by looking a few times, however many there are."""

import datetime as dt
from pathlib import Path
from uuid import UUID

import pytest

from server.keeping import catalogue
from server.keeping.archive import Archive
from server.keeping.catalogue import Archives
from server.keeping.terms import Tick
from server.vault.fields import DataKey

BEGAN = dt.datetime(2026, 4, 1, 19, tzinfo=dt.UTC)
GENERATIONS = ("20260401t190000x1a2b3c4d", "20260402t190000x1a2b3c4d")


@pytest.fixture
def archives(tmp_path: Path) -> Archives:
    """Give the archives of an empty backup."""
    key = DataKey(UUID(int=7), b"k" * 32)
    made = {
        kind: Archive.at(f"file://{tmp_path}", key, kind) for kind in ("ticks", "records", "keys", "erasures")
    }
    return Archives(**made)


def write(archives: Archives, generation: str, count: int, began: dt.datetime = BEGAN) -> dt.datetime:
    """Write ticks a second apart; gives when the last was."""
    last = began
    for number in range(count):
        last = began + dt.timedelta(seconds=number)
        catalogue.write(archives, generation, Tick(number, last, "", {}, {}))
    return last


def test_there_is_none_before_the_first(archives: Archives) -> None:
    assert catalogue.reaches(archives) is None


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 7, 8, 9, 31, 32, 33])
def test_the_last_tick_is_found_whatever_their_number(archives: Archives, count: int) -> None:
    last = write(archives, GENERATIONS[0], count)
    assert catalogue.reaches(archives) == last


def test_the_generation_before_counts_until_the_new_one_goes_on(archives: Archives) -> None:
    old = write(archives, GENERATIONS[0], 5)
    began = write(archives, GENERATIONS[1], 1, BEGAN + dt.timedelta(seconds=2))
    assert catalogue.reaches(archives) == old > began
    new = BEGAN + dt.timedelta(seconds=9)
    catalogue.write(archives, GENERATIONS[1], Tick(1, new, "", {}, {}))
    assert catalogue.reaches(archives) == new


def test_few_looks_find_the_last_of_many(archives: Archives, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[str] = []
    last = write(archives, GENERATIONS[0], 300)
    has = Archive.has
    monkeypatch.setattr(Archive, "has", lambda self, name: looked.append(name) or has(self, name))
    assert catalogue.reaches(archives) == last
    assert len(looked) <= 20
