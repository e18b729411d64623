"""The ledger proves itself: nodes of its tree, checkpoints, who was looked at, and the ways in which it is searched."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
KEYS = {
    "ledger_nodes": ("level", "place"),
    "ledger_looks": ("person_id", "seq"),
    "ledger_checkpoints": ("number",),
}
"""What only grows, by its primary key."""


def append_only(dialect: str) -> list[str]:
    """Give the triggers that refuse to change what only grows."""
    if dialect == "postgresql":
        return [
            f"""CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
                FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse()"""
            for table in KEYS
        ]
    refuse = "BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END"
    made = [
        f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} {refuse}"
        for table in KEYS
        for verb in ("UPDATE", "DELETE")
    ]
    for table, keys in KEYS.items():
        if table == "ledger_looks":
            continue  # it has nothing but its key: a row put over another is the same
        same = " AND ".join(f"{key} = NEW.{key}" for key in keys)
        # REPLACE deletes without asking the delete trigger.
        made.append(
            f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table}"
            f" WHEN EXISTS (SELECT 1 FROM {table} WHERE {same}) {refuse}"
        )
    return made


def upgrade() -> None:
    """Add; positions that were given before stand on form 1 of a leaf."""
    op.add_column(
        "ledger_positions", sa.Column("leaf_form", sa.Integer(), server_default="1", nullable=False)
    )
    op.create_table(
        "ledger_nodes",
        sa.Column("level", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("place", SERIAL, autoincrement=False, nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("level", "place", name=op.f("pk_ledger_nodes")),
    )
    op.create_table(
        "ledger_looks",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("seq", SERIAL, autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("person_id", "seq", name=op.f("pk_ledger_looks")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "ledger_marks",
        sa.Column("name", sa.String(length=16), nullable=False),
        sa.Column("seq", SERIAL, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_ledger_marks")),
    )
    op.create_table(
        "ledger_checkpoints",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("size", SERIAL, nullable=False),
        sa.Column("root", sa.LargeBinary(length=32), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_ledger_checkpoints")),
        sa.UniqueConstraint("size", name=op.f("uq_ledger_checkpoints_size")),
    )
    op.create_index("ix_ledger_events_at", "ledger_events", ["at", "id"])
    op.create_index("ix_ledger_events_actor", "ledger_events", ["actor_id", "at", "id"])
    op.create_index("ix_ledger_events_action", "ledger_events", ["action", "at", "id"])
    for statement in append_only(op.get_bind().dialect.name):
        op.execute(statement)
