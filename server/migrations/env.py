"""Runs migrations on the connection that the caller hands in (server.schema)."""

from typing import Any

from alembic import context

from server.db import VAULT
from server.tables import METADATA


def run() -> None:
    """Run the migrations in one transaction."""
    connection: Any = context.config.attributes["connection"]
    context.configure(
        connection=connection,
        target_metadata=METADATA,
        include_schemas=True,
        include_name=lambda name, kind, _parents: kind != "schema" or name in {None, VAULT},
        render_as_batch=False,
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()


run()
