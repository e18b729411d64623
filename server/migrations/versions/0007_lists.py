"""Lists: indexes in the order of the pages, for everybody, a township, a state, and what waits."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TOWNSHIP = sa.text("substr(village_code, 1, 9)")
WAITING = sa.text("state = 'submitted'")

UNMET = sa.text("met_on IS NULL AND closed_on IS NULL")
MISSED = sa.text("met_on IS NULL AND closed_on IS NOT NULL")


def upgrade() -> None:
    """Create the indexes; one of them takes the place of another."""
    op.create_index("ix_visits_listed", "visits", ["occurred_at", "id"])
    op.create_index("ix_visits_township", "visits", [TOWNSHIP, "occurred_at", "id"])
    op.create_index("ix_visits_state_listed", "visits", ["state", "occurred_at", "id"])
    op.create_index(
        "ix_visits_waiting",
        "visits",
        ["received_at", "id"],
        postgresql_where=WAITING,
        sqlite_where=WAITING,
    )
    op.drop_index("ix_visits_state", table_name="visits")
    op.create_index(
        "ix_duties_unmet_township",
        "duties",
        ["category", TOWNSHIP, "due_on", "person_id"],
        postgresql_include=["village_code", "exit_on"],
        postgresql_where=UNMET,
        sqlite_where=UNMET,
    )
    op.create_index(
        "ix_duties_missed",
        "duties",
        ["category", "closed_on"],
        postgresql_include=["village_code", "due_on", "exit_on"],
        postgresql_where=MISSED,
        sqlite_where=MISSED,
    )
    op.create_index("ix_duties_due", "duties", ["due_on"], postgresql_using="brin")
    op.drop_index("ix_duties_village", table_name="duties")
