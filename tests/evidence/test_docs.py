"""The page on findings describes every code and every setting, and none that is not there."""

import re
from pathlib import Path

from server.evidence.rules.sentences import _SENTENCES
from server.evidence.terms import FindingCode
from server.policies.terms import NUMBERS

PAGE = (Path(__file__).parents[2] / "docs" / "evidence.md").read_text(encoding="utf-8")


def test_every_finding_is_described_and_nothing_else() -> None:
    described = re.findall(r"^### `(\w+)`$", PAGE, re.MULTILINE)
    assert sorted(described) == sorted(code.value for code in FindingCode)


def test_every_threshold_is_named_where_it_is_used_and_is_there() -> None:
    named = set(re.findall(r"`((?:evidence|fence)\.\w+)`", PAGE))
    assert named == {key for key in NUMBERS if key.startswith(("evidence.", "fence."))}


def test_every_finding_has_a_sentence() -> None:
    assert set(_SENTENCES) == set(FindingCode)
