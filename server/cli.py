"""Commands for administrators and timers: `flask --app wsgi …`."""

import time

import click
from flask import Flask, current_app
from flask.cli import AppGroup

from server.db import unit_of_work
from server.http.parts import Parts, parts
from server.ledger import sealer
from server.people.commands import people
from server.schedule.opening import ensure_open
from server.schema import upgrade


def install(app: Flask) -> None:
    """Register the commands."""
    for command in (db, duties, ledger, people):
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
@click.option(
    "--every", type=click.FloatRange(0.1, 3600), help="Go on for ever, at this many seconds' distance."
)
def ledger_seal(every: float | None) -> None:
    """Give positions to the events that have none yet."""
    while True:
        with unit_of_work(parts().sessions) as session:
            sealed = sealer.seal(session)
        if every is None:
            click.echo(f"sealed {sealed} events")
            return
        time.sleep(every)
