"""Visits: records, past revisions, decisions, problems, photos."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "orphan_blobs",
        sa.Column("blob_key", sa.String(length=80), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("blob_key", name=op.f("pk_orphan_blobs")),
    )
    op.create_table(
        "problems",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("visit_id", sa.Uuid(), nullable=False),
        sa.Column("visit_revision", sa.Integer(), nullable=False),
        sa.Column("village_code", sa.String(length=12), nullable=False),
        sa.Column("code", sa.String(length=60), nullable=False),
        sa.Column("severity", sa.String(length=32), nullable=False),
        sa.Column("description_sealed", sa.Text(), nullable=True),
        sa.Column("fixed_on_site", sa.Boolean(), nullable=False),
        sa.Column("restricted", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "severity IN ('low', 'medium', 'high', 'urgent')", name=op.f("ck_problems_severity_known")
        ),
        sa.CheckConstraint("state IN ('open', 'fixed', 'withdrawn')", name=op.f("ck_problems_state_known")),
        sa.ForeignKeyConstraint(["person_id"], ["persons.id"], name=op.f("fk_problems_person_id_persons")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_problems")),
    )
    op.create_index("ix_problems_person", "problems", ["person_id"], unique=False)
    op.create_index("ix_problems_visit", "problems", ["visit_id"], unique=False)
    op.create_table(
        "visits",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("enrolment_id", sa.Uuid(), nullable=True),
        sa.Column("village_code", sa.String(length=12), nullable=False),
        sa.Column("recorder_id", sa.Uuid(), nullable=False),
        sa.Column("recorded_for_id", sa.Uuid(), nullable=True),
        sa.Column("method", sa.String(length=32), nullable=False),
        sa.Column("outcome", sa.String(length=32), nullable=False),
        sa.Column("conclusion", sa.String(length=32), nullable=True),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("counted_since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("clock_skew_s", sa.Integer(), nullable=False),
        sa.Column("filed_late", sa.Boolean(), nullable=False),
        sa.Column("counts", sa.Boolean(), nullable=False),
        sa.Column("in_person", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("state_reason_sealed", sa.Text(), nullable=True),
        sa.Column("out_of_count_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("body_revision", sa.Integer(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(length=32), nullable=False),
        sa.Column("open_body", sa.JSON(), nullable=False),
        sa.Column("private_sealed", sa.Text(), nullable=True),
        sa.Column("answered", sa.Integer(), nullable=False),
        sa.Column("answers_required", sa.Integer(), nullable=False),
        sa.Column("revised_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "conclusion IN ('normal', 'attention', 'change_needed', 'exit_suspected', 'new_aid_needed')",
            name=op.f("ck_visits_conclusion_known"),
        ),
        sa.CheckConstraint(
            "method IN ('home', 'phone', 'video', 'third_party')", name=op.f("ck_visits_method_known")
        ),
        sa.CheckConstraint(
            "outcome IN ('met', 'met_elsewhere', 'remote_met', 'not_met', 'refused', 'hospital', 'in_institution', 'moved', 'dead', 'missing')",
            name=op.f("ck_visits_outcome_known"),
        ),
        sa.CheckConstraint(
            "state IN ('submitted', 'returned', 'accepted', 'void')", name=op.f("ck_visits_state_known")
        ),
        sa.ForeignKeyConstraint(
            ["enrolment_id"], ["enrolments.id"], name=op.f("fk_visits_enrolment_id_enrolments")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["persons.id"], name=op.f("fk_visits_person_id_persons")),
        sa.ForeignKeyConstraint(
            ["recorded_for_id"], ["workers.id"], name=op.f("fk_visits_recorded_for_id_workers")
        ),
        sa.ForeignKeyConstraint(["recorder_id"], ["workers.id"], name=op.f("fk_visits_recorder_id_workers")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_visits")),
    )
    op.create_index("ix_visits_person", "visits", ["person_id", "occurred_at"], unique=False)
    op.create_index("ix_visits_recorder", "visits", ["recorder_id", "occurred_at", "id"], unique=False)
    op.create_index("ix_visits_state", "visits", ["state", "received_at", "id"], unique=False)
    op.create_index("ix_visits_village", "visits", ["village_code", "occurred_at", "id"], unique=False)
    op.create_table(
        "photos",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("visit_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("village_code", sa.String(length=12), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("declared", sa.Boolean(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("claimed_taken_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("claimed_sha256", sa.String(length=64), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("received_from", sa.Uuid(), nullable=True),
        sa.Column("sha256", sa.LargeBinary(length=32), nullable=True),
        sa.Column("size", sa.Integer(), nullable=True),
        sa.Column("format", sa.String(length=8), nullable=True),
        sa.Column("width", sa.Integer(), nullable=True),
        sa.Column("height", sa.Integer(), nullable=True),
        sa.Column("dhash", sa.BigInteger(), nullable=True),
        sa.Column("exif", sa.JSON(), nullable=True),
        sa.Column("blob_key", sa.String(length=80), nullable=True),
        sa.Column("data_key_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "kind IN ('house_out', 'room', 'stove_food', 'bed', 'hazard', 'document', 'signed_form', 'person', 'caregiver')",
            name=op.f("ck_photos_kind_known"),
        ),
        sa.CheckConstraint("blob_key IS NULL OR sha256 IS NOT NULL", name=op.f("ck_photos_stored")),
        sa.ForeignKeyConstraint(["visit_id"], ["visits.id"], name=op.f("fk_photos_visit_id_visits")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_photos")),
        sa.UniqueConstraint("blob_key", name=op.f("uq_photos_blob_key")),
    )
    op.create_index("ix_photos_sha256", "photos", ["sha256"], unique=False)
    op.create_index("ix_photos_visit", "photos", ["visit_id"], unique=False)
    op.create_table(
        "visit_decisions",
        sa.Column("visit_id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("decision", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("reason_sealed", sa.Text(), nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "decision IN ('accept', 'return', 'void', 'withdraw')",
            name=op.f("ck_visit_decisions_decision_known"),
        ),
        sa.CheckConstraint(
            "state IN ('submitted', 'returned', 'accepted', 'void')",
            name=op.f("ck_visit_decisions_state_known"),
        ),
        sa.ForeignKeyConstraint(
            ["decided_by"], ["workers.id"], name=op.f("fk_visit_decisions_decided_by_workers")
        ),
        sa.ForeignKeyConstraint(["visit_id"], ["visits.id"], name=op.f("fk_visit_decisions_visit_id_visits")),
        sa.PrimaryKeyConstraint("visit_id", "revision", name=op.f("pk_visit_decisions")),
        sa.UniqueConstraint("id", name=op.f("uq_visit_decisions_id")),
    )
    op.create_index("ix_visit_decisions_person", "visit_decisions", ["person_id", "decided_at"], unique=False)
    op.create_table(
        "visit_revisions",
        sa.Column("visit_id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(length=32), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("counts", sa.Boolean(), nullable=False),
        sa.Column("in_person", sa.Boolean(), nullable=False),
        sa.Column("outcome", sa.String(length=32), nullable=False),
        sa.Column("open_body", sa.JSON(), nullable=False),
        sa.Column("private_sealed", sa.Text(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("superseded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("superseded_by", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "outcome IN ('met', 'met_elsewhere', 'remote_met', 'not_met', 'refused', 'hospital', 'in_institution', 'moved', 'dead', 'missing')",
            name=op.f("ck_visit_revisions_outcome_known"),
        ),
        sa.ForeignKeyConstraint(["visit_id"], ["visits.id"], name=op.f("fk_visit_revisions_visit_id_visits")),
        sa.PrimaryKeyConstraint("visit_id", "revision", name=op.f("pk_visit_revisions")),
    )
    op.create_index(
        "ix_visit_revisions_person", "visit_revisions", ["person_id", "occurred_at"], unique=False
    )
    op.create_table(
        "renditions",
        sa.Column("photo_id", sa.Uuid(), nullable=False),
        sa.Column("box", sa.Integer(), nullable=False),
        sa.Column("blob_key", sa.String(length=80), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["photo_id"], ["photos.id"], name=op.f("fk_renditions_photo_id_photos")),
        sa.PrimaryKeyConstraint("photo_id", "box", name=op.f("pk_renditions")),
        sa.UniqueConstraint("blob_key", name=op.f("uq_renditions_blob_key")),
    )
