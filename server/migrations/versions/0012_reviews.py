"""Reviews: a second pair of eyes, blind second looks; problems: owner, due date, steps, escalation."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

TOWNSHIP = sa.text("substr(village_code, 1, 9)")
STATES = "'open', 'in_progress', 'answered', 'reopened', 'fixed', 'closed', 'withdrawn'"
STEPS = "'start', 'answer', 'close', 'reopen', 'assign', 'unmentioned', 'withdraw'"
OWNERS = "'responsible', 'chief', 'named'"
DECISIONS = "'accept', 'return', 'void', 'withdraw'"
DAYS = {"low": 30, "medium": 15, "high": 7, "urgent": 1}
"""The defaults of the settings `problems.due_…`, for problems that are on file already."""


def upgrade() -> None:
    """Add the columns, tables and indexes, and give the problems on file their state and due date."""
    _visits()
    _problems()
    _new_tables()
    _fill()


def _index(name: str, table: str, columns: list[Any], where: str) -> None:
    op.create_index(name, table, columns, postgresql_where=sa.text(where), sqlite_where=sa.text(where))


def _visits() -> None:
    op.add_column("visits", sa.Column("first_accepted_by", sa.Uuid(), nullable=True))
    op.add_column("visits", sa.Column("first_accepted_revision", sa.Integer(), nullable=True))
    waiting = "state = 'submitted'"
    _index("ix_visits_waiting_township", "visits", [TOWNSHIP, "received_at", "id"], waiting)
    _index("ix_visits_resubmitted", "visits", ["received_at", "id"], f"{waiting} AND body_revision > 1")
    _index("ix_visits_returned", "visits", ["received_at", "id"], "state = 'returned'")
    second = "first_accepted_revision IS NOT NULL"
    _index("ix_visits_awaiting_second", "visits", ["received_at", "id"], second)


def _problems() -> None:
    for column in (
        sa.Column("stage", sa.String(length=32), nullable=False, server_default="open"),
        sa.Column("owner_kind", sa.String(length=32), nullable=False, server_default="responsible"),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=False, server_default="1970-01-01"),
        sa.Column("fixed_by", sa.Uuid(), nullable=True),
        sa.Column("checked_by", sa.Uuid(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False, server_default="1"),
    ):
        op.add_column("problems", column)
    unresolved, resolved = "closed_at IS NULL", "closed_at IS NOT NULL"
    _index("ix_problems_due", "problems", ["due_on", "id"], unresolved)
    _index("ix_problems_township_due", "problems", [TOWNSHIP, "due_on", "id"], unresolved)
    _index("ix_problems_village_due", "problems", ["village_code", "due_on", "id"], unresolved)
    _index("ix_problems_closed", "problems", ["closed_at", "id"], resolved)
    _index("ix_problems_township_closed", "problems", [TOWNSHIP, "closed_at", "id"], resolved)


def _new_tables() -> None:
    op.create_table(
        "problem_steps",
        sa.Column("problem_id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("step", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("note_sealed", sa.Text(), nullable=True),
        sa.Column("visit_id", sa.Uuid(), nullable=True),
        sa.Column("photo_ids", sa.JSON(), nullable=False),
        sa.Column("worker_id", sa.Uuid(), nullable=True),
        sa.Column("taken_by", sa.Uuid(), nullable=True),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(f"step IN ({STEPS})", name=op.f("ck_problem_steps_step_known")),
        sa.CheckConstraint(f"state IN ({STATES})", name=op.f("ck_problem_steps_state_known")),
        sa.ForeignKeyConstraint(
            ["problem_id"], ["problems.id"], name=op.f("fk_problem_steps_problem_id_problems")
        ),
        sa.PrimaryKeyConstraint("problem_id", "revision", name=op.f("pk_problem_steps")),
        sa.UniqueConstraint("id", name=op.f("uq_problem_steps_id")),
    )
    op.create_index("ix_problem_steps_person", "problem_steps", ["person_id", "taken_at"])
    op.create_table(
        "problem_escalations",
        sa.Column("problem_id", sa.Uuid(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("village_code", sa.String(length=12), nullable=False),
        sa.Column("days_overdue", sa.Integer(), nullable=False),
        sa.Column("escalated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["problem_id"], ["problems.id"], name=op.f("fk_problem_escalations_problem_id_problems")
        ),
        sa.PrimaryKeyConstraint("problem_id", "due_on", "level", name=op.f("pk_problem_escalations")),
    )
    op.create_index("ix_problem_escalations_at", "problem_escalations", ["escalated_at"])
    op.create_table(
        "blind_reviews",
        sa.Column("visit_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("percent", sa.Integer(), nullable=False),
        sa.Column("drawn_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("first_by", sa.Uuid(), nullable=False),
        sa.Column("decision", sa.String(length=32), nullable=True),
        sa.Column("reason_sealed", sa.Text(), nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("agreed", sa.Boolean(), nullable=True),
        sa.Column("settled_by", sa.Uuid(), nullable=True),
        sa.Column("settled_reason_sealed", sa.Text(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(f"decision IN ({DECISIONS})", name=op.f("ck_blind_reviews_decision_known")),
        sa.ForeignKeyConstraint(["visit_id"], ["visits.id"], name=op.f("fk_blind_reviews_visit_id_visits")),
        sa.PrimaryKeyConstraint("visit_id", name=op.f("pk_blind_reviews")),
    )
    _index("ix_blind_reviews_open", "blind_reviews", ["drawn_at", "visit_id"], "closed_at IS NULL")
    op.create_index("ix_blind_reviews_month", "blind_reviews", ["month"])
    op.create_table(
        "blind_seeds",
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("seed", sa.LargeBinary(length=32), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("month", name=op.f("pk_blind_seeds")),
    )


def _fill() -> None:
    """Say of the problems on file how they stand, who put them right, and by when they should be seen to."""
    op.execute("UPDATE problems SET stage = state")
    op.execute(
        "UPDATE problems SET fixed_by = (SELECT recorder_id FROM visits WHERE visits.id = problems.visit_id)"
        " WHERE state = 'fixed'"
    )
    op.execute(
        "UPDATE problems SET owner_kind = 'chief' WHERE restricted"
        " OR code IN ('not_seen_for_days', 'abuse_suspected', 'card_held_by_cadre')"
    )
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for severity, days in DAYS.items():
        found_on = (
            f"date(found_at, '+8 hours', '+{days} days')"
            if is_sqlite
            else f"(found_at AT TIME ZONE 'Asia/Shanghai')::date + {days}"
        )
        op.execute(f"UPDATE problems SET due_on = {found_on} WHERE severity = '{severity}'")
