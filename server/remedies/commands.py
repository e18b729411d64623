"""Commands about problems, for a timer."""

import json

import click
from flask.cli import AppGroup

from server.http.command import at_work
from server.remedies.escalating import escalate_problems

problems = AppGroup("problems", help="问题整改 problems")


@problems.command("escalate")
def problems_escalate() -> None:
    """Record each level of escalation that an overdue problem has reached; running it twice changes nothing."""
    with at_work() as work:
        counts = escalate_problems(work)
    click.echo(json.dumps({f"level_{level}": count for level, count in counts.items()}))
