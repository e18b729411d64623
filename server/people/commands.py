"""`flask people …`: what an administrator does with people at the machine itself, as the house."""

import datetime as dt
import sys
from pathlib import Path
from typing import Any, BinaryIO
from uuid import UUID

import click
from flask.cli import AppGroup

from server.http.command import at_work
from server.http.parts import parts
from server.people import terms
from server.people.directory import villages_within_reach
from server.people.enrolling import record_death
from server.people.entering import enter
from server.people.handing_over import hand_over
from server.people.importing import plan, split
from server.people.pausing import pause
from server.people.registering import register_person
from server.people.roster.error_workbook import write_error_workbook
from server.people.roster.reader import read_roster
from server.people.roster.villages import village_lookup

people = AppGroup("people", help="救助对象 people")
DAY = click.DateTime(["%Y-%m-%d"])
SPARE_KEYS = 64


@people.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="只核对，不写入 only compare")
@click.option("--skip-rejected", is_flag=True, help="跳过有问题的行 leave out rows with problems")
@click.option("--errors", type=click.Path(dir_okay=False, path_type=Path), help="把有问题的行写入 .xlsx")
@click.option("--sheet")
@click.option("--category", type=click.Choice([str(one) for one in terms.Category]))
@click.option("--village", help="没有村名的名册：十二位村代码")
def import_roster(
    file: Path,
    *,
    dry_run: bool,
    skip_rejected: bool,
    errors: Path | None,
    sheet: str | None,
    category: str | None,
    village: str | None,
) -> None:
    """Take a roster in, whole or not at all."""
    with at_work() as work:
        villages, today = villages_within_reach(work), work.today
        with file.open("rb") as stream:
            roster = read_roster(
                stream,
                today=today,
                village_lookup=village_lookup(villages),
                sheet=sheet,
                category=_category(category),
                village_code=village,
            )
            rows, rejected = split(roster.rows())
        made = plan(work, rows, rejected)
    if errors is not None:
        with errors.open("wb") as out:
            write_error_workbook(out, roster.header, roster.rejected(made.refused), today=today)
    report = made.report()
    for problem in report["problems"]:
        click.echo(f"第{problem['row']}行 {problem['column']} {problem['message']}", err=True)
    click.echo(
        " ".join(f"{name}={report[name]}" for name in ("rows", "new", "updated", "unchanged", "rejected"))
    )
    if dry_run:
        return
    if made.rejected and not skip_rejected:
        raise click.ClickException("名册中有需要修改的行，没有导入任何内容。")
    parts().keys.reserve(len(made.new) + SPARE_KEYS)
    with at_work() as work:
        enter(work, plan(work, rows, rejected))
    click.echo("imported")


@people.command("register")
@click.option("--name", required=True)
@click.option("--village", "village_code", required=True)
@click.option("--id-number-stdin", is_flag=True, help="从标准输入读身份证号码，不留在命令历史里")
@click.option("--no-id-reason")
@click.option("--phone")
@click.option("--address")
@click.option("--category", type=click.Choice([str(one) for one in terms.Category]), required=True)
@click.option("--since", type=DAY, required=True)
def register(*, id_number_stdin: bool, category: str, since: dt.datetime, **facts: Any) -> None:
    """Register a person with the first enrolment; prints id and file number."""
    number = _line(sys.stdin.buffer) if id_number_stdin else None
    parts().keys.reserve(1)
    with at_work() as work:
        chosen = _category(category)
        assert chosen is not None
        person = register_person(
            work,
            terms.NewPerson(
                id=work.new_id(),
                id_number=number,
                enrolment=terms.NewEnrolment(work.new_id(), chosen, since.date()),
                **facts,
            ),
        )
    click.echo(f"{person.id} {person.file_no}")


@people.command("death")
@click.argument("person_id", type=click.UUID)
@click.argument("died_on", type=DAY)
def death(person_id: UUID, died_on: dt.datetime) -> None:
    """Record that a person died."""
    with at_work() as work:
        record_death(work, person_id, terms.Death(died_on.date()))
    click.echo("recorded")


@people.command("pause")
@click.argument("person_id", type=click.UUID)
@click.argument("reason", type=click.Choice([str(one) for one in terms.PauseReason]))
@click.argument("first", type=DAY)
@click.argument("last", type=DAY)
def pause_visits(person_id: UUID, reason: str, first: dt.datetime, last: dt.datetime) -> None:
    """Pause the visits of a person."""
    chosen = next(one for one in terms.PauseReason if one == reason)
    with at_work() as work:
        row = pause(work, person_id, terms.NewPause(work.new_id(), chosen, first.date(), last.date()))
    click.echo(str(row.id))


@people.command("hand-over")
@click.argument("from_worker", type=click.UUID)
@click.argument("to_worker", type=click.UUID)
@click.option("--person", "person_ids", type=click.UUID, multiple=True, help="默认全部 everybody by default")
@click.option("--reason", required=True)
def hand_people_over(from_worker: UUID, to_worker: UUID, person_ids: tuple[UUID, ...], reason: str) -> None:
    """Hand people from one worker to another."""
    with at_work() as work:
        handed = hand_over(
            work, terms.HandOver(work.new_id(), from_worker, to_worker, reason, person_ids or None)
        )
    click.echo(f"handed over {len(handed)}")


def _category(text: str | None) -> terms.Category | None:
    return next((one for one in terms.Category if one == text), None)


def _line(stream: BinaryIO) -> str:
    return stream.readline(200).decode("utf-8", "replace").strip()
