"""Commands for administrators and timers: `flask --app wsgi …`."""

import datetime as dt

import click
from flask import Flask, current_app
from flask.cli import AppGroup
from sqlalchemy import select

from server.accounts.commands import accounts
from server.db import unit_of_work
from server.http.command import at_work
from server.http.parts import Parts, parts
from server.ledger import sealer
from server.people.commands import people
from server.policies import service as policies
from server.policies.models import PolicyVersion
from server.regions.models import Region
from server.regions.service import load_guangde
from server.schedule import seeding
from server.schedule.models import RuleVersion
from server.schedule.opening import ensure_open
from server.schema import upgrade
from server.vault.keyring import KeyringBroken
from server.vault.rewrapping import locked_with, rewrap_all


def install(app: Flask) -> None:
    """Register the commands."""
    for command in (accounts, db, duties, keyring, ledger, people):
        app.cli.add_command(command)


db = AppGroup("db", help="数据库 database")
duties = AppGroup("duties", help="走访任务 duties")
keyring = AppGroup("keyring", help="密钥环 key ring")
ledger = AppGroup("ledger", help="留痕 ledger")


@db.command("upgrade")
def db_upgrade() -> None:
    """Bring the schema to head."""
    upgrade(parts().engine)
    click.echo("schema: head")


@db.command("seed")
@click.option(
    "--begin-on",
    required=True,
    type=click.DateTime(["%Y-%m-%d"]),
    help="首个考核期的第一天 first day that counts",
)
@click.option(
    "--in-force-since",
    type=click.DateTime(["%Y-%m-%d"]),
    default="2020-01-01",
    show_default=True,
    help="区划和规定的生效日期 since when regions and rules hold",
)
def db_seed(begin_on: dt.datetime, in_force_since: dt.datetime) -> None:
    """Write regions, visit rules and policy numbers of the first start; what is there already is left alone."""
    since, wrote = in_force_since.date(), []
    with at_work() as work:
        if work.session.scalar(select(Region.code).limit(1)) is None:
            wrote.append(f"{load_guangde(work.session, valid_from=since)} regions")
        if work.session.scalar(select(PolicyVersion.id).limit(1)) is None:
            policies.seed(work, effective_from=since, begin_on=begin_on.date())
            wrote.append("policy numbers")
        if work.session.scalar(select(RuleVersion.id).limit(1)) is None:
            wrote.append(f"{seeding.seed(work)} visit rules")
    click.echo(f"wrote {', '.join(wrote)}" if wrote else "nothing to write")


@keyring.command("status")
def keyring_status() -> None:
    """Count the data keys that each key of the ring locks."""
    ring = parts().keys.keyring
    counts = locked_with(parts().sessions)
    for kid in sorted(set(ring.kek) | set(counts)):
        state = "active" if kid == ring.active else "old" if kid in ring.kek else "MISSING"
        click.echo(f"{kid}  {state}  {counts.get(kid, 0)}")


@keyring.command("rewrap")
def keyring_rewrap() -> None:
    """Lock every data key anew with the active key; running it twice changes nothing."""
    try:
        done = rewrap_all(parts().keys.keyring, parts().sessions)
    except KeyringBroken as broken:
        raise click.ClickException(str(broken)) from None
    click.echo(f"rewrapped {done} keys")


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
