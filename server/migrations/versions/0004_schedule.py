"""The schedule: rules, opened periods, duties, emergencies, escalations."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "emergencies",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("area_code", sa.String(length=12), nullable=False),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("hours", sa.Integer(), nullable=False),
        sa.Column("note_sealed", sa.Text(), nullable=True),
        sa.Column("declared_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("declared_by", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "kind IN ('disaster', 'extreme_weather', 'hospital_discharge', 'caregiver_death')",
            name=op.f("ck_emergencies_kind_known"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_emergencies")),
    )
    op.create_table(
        "opened_periods",
        sa.Column("unit", sa.String(length=32), nullable=False),
        sa.Column("period_start", sa.Date(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("duties", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "unit IN ('iso_week', 'month', 'quarter', 'half_year', 'year')",
            name=op.f("ck_opened_periods_unit_known"),
        ),
        sa.PrimaryKeyConstraint("unit", "period_start", name=op.f("pk_opened_periods")),
    )
    op.create_table(
        "visit_rules",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(length=60), nullable=False),
        sa.Column("area_code", sa.String(length=12), nullable=False),
        sa.Column("category", sa.String(length=32), nullable=True),
        sa.Column("care_level", sa.String(length=32), nullable=True),
        sa.Column("tag", sa.String(length=32), nullable=True),
        sa.Column("unit", sa.String(length=32), nullable=False),
        sa.Column("required", sa.Integer(), nullable=False),
        sa.Column("in_person", sa.Integer(), nullable=False),
        sa.Column("alert_days", sa.JSON(), nullable=False),
        sa.Column("cutoff_day", sa.Integer(), nullable=False),
        sa.Column("heads_only", sa.Boolean(), nullable=False),
        sa.Column("effective_from", sa.Date(), nullable=False),
        sa.Column("effective_to", sa.Date(), nullable=True),
        sa.Column("source_doc_no", sa.String(length=100), nullable=False),
        sa.Column("source_url", sa.String(length=300), nullable=False),
        sa.Column("needs_confirmation", sa.Boolean(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.Uuid(), nullable=True),
        sa.Column("superseded_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "care_level IN ('full_self', 'half_care', 'full_care')",
            name=op.f("ck_visit_rules_care_level_known"),
        ),
        sa.CheckConstraint(
            "category IN ('dibao_urban', 'dibao_rural', 'tekun_dispersed', 'tekun_central', 'margin', 'rigid', 'temp', 'orphan', 'unsupported_child', 'anti_return', 'other')",
            name=op.f("ck_visit_rules_category_known"),
        ),
        sa.CheckConstraint(
            "tag IN ('serious_illness', 'living_alone', 'empty_nest', 'left_behind', 'disabled_elder', 'advanced_age', 'jisheng_special', 'single_person_guarantee', 'near_relative_filing', 'high_risk_elder', 'key_object')",
            name=op.f("ck_visit_rules_tag_known"),
        ),
        sa.CheckConstraint(
            "unit IN ('iso_week', 'month', 'quarter', 'half_year', 'year')",
            name=op.f("ck_visit_rules_unit_known"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_visit_rules")),
    )
    op.create_index("ix_visit_rules_key", "visit_rules", ["key", "effective_from"], unique=False)
    op.create_table(
        "duties",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("lane", sa.String(length=60), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("category", sa.String(length=32), nullable=False),
        sa.Column("village_code", sa.String(length=12), nullable=False),
        sa.Column("period_start", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("opens_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("required", sa.Integer(), nullable=False),
        sa.Column("in_person", sa.Integer(), nullable=False),
        sa.Column("due_soon_on", sa.Date(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("done_in_person", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("met_on", sa.Date(), nullable=True),
        sa.Column("met_received_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.Column("exit_on", sa.Date(), nullable=True),
        sa.Column("in_correction", sa.Boolean(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "category IN ('dibao_urban', 'dibao_rural', 'tekun_dispersed', 'tekun_central', 'margin', 'rigid', 'temp', 'orphan', 'unsupported_child', 'anti_return', 'other')",
            name=op.f("ck_duties_category_known"),
        ),
        sa.CheckConstraint("kind IN ('routine', 'emergency')", name=op.f("ck_duties_kind_known")),
        sa.CheckConstraint("required >= 0 AND done >= 0 AND attempts >= 0", name=op.f("ck_duties_counts")),
        sa.ForeignKeyConstraint(["person_id"], ["persons.id"], name=op.f("fk_duties_person_id_persons")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_duties")),
    )
    op.create_index(
        "ix_duties_unmet",
        "duties",
        ["category", "due_on", "person_id"],
        unique=False,
        postgresql_where=sa.text("met_on IS NULL AND closed_on IS NULL"),
        sqlite_where=sa.text("met_on IS NULL AND closed_on IS NULL"),
    )
    op.create_index("ix_duties_village", "duties", ["village_code", "due_on"], unique=False)
    op.create_index("uq_duties_window", "duties", ["person_id", "lane", "period_start"], unique=True)
    op.create_table(
        "emergency_people",
        sa.Column("emergency_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["emergency_id"], ["emergencies.id"], name=op.f("fk_emergency_people_emergency_id_emergencies")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["persons.id"], name=op.f("fk_emergency_people_person_id_persons")
        ),
        sa.PrimaryKeyConstraint("emergency_id", "person_id", name=op.f("pk_emergency_people")),
    )
    op.create_index("ix_emergency_people_person", "emergency_people", ["person_id"], unique=False)
    op.create_table(
        "escalations",
        sa.Column("duty_id", sa.Uuid(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("village_code", sa.String(length=12), nullable=False),
        sa.Column("days_overdue", sa.Integer(), nullable=False),
        sa.Column("escalated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["duty_id"], ["duties.id"], name=op.f("fk_escalations_duty_id_duties")),
        sa.PrimaryKeyConstraint("duty_id", "step", name=op.f("pk_escalations")),
    )
