"""The signed checkpoint of the ledger and the proof that an entry is in it, for the auditor (检查点)."""

from typing import Any

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from api_schemas.auditing import CheckpointQuery, InclusionQuery
from server.auditing import proving
from server.http.guard import work
from server.ledger import sealer
from server.ledger.checkpoints import latest, tree_of
from server.ledger.models import Checkpoint
from server.permissions import Can
from server.web import showing
from server.web.door import shows
from server.web.features import Entry, feature
from server.web.forms import asked

blueprint = feature("checkpoint")
ENTRY = Entry(
    "检查点",
    "web_checkpoint.checkpoint",
    Can.READ_LEDGER,
    "最近一次签名，库中留痕是否与之相符，单条留痕的证明",
)


@blueprint.get("/audit/checkpoint")
@shows(Can.READ_LEDGER)
def checkpoint() -> ResponseReturnValue:
    """Show a signed checkpoint, the last one by default, and how the stored ledger stands to it."""
    number = asked(CheckpointQuery)["number"]
    session = work().session
    newest = latest(session)
    chosen = newest if number is None else proving.checkpoint(work(), number)
    return showing.page(
        "audit_checkpoint.html",
        chosen=chosen and proving.checkpoint_shown(chosen),
        is_newest=chosen is None or chosen is newest,
        stands=_stands(chosen),
        follows=chosen and _follows(chosen),
        entries_now=sealer.watermark(session),
    )


def _stands(chosen: Checkpoint | None) -> bool | None:
    """Say whether the tree as it is stored now gives the signed root; None without a checkpoint."""
    if chosen is None:
        return None
    session = work().session
    return sealer.watermark(session) >= chosen.size and tree_of(session).root(chosen.size) == chosen.root


def _follows(chosen: Checkpoint) -> dict[str, Any] | None:
    """Prove that a checkpoint only added to the one before it, where both fit what is stored; None for the first."""
    before = work().session.get(Checkpoint, chosen.number - 1)
    if before is None:
        return None
    fits = bool(_stands(before)) and bool(_stands(chosen))
    proof = proving.consistency(work(), before.size, chosen.size)["proof"] if fits else []
    return {"number": before.number, "size": before.size, "fits": fits, "proof": proof}


@blueprint.get("/audit/inclusion")
@shows(Can.READ_LEDGER)
def inclusion() -> ResponseReturnValue:
    """Show the proof that an entry is in the tree of the last checkpoint, or of a size that is asked for."""
    if not request.args:
        return redirect(url_for("web_checkpoint.checkpoint"), 303)  # where the number is asked for
    query = asked(InclusionQuery)
    newest = latest(work().session)
    if query["size"] is None and newest is not None and query["seq"] > newest.size:
        return showing.page("audit_inclusion.html", proof=None, seq=query["seq"], newest=newest)
    proof = proving.inclusion(work(), **query)
    return showing.page("audit_inclusion.html", proof=proof, seq=query["seq"], newest=newest)
