"""Evidence: findings, what waits to be judged (written by triggers), and what visits are compared by."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
CODES = (
    *("fence_inside", "fence_outside", "fence_unclear", "one_spot", "same_fix", "photo_same_bytes"),
    *("photo_near_duplicate", "photo_time", "photo_place", "photo_facts_absent", "photo_debt"),
    *("travel_impossible", "visits_overlap", "too_short", "clock_off", "recorded_later", "written_in_series"),
    *("unusual_hour", "met_after_death", "notes_copied", "answers_copied", "text_in_many"),
)
BANDS = ("whole_1", "whole_2", "whole_3", "middle_1", "middle_2", "middle_3")
STANDING = sa.text("withdrawn_at IS NULL")
MARKED = sa.text("text_mark IS NOT NULL")

ONE = "INSERT INTO evidence_pending (visit_id, spreads) VALUES ({visit}, true)"
PERSONS = (
    "INSERT INTO evidence_pending (visit_id, spreads) SELECT id, true FROM visits WHERE person_id = {person}"
)
WHEN = (
    ("visits", "INSERT", "", ONE, "NEW.id"),
    ("visits", "UPDATE OF fingerprint, out_of_count_at", "", ONE, "NEW.id"),
    # What a visit declares is there with the visit itself; a photo counts when it arrives.
    ("photos", "INSERT", "NEW.blob_key IS NOT NULL", ONE, "NEW.visit_id"),
    ("photos", "UPDATE OF blob_key", "", ONE, "NEW.visit_id"),
    ("persons", "UPDATE OF died_on", "", PERSONS, "NEW.id"),
    ("homes", "INSERT", "", PERSONS, "NEW.person_id"),
)
"""Which changes make a visit worth judging anew, and which visits."""


def triggers(dialect: str) -> list[str]:
    """Write the triggers in the words of a database."""
    made = []
    for number, (table, change, condition, insert, key) in enumerate(WHEN):
        name = f"evidence_{table}_{number}"
        does = insert.format(visit=key, person=key)
        when = f" WHEN ({condition})" if condition else ""
        if dialect == "sqlite":
            made.append(f"CREATE TRIGGER {name} AFTER {change} ON {table}{when} BEGIN {does}; END")
        else:
            made.append(
                f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {does}; RETURN NULL; END $$"
            )
            made.append(
                f"CREATE TRIGGER {name} AFTER {change} ON {table} FOR EACH ROW{when} EXECUTE FUNCTION {name}()"
            )
    return made


def upgrade() -> None:
    """Create the tables and triggers, and let every visit that is on file be judged."""
    op.create_table(
        "findings",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("visit_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("severity", sa.String(length=32), nullable=False),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.Column("rule_version", sa.String(length=16), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            f"code IN ({', '.join(f'{one!r}' for one in CODES)})", name=op.f("ck_findings_code_known")
        ),
        sa.CheckConstraint(
            "severity IN ('info', 'notice', 'warning')", name=op.f("ck_findings_severity_known")
        ),
        sa.ForeignKeyConstraint(["visit_id"], ["visits.id"], name=op.f("fk_findings_visit_id_visits")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_findings")),
    )
    op.create_index(
        "uq_findings_standing",
        "findings",
        ["visit_id", "code"],
        unique=True,
        postgresql_where=STANDING,
        sqlite_where=STANDING,
    )
    op.create_index(
        "ix_findings_code",
        "findings",
        ["code", "visit_id"],
        postgresql_where=STANDING,
        sqlite_where=STANDING,
    )
    op.create_index("ix_findings_person", "findings", ["person_id", "found_at", "id"])
    op.create_table(
        "evidence_pending",
        sa.Column("id", SERIAL, autoincrement=True, nullable=False),
        sa.Column("visit_id", sa.Uuid(), nullable=False),
        sa.Column("spreads", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evidence_pending")),
    )
    op.create_index("ix_evidence_pending_visit", "evidence_pending", ["visit_id"])
    op.create_table(
        "visit_marks",
        sa.Column("visit_id", sa.Uuid(), nullable=False),
        sa.Column("worker_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("goes_there", sa.Boolean(), nullable=False),
        sa.Column("latitude", sa.Double(), nullable=True),
        sa.Column("longitude", sa.Double(), nullable=True),
        sa.Column("accuracy_m", sa.Double(), nullable=True),
        sa.Column("is_fix", sa.Boolean(), nullable=False),
        sa.Column("text_mark", sa.BigInteger(), nullable=True),
        sa.Column("text_length", sa.Integer(), nullable=False),
        sa.Column("sketch", sa.LargeBinary(), nullable=True),
        sa.Column("answers_mark", sa.BigInteger(), nullable=True),
        sa.Column("answers", sa.Integer(), nullable=False),
        sa.Column("telling", sa.Integer(), nullable=False),
        sa.Column("is_death", sa.Boolean(), nullable=False),
        sa.Column("is_void", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("visit_id", name=op.f("pk_visit_marks")),
    )
    op.create_index("ix_visit_marks_worker", "visit_marks", ["worker_id", "began_at", "visit_id"])
    op.create_index(
        "ix_visit_marks_text",
        "visit_marks",
        ["text_mark", "began_at", "visit_id"],
        postgresql_where=MARKED,
        sqlite_where=MARKED,
    )
    op.create_table(
        "photo_prints",
        sa.Column("photo_id", sa.Uuid(), nullable=False),
        sa.Column("whole", sa.BigInteger(), nullable=True),
        sa.Column("middle", sa.BigInteger(), nullable=True),
        *(sa.Column(name, sa.Integer(), nullable=True) for name in BANDS),
        sa.PrimaryKeyConstraint("photo_id", name=op.f("pk_photo_prints")),
    )
    for name in BANDS:
        op.create_index(f"ix_photo_prints_{name}", "photo_prints", [name])
    op.create_table(
        "photo_twins",
        sa.Column("photo_id", sa.Uuid(), nullable=False),
        sa.Column("other_id", sa.Uuid(), nullable=False),
        sa.Column("alike", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("photo_id", "other_id", name=op.f("pk_photo_twins")),
    )
    op.add_column("photos", sa.Column("likeness_sealed", sa.LargeBinary(), nullable=True))
    for statement in triggers(op.get_bind().dialect.name):
        op.execute(statement)
    op.execute("INSERT INTO evidence_pending (visit_id, spreads) SELECT id, true FROM visits")
