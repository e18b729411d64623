"""People on social assistance (救助对象): households, persons, and everything about them that has a history.

Histories are never overwritten: a row is superseded (`superseded_at`) and a new one tells what holds now, so that
what was known at any past instant can be asked. Sealed columns end in `_sealed`, keyed hashes in `_index`.
"""

import datetime as dt
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, Numeric, String, Text, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from server.db import Base, Word
from server.people.terms import (
    CareLevel,
    Category,
    ExitReason,
    PauseReason,
    Relation,
    ResponsibilityKind,
    Sex,
    Tag,
)
from server.places.terms import Datum

IN_FORCE: dict[str, Any] = {
    "postgresql_where": text("superseded_at IS NULL"),
    "sqlite_where": text("superseded_at IS NULL"),
}
STILL: dict[str, Any] = {"postgresql_where": text("to_at IS NULL"), "sqlite_where": text("to_at IS NULL")}


class Household(Base):
    """A household (户); an extremely poor person is a household of one."""

    __tablename__ = "households"
    __table_args__ = (Index("ix_households_number", "village_code", "number", unique=True),)

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    village_code: Mapped[str] = mapped_column(String(12))
    number: Mapped[str | None] = mapped_column(String(40))
    created_at: Mapped[dt.datetime]


class Person(Base):
    """One person, one file (一人一档)."""

    __tablename__ = "persons"
    __table_args__ = (
        Index("ix_persons_village", "village_code", "id"),
        Index("ix_persons_listed", "village_code", "file_no"),
        # Found by how they begin, whatever the collation of the database is.
        Index("ix_persons_name", "name", postgresql_ops={"name": "varchar_pattern_ops"}),
        Index(
            "ix_persons_initials", "name_initials", postgresql_ops={"name_initials": "varchar_pattern_ops"}
        ),
        Index("ix_persons_file_no", "file_no", postgresql_ops={"file_no": "varchar_pattern_ops"}),
        Index("ix_persons_last4", "last4_index"),
        Index("ix_persons_phone", "phone_index"),
        Index("ix_persons_household", "household_id"),
        CheckConstraint("id_number_index IS NOT NULL OR no_id_reason IS NOT NULL", name="id_or_reason"),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    household_id: Mapped[UUID] = mapped_column(ForeignKey("households.id"))
    is_head: Mapped[bool]
    relation_to_head: Mapped[str | None] = mapped_column(String(20))
    file_no: Mapped[str] = mapped_column(String(40), unique=True)
    legacy_no: Mapped[str | None] = mapped_column(String(60))
    name: Mapped[str] = mapped_column(String(100))
    name_initials: Mapped[str] = mapped_column(String(40))
    sex: Mapped[Sex] = mapped_column(Word(Sex))
    birth_date: Mapped[dt.date | None]
    village_code: Mapped[str] = mapped_column(String(12))
    id_number_sealed: Mapped[str | None] = mapped_column(Text)
    id_number_index: Mapped[bytes | None] = mapped_column(LargeBinary(32), unique=True)
    last4_index: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    no_id_reason: Mapped[str | None] = mapped_column(String(100))
    phone_sealed: Mapped[str | None] = mapped_column(Text)
    phone_index: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    address_sealed: Mapped[str | None] = mapped_column(Text)
    bank_account_sealed: Mapped[str | None] = mapped_column(Text)
    health_sealed: Mapped[str | None] = mapped_column(Text)
    care_level: Mapped[CareLevel | None] = mapped_column(Word(CareLevel))
    photo_consent: Mapped[bool] = mapped_column(default=False)
    died_on: Mapped[dt.date | None]
    data_key_id: Mapped[UUID] = mapped_column(Uuid)
    revision: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[dt.datetime]


class Dwelling(Base):
    """The village in which a person lived from a day to a day, as far as was known; the first has no first day.

    `persons.village_code` is where they live now, and equals the one dwelling in force that has no last day.
    """

    __tablename__ = "dwellings"
    __table_args__ = (
        Index("ix_dwellings_person", "person_id"),
        Index("ix_dwellings_village", "village_code", "person_id", **IN_FORCE),
        Index(
            "uq_dwellings_now",
            "person_id",
            unique=True,
            postgresql_where=text("superseded_at IS NULL AND valid_to IS NULL"),
            sqlite_where=text("superseded_at IS NULL AND valid_to IS NULL"),
        ),
        CheckConstraint("valid_to IS NULL OR valid_from IS NULL OR valid_to >= valid_from", name="span"),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("persons.id"))
    village_code: Mapped[str] = mapped_column(String(12))
    valid_from: Mapped[dt.date | None]
    valid_to: Mapped[dt.date | None]
    recorded_at: Mapped[dt.datetime]
    recorded_by: Mapped[UUID | None] = mapped_column(Uuid)
    superseded_at: Mapped[dt.datetime | None]


class PersonTag(Base):
    """A circumstance of a person that cuts across categories, from a day to a day."""

    __tablename__ = "person_tags"
    __table_args__ = (
        Index("ix_person_tags_person", "person_id"),
        Index("ix_person_tags_tag", "tag", "person_id"),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("persons.id"))
    tag: Mapped[Tag] = mapped_column(Word(Tag))
    detail: Mapped[str | None] = mapped_column(String(40))
    valid_from: Mapped[dt.date]
    valid_to: Mapped[dt.date | None]
    recorded_at: Mapped[dt.datetime]
    superseded_at: Mapped[dt.datetime | None]


class Enrolment(Base):
    """A span of days during which a person belongs to a category; `valid_to` is the last day."""

    __tablename__ = "enrolments"
    __table_args__ = (
        CheckConstraint("valid_to IS NULL OR valid_to >= valid_from", name="span"),
        Index("ix_enrolments_person", "person_id"),
        Index("ix_enrolments_category", "category", "valid_from", **IN_FORCE),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("persons.id"))
    category: Mapped[Category] = mapped_column(Word(Category))
    valid_from: Mapped[dt.date]
    valid_to: Mapped[dt.date | None]
    exit_reason: Mapped[ExitReason | None] = mapped_column(Word(ExitReason))
    monthly_amount: Mapped[Decimal | None] = mapped_column(Numeric(10, 2))
    recorded_at: Mapped[dt.datetime]
    recorded_by: Mapped[UUID | None] = mapped_column(Uuid)
    superseded_at: Mapped[dt.datetime | None]


class CareAssessment(Base):
    """A self-care assessment (生活自理能力评估): six abilities and the level that follows from them."""

    __tablename__ = "care_assessments"
    __table_args__ = (Index("ix_care_assessments_person", "person_id", "assessed_on"),)

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("persons.id"))
    can_eat: Mapped[bool]
    can_dress: Mapped[bool]
    can_bed: Mapped[bool]
    can_toilet: Mapped[bool]
    can_walk: Mapped[bool]
    can_bathe: Mapped[bool]
    level: Mapped[CareLevel] = mapped_column(Word(CareLevel))
    assessed_on: Mapped[dt.date]
    assessor: Mapped[str] = mapped_column(String(100))
    recorded_at: Mapped[dt.datetime]
    recorded_by: Mapped[UUID | None] = mapped_column(Uuid)


class Caregiver(Base):
    """Who cares for a person day by day (照料服务人)."""

    __tablename__ = "caregivers"
    __table_args__ = (Index("ix_caregivers_person", "person_id"),)

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("persons.id"))
    name: Mapped[str] = mapped_column(String(100))
    relation: Mapped[Relation] = mapped_column(Word(Relation))
    phone_sealed: Mapped[str | None] = mapped_column(Text)
    recorded_at: Mapped[dt.datetime]
    recorded_by: Mapped[UUID | None] = mapped_column(Uuid)
    superseded_at: Mapped[dt.datetime | None]


class CareAgreement(Base):
    """A care agreement (委托照料服务协议) between township, caregiver and person."""

    __tablename__ = "care_agreements"
    __table_args__ = (
        CheckConstraint("ends_on >= starts_on", name="span"),
        Index("ix_care_agreements_person", "person_id"),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("persons.id"))
    caregiver_id: Mapped[UUID] = mapped_column(ForeignKey("caregivers.id"))
    signed_on: Mapped[dt.date]
    starts_on: Mapped[dt.date]
    ends_on: Mapped[dt.date]
    monthly_fee: Mapped[Decimal | None] = mapped_column(Numeric(10, 2))
    recorded_at: Mapped[dt.datetime]
    recorded_by: Mapped[UUID | None] = mapped_column(Uuid)
    superseded_at: Mapped[dt.datetime | None]


class Home(Base):
    """The registered place of a home: as set, in its datum, with WGS-84 derived, and who set it."""

    __tablename__ = "homes"
    __table_args__ = (
        Index("ix_homes_person", "person_id"),
        Index("uq_homes_in_force", "person_id", unique=True, **IN_FORCE),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("persons.id"))
    latitude: Mapped[float]
    longitude: Mapped[float]
    datum: Mapped[Datum] = mapped_column(Word(Datum))
    wgs_latitude: Mapped[float]
    wgs_longitude: Mapped[float]
    accuracy_m: Mapped[float | None]
    set_at: Mapped[dt.datetime]
    set_by: Mapped[UUID | None] = mapped_column(Uuid)
    superseded_at: Mapped[dt.datetime | None]


class Responsibility(Base):
    """Who owes a person the visits (探视责任人) or deputises, from an instant until it is handed over."""

    __tablename__ = "responsibilities"
    __table_args__ = (
        Index("ix_responsibilities_person", "person_id", "to_at"),
        Index("ix_responsibilities_worker", "worker_id", "person_id", **STILL),
        Index(
            "uq_responsibilities_one",
            "person_id",
            unique=True,
            postgresql_where=text("to_at IS NULL AND kind = 'responsible'"),
            sqlite_where=text("to_at IS NULL AND kind = 'responsible'"),
        ),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("persons.id"))
    worker_id: Mapped[UUID] = mapped_column(ForeignKey("workers.id"))
    kind: Mapped[ResponsibilityKind] = mapped_column(Word(ResponsibilityKind))
    from_at: Mapped[dt.datetime]
    to_at: Mapped[dt.datetime | None]
    assigned_by: Mapped[UUID | None] = mapped_column(Uuid)


class Pause(Base):
    """Days in which a person cannot be visited at home; a contact is still owed."""

    __tablename__ = "pauses"
    __table_args__ = (
        CheckConstraint("to_on >= from_on", name="span"),
        Index("ix_pauses_person", "person_id"),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("persons.id"))
    reason: Mapped[PauseReason] = mapped_column(Word(PauseReason))
    from_on: Mapped[dt.date]
    to_on: Mapped[dt.date]
    note_sealed: Mapped[str | None] = mapped_column(Text)
    recorded_at: Mapped[dt.datetime]
    recorded_by: Mapped[UUID | None] = mapped_column(Uuid)
    superseded_at: Mapped[dt.datetime | None]


class FileNumber(Base):
    """The last running number given to files of one township, category and year; numbers are never used again."""

    __tablename__ = "file_numbers"

    township_code: Mapped[str] = mapped_column(String(9), primary_key=True)
    category_code: Mapped[str] = mapped_column(String(8), primary_key=True)
    year: Mapped[int] = mapped_column(primary_key=True)
    last: Mapped[int]
