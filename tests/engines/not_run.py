"""A pytest plugin: repeats, just above the closing line, what this run did not test because an engine is missing."""

from pathlib import Path

import pytest

MISSING = Path("var/engines/missing")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say loudly which engines were missing, as tests/engines/install.sh wrote it down."""
    lines = MISSING.read_text().splitlines() if MISSING.exists() else []
    if lines:
        terminalreporter.section("NOT RUN: ENGINES ARE MISSING", sep="!", red=True, bold=True)
        for line in lines:
            terminalreporter.write_line(line, red=True)
