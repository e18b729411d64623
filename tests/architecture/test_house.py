"""Manners of the house that no linter knows: small files, honest names, one commit, lent time, Flask at the door."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LONGEST = 400
DISHONEST = re.compile(r"(^|_)(utils?|helpers?|common|managers?|processors?|misc)(_|$)")
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX)\b")
CLOCKS = {
    "datetime.now",
    "datetime.utcnow",
    "datetime.today",
    "date.today",
    "time.time",
    "time.time_ns",
    "time.localtime",
    "time.gmtime",
    "uuid.uuid1",
    "uuid.uuid4",
    "uuid_utils.uuid4",
    "uuid_utils.uuid7",
}
CHANCE = {"random", "numpy.random"}

MAY_COMMIT = {
    "server/db.py": "unit_of_work is the one place where a transaction ends",
}
MAY_TAKE_TIME = {
    "server/tools.py": "Tools lends time and ids to everybody else",
}


def sources(*folders: str) -> Iterator[tuple[str, str]]:
    """Give each source file by its path from the root, with its text."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")


def dotted(node: ast.expr) -> str:
    """Write `a.b.c` of an expression; "" for what is not a plain name."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return ""


def imported(text: str) -> set[str]:
    """Give every name that a file imports, at the top or later, in full."""
    names = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def commits(text: str) -> bool:
    """Say whether a file ends a transaction itself."""
    return any(
        isinstance(node, ast.Attribute) and node.attr == "commit" for node in ast.walk(ast.parse(text))
    )


def takes_time_or_chance(text: str) -> set[str]:
    """Name what a file takes from the air: clocks, fresh ids, chance."""
    names = imported(text)
    used = {dotted(node) for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Attribute)}
    taken = {
        clock for clock in CLOCKS if clock in names or any(f".{use}".endswith(f".{clock}") for use in used)
    }
    return taken | {name for name in names if name in CHANCE or name.startswith(("random.", "numpy.random."))}


def prints(text: str) -> bool:
    """Say whether a file prints."""
    return any(
        isinstance(node, ast.Call) and dotted(node.func) == "print" for node in ast.walk(ast.parse(text))
    )


def knows_flask(text: str) -> bool:
    """Say whether a file imports Flask or what stands on it."""
    return any(re.match(r"(flask|flask_\w+)(\.|$)", name) for name in imported(text))


def is_at_the_door(path: str) -> bool:
    """Say whether a file is one of those that may know Flask (adr/0001)."""
    return path.endswith(("routes.py", "commands.py")) or path.startswith(
        ("server/app.py", "server/cli", "server/routing.py", "server/http/", "server/web/")
    )


def careless_relationships(text: str) -> int:
    """Count the `relationship()` calls that would load rows behind one's back."""
    return sum(
        not any(key.arg == "lazy" and getattr(key.value, "value", None) == "raise" for key in node.keywords)
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call) and dotted(node.func).rpartition(".")[2] == "relationship"
    )


def test_no_file_is_long() -> None:
    long = {path: text.count("\n") for path, text in sources("server", "api_schemas")}
    assert {path: lines for path, lines in long.items() if lines > LONGEST} == {}


def test_every_module_has_an_honest_name() -> None:
    parts = {part for path, _ in sources("server", "api_schemas") for part in path[: -len(".py")].split("/")}
    assert "vault" in parts
    assert {part for part in parts if DISHONEST.search(part)} == set()


def test_one_place_commits() -> None:
    assert {path for path, text in sources("server") if commits(text)} == set(MAY_COMMIT)


def test_time_ids_and_chance_are_lent() -> None:
    takers = {path: takes_time_or_chance(text) for path, text in sources("server", "api_schemas")}
    assert {path for path, taken in takers.items() if taken} == set(MAY_TAKE_TIME)


def test_nothing_prints() -> None:
    assert [path for path, text in sources("server", "api_schemas") if prints(text)] == []


def test_nothing_is_left_for_later() -> None:
    assert [path for path, text in sources("server", "api_schemas") if UNFINISHED.search(text)] == []


def test_only_the_door_knows_flask() -> None:
    knowing = {path for path, text in sources("server", "api_schemas") if knows_flask(text)}
    assert "server/app.py" in knowing
    assert {path for path in knowing if not is_at_the_door(path)} == set()


def test_the_words_on_the_wire_know_only_terms_and_forms_of_the_server() -> None:
    strangers = {
        name
        for _, text in sources("api_schemas")
        for name in imported(text)
        if name.startswith("server")
        and not re.match(r"server\.(terms|permissions|\w+\.(terms|form))(\.|$)", name)
    }
    assert strangers == set()


def test_no_relationship_loads_by_itself() -> None:
    assert {path for path, text in sources("server") if careless_relationships(text)} == set()


@pytest.mark.parametrize(
    "text",
    [
        "import datetime as dt\nx = dt.datetime.now(dt.UTC)",
        "from datetime import datetime\nx = datetime.utcnow",
        "from datetime import date\nx = date.today()",
        "import time\nx = time.time()",
        "from time import time\nx = time()",
        "import uuid\nx = uuid.uuid4()",
        "from uuid import uuid4",
        "def f():\n    import random",
        "from random import choice",
    ],
)
def test_taking_time_or_chance_is_noticed(text: str) -> None:
    assert takes_time_or_chance(text)


def test_what_only_looks_like_taking_time_is_left_alone() -> None:
    assert not takes_time_or_chance("import time\nx = time.monotonic()\ny = tools.now()\nz = visit.date")


def test_a_commit_a_print_and_flask_are_noticed() -> None:
    assert commits("def f(session):\n    session.commit()")
    assert prints("print('x')")
    assert knows_flask("from flask import g")
    assert knows_flask("from flask_smorest import Blueprint")
    assert careless_relationships("x = relationship(back_populates='y')") == 1
    assert careless_relationships("x = orm.relationship(lazy='raise')") == 0
