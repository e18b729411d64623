"""`flask photos scrub`."""

import datetime as dt
import json
from fractions import Fraction
from pathlib import Path

import click
from flask.cli import with_appcontext
from prometheus_client import CollectorRegistry, Gauge, write_to_textfile

from server.db import unit_of_work
from server.errors import Refusal
from server.http.parts import parts
from server.photos.scrubbing import Share, scrub


class ShareOption(click.ParamType[Fraction]):
    """A share such as 1/30, more than nothing and at most all."""

    name = "share"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Fraction:
        try:
            share = Fraction(str(value))
        except (ValueError, ZeroDivisionError):
            share = Fraction(0)
        if not 0 < share <= 1:
            self.fail("份额应在 0 到 1 之间，如 1/30 (a share such as 1/30)", param, ctx)
        return share


@click.command("scrub")
@click.option("--share", type=ShareOption(), default="1/30", show_default=True)
@click.option(
    "--metrics", type=click.Path(dir_okay=False, path_type=Path),
    help="把结果写成 Prometheus 文本文件 also write the figures for Prometheus's textfile collector",
)  # fmt: skip
@with_appcontext
def photos_scrub(share: Fraction, metrics: Path | None) -> None:
    """重读一份照片并与登记的摘要核对。 Read a day's share of the photos again and compare each with its row."""
    house = parts()
    part = Share.of_day(share, house.tools.now().date())
    try:
        found = scrub(house.sessions, house.keys, house.store, part)
    except Refusal as refusal:
        raise click.ClickException(f"照片存储现在不能读取，没有核对完：{refusal.code()}") from None
    with unit_of_work(house.sessions) as session:
        work = house.work(session)
        work.tell("photos.scrubbed", "photos", payload={"share": str(share), **found.told()})
        work.close()
    click.echo(json.dumps({"share": str(share), **found.told()}))
    if metrics is not None:
        _write_metrics(metrics, found.told(), house.tools.clock())
    if not found.are_good:
        raise click.ClickException("有照片缺失或损坏，请从备份中取回这些照片。")


def _write_metrics(path: Path, told: dict[str, object], now: dt.datetime) -> None:
    registry = CollectorRegistry()
    count = Gauge("photos_scrubbed", "Photos read again by the last scrub", ["verdict"], registry=registry)
    for verdict in ("ok", "erased", "missing", "corrupt"):
        value = told[verdict]
        count.labels(verdict).set(len(value) if isinstance(value, list) else int(str(value)))
    Gauge("photos_scrubbed_at", "When (seconds since 1970)", registry=registry).set(now.timestamp())
    write_to_textfile(str(path), registry)
