"""People: households, persons, and everything about them that has a history."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "file_numbers",
        sa.Column("township_code", sa.String(length=9), nullable=False),
        sa.Column("category_code", sa.String(length=8), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("township_code", "category_code", "year", name=op.f("pk_file_numbers")),
    )
    op.create_table(
        "households",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("village_code", sa.String(length=12), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_households")),
    )
    op.create_index("ix_households_number", "households", ["village_code", "number"], unique=True)
    op.create_table(
        "persons",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("is_head", sa.Boolean(), nullable=False),
        sa.Column("relation_to_head", sa.String(length=20), nullable=True),
        sa.Column("file_no", sa.String(length=40), nullable=False),
        sa.Column("legacy_no", sa.String(length=60), nullable=True),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("name_initials", sa.String(length=40), nullable=False),
        sa.Column("sex", sa.String(length=32), nullable=False),
        sa.Column("birth_date", sa.Date(), nullable=True),
        sa.Column("village_code", sa.String(length=12), nullable=False),
        sa.Column("id_number_sealed", sa.Text(), nullable=True),
        sa.Column("id_number_index", sa.LargeBinary(length=32), nullable=True),
        sa.Column("last4_index", sa.LargeBinary(length=32), nullable=True),
        sa.Column("no_id_reason", sa.String(length=100), nullable=True),
        sa.Column("phone_sealed", sa.Text(), nullable=True),
        sa.Column("phone_index", sa.LargeBinary(length=32), nullable=True),
        sa.Column("address_sealed", sa.Text(), nullable=True),
        sa.Column("bank_account_sealed", sa.Text(), nullable=True),
        sa.Column("health_sealed", sa.Text(), nullable=True),
        sa.Column("care_level", sa.String(length=32), nullable=True),
        sa.Column("photo_consent", sa.Boolean(), nullable=False),
        sa.Column("died_on", sa.Date(), nullable=True),
        sa.Column("data_key_id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "care_level IN ('full_self', 'half_care', 'full_care')", name=op.f("ck_persons_care_level_known")
        ),
        sa.CheckConstraint("sex IN ('male', 'female', 'unknown')", name=op.f("ck_persons_sex_known")),
        sa.CheckConstraint(
            "id_number_index IS NOT NULL OR no_id_reason IS NOT NULL", name=op.f("ck_persons_id_or_reason")
        ),
        sa.ForeignKeyConstraint(
            ["household_id"], ["households.id"], name=op.f("fk_persons_household_id_households")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_persons")),
        sa.UniqueConstraint("file_no", name=op.f("uq_persons_file_no")),
        sa.UniqueConstraint("id_number_index", name=op.f("uq_persons_id_number_index")),
    )
    op.create_index(
        "ix_persons_file_no",
        "persons",
        ["file_no"],
        unique=False,
        postgresql_ops={"file_no": "varchar_pattern_ops"},
    )
    op.create_index("ix_persons_household", "persons", ["household_id"], unique=False)
    op.create_index(
        "ix_persons_initials",
        "persons",
        ["name_initials"],
        unique=False,
        postgresql_ops={"name_initials": "varchar_pattern_ops"},
    )
    op.create_index("ix_persons_last4", "persons", ["last4_index"], unique=False)
    op.create_index("ix_persons_listed", "persons", ["village_code", "file_no"], unique=False)
    op.create_index(
        "ix_persons_name", "persons", ["name"], unique=False, postgresql_ops={"name": "varchar_pattern_ops"}
    )
    op.create_index("ix_persons_phone", "persons", ["phone_index"], unique=False)
    op.create_index("ix_persons_village", "persons", ["village_code", "id"], unique=False)
    op.create_table(
        "care_assessments",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("can_eat", sa.Boolean(), nullable=False),
        sa.Column("can_dress", sa.Boolean(), nullable=False),
        sa.Column("can_bed", sa.Boolean(), nullable=False),
        sa.Column("can_toilet", sa.Boolean(), nullable=False),
        sa.Column("can_walk", sa.Boolean(), nullable=False),
        sa.Column("can_bathe", sa.Boolean(), nullable=False),
        sa.Column("level", sa.String(length=32), nullable=False),
        sa.Column("assessed_on", sa.Date(), nullable=False),
        sa.Column("assessor", sa.String(length=100), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "level IN ('full_self', 'half_care', 'full_care')", name=op.f("ck_care_assessments_level_known")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["persons.id"], name=op.f("fk_care_assessments_person_id_persons")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_care_assessments")),
    )
    op.create_index(
        "ix_care_assessments_person", "care_assessments", ["person_id", "assessed_on"], unique=False
    )
    op.create_table(
        "caregivers",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("relation", sa.String(length=32), nullable=False),
        sa.Column("phone_sealed", sa.Text(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.Uuid(), nullable=True),
        sa.Column("superseded_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "relation IN ('neighbour', 'caregiver', 'relative', 'cadre', 'doctor', 'spouse', 'child', 'other')",
            name=op.f("ck_caregivers_relation_known"),
        ),
        sa.ForeignKeyConstraint(["person_id"], ["persons.id"], name=op.f("fk_caregivers_person_id_persons")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_caregivers")),
    )
    op.create_index("ix_caregivers_person", "caregivers", ["person_id"], unique=False)
    op.create_table(
        "enrolments",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("category", sa.String(length=32), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("exit_reason", sa.String(length=32), nullable=True),
        sa.Column("monthly_amount", sa.Numeric(precision=10, scale=2), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.Uuid(), nullable=True),
        sa.Column("superseded_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "category IN ('dibao_urban', 'dibao_rural', 'tekun_dispersed', 'tekun_central', 'margin', 'rigid', 'temp', 'orphan', 'unsupported_child', 'anti_return', 'other')",
            name=op.f("ck_enrolments_category_known"),
        ),
        sa.CheckConstraint(
            "exit_reason IN ('death', 'income', 'property', 'moved', 'category_change', 'voluntary', 'other')",
            name=op.f("ck_enrolments_exit_reason_known"),
        ),
        sa.CheckConstraint("valid_to IS NULL OR valid_to >= valid_from", name=op.f("ck_enrolments_span")),
        sa.ForeignKeyConstraint(["person_id"], ["persons.id"], name=op.f("fk_enrolments_person_id_persons")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enrolments")),
    )
    op.create_index(
        "ix_enrolments_category",
        "enrolments",
        ["category", "valid_from"],
        unique=False,
        postgresql_where=sa.text("superseded_at IS NULL"),
        sqlite_where=sa.text("superseded_at IS NULL"),
    )
    op.create_index("ix_enrolments_person", "enrolments", ["person_id"], unique=False)
    op.create_table(
        "homes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("latitude", sa.Double(), nullable=False),
        sa.Column("longitude", sa.Double(), nullable=False),
        sa.Column("datum", sa.String(length=32), nullable=False),
        sa.Column("wgs_latitude", sa.Double(), nullable=False),
        sa.Column("wgs_longitude", sa.Double(), nullable=False),
        sa.Column("accuracy_m", sa.Double(), nullable=True),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("set_by", sa.Uuid(), nullable=True),
        sa.Column("superseded_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("datum IN ('wgs84', 'gcj02')", name=op.f("ck_homes_datum_known")),
        sa.ForeignKeyConstraint(["person_id"], ["persons.id"], name=op.f("fk_homes_person_id_persons")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_homes")),
    )
    op.create_index(
        "uq_homes_in_force",
        "homes",
        ["person_id"],
        unique=True,
        postgresql_where=sa.text("superseded_at IS NULL"),
        sqlite_where=sa.text("superseded_at IS NULL"),
    )
    op.create_table(
        "pauses",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("to_on", sa.Date(), nullable=False),
        sa.Column("note_sealed", sa.Text(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.Uuid(), nullable=True),
        sa.Column("superseded_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "reason IN ('hospital', 'out_of_area', 'institution_trial')", name=op.f("ck_pauses_reason_known")
        ),
        sa.CheckConstraint("to_on >= from_on", name=op.f("ck_pauses_span")),
        sa.ForeignKeyConstraint(["person_id"], ["persons.id"], name=op.f("fk_pauses_person_id_persons")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pauses")),
    )
    op.create_index("ix_pauses_person", "pauses", ["person_id"], unique=False)
    op.create_table(
        "person_tags",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("tag", sa.String(length=32), nullable=False),
        sa.Column("detail", sa.String(length=40), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("superseded_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "tag IN ('serious_illness', 'living_alone', 'empty_nest', 'left_behind', 'disabled_elder', 'advanced_age', 'jisheng_special', 'single_person_guarantee', 'near_relative_filing', 'high_risk_elder', 'key_object')",
            name=op.f("ck_person_tags_tag_known"),
        ),
        sa.ForeignKeyConstraint(["person_id"], ["persons.id"], name=op.f("fk_person_tags_person_id_persons")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person_tags")),
    )
    op.create_index("ix_person_tags_person", "person_tags", ["person_id"], unique=False)
    op.create_index("ix_person_tags_tag", "person_tags", ["tag", "person_id"], unique=False)
    op.create_table(
        "responsibilities",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("worker_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("from_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("to_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("assigned_by", sa.Uuid(), nullable=True),
        sa.CheckConstraint("kind IN ('responsible', 'deputy')", name=op.f("ck_responsibilities_kind_known")),
        sa.ForeignKeyConstraint(
            ["person_id"], ["persons.id"], name=op.f("fk_responsibilities_person_id_persons")
        ),
        sa.ForeignKeyConstraint(
            ["worker_id"], ["workers.id"], name=op.f("fk_responsibilities_worker_id_workers")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_responsibilities")),
    )
    op.create_index("ix_responsibilities_person", "responsibilities", ["person_id", "to_at"], unique=False)
    op.create_index(
        "ix_responsibilities_worker",
        "responsibilities",
        ["worker_id", "person_id"],
        unique=False,
        postgresql_where=sa.text("to_at IS NULL"),
        sqlite_where=sa.text("to_at IS NULL"),
    )
    op.create_index(
        "uq_responsibilities_one",
        "responsibilities",
        ["person_id"],
        unique=True,
        postgresql_where=sa.text("to_at IS NULL AND kind = 'responsible'"),
        sqlite_where=sa.text("to_at IS NULL AND kind = 'responsible'"),
    )
    op.create_table(
        "care_agreements",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("caregiver_id", sa.Uuid(), nullable=False),
        sa.Column("signed_on", sa.Date(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("monthly_fee", sa.Numeric(precision=10, scale=2), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.Uuid(), nullable=True),
        sa.Column("superseded_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("ends_on >= starts_on", name=op.f("ck_care_agreements_span")),
        sa.ForeignKeyConstraint(
            ["caregiver_id"], ["caregivers.id"], name=op.f("fk_care_agreements_caregiver_id_caregivers")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["persons.id"], name=op.f("fk_care_agreements_person_id_persons")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_care_agreements")),
    )
    op.create_index("ix_care_agreements_person", "care_agreements", ["person_id"], unique=False)
