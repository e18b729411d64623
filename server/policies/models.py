"""Policy numbers (政策参数): every number of the work that a document sets, with versions and sources."""

import datetime as dt
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, Index, String, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from server.db import Base


class PolicyVersion(Base):
    """One value of one policy number; `area_code` "" holds everywhere, the nearest area wins."""

    __tablename__ = "policies"
    __table_args__ = (Index("ix_policies_key", "key", "effective_from"),)

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    key: Mapped[str] = mapped_column(String(60))
    area_code: Mapped[str] = mapped_column(String(12))
    value: Mapped[Any] = mapped_column(JSON)
    unit: Mapped[str] = mapped_column(String(20))
    effective_from: Mapped[dt.date]
    effective_to: Mapped[dt.date | None]
    source_doc_no: Mapped[str] = mapped_column(String(100))
    source_url: Mapped[str] = mapped_column(String(300))
    needs_confirmation: Mapped[bool]
    recorded_at: Mapped[dt.datetime]
    recorded_by: Mapped[UUID | None] = mapped_column(Uuid)
    superseded_at: Mapped[dt.datetime | None]
