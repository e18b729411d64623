"""What the runbook tells an administrator to type is there: commands with their options, units, files and settings."""

import dataclasses
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import click
import pytest
from flask import Flask
from flask.cli import run_command

from demo.application import _commands
from demo.state import Township
from server.cli import install
from server.doctor.terms import Part
from server.settings import Settings

ROOT = Path(__file__).parents[2]
RUNBOOK = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
UNITS = ROOT / "deploy" / "systemd"
IN_CODE = re.compile(r"`(?:\.venv/bin/)?(?:flask|visits) (?:--app wsgi )?([a-z][^`]*)`")
FORBIDDEN = re.compile(r"\bgranian --|proxy_request_buffering|ExecStart=")
OF_OTHERS = {"TZ", "PGURL", "PORT", "DATA_DIR"}


def blocks(text: str) -> Iterator[str]:
    """Give each line of shell that a page shows, continued lines joined and comments cut."""
    for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            yield re.sub(r"\s+#.*", "", line)


def commands(text: str) -> Iterator[list[str]]:
    """Give the words after `flask` of every command that a page names, placeholders filled in."""
    named = IN_CODE.findall(text)
    for line in blocks(text):
        named += re.findall(
            r"(?:^|&& )(?:\.venv/bin/)?(?:flask|visits)(?: --app wsgi)? ([a-z][^&|>;]*)", line
        )
    for one in named:
        first = re.split(r"[`|；，]|, ", one)[0]
        words = first.replace("WORKER", "0190b5f0-0000-7000-8000-000000000001").replace(
            "FILE", str(ROOT / "README.md")
        )
        yield shlex.split(words)


@pytest.fixture(scope="module")
def cli() -> click.Group:
    app = Flask("commands")
    install(app)
    app.cli.add_command(run_command)
    app.cli.add_command(_commands(Path(), cast("Township", None)))
    return app.cli


def parse(command: click.Command, words: list[str]) -> None:
    """Walk down the groups and let click take the options; what is not there, or misspelt, raises."""
    context = click.Context(command)
    while isinstance(command, click.Group):
        if not words or words == ["…"]:
            return
        found = command.get_command(context, words[0])
        assert found is not None, f"no command {words}"
        command, words = found, words[1:]
    options = [word for word in words if word.startswith("--")]
    known = {name for parameter in command.params for name in parameter.opts}
    assert set(options) <= known, f"{command.name}: {options}"
    if "…" not in words and words:
        command.make_context(command.name, list(words), parent=context)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_command_that_a_page_names_is_there_with_its_options(page: Path, cli: click.Group) -> None:
    for words in commands(page.read_text(encoding="utf-8")):
        parse(cli, words)


def test_the_runbook_names_many_commands_and_a_wrong_one_would_be_seen(cli: click.Group) -> None:
    assert len({" ".join(words[:2]) for words in commands(RUNBOOK)}) > 15
    with pytest.raises(AssertionError):
        parse(cli, ["duties", "close"])
    with pytest.raises(AssertionError):
        parse(cli, ["duties", "open", "--all"])


def test_every_unit_that_the_runbook_names_is_shipped() -> None:
    named = set(re.findall(r"visits-[a-z-]+[a-z]", RUNBOOK))
    shipped = {re.split(r"[@.]", path.name)[0] for path in UNITS.iterdir()}
    assert {name for name in named if name not in shipped} == set()
    assert len(named) > 7


def test_every_file_that_the_runbook_installs_from_the_repository_is_there() -> None:
    named = set(re.findall(r"(?<![\w/])((?:deploy|tests)/[\w./-]+\w)", RUNBOOK))
    assert {name for name in named if not (ROOT / name).exists()} == set()


def test_every_setting_that_the_runbook_names_is_read() -> None:
    table = RUNBOOK[RUNBOOK.index("## 2. Settings") : RUNBOOK.index("## 3.")]
    named = set(re.findall(r"`([A-Z][A-Z0-9_]{3,})`", table)) - OF_OTHERS
    known = {field.name.upper() for field in dataclasses.fields(Settings)} - {"PROXIES", "DEMO"}
    source = (ROOT / "server" / "settings.py").read_text()
    unknown = {name for name in named if name not in known and f'"{name}"' not in source}
    assert {name for name in unknown if not name.startswith("AWS_")} == set()


def test_the_runbook_refers_to_the_shipped_files_and_repeats_none() -> None:
    assert FORBIDDEN.findall(RUNBOOK) == []
    assert "deploy/nginx/visits.conf" in RUNBOOK
    assert "deploy/systemd/" in RUNBOOK


def test_at_night_the_runbook_speaks_of_every_part_that_the_doctor_finds_wrong() -> None:
    night = RUNBOOK[RUNBOOK.index("## 11.") :]
    told = {part for part in Part if part.label in night}
    assert set(Part) - told <= {Part.CONFIGURATION, Part.SCHEMA}
