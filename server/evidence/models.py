"""What evidence keeps: the findings, what waits to be judged, and what visits are compared by."""

import datetime as dt
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, String, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from server.db import Base, Word
from server.evidence.terms import FindingCode, FindingSeverity
from server.ledger.models import Serial

STANDING: dict[str, Any] = {
    "postgresql_where": text("withdrawn_at IS NULL"),
    "sqlite_where": text("withdrawn_at IS NULL"),
}
MARKED: dict[str, Any] = {
    "postgresql_where": text("text_mark IS NOT NULL"),
    "sqlite_where": text("text_mark IS NOT NULL"),
}


class FindingMade(Base):
    """A finding about a visit, as a rule made it; withdrawn when later facts say otherwise, never deleted.

    `evidence` holds numbers and ids only.
    """

    __tablename__ = "findings"
    __table_args__ = (
        Index("uq_findings_standing", "visit_id", "code", unique=True, **STANDING),
        Index("ix_findings_code", "code", "visit_id", **STANDING),
        Index("ix_findings_person", "person_id", "found_at", "id"),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    visit_id: Mapped[UUID] = mapped_column(ForeignKey("visits.id"))
    person_id: Mapped[UUID] = mapped_column(Uuid)
    code: Mapped[FindingCode] = mapped_column(Word(FindingCode))
    severity: Mapped[FindingSeverity] = mapped_column(Word(FindingSeverity))
    evidence: Mapped[dict[str, Any]]
    rule_version: Mapped[str] = mapped_column(String(16))
    found_at: Mapped[dt.datetime]
    withdrawn_at: Mapped[dt.datetime | None]


class Unjudged(Base):
    """A visit whose facts changed since it was judged; triggers write it in the transaction that changed them.

    `spreads`: the visit's own facts changed, so those that it is compared with are judged anew as well.
    """

    __tablename__ = "evidence_pending"
    __table_args__ = (Index("ix_evidence_pending_visit", "visit_id"),)

    id: Mapped[int] = mapped_column(Serial, primary_key=True, autoincrement=True)
    visit_id: Mapped[UUID] = mapped_column(Uuid)
    spreads: Mapped[bool]


class PhotoPrint(Base):
    """What a photo is found by when it comes again in another file (`server.photos.likeness`).

    Hashes of the whole picture and of its middle part, and the bands of each; all None when it shows nothing that could
    be compared.
    """

    __tablename__ = "photo_prints"
    __table_args__ = tuple(
        Index(f"ix_photo_prints_{name}", name)
        for name in ("whole_1", "whole_2", "whole_3", "middle_1", "middle_2", "middle_3")
    )

    photo_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    whole: Mapped[int | None] = mapped_column(BigInteger)
    middle: Mapped[int | None] = mapped_column(BigInteger)
    whole_1: Mapped[int | None]
    whole_2: Mapped[int | None]
    whole_3: Mapped[int | None]
    middle_1: Mapped[int | None]
    middle_2: Mapped[int | None]
    middle_3: Mapped[int | None]


class PhotoTwin(Base):
    """Two photos that show the same picture, `alike` per cent; there is a row for each of them."""

    __tablename__ = "photo_twins"

    photo_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    other_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    alike: Mapped[int]


class VisitMarks(Base):
    """What of a visit is compared with other visits (`server.evidence.terms.Marks`); derived, and made anew at will.

    Marks of texts are keyed (TRUST §2).
    """

    __tablename__ = "visit_marks"
    __table_args__ = (
        Index("ix_visit_marks_worker", "worker_id", "began_at", "visit_id"),
        Index("ix_visit_marks_text", "text_mark", "began_at", "visit_id", **MARKED),
    )

    visit_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    worker_id: Mapped[UUID] = mapped_column(Uuid)
    person_id: Mapped[UUID] = mapped_column(Uuid)
    began_at: Mapped[dt.datetime]
    ended_at: Mapped[dt.datetime | None]
    made_at: Mapped[dt.datetime | None]
    goes_there: Mapped[bool]
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    accuracy_m: Mapped[float | None]
    is_fix: Mapped[bool]
    text_mark: Mapped[int | None] = mapped_column(BigInteger)
    text_length: Mapped[int]
    sketch: Mapped[bytes | None] = mapped_column(LargeBinary)
    answers_mark: Mapped[int | None] = mapped_column(BigInteger)
    answers: Mapped[int]
    telling: Mapped[int]
    is_death: Mapped[bool]
    is_void: Mapped[bool]
