"""The systemd units that we ship: systemd takes them, they are shut in, and what they start is there."""

import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from flask import Flask
from granian.cli import cli as granian

from server.cli import install

ROOT = Path(__file__).parents[2]
UNITS = ROOT / "deploy" / "systemd"
SHARED = UNITS / "visits-.service.d" / "50-house.conf"
SERVICES = sorted(path.name for path in UNITS.glob("*.service"))
TIMERS = sorted(path.name for path in UNITS.glob("*.timer"))
RUNBOOK = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
MOST_EXPOSED = 2.0

Lines = list[tuple[str, str, str]]


def lines_of(path: Path) -> Lines:
    """Read a unit: (section, name, value), continued lines joined."""
    text = path.read_text(encoding="utf-8").replace("\\\n", " ")
    section, found = "", []
    for line in text.splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif line and not line.startswith("#"):
            name, equals, value = line.partition("=")
            assert equals, f"{path.name}: {line}"
            found.append((section, name, value))
    return found


def values(path: Path, name: str) -> list[str]:
    return [value for _, one, value in lines_of(path) if one == name]


def started() -> Iterator[tuple[str, str, list[str]]]:
    """Give each service with each program of its ExecStart and the arguments."""
    for service in SERVICES:
        commands = values(UNITS / service, "ExecStart")
        assert commands, service
        for command in commands:
            program, *arguments = shlex.split(command.replace("%i", "8000"))
            yield service, program.rpartition("/")[2], arguments


def test_every_section_is_one_of_systemd_s() -> None:
    known = {"Unit", "Service", "Timer", "Install"}
    for path in (*UNITS.glob("*.*"), SHARED):
        if path.is_file():
            assert {section for section, *_ in lines_of(path)} <= known, path.name


def test_what_the_units_start_is_there_with_these_options() -> None:
    app, programs = Flask("commands"), set()
    install(app)
    for service, program, arguments in started():
        programs.add(program)
        if program == "granian":
            granian.make_context("granian", arguments)
            continue
        assert (program, *arguments[:2]) == ("flask", "--app", "wsgi"), service
        command: click.Command = app.cli
        context = click.Context(command)
        words = arguments[2:]
        while isinstance(command, click.Group):
            found = command.get_command(context, words[0])
            assert found is not None, f"{service}: no command {words[0]!r}"
            command, words = found, words[1:]
        command.make_context(command.name, words, parent=context)  # an unknown option is an error
    assert programs == {"granian", "flask"}


def test_every_timer_has_its_service_and_the_target_wants_all_that_runs() -> None:
    wanted = set(" ".join(values(UNITS / "visits.target", "Wants")).split())
    assert [timer for timer in TIMERS if timer.replace(".timer", ".service") not in SERVICES] == []
    once = {service for service in SERVICES if values(UNITS / service, "Type") == ["oneshot"]}
    for_ever = set(SERVICES) - once
    assert {timer.replace(".timer", ".service") for timer in TIMERS} == once
    assert {re.sub("@[0-9]+", "@", name) for name in wanted} == set(TIMERS) | for_ever


def test_a_run_that_was_missed_is_made_up_for_and_days_are_those_of_shanghai() -> None:
    for timer in TIMERS:
        assert values(UNITS / timer, "Persistent") == ["yes"]
        (when,) = values(UNITS / timer, "OnCalendar")
        assert when.endswith("Asia/Shanghai") or when.startswith("*:"), timer


def test_the_api_is_stopped_gently_and_within_the_time_that_its_worker_has() -> None:
    service = UNITS / "visits-api@.service"
    arguments = next(arguments for _, program, arguments in started() if program == "granian")
    patience = int(arguments[arguments.index("--workers-kill-timeout") + 1])
    assert values(service, "KillMode") == ["mixed"]
    assert patience < int(values(service, "TimeoutStopSec")[0])
    assert arguments[arguments.index("--host") + 1] == "127.0.0.1"


def test_the_proxy_looks_where_the_units_listen() -> None:
    proxy = (ROOT / "deploy" / "nginx" / "visits.conf").read_text()
    ports = re.findall(r"^    server 127\.0\.0\.1:(\d+)", proxy, re.MULTILINE)
    assert ports == re.findall(r"visits-api@(\d+)\.service", (UNITS / "visits.target").read_text())


def test_secrets_come_from_a_file_and_never_from_a_unit() -> None:
    assert values(SHARED, "EnvironmentFile") == ["/etc/visits/env"]
    for path in (*UNITS.rglob("*.service"), SHARED):
        files = values(path, "EnvironmentFile")
        assert all(file.removeprefix("-").startswith("/etc/visits/") for file in files), path.name
        plain = ["MALLOC_ARENA_MAX=2"] if path.name == "visits-api@.service" else []
        assert values(path, "Environment") == plain, path.name


def test_the_runbook_tells_of_every_unit_file() -> None:
    missing = [name for name in (*SERVICES, *TIMERS) if name.rpartition(".")[0] not in RUNBOOK]
    assert missing == []
    assert all(name in RUNBOOK for name in ("visits.target", "visits-.service.d", "deploy/nginx/visits.conf"))


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """Give the units as if the service were installed where this repository lies."""
    shutil.copytree(UNITS, tmp_path / "units")
    for path in (tmp_path / "units").rglob("*.*"):
        if path.is_file():
            path.write_text(path.read_text().replace("/opt/visits", str(ROOT)))
    return tmp_path / "units"


def analyze(installed: Path, *words: str) -> str:
    """Ask systemd about the units; on a machine without systemd only what is parsed above is known."""
    program = shutil.which("systemd-analyze")
    if program is None:
        return ""
    done = subprocess.run(
        [program, *words],
        env={"SYSTEMD_UNIT_PATH": f"{installed}:", "SYSTEMD_COLORS": "0", "SYSTEMD_PAGER": "", "PATH": "/usr/bin:/bin"},
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_systemd_finds_no_fault_in_them(installed: Path) -> None:
    files = [str(path) for path in installed.glob("*.*") if path.is_file()]
    assert "visits" not in analyze(installed, "verify", "--man=no", *files)


def test_every_service_is_shut_in(installed: Path) -> None:
    names = [service.replace("@.", "@8000.") for service in SERVICES]
    said = analyze(
        installed, "security", "--offline=true", "--no-pager", *(str(installed / one) for one in names)
    )
    exposed = dict(re.findall(r"exposure level for (\S+): ([0-9.]+)", said))
    assert {name for name, level in exposed.items() if float(level) > MOST_EXPOSED} == set()
    assert set(exposed) == set(names) or said == ""
