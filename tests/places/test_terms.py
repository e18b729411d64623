"""Points and fixes that cannot be, and words that match the contract."""

import math

import pytest

from server.places.terms import Datum, Doubt, Fence, Fix, NoLocationReason, Point
from server.terms import values


@pytest.mark.parametrize(
    ("latitude", "longitude"),
    [(90.0001, 0), (-91, 0), (999, 0), (0, 180.5), (0, -181), (math.nan, 0), (0, math.nan), (math.inf, 0)],
)
def test_degrees_that_cannot_be_are_refused(latitude: float, longitude: float) -> None:
    with pytest.raises(ValueError, match="within"):
        Point(latitude, longitude)
    with pytest.raises(ValueError, match="within"):
        Fix(latitude, longitude, Datum.GCJ02)


def test_the_words_on_the_wire_are_those_of_the_contract() -> None:
    assert values(Datum) == ["wgs84", "gcj02"]
    assert values(Fence) == ["inside", "outside", "cannot_tell"]
    assert values(NoLocationReason) == ["refused", "no_signal", "indoor", "device", "not_required"]


@pytest.mark.parametrize("term", [*Datum, *Fence, *Doubt, *NoLocationReason])
def test_every_word_has_a_chinese_label_and_a_source(term: Fence) -> None:
    assert any("\u4e00" <= character <= "\u9fff" for character in term.label)
    assert term.source


@pytest.mark.parametrize("accuracy", [None, 0, 0.0, -1, -0.5, math.nan, math.inf, -math.inf])
def test_an_accuracy_that_means_nothing_is_unknown(accuracy: float | None) -> None:
    assert Fix(30, 119, Datum.GCJ02, accuracy).known_accuracy_m is None


def test_an_accuracy_that_means_something_is_kept() -> None:
    assert Fix(30, 119, Datum.GCJ02, 25).known_accuracy_m == 25
