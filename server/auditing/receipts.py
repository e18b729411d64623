"""The worker's own proof: what the ledger tells of a visit, with proofs against a signed checkpoint (TRUST §2).

`python -m ledger_verify receipt FILE --key KEY` checks it with nothing of this system at hand.
"""

import json
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select

from server.auditing.comparing import state_told
from server.auditing.proving import LedgerDiffers
from server.errors import Conflict
from server.ledger.checkpoints import latest, tree_of
from server.ledger.leaves import fields
from server.ledger.models import Event, Position
from server.ledger.payloads import is_sealed, parted
from server.ledger.work import Work
from server.photos.models import Photo
from server.vault.fields import DataKey, key_of
from server.visits.sight import stored_visit
from server.visits.terms import VisitState

FORMAT = "tanfang-receipt/1"
MOST_ENTRIES = 500
RECORDED = "visit.recorded"


class ReceiptNotYet(Conflict):
    """The visit is stored, but no signed checkpoint covers it yet; the next one that is signed will."""

    title = "回执尚未签出"
    detail = "这次走访已经保存，还没有签名的检查点包含它；下一次签名后即可领取回执，请稍后再试。"


def receipt(work: Work, visit_id: UUID) -> dict[str, Any]:
    """Give the signed receipt of a stored visit within sight: its recording, what was decided since, its photos."""
    _, key = stored_visit(work, visit_id)
    checkpoint = latest(work.session)
    if checkpoint is None:
        raise ReceiptNotYet(
            "这次走访已经保存，但本系统还没有签过检查点，暂时不能出具回执，请联系系统管理员。"
        )
    entries = [one for one in _entries(work, visit_id) if one[0].seq <= checkpoint.size]
    if not any(event.action == RECORDED for _, event in entries):
        raise ReceiptNotYet(extra={"covered": checkpoint.size})
    tree = tree_of(work.session)
    if tree.root(checkpoint.size) != checkpoint.root:
        raise LedgerDiffers
    shown = [
        {
            "leaf": fields(event, position.seq, position.leaf_form),
            "payload": _opened(event, key),
            "proof": [one.hex() for one in tree.inclusion(position.seq - 1, checkpoint.size)],
        }
        for position, event in entries
    ]
    work.looked("visit.receipt_read", "visit", visit_id, person_id=entries[0][1].person_id)
    return {
        "format": FORMAT,
        "visit_id": visit_id,
        "state": _state(shown),
        "entries": shown,
        "checkpoint": checkpoint.note,
    }


def disclosed(work: Work, position: Position, event: Event) -> dict[str, Any]:
    """Give one entry with its opened payload, and its proof once a checkpoint covers it."""
    stored, opened = event.payload, event.payload
    if stored is not None and is_sealed(stored):
        key = work.keys.fetch_one(work.session, key_of(stored))
        opened = _opened(event, key)
    checkpoint = latest(work.session)
    said: dict[str, Any] = {"leaf": fields(event, position.seq, position.leaf_form), "payload": opened}
    if checkpoint is not None and position.seq <= checkpoint.size:
        proof = tree_of(work.session).inclusion(position.seq - 1, checkpoint.size)
        said |= {"proof": [one.hex() for one in proof], "checkpoint": checkpoint.note}
    return said


def _entries(work: Work, visit_id: UUID) -> list[tuple[Position, Event]]:
    photos = select(Photo.id).where(Photo.visit_id == visit_id)
    rows = work.session.execute(
        select(Position, Event)
        .join(Event, Event.id == Position.event_id)
        .where(
            or_(
                (Event.subject_kind == "visit") & (Event.subject_id == visit_id),
                (Event.subject_kind == "photo") & Event.subject_id.in_(photos),
            ),
            Event.changes,
        )
        .order_by(Position.seq)
        .limit(MOST_ENTRIES)
    )
    return [(row[0], row[1]) for row in rows]


def _opened(event: Event, key: DataKey | None) -> str | None:
    if event.payload is None or not is_sealed(event.payload):
        return event.payload
    if key is None:
        return None
    return key.open(event.payload, table="ledger_events", column="payload", row=str(event.subject_id))


def _state(shown: list[dict[str, Any]]) -> str:
    state = VisitState.SUBMITTED
    for entry in shown:
        if entry["payload"] and entry["leaf"]["subject"].startswith("visit:"):
            said = json.loads(parted(entry["payload"])[1])
            state = state_told(said) or state
    return state.value
