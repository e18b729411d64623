"""Signs what the ledger is, and refuses to sign one that does not go on from what was signed before (TRUST §2).

The key is none of the serving process's: a timer signs (`flask ledger checkpoint`), and exports each checkpoint to a
place outside the database, since whoever owns the database can change every table in it, this one too.
"""

from collections.abc import Iterator, Sequence
from functools import partial

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.ledger import sealer
from server.ledger.leaves import leaf
from server.ledger.models import Checkpoint, Event, Position
from server.ledger.notes import NoteBroken, Signed, SigningKey
from server.ledger.tree import Tree, leaf_hash
from server.ledger.work import Work

SIGNED = "checkpoint.signed"
PAGE = 2000


class CheckpointRefused(Exception):  # noqa: N818  (read by an administrator as a sentence)
    """No checkpoint is signed; the message says, in Chinese, what does not fit and where."""


def tree_of(session: Session) -> Tree:
    """Give the stored tree; what it reads it reads once."""
    return Tree(partial(sealer.kept, session))


def latest(session: Session) -> Checkpoint | None:
    """Give the last checkpoint that was signed."""
    return session.scalars(select(Checkpoint).order_by(Checkpoint.number.desc()).limit(1)).one_or_none()


def checkpoints_after(session: Session, number: int) -> Sequence[Checkpoint]:
    """Give the checkpoints behind a number."""
    return session.scalars(
        select(Checkpoint).where(Checkpoint.number > number).order_by(Checkpoint.number)
    ).all()


def differing(session: Session, first: int, last: int) -> Iterator[tuple[int, str]]:
    """Compare positions with the events that they stand for: (seq, what is wrong), from the first on; memory is bounded."""
    expected = first
    while expected <= last:
        rows = session.execute(
            select(Position, Event)
            .outerjoin(Event, Event.id == Position.event_id)
            .where(Position.seq >= expected, Position.seq <= last)
            .order_by(Position.seq)
            .limit(PAGE)
        ).all()
        if not rows:
            yield expected, "缺失"
            return
        for position, event in rows:
            if position.seq != expected:
                yield expected, "缺失"
            if event is None:
                yield position.seq, "事件已被删除"
            elif leaf_hash(leaf(event, position.seq, position.leaf_form)) != position.leaf_hash:
                yield position.seq, "内容与摘要不符"
            expected = position.seq + 1
        session.expunge_all()


def sign(
    work: Work, key: SigningKey, held: Sequence[Signed], *, everything: bool = False, restored: bool = False
) -> Checkpoint | None:
    """Sign the ledger as it stands, with its own entry; None when nothing came since the last checkpoint.

    `held` are checkpoints known from outside the database; the tree must go on from each of them and from the last one
    in the table. What came since is compared entry by entry, `everything` from the first. `restored` says that a backup
    was restored and entries after it are lost: the new checkpoint says so too.
    """
    session = work.session
    sealer.seal(session)
    size = sealer.watermark(session)
    if size == 0:
        raise CheckpointRefused("留痕是空的，没有可签名的内容。")
    last = latest(session)
    known = [_opened(key, last)] if last else []
    outside = max((one for one in held), key=lambda one: one.number, default=None)
    lost = outside is not None and (last is None or outside.number > last.number)
    if lost and not restored:
        assert outside is not None
        raise CheckpointRefused(
            f"数据库比已导出的检查点旧（回滚）：已导出第 {outside.number} 号（{outside.size} 条），库中只到"
            f"第 {last.number if last else 0} 号（现有 {size} 条）。没有签名。若刚从备份恢复，请核实后加 --after-restore。"
        )
    tree = tree_of(session)
    for one in [*known, *([] if lost else held)]:
        _refuse_other(tree, one, size)
    start = 1 if everything or not known else known[0].size + 1
    for seq, what in differing(session, start, size):
        raise CheckpointRefused(f"第 {seq} 条留痕{what}，没有签名。请保留现场，核对备份。")
    if last is not None and (size == last.size if lost else not _has_news(session, last.size)):
        return None
    number = max((one.number for one in [*known, *held]), default=0) + 1
    root = tree.root(size)
    said = Signed(key.name, size, root, number, work.now, outside.number if lost and outside else None)
    made = Checkpoint(number=number, size=size, root=root, note=key.sign(said), signed_at=work.now)
    session.add(made)
    work.tell(SIGNED, "checkpoint", payload={"number": number, "size": size, "root": root.hex()})
    return made


def _refuse_other(tree: Tree, one: Signed, size: int) -> None:
    if one.size > size:
        raise CheckpointRefused(
            f"留痕变短了（截断或回滚）：第 {one.number} 号检查点有 {one.size} 条，现在只有 {size} 条。没有签名。"
        )
    if tree.root(one.size) != one.root:
        raise CheckpointRefused(
            f"留痕与第 {one.number} 号检查点（{one.size} 条）不符：之前的内容被改动过。没有签名。请保留现场，"
            "导出后用 python -m ledger_verify 查明位置。"
        )


def _opened(key: SigningKey, checkpoint: Checkpoint) -> Signed:
    try:
        said = key.opened(checkpoint.note)
    except NoteBroken:
        raise CheckpointRefused(
            f"库中第 {checkpoint.number} 号检查点不是用现在的密钥签的，或被改动过。没有签名。"
        ) from None
    if (said.number, said.size, said.root) != (checkpoint.number, checkpoint.size, checkpoint.root):
        raise CheckpointRefused(f"库中第 {checkpoint.number} 号检查点与其签名内容不符，被改动过。没有签名。")
    return said


def _has_news(session: Session, size: int) -> bool:
    """Say whether anything but the signing itself was told since."""
    return (
        session.scalar(
            select(Position.seq)
            .join(Event, Event.id == Position.event_id)
            .where(Position.seq > size, Event.action != SIGNED)
            .limit(1)
        )
        is not None
    )
