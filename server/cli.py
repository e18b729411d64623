"""Commands for administrators and timers: `flask --app wsgi …`."""

import datetime as dt
import json
from pathlib import Path
from typing import Any
from uuid import UUID

import click
from flask import Flask, current_app
from flask.cli import AppGroup, with_appcontext
from sqlalchemy import select

from server.accounts.commands import accounts
from server.accounts.limits import forget_old
from server.auditing.commands import COMMANDS as AUDITING
from server.db import unit_of_work
from server.doctor.commands import doctor
from server.errors import Refusal
from server.http.api import description
from server.http.command import at_work
from server.http.parts import Parts, parts
from server.http.typescript import typescript
from server.keeping.commands import backup, backups, restore
from server.keeping.erase_commands import people_erase
from server.ledger import sealer
from server.ledger.sealing import asked_to_stop, seal_until
from server.people.commands import people
from server.people.moving import move_along
from server.photos.commands import photos_scrub
from server.photos.sweeping import sweep
from server.policies import service as policies
from server.policies.models import PolicyVersion
from server.regions.models import Region
from server.regions.service import load_guangde
from server.remedies.commands import problems
from server.reviews.diagram import states_page
from server.schedule import seeding
from server.schedule.emergencies import declare, reached
from server.schedule.escalating import escalate
from server.schedule.models import RuleVersion
from server.schedule.opening import ensure_open
from server.schedule.terms import EmergencyKind, NewEmergency
from server.schema import upgrade
from server.spotchecks.commands import spot_checks
from server.spotchecks.diagram import spot_check_states
from server.vault.keyring import KeyringBroken
from server.vault.rewrapping import locked_with, rewrap_all
from server.visits.judging_process import judge_until


def install(app: Flask) -> None:
    """Register the commands."""
    for command in (
        accounts,
        db,
        doctor,
        keyring,
        duties,
        evidence,
        ledger,
        people,
        emergencies,
        problems,
        photos,
        limits,
        regions,
        spot_checks,
        states_file,
        openapi_file,
        typescript_types,
        backup,
        backups,
        restore,
    ):
        app.cli.add_command(command)


db = AppGroup("db", help="数据库 database")
duties = AppGroup("duties", help="走访任务 duties")
evidence = AppGroup("evidence", help="佐证 evidence")
keyring = AppGroup("keyring", help="密钥环 key ring")
ledger = AppGroup("ledger", help="留痕 ledger")
emergencies = AppGroup("emergencies", help="应急走访 emergencies")
photos = AppGroup("photos", help="照片 photos")
limits = AppGroup("limits", help="次数限制 limits")
regions = AppGroup("regions", help="行政区划 regions")
photos.add_command(photos_scrub)
people.add_command(people_erase)
for one in AUDITING:
    ledger.add_command(one)


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
@click.option(
    "--every", type=click.FloatRange(0.1, 3600), help="Go on at this many seconds' distance, until SIGTERM."
)
def ledger_seal(every: float | None) -> None:
    """Give positions to the events that have none yet."""
    if every is None:
        with unit_of_work(parts().sessions) as session:
            sealed = sealer.seal(session)
    else:
        with asked_to_stop() as stop:
            sealed = seal_until(stop, parts().sessions, every)
    click.echo(f"sealed {sealed} events")


@evidence.command("work")
@click.option(
    "--every", type=click.FloatRange(0.1, 3600), help="Go on at this many seconds' distance, until SIGTERM."
)
def evidence_work(every: float | None) -> None:
    """Judge the visits whose facts changed since they were judged."""
    with asked_to_stop() as stop:
        click.echo(f"judged {judge_until(stop, parts(), every)} visits")


@duties.command("escalate")
def duties_escalate() -> None:
    """Record each step of escalation that an overdue duty has reached; running it twice changes nothing."""
    with unit_of_work(parts().sessions) as session:
        work = parts().work(session)
        counts = escalate(work)
        work.close()
    click.echo(json.dumps({f"step_{step}": count for step, count in counts.items()}))


@emergencies.command("declare")
@click.option(
    "--id", "emergency_id", type=click.UUID, help="so that a repeat is harmless; a new one by default"
)
@click.option("--kind", required=True, type=click.Choice([kind.value for kind in EmergencyKind]))
@click.option("--happened-at", required=True, help="RFC 3339, with an offset")
@click.option("--area", "area_code", help="region code; or name people")
@click.option("--person", "person_ids", type=click.UUID, multiple=True)
@click.option("--hours", type=click.IntRange(1, 720))
@click.option("--note")
def emergencies_declare(
    emergency_id: UUID | None, kind: str, happened_at: str, person_ids: tuple[UUID, ...], **more: Any
) -> None:
    """Declare an emergency: everybody whom it reaches must be seen within hours."""
    house = parts()
    try:
        instant = dt.datetime.fromisoformat(happened_at)
    except ValueError:
        raise click.BadParameter(happened_at, param_hint="--happened-at") from None
    if instant.tzinfo is None:
        raise click.BadParameter("an offset is needed, as in +08:00", param_hint="--happened-at")
    house.keys.reserve(1)
    new = NewEmergency(
        id=emergency_id or house.tools.new_id(),
        kind=next(one for one in EmergencyKind if one.value == kind),
        happened_at=instant.astimezone(dt.UTC).replace(microsecond=0),
        person_ids=person_ids or None,
        **more,
    )
    try:
        with unit_of_work(house.sessions) as session:
            work = house.work(session)
            emergency, is_new = declare(work, new)
            work.close()
            people = reached(work, emergency.id)
    except Refusal as refusal:
        raise click.ClickException(f"{refusal.detail} {dict(refusal.errors)}") from None
    click.echo(json.dumps({"id": str(emergency.id), "new": is_new, "people": people}))


@photos.command("sweep")
def photos_sweep() -> None:
    """Mark blobs that no row names, delete those marked for thirty days."""
    with unit_of_work(parts().sessions) as session:
        work = parts().work(session)
        marked, deleted = sweep(work, parts().store)
        work.close()
    click.echo(f"marked {marked}, deleted {deleted}")


@limits.command("forget")
def limits_forget() -> None:
    """Delete the counts of limits whose window ended a day ago."""
    with unit_of_work(parts().sessions) as session:
        click.echo(f"forgot {forget_old(session, parts().tools.now())} counts")


@regions.command("move")
def regions_move() -> None:
    """Move people along whose village has been merged; running it twice changes nothing."""
    with unit_of_work(parts().sessions) as session:
        work = parts().work(session)
        moved = move_along(work)
        work.close()
    click.echo(f"moved {moved} people")


@click.command("states-file")
@click.argument("path", type=click.Path(dir_okay=False, path_type=Path))
def states_file(path: Path) -> None:
    """Draw the states of visits, duties and spot checks into a Markdown file (docs/states.md)."""
    path.write_text(states_page() + spot_check_states(), encoding="utf-8")
    click.echo(f"{path}: written")


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
