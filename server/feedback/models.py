"""What a worker wrote to those who run the system."""

import datetime as dt
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Text, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from server.db import Base


class Feedback(Base):
    """One complaint or suggestion; text and contact are sealed under the house key, as they may name anybody."""

    __tablename__ = "feedback"
    __table_args__ = (Index("ix_feedback_received", "received_at", "id"),)

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    worker_id: Mapped[UUID] = mapped_column(ForeignKey("workers.id"))
    text_sealed: Mapped[str] = mapped_column(Text)
    contact_sealed: Mapped[str | None] = mapped_column(Text)
    received_at: Mapped[dt.datetime]
