"""`flask doctor`: the examination as a command, which works above all when the service cannot start."""

import json
from collections import Counter
from collections.abc import Sequence

import click
from flask import Flask

from server.doctor.examining import examine
from server.doctor.terms import State
from server.tools import Tools


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="for monitoring: one JSON document")
def doctor(*, as_json: bool) -> None:
    """Examine configuration, keys, clock, disks, schema, storage and background work; 1 when something is wrong."""
    tools = Tools()
    findings = examine(tools)
    counts = Counter(one.state for one in findings)
    if as_json:
        document = {
            "at": tools.now().isoformat(),
            "healthy": not counts[State.TROUBLE],
            "findings": [
                {"part": one.part, "state": one.state, "sentence": one.sentence, "advice": one.advice}
                for one in findings
            ],
        }
        click.echo(json.dumps(document, ensure_ascii=False, indent=1))
    else:
        for one in findings:
            click.echo(f"[{one.state.label}] {one.part.label}：{one.sentence}")
            if one.advice:
                click.echo(f"       → {one.advice}")
        click.echo(f"故障 {counts[State.TROUBLE]} 项，注意 {counts[State.WARNING]} 项。")
    if counts[State.TROUBLE]:
        raise click.exceptions.Exit(1)


def is_asked(arguments: Sequence[str]) -> bool:
    """Say whether a command line is `flask --app wsgi doctor …` or `flask doctor …`."""
    words = list(arguments[1:])
    return words[:1] == ["doctor"] or (words[:1] in (["--app"], ["-A"]) and words[2:3] == ["doctor"])


def bare_app() -> Flask:
    """Make an application with nothing but this command: the real one may be what is broken."""
    app = Flask("server", static_folder=None)
    app.cli.add_command(doctor)
    return app
