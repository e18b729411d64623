"""Work that may be done later, written in the transaction that asks for it."""

import datetime as dt
from typing import Any
from uuid import UUID

from sqlalchemy import Index, String, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from server.db import Base


class Job(Base):
    """One piece of later work; `name` is unique, so that what recurs is named by its period and happens once."""

    __tablename__ = "jobs"
    __table_args__ = (Index("ix_jobs_waiting", "done_at", "run_after"),)

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    name: Mapped[str] = mapped_column(String(120), unique=True)
    kind: Mapped[str] = mapped_column(String(40))
    payload: Mapped[dict[str, Any]]
    run_after: Mapped[dt.datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    done_at: Mapped[dt.datetime | None]
    failure: Mapped[str | None] = mapped_column(String(200))
