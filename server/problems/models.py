"""Problems found on visits (问题)."""

import datetime as dt
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, Text, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from server.db import Base, Word
from server.problems.terms import ProblemState, Severity


class Problem(Base):
    """Something that must be put right. `restricted`: seen by reviewers and above only (suspected abuse)."""

    __tablename__ = "problems"
    __table_args__ = (Index("ix_problems_person", "person_id"), Index("ix_problems_visit", "visit_id"))

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("persons.id"))
    visit_id: Mapped[UUID] = mapped_column(Uuid)
    visit_revision: Mapped[int]
    village_code: Mapped[str] = mapped_column(String(12))
    code: Mapped[str] = mapped_column(String(60))
    severity: Mapped[Severity] = mapped_column(Word(Severity))
    description_sealed: Mapped[str | None] = mapped_column(Text)
    fixed_on_site: Mapped[bool]
    restricted: Mapped[bool]
    state: Mapped[ProblemState] = mapped_column(Word(ProblemState))
    found_at: Mapped[dt.datetime]
    raised_at: Mapped[dt.datetime]
    closed_at: Mapped[dt.datetime | None]
