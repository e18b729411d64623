"""Tables of spot checks: plans and frozen frames, the visits drawn and their back-checks, judgements, relatives."""

import datetime as dt
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, Text, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from server.db import Base, Word
from server.permissions import Role
from server.spotchecks.terms import (
    CheckMethod,
    CheckNotPossible,
    KinshipRelation,
    QuestionKind,
    Recall,
    SpokeTo,
    SpotCheckPlanState,
    SpotCheckResult,
    SpotCheckState,
    WhyDrawn,
)

LIVE = "state <> 'annulled'"
REACHED: dict[str, Any] = {"postgresql_where": text("reached"), "sqlite_where": text("reached")}
IN_FORCE: dict[str, Any] = {
    "postgresql_where": text("ended_at IS NULL"),
    "sqlite_where": text("ended_at IS NULL"),
}


class SpotCheckPlan(Base):
    """A plan: its rules as made, the commitment to a seed, the digest of the frozen frame, the seed once it is revealed.

    `seed_sealed` holds a seed that the server keeps until then, under the house's key; it is None when the keeper brought
    a commitment of their own. A plan that was annulled stays here for ever.
    """

    __tablename__ = "spot_check_plans"
    __table_args__ = (
        Index(
            "uq_spot_check_plans_live",
            "area_code",
            "period_start",
            unique=True,
            postgresql_where=text(LIVE),
            sqlite_where=text(LIVE),
        ),
        Index("ix_spot_check_plans_listed", "period_start", "id"),
        CheckConstraint("seed IS NULL OR frame_digest IS NOT NULL", name="frame_before_seed"),
        CheckConstraint("frame_digest IS NULL OR commitment IS NOT NULL", name="commitment_before_frame"),
        CheckConstraint("frozen_by IS NULL OR frozen_by <> committed_by", name="keeper_does_not_freeze"),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    area_code: Mapped[str] = mapped_column(String(12))
    period_start: Mapped[dt.date]
    rules: Mapped[dict[str, Any]]
    state: Mapped[SpotCheckPlanState] = mapped_column(Word(SpotCheckPlanState))
    revision: Mapped[int] = mapped_column(default=1)
    created_by: Mapped[UUID] = mapped_column(ForeignKey("workers.id"))
    created_at: Mapped[dt.datetime]
    commitment: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    committed_by: Mapped[UUID | None] = mapped_column(ForeignKey("workers.id"))
    committed_role: Mapped[Role | None] = mapped_column(Word(Role))
    committed_at: Mapped[dt.datetime | None]
    seed_sealed: Mapped[str | None] = mapped_column(Text)
    frame_digest: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    frame_size: Mapped[int | None]
    frozen_by: Mapped[UUID | None] = mapped_column(ForeignKey("workers.id"))
    frozen_role: Mapped[Role | None] = mapped_column(Word(Role))
    frozen_at: Mapped[dt.datetime | None]
    seed: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    drawn_by: Mapped[UUID | None] = mapped_column(ForeignKey("workers.id"))
    drawn_at: Mapped[dt.datetime | None]
    drawn_count: Mapped[int | None]
    annulled_by: Mapped[UUID | None] = mapped_column(ForeignKey("workers.id"))
    annulled_at: Mapped[dt.datetime | None]
    annul_reason_sealed: Mapped[str | None] = mapped_column(Text)


class FrameLine(Base):
    """A visit of a frozen frame, as it was when it was frozen; never changed."""

    __tablename__ = "spot_check_frame"

    plan_id: Mapped[UUID] = mapped_column(ForeignKey("spot_check_plans.id"), primary_key=True)
    visit_id: Mapped[UUID] = mapped_column(ForeignKey("visits.id"), primary_key=True)
    village_code: Mapped[str] = mapped_column(String(12))
    visitor_id: Mapped[UUID] = mapped_column(Uuid)
    category: Mapped[str] = mapped_column(String(32))
    always: Mapped[str] = mapped_column(String(32))
    body_revision: Mapped[int]


class SpotCheck(Base):
    """A visit that was drawn, who checks it, and what came of it. `village_code` and `category` are those of the frame."""

    __tablename__ = "spot_checks"
    __table_args__ = (
        Index("uq_spot_checks_visit", "plan_id", "visit_id", unique=True),
        Index("ix_spot_checks_plan", "plan_id", "ordinal"),
        Index("ix_spot_checks_checker", "checker_id", "state", "id"),
        Index("ix_spot_checks_person", "person_id"),
        Index("ix_spot_checks_original", "visit_id"),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    plan_id: Mapped[UUID] = mapped_column(ForeignKey("spot_check_plans.id"))
    visit_id: Mapped[UUID] = mapped_column(ForeignKey("visits.id"))
    person_id: Mapped[UUID] = mapped_column(ForeignKey("persons.id"))
    village_code: Mapped[str] = mapped_column(String(12))
    category: Mapped[str] = mapped_column(String(32))
    ordinal: Mapped[int]
    why: Mapped[WhyDrawn] = mapped_column(Word(WhyDrawn))
    state: Mapped[SpotCheckState] = mapped_column(Word(SpotCheckState))
    revision: Mapped[int] = mapped_column(default=1)
    checker_id: Mapped[UUID | None] = mapped_column(ForeignKey("workers.id"))
    assigned_at: Mapped[dt.datetime | None]
    due_on: Mapped[dt.date | None]
    not_possible: Mapped[CheckNotPossible | None] = mapped_column(Word(CheckNotPossible))
    result: Mapped[SpotCheckResult | None] = mapped_column(Word(SpotCheckResult))


class BackCheck(Base):
    """One call or visit of a checker; the one that `reached` somebody is compared with the record.

    `open_answers` are enumerated, `private_sealed` holds the free texts. `looked_first`: the checker had opened the
    record or the archive before, so the comparison was not blind.
    """

    __tablename__ = "back_checks"
    __table_args__ = (
        Index("uq_back_checks_reached", "check_id", unique=True, **REACHED),
        Index("ix_back_checks_check", "check_id", "received_at"),
        Index("ix_back_checks_person", "person_id"),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    check_id: Mapped[UUID] = mapped_column(ForeignKey("spot_checks.id"))
    person_id: Mapped[UUID] = mapped_column(Uuid)
    checker_id: Mapped[UUID] = mapped_column(ForeignKey("workers.id"))
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary(32))
    method: Mapped[CheckMethod] = mapped_column(Word(CheckMethod))
    occurred_at: Mapped[dt.datetime]
    received_at: Mapped[dt.datetime]
    spoke_to: Mapped[SpokeTo] = mapped_column(Word(SpokeTo))
    recall: Mapped[Recall] = mapped_column(Word(Recall))
    recalled_on: Mapped[dt.date | None]
    day_fits: Mapped[bool | None]
    reached: Mapped[bool]
    looked_first: Mapped[bool]
    open_answers: Mapped[dict[str, Any]]
    private_sealed: Mapped[str | None] = mapped_column(Text)
    photo_ids: Mapped[list[Any]]
    proposed: Mapped[SpotCheckResult | None] = mapped_column(Word(SpotCheckResult))


class AnswerCompared(Base):
    """Whether one question was answered the same; both answers stand in their records."""

    __tablename__ = "back_check_answers"
    __table_args__ = (Index("ix_back_check_answers_plan", "plan_id", "question"),)

    back_check_id: Mapped[UUID] = mapped_column(ForeignKey("back_checks.id"), primary_key=True)
    question: Mapped[str] = mapped_column(String(60), primary_key=True)
    plan_id: Mapped[UUID] = mapped_column(Uuid)
    kind: Mapped[QuestionKind] = mapped_column(Word(QuestionKind))
    differs: Mapped[bool]


class JudgementMade(Base):
    """What somebody concluded from a back-check, beside what was proposed; the reason is sealed."""

    __tablename__ = "spot_check_judgements"
    __table_args__ = (Index("ix_spot_check_judgements_person", "person_id"),)

    check_id: Mapped[UUID] = mapped_column(ForeignKey("spot_checks.id"), primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(Uuid)
    result: Mapped[SpotCheckResult] = mapped_column(Word(SpotCheckResult))
    proposed: Mapped[SpotCheckResult | None] = mapped_column(Word(SpotCheckResult))
    reason_sealed: Mapped[str | None] = mapped_column(Text)
    judged_by: Mapped[UUID] = mapped_column(ForeignKey("workers.id"))
    judged_at: Mapped[dt.datetime]


class Kinship(Base):
    """A worker's registered relation to a person on file or to another worker, until it is ended."""

    __tablename__ = "kinships"
    __table_args__ = (
        CheckConstraint("(person_id IS NULL) <> (relative_id IS NULL)", name="one_relative"),
        Index("ix_kinships_worker", "worker_id", "id", **IN_FORCE),
        Index("ix_kinships_person", "person_id"),
        Index("ix_kinships_relative", "relative_id", **IN_FORCE),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    worker_id: Mapped[UUID] = mapped_column(ForeignKey("workers.id"))
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("persons.id"))
    relative_id: Mapped[UUID | None] = mapped_column(ForeignKey("workers.id"))
    relation: Mapped[KinshipRelation] = mapped_column(Word(KinshipRelation))
    declared_by: Mapped[UUID | None] = mapped_column(Uuid)
    declared_at: Mapped[dt.datetime]
    ended_by: Mapped[UUID | None] = mapped_column(Uuid)
    ended_at: Mapped[dt.datetime | None]
