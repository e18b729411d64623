"""Commands for administrators and timers: `flask --app wsgi …`."""

import json
from pathlib import Path

import click
from flask import Flask, current_app
from flask.cli import AppGroup, with_appcontext

from server.db import unit_of_work
from server.http.api import description
from server.http.parts import Parts, parts
from server.http.typescript import typescript
from server.ledger import sealer
from server.people.commands import people
from server.schedule.opening import ensure_open
from server.schema import upgrade


def install(app: Flask) -> None:
    """Register the commands."""
    for command in (db, duties, ledger, people, openapi_file, typescript_types):
        app.cli.add_command(command)


db = AppGroup("db", help="数据库 database")
duties = AppGroup("duties", help="走访任务 duties")
ledger = AppGroup("ledger", help="留痕 ledger")


@db.command("upgrade")
def db_upgrade() -> None:
    """Bring the schema to head."""
    upgrade(parts().engine)
    click.echo("schema: head")


@duties.command("open")
def duties_open() -> None:
    """Open every period that has begun; running it twice changes nothing."""
    house: Parts = current_app.extensions["parts"]
    with unit_of_work(house.sessions) as session:
        work = house.work(session)
        made = ensure_open(work)
        work.close()
    click.echo(f"opened {made} duties")


@ledger.command("seal")
def ledger_seal() -> None:
    """Give positions to the events that have none yet."""
    with unit_of_work(parts().sessions) as session:
        click.echo(f"sealed {sealer.seal(session)} events")


@click.command("openapi-file")
@click.argument("path", type=click.Path(path_type=Path, dir_okay=False), default="docs/openapi.json")
@with_appcontext
def openapi_file(path: Path) -> None:
    """Write the OpenAPI document; the same code always writes the same bytes."""
    path.write_text(json.dumps(description(), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    click.echo(f"{path}: written")


@click.command("typescript-types")
@click.argument("path", type=click.Path(path_type=Path, dir_okay=False))
@with_appcontext
def typescript_types(path: Path) -> None:
    """Write TypeScript types of every body and answer, for a mini-program's sources."""
    path.write_text(typescript(description()), encoding="utf-8")
    click.echo(f"{path}: written")
