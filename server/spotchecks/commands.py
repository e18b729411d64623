"""`flask spot-checks …`: what a timer does with rectifications, and the proof of a draw as files."""

import json
from pathlib import Path
from uuid import UUID

import click
from flask.cli import AppGroup

from server.http.answer import wire_json
from server.http.command import at_work
from server.http.parts import parts
from server.spotchecks.publishing import frame, proof
from server.spotchecks.rectifying import escalate_late

spot_checks = AppGroup("spot-checks", help="抽查与整改 spot checks")


@spot_checks.command("escalate")
def spot_checks_escalate() -> None:
    """Record each step of lateness that a rectification has reached; running it twice changes nothing."""
    with at_work() as work:
        counts = escalate_late(work)
    click.echo(json.dumps({f"step_{step}": count for step, count in counts.items()}))


@spot_checks.command("export")
@click.argument("plan_id", type=click.UUID)
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def spot_checks_export(plan_id: UUID, folder: Path) -> None:
    """Write proof.json and frame.csv of a draw into a folder, for anyone to draw again (docs/spot-checks.md)."""
    parts().keys.house_key()
    folder.mkdir(parents=True, exist_ok=True)
    with at_work() as work:
        (folder / "proof.json").write_bytes(wire_json(proof(work, plan_id)) + b"\n")
        with (folder / "frame.csv").open("w", encoding="utf-8", newline="") as file:
            file.writelines(frame(work, plan_id))
    click.echo(f"{folder}: proof.json, frame.csv")
