"""Whatever docs/asvs.md points to is there: each test by its name, each file, each section."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "asvs.md").read_text(encoding="utf-8")
MARKS = {"yes", "part", "no", "op"}
PATH = re.compile(
    r"`((?:server|tests|docs|deploy|api_schemas)/[\w./-]+\w|[A-Za-z]+\.(?:md|py|toml|txt))(?:::(\w+))?`"
)


def rows() -> Iterator[tuple[str, str, str]]:
    """Give number, mark and evidence of each item."""
    for line in PAGE.splitlines():
        if re.match(r"\| \d", line):
            number, _, mark, evidence = (cell.strip() for cell in line.strip("| ").split(" | ", 3))
            yield number, mark, evidence


def names_in(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def missing(evidence: str) -> list[str]:
    """Name what a piece of evidence points to and is not there."""
    found = []
    for name, test in PATH.findall(evidence):
        path = ROOT / name
        if not path.exists() or (test and test not in names_in(path)):
            found.append(f"{name}::{test}" if test else name)
    return found


def test_every_item_has_a_mark_and_no_number_stands_twice() -> None:
    items = list(rows())
    assert len(items) > 110
    assert {mark for _, mark, _ in items} == MARKS
    numbers = [number for numbers, *_ in items for number in numbers.split(", ")]
    assert len(numbers) == len(set(numbers))


@pytest.mark.parametrize(("number", "mark", "evidence"), list(rows()), ids=lambda text: text[:12])
def test_what_shows_an_item_is_there(number: str, mark: str, evidence: str) -> None:
    assert missing(evidence) == []
    if mark == "yes":
        assert PATH.search(evidence), f"{number} is said to be met, and nothing shows it"


def test_a_name_that_is_not_there_would_be_noticed() -> None:
    assert missing("`tests/architecture/test_asvs.py::test_nothing_of_the_kind`") != []
    assert missing("`server/nowhere.py`; `SECURITY.md`") == ["server/nowhere.py"]
