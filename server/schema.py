"""Brings a database's schema to head, forward only, and says how it stands to this program."""

from enum import StrEnum
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

MIGRATIONS = Path(__file__).parent / "migrations"


class Standing(StrEnum):
    """How the schema of a database stands to what this program was written for."""

    HEAD = "ok"
    EMPTY = "empty"
    BEHIND = "behind"
    AHEAD = "ahead"


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Run the migrations that a database has not seen yet, in one transaction."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def standing(connection: Connection) -> Standing:
    """Compare a schema with this program; ahead of it is a later version's, which only added (docs/operations.md §10)."""
    there = MigrationContext.configure(connection).get_current_revision()
    scripts = ScriptDirectory(str(MIGRATIONS))
    if there is None:
        return Standing.EMPTY
    if there == scripts.get_current_head():
        return Standing.HEAD
    known = {script.revision for script in scripts.walk_revisions()}
    return Standing.BEHIND if there in known else Standing.AHEAD
