"""Who may import whom (docs/adr/0001-layout.md) is kept by the tree, and would be noticed when broken."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    program = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_logo=True))"
    return subprocess.run(
        [sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, check=False, timeout=120
    )


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a copy of the tree that may be spoilt."""
    folder = tmp_path_factory.mktemp("tree")
    for name in ("server", "api_schemas"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def test_every_contract_is_kept() -> None:
    done = lint_imports(ROOT)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("file", "line", "contract"),
    [
        ("server/vault/masks.py", "import server.people.models", "higher rooms know lower ones"),
        ("server/people/models.py", "import server.visits.models", "higher rooms know lower ones"),
        ("server/places/terms.py", "import server.places.rules", "inside a feature"),
        ("server/places/rules.py", "import sqlalchemy", "know no framework"),
        ("server/places/rules.py", "import server.db", "know no framework"),
        ("server/vault/masks.py", "import flask", "do not know the web"),
        ("api_schemas/__init__.py", "import server.db", "words on the wire"),
        ("server/jumble/__init__.py", "", "server.jumble"),
    ],
)
def test_a_wrong_import_is_noticed(copied: Path, file: str, line: str, contract: str) -> None:
    path = copied / file
    before = path.read_text() if path.exists() else None
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"{before or ''}\n{line}\n")
    try:
        done = lint_imports(copied)
    finally:
        if before is None:
            shutil.rmtree(path.parent)
        else:
            path.write_text(before)
    assert done.returncode == 1
    assert contract in done.stdout.partition("Broken contracts")[2].replace("\n", " ")
