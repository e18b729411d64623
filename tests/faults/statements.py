"""What is said to the database, seen where the driver takes it: SQLAlchemy's own events miss prepared statements."""

import sqlite3
from collections.abc import Callable
from typing import Any

import psycopg
from sqlalchemy import Engine, event

Seen = Callable[[str, object], None]


def watch_statements(engine: Engine, seen: Seen) -> None:
    """Call `seen` with text and values before each statement of an engine; what it raises ends the statement."""

    @event.listens_for(engine, "do_connect")
    def on_connect(_dialect: object, _record: object, _words: object, options: dict[str, Any]) -> None:
        if engine.dialect.name == "sqlite":
            options["factory"] = _watched_sqlite(seen)
        else:
            options["cursor_factory"] = _watched_postgresql(seen)

    engine.dispose()


def _watched_sqlite(seen: Seen) -> type[sqlite3.Connection]:
    class Cursor(sqlite3.Cursor):
        def execute(self, sql: str, values: Any = (), /) -> sqlite3.Cursor:
            seen(sql, values)
            return super().execute(sql, values)

        def executemany(self, sql: str, values: Any, /) -> sqlite3.Cursor:
            seen(sql, rows := list(values))
            return super().executemany(sql, rows)

    class Connection(sqlite3.Connection):
        def cursor(self, factory: Any = Cursor) -> Any:
            return super().cursor(factory)

    return Connection


def _watched_postgresql(seen: Seen) -> type[psycopg.Cursor[Any]]:
    class Cursor(psycopg.Cursor[Any]):
        def execute(self, query: Any, params: Any = None, **more: Any) -> Any:
            seen(str(query), params)
            return super().execute(query, params, **more)

        def executemany(self, query: Any, params_seq: Any, **more: Any) -> None:
            seen(str(query), rows := list(params_seq))
            super().executemany(query, rows, **more)

    return Cursor
