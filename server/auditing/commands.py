"""`flask ledger keygen | public-key | checkpoint | export | disclose`: what proves the ledger to whoever comes from outside."""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import click
from flask.cli import with_appcontext
from sqlalchemy import select

from server.auditing import exporting
from server.auditing.checkpoint_folder import CheckpointFolder, make_key, signing_key
from server.auditing.receipts import disclosed
from server.errors import Refusal
from server.http.command import at_work
from server.http.parts import parts
from server.ledger import checkpoints, sealer
from server.ledger.checkpoints import CheckpointRefused
from server.ledger.models import Event, Position
from server.ledger.notes import KeyBroken
from server.settings import SettingsError

__all__ = ["COMMANDS"]


@contextmanager
def _sentences() -> Iterator[None]:
    try:
        yield
    except (CheckpointRefused, KeyBroken, SettingsError) as refused:
        raise click.ClickException(str(refused)) from None


@click.command("keygen")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--name", required=True, help="留痕的名称，写在每个检查点里，如 guangde.example/visits")
@with_appcontext
def keygen(file: Path, name: str) -> None:
    """生成签名密钥（权限 0600），并显示公钥。 Make a signing key; an existing file is never touched."""
    with _sentences():
        key, made = make_key(file, name, parts().tools.random_bytes)
    if not made:
        raise click.ClickException(f"{file} 已存在，没有改动 (is there already and was left alone)")
    click.echo(f"made {file}", err=True)
    click.echo(key.public())


@click.command("public-key")
@with_appcontext
def public_key() -> None:
    """显示公钥，交给核验的人。 Show the public key, which goes to whoever verifies."""
    with _sentences():
        click.echo(signing_key(parts().settings).public())


@click.command("checkpoint")
@click.option("--all", "everything", is_flag=True, help="逐条核对全部留痕，而不只是新增的")
@click.option("--after-restore", "restored", is_flag=True, help="从备份恢复之后，核实无误再用")
@with_appcontext
def checkpoint(*, everything: bool, restored: bool) -> None:
    """签一个检查点并导出；与以前的接不上就拒绝。 Sign the ledger as it stands and export the checkpoint."""
    with _sentences():
        settings = parts().settings
        key = signing_key(settings)
        folder = CheckpointFolder.of(settings)
        held = folder.held(key)
        last = max((one.number for one in held), default=0)
        with at_work() as work:
            made = checkpoints.sign(work, key, held, everything=everything, restored=restored)
            number = made.number if made else None
        with at_work() as work:
            sealer.seal(work.session)
            for one in checkpoints.checkpoints_after(work.session, last):
                folder.put(key, one)
    click.echo(f"signed checkpoint {number}" if number else "nothing new to sign")


@click.command("export")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path, allow_dash=True))
@click.option("--from", "first", type=click.IntRange(1), default=1, show_default=True, help="从第几条起")
@click.option("--to", "last", type=click.IntRange(1), help="到第几条为止；默认全部")
@with_appcontext
def export(file: Path, first: int, last: int | None) -> None:
    """导出留痕供离线核验；- 为标准输出。 Export the ledger as JSON lines; memory stays small."""
    house = parts()
    if last is not None and last < first:
        raise click.BadParameter("--to 不能小于 --from")
    with at_work() as work:
        sealer.seal(work.session)
        if first > sealer.watermark(work.session):
            raise click.BadParameter("留痕还没有这么多条。", param_hint="--from")
        work.tell("ledger.exported", "ledger", changes=False, payload={"from": first, "to": last})
    written = 0
    if str(file) == "-":
        for line in exporting.lines(house, first, last):
            sys.stdout.write(f"{line}\n")
        return
    draft = file.with_name(f".{file.name}.{house.tools.random_bytes(4).hex()}")
    try:
        with draft.open("x", encoding="utf-8", newline="\n") as out:
            for line in exporting.lines(house, first, last):
                out.write(f"{line}\n")
                written += 1
            out.flush()
            os.fsync(out.fileno())
        draft.replace(file)
    except OSError as broken:
        raise click.ClickException(f"{file}: {broken.strerror}") from None
    finally:
        draft.unlink(missing_ok=True)
    click.echo(f"wrote {written} lines")


@click.command("disclose")
@click.argument("seq", type=click.IntRange(1))
@click.option("--reason", required=True, help="披露的原因，记入留痕")
@click.option("--by", "worker", type=click.UUID, help="批准人的编号")
@with_appcontext
def disclose(seq: int, reason: str, worker: UUID | None) -> None:
    """披露一条留痕的内容及其证明，并记入留痕。 Disclose the payload of one entry, with its proof."""
    try:
        with at_work() as work:
            row = work.session.execute(
                select(Position, Event).join(Event, Event.id == Position.event_id).where(Position.seq == seq)
            ).one_or_none()
            if row is None:
                raise click.ClickException("没有这一条。")
            said = disclosed(work, row[0], row[1])
            work.tell(
                "ledger.disclosed",
                "ledger",
                person_id=row[1].person_id,
                changes=False,
                payload={"seq": seq, "approved_by": worker, "reason_given": bool(reason.strip())},
            )
    except Refusal as refusal:
        raise click.ClickException(refusal.detail) from None
    click.echo(json.dumps(said, ensure_ascii=False))


COMMANDS = (keygen, public_key, checkpoint, export, disclose)
