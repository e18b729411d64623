"""Homes: every home of a person is found by an index, not only the one in force; a file shows them all."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the index."""
    op.create_index("ix_homes_person", "homes", ["person_id"])
