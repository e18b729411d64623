"""Writes what an inspector takes along: every entry with its proof material, as JSON lines, in a memory that stays small.

Personal data do not leave: payloads go along only where they are stored in the clear, which holds ids and counts. The
verifier (`ledger_verify`) reads exactly these lines; docs/verification.md describes them.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.auditing import comparing
from server.db import unit_of_work
from server.http.parts import Parts
from server.ledger import sealer
from server.ledger.checkpoints import tree_of
from server.ledger.leaves import fields
from server.ledger.models import Checkpoint, Event, Mark, Node, Position
from server.ledger.payloads import is_sealed
from server.ledger.tree import STEP

FORMAT = "tanfang-ledger-export/1"
PAGE = 1000

_write = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def lines(house: Parts, first: int = 1, last: int | None = None) -> Iterator[str]:
    """Give the lines of an export of the entries `first` to `last` (by default all), without line ends.

    A whole export also compares visits and photos with what the ledger tells of them.
    """
    with unit_of_work(house.sessions) as session:
        end = sealer.watermark(session)
        behind = (session.scalar(select(Mark.seq).where(Mark.name == sealer.LOOKS)) or 0) < end
        size = session.scalar(select(Checkpoint.size).order_by(Checkpoint.size.desc()).limit(1)) or 0
        whole = first == 1 and last is None
        last = end if last is None else min(last, end)
        before = tree_of(session).complete(0, first - 1)
    yield _write(
        {
            "format": FORMAT,
            "first": first,
            "last": last,
            "behind": behind,
            "before": [[level, found.hex()] for level, found in before],
        }
    )
    leaves, after = 0, first - 1
    while after < last:
        with unit_of_work(house.sessions) as session:
            page, after, count = _page(session, after, last, behind=behind)
        yield from page
        leaves += count
    if whole:
        with unit_of_work(house.sessions) as session:
            beyond = session.scalars(
                select(Checkpoint).where(Checkpoint.size > last).order_by(Checkpoint.number)
            ).all()
        yield from (_checkpoint(one) for one in beyond)
        yield from (_fault(one) for one in comparing.strays(house.sessions))
        records = comparing.Records(house.sessions, house.keys)
        yield from (_fault(one) for one in records.faults())
        yield _write({"records": records.counts})
    with unit_of_work(house.sessions) as session:
        rest = tree_of(session).complete(last, size) if last < size <= end else []
    yield _write(
        {"end": {"leaves": leaves, "whole": whole, "after": [[level, found.hex()] for level, found in rest]}}
    )


def _page(session: Session, after: int, last: int, *, behind: bool) -> tuple[list[str], int, int]:
    """Give the lines of one page behind a position, where it ends, and how many entries it has."""
    rows = session.execute(
        select(Position, Event)
        .outerjoin(Event, Event.id == Position.event_id)
        .where(Position.seq > after, Position.seq <= last)
        .order_by(Position.seq)
        .limit(PAGE)
    ).all()
    if not rows:
        return [], last, 0
    end = rows[-1][0].seq if len(rows) == PAGE else last
    nodes = _nodes(session, after, end)
    checkpoints = session.scalars(
        select(Checkpoint)
        .where(Checkpoint.size > after, Checkpoint.size <= end)
        .order_by(Checkpoint.size, Checkpoint.number)
    ).all()
    waiting = [(one.size, _checkpoint(one)) for one in checkpoints]
    waiting = sorted([*nodes, *waiting], key=lambda one: one[0])
    found = []
    for position, event in rows:
        while waiting and waiting[0][0] < position.seq:
            found.append(waiting.pop(0)[1])
        found.append(_entry(position, event))
    found += [line for _, line in waiting]
    entries = [(position.seq, event) for position, event in rows if event is not None]
    faults = [*comparing.gone(session, entries)]
    if not behind:
        faults += comparing.not_indexed(session, entries)
    return found + [_fault(one) for one in faults], end, len(rows)


def _entry(position: Position, event: Event | None) -> str:
    if event is None:
        return _write({"lost": {"seq": position.seq, "hash": position.leaf_hash.hex()}})
    said: dict[str, Any] = {
        "leaf": fields(event, position.seq, position.leaf_form),
        "hash": position.leaf_hash.hex(),
        "moved": None if position.person_id is None else str(position.person_id),
    }
    if event.payload is not None and not is_sealed(event.payload):
        said["payload"] = event.payload
    return _write(said)


def _nodes(session: Session, after: int, end: int) -> list[tuple[int, str]]:
    """Give the stored nodes that are complete with an entry of the page, each with that entry."""
    found = []
    level = STEP
    while end >> level:
        rows: Sequence[Node] = session.scalars(
            select(Node)
            .where(Node.level == level, Node.place >= after >> level, Node.place < end >> level)
            .order_by(Node.place)
        ).all()
        found += [
            ((one.place + 1) << level, _write({"node": [level, one.place], "hash": one.hash.hex()}))
            for one in rows
        ]
        level += STEP
    return found


def _checkpoint(one: Checkpoint) -> str:
    return _write(
        {
            "checkpoint": {
                "number": one.number,
                "size": one.size,
                "root": one.root.hex(),
                "at": one.signed_at.isoformat(),
                "note": one.note,
            }
        }
    )


def _fault(one: dict[str, Any]) -> str:
    return _write({"fault": one})
