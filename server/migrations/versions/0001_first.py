"""The first schema: every table, the vault, and the triggers that keep the ledger append-only."""

from alembic import op

from server.ledger.triggers import STATEMENTS
from server.tables import METADATA

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create everything."""
    bind = op.get_bind()
    if bind.dialect.name == "postgresql":
        op.execute("CREATE SCHEMA IF NOT EXISTS vault")
    METADATA.create_all(bind)
    for statement in STATEMENTS[bind.dialect.name]:
        op.execute(statement)
