"""Accounts (人员账户): workers, what they may do and where, how they sign in."""

import datetime as dt
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, Text, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from server.accounts.terms import SessionKind
from server.db import Base, Word
from server.permissions import Role


class Worker(Base):
    """A person who works with this system."""

    __tablename__ = "workers"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    username: Mapped[str | None] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(60))
    phone_sealed: Mapped[str | None] = mapped_column(Text)
    data_key_id: Mapped[UUID] = mapped_column(Uuid)
    password_hash: Mapped[str | None] = mapped_column(String(200))
    totp_sealed: Mapped[str | None] = mapped_column(Text)
    totp_last_step: Mapped[int | None]
    created_at: Mapped[dt.datetime]
    disabled_at: Mapped[dt.datetime | None]


class RoleGrant(Base):
    """A role in an area, from an instant until it is taken away; one is in force at a time."""

    __tablename__ = "role_grants"
    __table_args__ = (
        Index(
            "uq_role_grants_in_force",
            "worker_id",
            unique=True,
            postgresql_where=text("to_at IS NULL"),
            sqlite_where=text("to_at IS NULL"),
        ),
        Index("ix_role_grants_area", "area_code", "role"),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    worker_id: Mapped[UUID] = mapped_column(ForeignKey("workers.id"))
    role: Mapped[Role] = mapped_column(Word(Role))
    area_code: Mapped[str] = mapped_column(String(12))
    from_at: Mapped[dt.datetime]
    to_at: Mapped[dt.datetime | None]
    granted_by: Mapped[UUID | None] = mapped_column(Uuid)


class BoundIdentity(Base):
    """An outside identity (WeChat, WeCom) that signs a worker in; the subject itself is kept only as a keyed hash."""

    __tablename__ = "bound_identities"
    __table_args__ = (
        Index(
            "uq_bound_identities_in_force",
            "subject_index",
            unique=True,
            postgresql_where=text("unbound_at IS NULL"),
            sqlite_where=text("unbound_at IS NULL"),
        ),
        Index("ix_bound_identities_worker", "worker_id"),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    worker_id: Mapped[UUID] = mapped_column(ForeignKey("workers.id"))
    provider: Mapped[str] = mapped_column(String(16))
    app_id: Mapped[str] = mapped_column(String(64))
    subject_index: Mapped[bytes] = mapped_column(LargeBinary(32))
    subject_sealed: Mapped[str] = mapped_column(Text)
    bound_at: Mapped[dt.datetime]
    unbound_at: Mapped[dt.datetime | None]


class SignIn(Base):
    """A session of a phone or a browser, known by the SHA-256 of its token.

    `proved_at` is when its owner last gave a one-time code after it was opened.
    """

    __tablename__ = "sign_ins"
    __table_args__ = (
        Index("ix_sign_ins_worker", "worker_id"),
        CheckConstraint("length(token_digest) = 32", name="digest"),
    )

    token_digest: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    worker_id: Mapped[UUID] = mapped_column(ForeignKey("workers.id"))
    kind: Mapped[SessionKind] = mapped_column(Word(SessionKind))
    created_at: Mapped[dt.datetime]
    last_seen_at: Mapped[dt.datetime]
    expires_at: Mapped[dt.datetime]
    revoked_at: Mapped[dt.datetime | None]
    proved_at: Mapped[dt.datetime | None]


class Invite(Base):
    """A one-time invitation to bind an outside identity to a worker; only the code's keyed hash is kept."""

    __tablename__ = "invites"
    __table_args__ = (Index("ix_invites_worker", "worker_id"),)

    code_digest: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    worker_id: Mapped[UUID] = mapped_column(ForeignKey("workers.id"))
    created_by: Mapped[UUID | None] = mapped_column(Uuid)
    created_at: Mapped[dt.datetime]
    expires_at: Mapped[dt.datetime]
    used_at: Mapped[dt.datetime | None]


class BindTicket(Base):
    """An outside identity that proved itself but is bound to nobody yet; lives ten minutes."""

    __tablename__ = "bind_tickets"

    ticket_digest: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    provider: Mapped[str] = mapped_column(String(16))
    app_id: Mapped[str] = mapped_column(String(64))
    subject_index: Mapped[bytes] = mapped_column(LargeBinary(32))
    subject_sealed: Mapped[str] = mapped_column(Text)
    created_at: Mapped[dt.datetime]
    expires_at: Mapped[dt.datetime]
    attempts: Mapped[int]
    used_at: Mapped[dt.datetime | None]


class AttemptCount(Base):
    """How often something limited was tried in a window of time; the key is hashed."""

    __tablename__ = "attempt_counts"
    __table_args__ = (Index("ix_attempt_counts_window", "window_start"),)

    key_digest: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    window_start: Mapped[dt.datetime] = mapped_column(primary_key=True)
    count: Mapped[int]
