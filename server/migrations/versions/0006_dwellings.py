"""Dwellings: in which village a person lived when. Whoever is on file has lived in today's village, as far as is known."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table, and begin the history of everybody who is on file."""
    op.create_table(
        "dwellings",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("village_code", sa.String(length=12), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.Uuid(), nullable=True),
        sa.Column("superseded_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "valid_to IS NULL OR valid_from IS NULL OR valid_to >= valid_from", name=op.f("ck_dwellings_span")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["persons.id"], name=op.f("fk_dwellings_person_id_persons")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dwellings")),
    )
    op.create_index("ix_dwellings_person", "dwellings", ["person_id"], unique=False)
    op.create_index(
        "ix_dwellings_village",
        "dwellings",
        ["village_code", "person_id"],
        unique=False,
        postgresql_where=sa.text("superseded_at IS NULL"),
        sqlite_where=sa.text("superseded_at IS NULL"),
    )
    op.create_index(
        "uq_dwellings_now",
        "dwellings",
        ["person_id"],
        unique=True,
        postgresql_where=sa.text("superseded_at IS NULL AND valid_to IS NULL"),
        sqlite_where=sa.text("superseded_at IS NULL AND valid_to IS NULL"),
    )
    # The first dwelling of a person needs no id but theirs: one statement, whatever the number of people.
    op.execute(
        "INSERT INTO dwellings (id, person_id, village_code, recorded_at)"
        " SELECT id, id, village_code, created_at FROM persons"
    )
