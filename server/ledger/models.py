"""The ledger (留痕): who did what to which record, append-only (docs/adr/0005)."""

import datetime as dt
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, LargeBinary, String, Text, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from server.db import Base

Serial = BigInteger().with_variant(Integer, "sqlite")


class Event(Base):
    """One thing that was done or looked at; written in the transaction that did it, never changed.

    `commitment` is SHA-256(nonce ‖ canonical payload); `payload` holds nonce and payload, sealed under the person's
    key where the event is about a person, so that erasure leaves every proof valid.
    """

    __tablename__ = "ledger_events"
    __table_args__ = (
        Index("ix_ledger_events_person", "person_id", "id"),
        Index("ix_ledger_events_subject", "subject_kind", "subject_id"),
        # How an auditor searches: a period, what somebody did, what was done of a kind; the latest first.
        Index("ix_ledger_events_at", "at", "id"),
        Index("ix_ledger_events_actor", "actor_id", "at", "id"),
        Index("ix_ledger_events_action", "action", "at", "id"),
    )

    id: Mapped[int] = mapped_column(Serial, primary_key=True, autoincrement=True)
    at: Mapped[dt.datetime]
    actor_id: Mapped[UUID | None] = mapped_column(Uuid)
    action: Mapped[str] = mapped_column(String(48))
    subject_kind: Mapped[str] = mapped_column(String(24))
    subject_id: Mapped[UUID | None] = mapped_column(Uuid)
    person_id: Mapped[UUID | None] = mapped_column(Uuid)
    changes: Mapped[bool]
    request_id: Mapped[str | None] = mapped_column(String(64))
    commitment: Mapped[bytes] = mapped_column(LargeBinary(32))
    payload: Mapped[str | None] = mapped_column(Text)


class Pending(Base):
    """An event that has no position yet; a trigger puts it here, the sealer takes it away."""

    __tablename__ = "ledger_pending"

    event_id: Mapped[int] = mapped_column(Serial, primary_key=True, autoincrement=False)


class Position(Base):
    """The place of an event in the ledger, given after its transaction committed; gapless from 1."""

    __tablename__ = "ledger_positions"
    __table_args__ = (Index("ix_ledger_positions_person", "person_id", "seq"),)

    seq: Mapped[int] = mapped_column(Serial, primary_key=True, autoincrement=False)
    event_id: Mapped[int] = mapped_column(Serial, ForeignKey("ledger_events.id"), unique=True)
    person_id: Mapped[UUID | None] = mapped_column(Uuid)
    leaf_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    leaf_form: Mapped[int] = mapped_column(server_default="1")


class Node(Base):
    """The hash over a complete subtree of 2^`level` leaves, the `place`th of its level from 0; every eighth level."""

    __tablename__ = "ledger_nodes"

    level: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    place: Mapped[int] = mapped_column(Serial, primary_key=True, autoincrement=False)
    hash: Mapped[bytes] = mapped_column(LargeBinary(32))


class Look(Base):
    """Who was looked at in an entry of the ledger that changed nothing: its person, or those whom a list names.

    An index, derived from the events by the sealer; what it says is checked against the event when it is read.
    """

    __tablename__ = "ledger_looks"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012  (SQLAlchemy reads it)

    person_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    seq: Mapped[int] = mapped_column(Serial, primary_key=True, autoincrement=False)


class Mark(Base):
    """Up to which position something that is derived from the ledger has been brought."""

    __tablename__ = "ledger_marks"

    name: Mapped[str] = mapped_column(String(16), primary_key=True)
    seq: Mapped[int] = mapped_column(Serial)


class Checkpoint(Base):
    """A signed root: what the ledger was when it had `size` entries, as a signed note (C2SP); numbered from 1."""

    __tablename__ = "ledger_checkpoints"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    size: Mapped[int] = mapped_column(Serial, unique=True)
    root: Mapped[bytes] = mapped_column(LargeBinary(32))
    note: Mapped[str] = mapped_column(Text)
    signed_at: Mapped[dt.datetime]
