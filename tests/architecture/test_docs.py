"""The pages that people follow name only what is there: commands, settings, tables and pages."""

import dataclasses
import re
from pathlib import Path

import click
import pytest

from server.settings import Settings
from server.tables import METADATA
from server.vault.__main__ import ring

ROOT = Path(__file__).parents[2]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
RUNBOOK = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
NOT_READ = {"demo", "data_dir"}
RENAMED = {"proxies": "TRUSTED_PROXIES"}
LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_leads_somewhere(page: Path) -> None:
    links = LINK.findall(page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_every_command_of_the_runbook_is_there() -> None:
    from server import cli

    groups = {
        value.name: value for value in vars(cli).values() if isinstance(value, click.Group) and value.name
    }
    alone = {value.name for value in vars(cli).values() if isinstance(value, click.Command)} - groups.keys()
    named = {
        (first, second)
        for first, second in re.findall(r"flask ([a-z]+) ([a-z-]+)", RUNBOOK)
        if first not in alone or not second.startswith("-")
    }
    assert len(named) > 15
    assert {"backup", "backups", "restore"} <= alone
    missing = {f"{group} {command}" for group, command in named if command not in groups[group].commands}
    assert missing == set()
    rings = set(re.findall(r"server\.vault ([a-z]+) /", RUNBOOK))
    assert rings == set(ring.commands)


def test_every_setting_has_its_line_in_the_runbook() -> None:
    names = {field.name for field in dataclasses.fields(Settings)} - NOT_READ
    wanted = {RENAMED.get(name, name.upper()) for name in names}
    assert {name for name in wanted if f"`{name}`" not in RUNBOOK} == set()


def test_the_page_on_architecture_names_every_table() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    assert {table.name for table in METADATA.tables.values() if f"`{table.name}`" not in page} == set()
    listed = page[page.index("## The tables") : page.index("History is never")]
    known = {table.name for table in METADATA.tables.values()}
    assert {name for name in re.findall(r"`([a-z_]+)`", listed) if name not in known} == set()
