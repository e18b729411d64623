"""`flask people erase`: two people and a reason, the reason on standard input."""

import sys
from uuid import UUID

import click
from flask.cli import with_appcontext

from server.errors import Refusal
from server.http.command import at_work
from server.http.parts import parts
from server.keeping.erasing import Erasure, delete_blobs, erase


@click.command("erase")
@click.argument("person", type=click.UUID)
@click.option("--by", required=True, type=click.UUID, help="申请人（民政负责人）的编号")
@click.option(
    "--approved-by", required=True, type=click.UUID, help="批准人（另一位民政负责人或县级督查）的编号"
)
@with_appcontext
def people_erase(person: UUID, by: UUID, approved_by: UUID) -> None:
    """依法删除一个人的个人信息；原因从标准输入读入，不可撤销。 Erase a person for good; running it twice is harmless."""
    house = parts()
    house.keys.house_key()  # made at its first use, which must not be inside a transaction
    reason = sys.stdin.read(10_000)
    with at_work() as work:
        done = erase(work, Erasure(person, by, approved_by, reason))
    try:
        gone = delete_blobs(house.store, done.blobs)
    except Refusal:
        raise click.ClickException(
            "个人信息已删除，密钥已销毁；照片文件暂时删不掉（已无法打开），flask photos sweep 会在三十天后清理。"
        ) from None
    click.echo(f"{'erased before' if done.again else 'erased'}; {gone} pictures deleted")
