"""`flask backup`, `flask backups`, `flask restore`."""

import datetime as dt
import json
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from threading import Event

import click
from flask.cli import with_appcontext
from sqlalchemy.engine import make_url

from server.db import unit_of_work, vault_file
from server.http.parts import Parts, parts
from server.keeping import catalogue, checking, following, photos, restoring
from server.keeping.following import Places
from server.keeping.opening import archives_of
from server.keeping.source import Source
from server.keeping.terms import KeepingRefused
from server.ledger import sealer
from server.photos.commands import ShareOption
from server.schema import upgrade


class _Instant(click.ParamType[dt.datetime]):
    name = "instant"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> dt.datetime:
        try:
            instant = dt.datetime.fromisoformat(str(value))
        except ValueError:
            self.fail("时刻应写成 2026-04-01T08:00:00+08:00", param, ctx)
        if instant.tzinfo is None:
            self.fail("时刻须带时区，如 +08:00", param, ctx)
        return instant


@click.command("backup")
@click.option(
    "--every", type=click.FloatRange(0.2, 60), help="Go on for ever, at this many seconds' distance."
)
@with_appcontext
def backup(every: float | None) -> None:
    """备份：数据库、数据密钥、照片，加密，服务不停。 Back up database, data keys and photos, apart, while serving."""
    with _sentences():
        places = _places(parts())
        if every is None:
            click.echo(following.back_up_once(places))
        else:
            stop = Event()
            # systemd ends a service with SIGTERM: a last tick, and then the end.
            for sign in (signal.SIGTERM, signal.SIGINT):
                signal.signal(sign, lambda *_: stop.set())
            following.follow(places, every, lambda text: click.echo(text, err=True), stop)


@click.command("backups")
@with_appcontext
def backups() -> None:
    """列出可恢复的备份。 List the generations that can be restored."""
    with _sentences():
        archives, _ = archives_of(parts().settings, parts().tools.random_bytes)
        for generation in catalogue.generations(archives):
            click.echo(generation)


@click.command("restore")
@click.option("--generation", help="哪一代备份；默认最新 which generation, the newest by default")
@click.option("--until", type=_Instant(), help="恢复到此刻为止 as of this instant, with an offset")
@click.option(
    "--photos", "share", type=ShareOption(), default="1/20", show_default=True,
    help="打开核对多少照片；1 为全部 how many of the photos are opened and compared; 1 is all",
)  # fmt: skip
@with_appcontext
def restore(generation: str | None, until: dt.datetime | None, share: Fraction) -> None:
    """恢复到空的数据库和空的照片存储，并自行核对。 Restore into an empty place, and check what came out."""
    house = parts()
    with _sentences():
        report = _restore(house, restoring.Wish(generation, until, share))
    click.echo(json.dumps(report.told(house.tools.clock()), ensure_ascii=False, indent=1))
    if report.check["faults"]:
        raise click.ClickException("恢复已完成，但核对发现问题，见上面的 faults。")


def _restore(house: Parts, wish: restoring.Wish) -> restoring.Report:
    archives, kept = archives_of(house.settings, house.tools.random_bytes)
    catalogue.chosen(
        archives, wish.generation, wish.until
    )  # a wish that cannot be met is told before anything is done
    restoring.refuse_full_store(house.store, kept)
    target = _target(house)
    seconds = {}
    began = time.monotonic()
    try:
        copied = sum(photos.copy_new(kept, house.store))
        seconds["photos"], began = time.monotonic() - began, time.monotonic()
        report = restoring.rebuild(archives, target, wish, lambda text: click.echo(text, err=True))
    finally:
        target.close()
    upgrade(house.engine)
    report.photos = copied
    report.erasures_replayed = restoring.replay_erasures(archives, house.sessions, house.work)
    with unit_of_work(house.sessions) as session:
        # Going back to an earlier instant is itself something that an auditor must find.
        work = house.work(session)
        work.tell("service.restored", "backup", payload=report.facts())
        work.close()
        sealer.seal(session)
    seconds["database"], began = time.monotonic() - began, time.monotonic()
    report.check = checking.check(house, wish.share)
    seconds["check"] = time.monotonic() - began
    report.seconds = seconds
    return report


def _places(house: Parts) -> Places:
    archives, kept = archives_of(house.settings, house.tools.random_bytes)
    house.engine.dispose()  # what follows opens its own connections
    return Places(lambda: _source(house), house.store, archives, kept, house.tools)


def _files(house: Parts) -> tuple[Path, Path]:
    url = house.settings.database_url
    return Path(make_url(url).database or ""), Path(vault_file(url))


def _source(house: Parts) -> Source:
    if house.engine.dialect.name == "postgresql":
        from server.keeping.postgres_source import PostgresSource

        return PostgresSource(house.settings.database_url, house.tools.random_bytes(4).hex())
    from server.keeping.sqlite_source import SqliteSource

    return SqliteSource(*_files(house))


def _target(house: Parts) -> restoring.Target:
    if house.engine.dialect.name == "postgresql":
        from server.keeping.postgres_target import PostgresTarget

        return PostgresTarget(house.settings.database_url, lambda revision: upgrade(house.engine, revision))
    from server.keeping.sqlite_target import SqliteTarget

    house.engine.dispose()
    return SqliteTarget(*_files(house))


@contextmanager
def _sentences() -> Iterator[None]:
    try:
        yield
    except KeepingRefused as refused:
        raise click.ClickException(str(refused)) from None
