"""What a superuser of the database can do to the ledger once the triggers are out of the way, clumsily or with skill."""

import datetime as dt
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine, Table, delete, func, insert, select, text, update

from server.ledger.leaves import leaf
from server.ledger.models import Checkpoint, Event, Look, Node, Pending, Position
from server.ledger.notes import Signed, SigningKey
from server.ledger.tree import STEP, WIDTH, folded, leaf_hash
from server.photos.models import Photo
from server.visits.digest import TOLD
from server.visits.models import Visit

EVENTS, POSITIONS, NODES = Event.__table__, Position.__table__, Node.__table__
CHECKPOINTS, LOOKS, VISITS, PHOTOS = Checkpoint.__table__, Look.__table__, Visit.__table__, Photo.__table__
Tamper = Callable[["Superuser"], str]


@contextmanager
def undone(engine: Engine) -> Iterator[Connection]:
    """Give a transaction in which nothing refuses, and which never happened afterwards."""
    with engine.connect() as connection:
        outer = connection.begin()
        if engine.dialect.name == "postgresql":
            connection.execute(text("SET LOCAL session_replication_role = replica"))
        else:
            connection.execute(text("PRAGMA defer_foreign_keys = ON"))
            names = connection.execute(
                text("SELECT name FROM sqlite_master WHERE type = 'trigger'")
            ).scalars()
            for name in names.all():
                connection.execute(text(f"DROP TRIGGER {name}"))
        yield connection
        outer.rollback()


class Superuser:
    """Somebody who owns the database, but neither the signing key nor what was exported; `size` entries were signed."""

    def __init__(self, connection: Connection, chance: random.Random, size: int) -> None:
        self.db = connection
        self.chance = chance
        self.size = size

    def run(self, statement: Any, *values: Any) -> Any:
        """Carry out a statement."""
        return self.db.execute(statement, *values)

    def one(self, table: Any, *where: Any) -> Any:
        """Pick a row."""
        rows = self.run(select(table).where(*where)).all()
        return self.chance.choice(rows)

    def seq(self, least: int = 1) -> int:
        """Pick a position that was signed."""
        return self.chance.randint(least, self.size)

    def event_at(self, seq: int) -> Any:
        """Read the event at a position."""
        return self.run(
            select(EVENTS).join(POSITIONS, POSITIONS.c.event_id == EVENTS.c.id).where(POSITIONS.c.seq == seq)
        ).one()

    def bytes(self, count: int) -> bytes:
        """Make something up."""
        return self.chance.randbytes(count)

    def rehash(self, first: int = 1) -> None:
        """Make every hash from a position on fit again, nodes too."""
        rows = self.run(
            select(POSITIONS.c.seq.label("place"), POSITIONS.c.leaf_form, EVENTS)
            .join(EVENTS, EVENTS.c.id == POSITIONS.c.event_id)
            .where(POSITIONS.c.seq >= first)
        ).all()
        for row in rows:
            moved = row.person_id if row.changes else None
            self.run(
                update(POSITIONS)
                .where(POSITIONS.c.seq == row.place)
                .values(leaf_hash=leaf_hash(leaf(row, row.place, row.leaf_form)), person_id=moved)
            )
        self.renode()

    def renode(self) -> None:
        """Make the nodes fit the leaves."""
        self.run(delete(NODES))
        below = list(self.run(select(POSITIONS.c.leaf_hash).order_by(POSITIONS.c.seq)).scalars())
        level = STEP
        while len(below) >= WIDTH:
            below = [folded(below[at : at + WIDTH]) for at in range(0, len(below) - WIDTH + 1, WIDTH)]
            self.run(
                insert(NODES), [{"level": level, "place": at, "hash": one} for at, one in enumerate(below)]
            )
            level += STEP

    def maybe_rehash(self, first: int) -> str:
        """Be clumsy, or make the entry itself fit, or the whole tree."""
        skill = self.chance.choice(("clumsily", "with skill"))
        if skill == "with skill":
            self.rehash(first)
        return skill

    def shift(self, first: int, by: int) -> None:
        """Move the positions from one on, by one place at a time, so that none meets another."""
        seqs = self.run(
            select(POSITIONS.c.seq).where(POSITIONS.c.seq >= first).order_by(POSITIONS.c.seq)
        ).scalars()
        ordered = list(seqs) if by < 0 else list(seqs)[::-1]
        for seq in ordered:
            self.run(update(POSITIONS).where(POSITIONS.c.seq == seq).values(seq=seq + by))


def changed(who: Superuser, row: Any, table: Table, names: tuple[str, ...]) -> dict[str, Any]:
    """Make up another value for one column of a row."""
    name = who.chance.choice(names)
    value = row._mapping[name]
    if isinstance(value, bool):
        new: Any = not value
    elif isinstance(value, int):
        new = value + who.chance.choice((-1, 1, 1000))
    elif isinstance(value, dt.datetime):
        new = value + dt.timedelta(seconds=who.chance.choice((-86400, -1, 1, 3600)))
    elif isinstance(value, bytes):
        new = value[:-1] + bytes([value[-1] ^ 1])
    elif isinstance(value, UUID) or (value is None and name.endswith("_id") and name != "request_id"):
        new = UUID(bytes=who.bytes(16))
    elif isinstance(value, dict):
        new = {**value, "notes": "made up"}
    elif value is None:
        new = "made up" if name != "conclusion" else "normal"
    else:
        kind = table.c[name].type
        others = [one for one in getattr(kind, "vocabulary", ()) if one != value]
        new = (
            who.chance.choice(others)
            if others
            else (str(value)[:-1] + ("x" if str(value)[-1] != "x" else "y"))
        )
    return {name: new}


def change_event(who: Superuser) -> str:
    seq = who.seq()
    event = who.event_at(seq)
    names = tuple(column.name for column in EVENTS.c if column.name != "id")
    values = changed(who, event, EVENTS, names)
    who.run(update(EVENTS).where(EVENTS.c.id == event.id).values(values))
    return f"change {next(iter(values))} of event {seq} {who.maybe_rehash(seq)}"


def swap_payloads(who: Superuser) -> str:
    one, other = who.event_at(who.seq()), who.event_at(who.seq())
    if (one.payload, one.commitment) == (other.payload, other.commitment):
        return change_event(who)
    for to, of in ((one, other), (other, one)):
        values = {"payload": of.payload, "commitment": of.commitment}
        who.run(update(EVENTS).where(EVENTS.c.id == to.id).values(values))
    return f"swap payloads of two events {who.maybe_rehash(1)}"


def delete_event(who: Superuser) -> str:
    seq = who.seq()
    event = who.event_at(seq)
    who.run(delete(EVENTS).where(EVENTS.c.id == event.id))
    how = who.chance.choice(("alone", "with its position", "closing the gap"))
    if how != "alone":
        who.run(delete(POSITIONS).where(POSITIONS.c.seq == seq))
    if how == "closing the gap":
        who.shift(seq + 1, -1)
        who.rehash(seq)
    return f"delete event {seq} {how}"


def delete_position(who: Superuser) -> str:
    seq = who.seq()
    who.run(delete(POSITIONS).where(POSITIONS.c.seq == seq))
    return f"delete position {seq}"


def insert_event(who: Superuser) -> str:
    seq = who.seq()
    event = who.event_at(seq)
    new_id = who.run(select(func.max(EVENTS.c.id))).scalar_one() + 1
    who.run(insert(EVENTS).values(event._asdict() | {"id": new_id, "action": "visit.accepted"}))
    how = who.chance.choice(
        ("and no position", "in the middle", "in the middle with skill", "backdated at the end")
    )
    if how == "and no position":
        who.run(delete(Pending.__table__))
    elif how == "backdated at the end":
        at = event.at - dt.timedelta(days=2)
        who.run(update(EVENTS).where(EVENTS.c.id == new_id).values(at=at))
        last = who.run(select(func.max(POSITIONS.c.seq))).scalar_one() + 1
        who.run(insert(POSITIONS).values(seq=last, event_id=new_id, leaf_hash=b"", leaf_form=2))
        who.rehash(last)
    else:
        who.shift(seq, 1)
        who.run(insert(POSITIONS).values(seq=seq, event_id=new_id, leaf_hash=who.bytes(32), leaf_form=2))
        if how.endswith("skill"):
            who.rehash(seq)
    return f"insert an event {how} at {seq}"


def reorder(who: Superuser) -> str:
    one, other = sorted(who.chance.sample(range(1, who.size + 1), 2))
    ids = dict(
        who.run(select(POSITIONS.c.seq, POSITIONS.c.event_id).where(POSITIONS.c.seq.in_((one, other)))).all()
    )
    who.run(update(POSITIONS).where(POSITIONS.c.seq == one).values(event_id=-1))
    who.run(update(POSITIONS).where(POSITIONS.c.seq == other).values(event_id=ids[one]))
    who.run(update(POSITIONS).where(POSITIONS.c.seq == one).values(event_id=ids[other]))
    return f"swap {one} and {other} {who.maybe_rehash(one)}"


def truncate(who: Superuser) -> str:
    first = who.seq()
    ids = select(POSITIONS.c.event_id).where(POSITIONS.c.seq >= first)
    doomed = list(who.run(ids).scalars())
    who.run(delete(POSITIONS).where(POSITIONS.c.seq >= first))
    who.run(delete(EVENTS).where(EVENTS.c.id.in_(doomed)))
    how = "clumsily"
    if who.chance.random() < 0.7:
        how = "with its looks, nodes and checkpoints"
        who.run(delete(LOOKS).where(LOOKS.c.seq >= first))
        who.run(delete(CHECKPOINTS).where(CHECKPOINTS.c.size >= first))
        who.renode()
    return f"truncate from {first} {how}"


def roll_back(who: Superuser) -> str:
    """Take everything back to an earlier checkpoint, as an older copy of the database would be."""
    earlier = who.run(select(CHECKPOINTS.c.size).where(CHECKPOINTS.c.number == 1)).scalar_one()
    ids = list(who.run(select(POSITIONS.c.event_id).where(POSITIONS.c.seq > earlier)).scalars())
    who.run(delete(POSITIONS).where(POSITIONS.c.seq > earlier))
    who.run(delete(EVENTS).where(EVENTS.c.id.in_(ids)))
    who.run(delete(LOOKS).where(LOOKS.c.seq > earlier))
    who.run(delete(CHECKPOINTS).where(CHECKPOINTS.c.size > earlier))
    who.renode()
    return "roll back to the first checkpoint"


def change_position(who: Superuser) -> str:
    seq = who.seq()
    row = who.one(POSITIONS, POSITIONS.c.seq == seq)
    values = changed(who, row, POSITIONS, ("leaf_hash", "person_id", "leaf_form"))
    who.run(update(POSITIONS).where(POSITIONS.c.seq == seq).values(values))
    return f"change {next(iter(values))} of position {seq}"


def renumber(who: Superuser) -> str:
    last = who.run(select(func.max(POSITIONS.c.seq))).scalar_one()
    seq = who.seq()
    who.run(update(POSITIONS).where(POSITIONS.c.seq == seq).values(seq=last + who.chance.randint(1, 500)))
    return f"renumber {seq}"


def change_nodes(who: Superuser) -> str:
    row = who.one(NODES)
    here = (NODES.c.level == row.level) & (NODES.c.place == row.place)
    how = who.chance.choice(("change", "delete", "insert"))
    if how == "change":
        who.run(update(NODES).where(here).values(hash=who.bytes(32)))
    elif how == "delete":
        who.run(delete(NODES).where(here))
    else:
        other = {"level": row.level + 1, "place": 0, "hash": row.hash}
        who.run(delete(NODES).where(NODES.c.level == row.level, NODES.c.place == row.place))
        who.run(insert(NODES).values(other))
    return f"{how} node {row.place}"


def change_checkpoints(who: Superuser) -> str:
    row = who.one(CHECKPOINTS)
    here = CHECKPOINTS.c.number == row.number
    how = who.chance.choice(("change", "delete", "forge", "sign with another key", "edit the note"))
    if how == "change":
        values = changed(who, row, CHECKPOINTS, ("size", "root", "signed_at"))
        who.run(update(CHECKPOINTS).where(here).values(values))
        return f"change {next(iter(values))} of checkpoint {row.number}"
    if how == "delete":
        who.run(delete(CHECKPOINTS).where(here))
    elif how == "edit the note":
        who.run(update(CHECKPOINTS).where(here).values(note=row.note.replace("time 2026", "time 2025")))
    elif how == "forge":
        last = who.run(select(func.max(CHECKPOINTS.c.number))).scalar_one()
        who.run(insert(CHECKPOINTS).values(row._asdict() | {"number": last + 1, "size": row.size + 1}))
    else:
        other = SigningKey.generate("test.example/ledger", who.bytes)
        said = Signed(other.name, row.size, row.root, row.number, row.signed_at)
        who.run(update(CHECKPOINTS).where(here).values(note=other.sign(said)))
    return f"{how} checkpoint {row.number}"


def hide_a_look(who: Superuser) -> str:
    row = who.one(LOOKS, LOOKS.c.seq <= who.size)
    who.run(delete(LOOKS).where(LOOKS.c.seq == row.seq, LOOKS.c.person_id == row.person_id))
    return f"hide the look {row.seq}"


def change_visit(who: Superuser) -> str:
    row = who.one(VISITS)
    how = who.chance.choice(("change", "change", "change", "delete", "insert"))
    if how == "delete":
        who.run(delete(VISITS).where(VISITS.c.id == row.id))
    elif how == "insert":
        who.run(insert(VISITS).values(row._asdict() | {"id": UUID(bytes=who.bytes(16))}))
    else:
        names = tuple(name for name in (*TOLD, "state", "revision") if name != "id")
        values = changed(who, row, VISITS, names)
        who.run(update(VISITS).where(VISITS.c.id == row.id).values(values))
        how = f"change {next(iter(values))} of"
    return f"{how} a visit"


def change_photo(who: Superuser) -> str:
    row = who.one(PHOTOS, PHOTOS.c.sha256.is_not(None))
    how = who.chance.choice(("change", "delete", "insert", "empty"))
    if how == "delete":
        who.run(delete(PHOTOS).where(PHOTOS.c.id == row.id))
    elif how == "insert":
        who.run(insert(PHOTOS).values(row._asdict() | {"id": UUID(bytes=who.bytes(16)), "blob_key": "other"}))
    elif how == "empty":
        who.run(
            update(PHOTOS)
            .where(PHOTOS.c.id == row.id)
            .values(sha256=None, blob_key=None, data_key_id=None, received_at=None)
        )
    else:
        values = changed(who, row, PHOTOS, ("sha256", "size", "visit_id"))
        who.run(update(PHOTOS).where(PHOTOS.c.id == row.id).values(values))
        how = f"change {next(iter(values))} of"
    return f"{how} a photo"


TAMPERS: dict[str, Tamper] = {
    "change": change_event,
    "swap payloads": swap_payloads,
    "delete": delete_event,
    "delete position": delete_position,
    "insert": insert_event,
    "reorder": reorder,
    "truncate": truncate,
    "roll back": roll_back,
    "change position": change_position,
    "renumber": renumber,
    "nodes": change_nodes,
    "checkpoints": change_checkpoints,
    "hide a look": hide_a_look,
    "visits": change_visit,
    "photos": change_photo,
}
