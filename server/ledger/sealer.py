"""Gives events their positions after they were committed, so that writers never wait for one another.

Leaves are RFC 6962 leaf hashes of canonical JSON; positions are gapless from 1. Whoever reads below a position has
seen everything that was positioned before it (docs/adr/0005, 0006). With the positions come the nodes of the tree and
the index of who was looked at; what an earlier version positioned without them is made up for (docs/adr/0010).
"""

from collections.abc import Iterable

from sqlalchemy import delete, func, insert, select, text, update
from sqlalchemy.orm import Session

from server.ledger.leaves import FORM, leaf
from server.ledger.looks import write
from server.ledger.models import Event, Mark, Node, Pending, Position
from server.ledger.payloads import ids_named
from server.ledger.tree import STEP, WIDTH, folded, leaf_hash

SEALER_LOCK = 0x5EA1
BATCH = 5000
LOOKS = "looks"
TILES_AT_ONCE = 100


def watermark(session: Session) -> int:
    """Give the last position given so far; 0 before the first."""
    return session.scalar(select(func.max(Position.seq))) or 0


def seal(session: Session, most: int | None = None) -> int:
    """Position every committed event that has none; returns how many. One sealer works at a time.

    `most` bounds one transaction (to a batch at least), for those who come back for the rest.
    """
    if not session.scalar(select(Pending.event_id).limit(1)):
        return 0
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": SEALER_LOCK})
    sealed = 0
    while True:
        events = session.scalars(
            select(Event).join(Pending, Pending.event_id == Event.id).order_by(Event.id).limit(BATCH)
        ).all()
        if not events:
            return sealed
        first = watermark(session) + 1
        session.execute(
            insert(Position),
            [
                {
                    "seq": seq,
                    "event_id": event.id,
                    "person_id": event.person_id if event.changes else None,
                    "leaf_hash": leaf_hash(leaf(event, seq)),
                    "leaf_form": FORM,
                }
                for seq, event in enumerate(events, first)
            ],
        )
        session.execute(delete(Pending).where(Pending.event_id.in_([event.id for event in events])))
        _note_looks(session, events, first)
        _add_nodes(session, first + len(events) - 1)
        session.expunge_all()
        sealed += len(events)
        if len(events) < BATCH or (most is not None and sealed >= most):
            return sealed


def _note_looks(session: Session, events: Iterable[Event], first: int) -> None:
    """Write whom the looks among new entries concern; entries that nobody did this for come first, a batch at a time."""
    done = session.scalar(select(Mark.seq).where(Mark.name == LOOKS))
    if done is None:
        done = 0
        session.execute(insert(Mark).values(name=LOOKS, seq=0))
    entries = list(enumerate(events, first))
    if done != first - 1:
        rows = session.execute(
            select(Position.seq, Event)
            .join(Event, Event.id == Position.event_id)
            .where(Position.seq > done)
            .order_by(Position.seq)
            .limit(2 * BATCH)
        )
        entries = [(row[0], row[1]) for row in rows]
    looks = [
        (person, seq)
        for seq, event in entries
        if not event.changes
        for person in ({event.person_id.hex} if event.person_id else ids_named(event.payload))
    ]
    if looks:
        write(session, looks)
    session.execute(update(Mark).where(Mark.name == LOOKS).values(seq=entries[-1][0]))


def _add_nodes(session: Session, size: int) -> None:
    """Keep the nodes of the kept levels that are complete by now, at most so many at once."""
    level = STEP
    while count := size >> level:
        have = session.scalar(select(func.max(Node.place)).where(Node.level == level))
        start = 0 if have is None else have + 1
        end = min(count, start + TILES_AT_ONCE)
        if start < end:
            below = kept(session, level - STEP, start * WIDTH, (end - start) * WIDTH)
            whole = len(below) // WIDTH
            rows = [
                {"level": level, "place": start + one, "hash": folded(below[one * WIDTH : (one + 1) * WIDTH])}
                for one in range(whole)
            ]
            if rows:
                session.execute(insert(Node), rows)
        level += STEP


def kept(session: Session, level: int, first: int, count: int) -> list[bytes]:
    """Read hashes of a kept level: of the leaves, or of complete subtrees (the `Read` of a `Tree`)."""
    if level == 0:
        wanted = select(Position.leaf_hash).where(Position.seq > first, Position.seq <= first + count)
        return list(session.scalars(wanted.order_by(Position.seq)))
    return list(
        session.scalars(
            select(Node.hash)
            .where(Node.level == level, Node.place >= first, Node.place < first + count)
            .order_by(Node.place)
        )
    )
