"""Photos (影像): what was declared with a visit, and what arrived, with the facts that it carried."""

import datetime as dt
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, LargeBinary, String, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from server.db import Base, Word
from server.photos.terms import PhotoKind


class Photo(Base):
    """A photo of a visit. Declared but not arrived (`blob_key` is None) is photo debt.

    `sha256`, `size` (bytes), `width` and `height` (upright pixels) are the server's own; `claimed_*` the phone's.
    `exif` holds facts as found, absent ones are unknown; `dhash` is a 64-bit difference hash as a signed integer,
    `likeness_sealed` the picture in 32 by 32 grays, under the person's key.
    """

    __tablename__ = "photos"
    __table_args__ = (
        Index("ix_photos_visit", "visit_id"),
        Index("ix_photos_sha256", "sha256"),
        CheckConstraint("blob_key IS NULL OR sha256 IS NOT NULL", name="stored"),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    visit_id: Mapped[UUID] = mapped_column(ForeignKey("visits.id"))
    person_id: Mapped[UUID] = mapped_column(Uuid)
    village_code: Mapped[str] = mapped_column(String(12))
    kind: Mapped[PhotoKind] = mapped_column(Word(PhotoKind))
    declared: Mapped[bool]
    ordinal: Mapped[int]
    claimed_taken_at: Mapped[dt.datetime | None]
    claimed_sha256: Mapped[str | None] = mapped_column(String(64))
    received_at: Mapped[dt.datetime | None]
    received_from: Mapped[UUID | None] = mapped_column(Uuid)
    sha256: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    size: Mapped[int | None]
    format: Mapped[str | None] = mapped_column(String(8))
    width: Mapped[int | None]
    height: Mapped[int | None]
    dhash: Mapped[int | None] = mapped_column(BigInteger)
    likeness_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    exif: Mapped[dict[str, Any] | None]
    blob_key: Mapped[str | None] = mapped_column(String(80), unique=True)
    data_key_id: Mapped[UUID | None] = mapped_column(Uuid)


class Rendition(Base):
    """A small picture of a photo, made at its first view; sealed like the original, and may be made again any time."""

    __tablename__ = "renditions"

    photo_id: Mapped[UUID] = mapped_column(ForeignKey("photos.id"), primary_key=True)
    box: Mapped[int] = mapped_column(primary_key=True)
    blob_key: Mapped[str] = mapped_column(String(80), unique=True)
    size: Mapped[int]
    made_at: Mapped[dt.datetime]


class Orphan(Base):
    """A blob that no row names; found once, looked at again after a grace period, then deleted."""

    __tablename__ = "orphan_blobs"

    blob_key: Mapped[str] = mapped_column(String(80), primary_key=True)
    found_at: Mapped[dt.datetime]
