"""Checkpoints and proofs, for whoever keeps their own copy of what was signed (RFC 6962)."""

import base64
from typing import Any

from server.errors import Broken, Invalid, NotFound
from server.ledger import sealer
from server.ledger.checkpoints import latest, tree_of
from server.ledger.models import Checkpoint
from server.ledger.work import Work


class NoCheckpoint(NotFound):
    """There is no such checkpoint. If none was ever signed, an administrator sets up the signing key and its timer (docs/operations.md)."""

    title = "没有这个检查点"
    detail = "没有这个检查点；如果本系统还没有签过检查点，请联系系统管理员启用签名。"


class LedgerDiffers(Broken):
    """The stored tree does not fit the signed checkpoint: the ledger was changed behind the program's back."""

    title = "留痕与检查点不符"
    detail = "留痕与已签名的检查点不符，无法出具证明，请立即告知系统管理员和审计人员。"


def checkpoint(work: Work, number: int | None = None) -> Checkpoint:
    """Give a signed checkpoint, the last one by default."""
    found = latest(work.session) if number is None else work.session.get(Checkpoint, number)
    if found is None:
        raise NoCheckpoint
    return found


def checkpoint_shown(found: Checkpoint) -> dict[str, Any]:
    """Show a checkpoint."""
    return {
        "number": found.number,
        "size": found.size,
        "root": base64.b64encode(found.root).decode(),
        "signed_at": found.signed_at,
        "note": found.note,
    }


def inclusion(work: Work, seq: int, size: int | None) -> dict[str, Any]:
    """Prove that an entry is in the tree of a size, of the last checkpoint by default."""
    size = checkpoint(work).size if size is None else size
    _refuse_beyond(work, "size", size)
    if seq > size:
        raise Invalid(errors={"seq": ["序号超出所给的大小。"]})
    tree = tree_of(work.session)
    proof = tree.inclusion(seq - 1, size)
    return {
        "seq": seq,
        "size": size,
        "leaf_hash": tree.span(seq - 1, seq).hex(),
        "root": tree.root(size).hex(),
        "proof": [one.hex() for one in proof],
    }


def consistency(work: Work, first: int, second: int) -> dict[str, Any]:
    """Prove that the tree of `second` entries only added to that of `first`."""
    if first > second:
        raise Invalid(errors={"from": ["较早的大小不能大于较晚的大小。"]})
    _refuse_beyond(work, "to", second)
    tree = tree_of(work.session)
    return {
        "from": first,
        "to": second,
        "first_root": tree.root(first).hex(),
        "second_root": tree.root(second).hex(),
        "proof": [one.hex() for one in tree.consistency(first, second)],
    }


def _refuse_beyond(work: Work, field: str, size: int) -> None:
    if size > sealer.watermark(work.session):
        raise Invalid(errors={field: ["留痕还没有这么多条。"]})
