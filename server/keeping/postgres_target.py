"""Fills an empty PostgreSQL database from copies of tables and the rows that changed after, in one transaction."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import sql

from server.keeping import postgres_changes as changes
from server.keeping.archive import Archive
from server.keeping.postgres_source import connected, tables_of
from server.keeping.terms import ArchiveDamaged, KeepingRefused, Piece, Tick


class PostgresTarget:
    """A database that is empty until everything is in it.

    `make_schema` brings the database to a revision; references and triggers stay off while rows come in, and references
    are checked by PostgreSQL when they are put back.
    """

    def __init__(self, url: str, make_schema: Callable[[str], None]) -> None:
        self._connection = connected(url)
        self._make_schema = make_schema
        self._relations: dict[int, changes.Relation] = {}
        self._rows: Counter[str] = Counter()
        self._references: list[tuple[str, str, str]] = []
        self._begun = False
        try:
            self._refuse_full()
        except BaseException:
            self._connection.close()
            raise

    def base(self, role: str, tick: Tick, archive: Archive) -> None:
        """Lay down the copies of the tables."""
        with _sentences():
            if not self._begun:
                self._begin(str(tick.facts["revision"]))
            for name, facts in tick.facts["tables"].items():
                if name.startswith(f"{role}:"):
                    self._copy_in(name.partition(":")[2], facts, archive, tick.pieces[name])

    def apply(self, role: str, tick: Tick, archive: Archive) -> None:
        """Do again what was done to the rows until a tick."""
        if role not in tick.pieces:
            return
        count = 0
        with _sentences(), self._connection.pipeline():
            for message in changes.read_all(archive.chunks(tick.pieces[role])):
                count += 1
                if message[:1] == b"R":
                    told = changes.relation(message)
                    self._relations[told.oid] = told
                else:
                    self._do(changes.row_change(message))
        if count != tick.facts[role]:
            raise ArchiveDamaged("备份的变更数目与清单不符，备份已损坏；请改用另一代备份。")

    def finish(self) -> None:
        """Put references, triggers and counters back, compare the numbers of rows, and make it durable."""
        with _sentences():
            for schema, table in tables_of(self._connection):
                name = f"{schema}.{table}"
                there = self._one(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(schema, table)))
                if there != self._rows[name]:
                    raise ArchiveDamaged(f"表 {name} 恢复出的行数与备份不符，备份已损坏；请改用另一代备份。")
            for table, name, definition in self._references:
                self._run(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")
            for table in self._quoted_tables():
                self._run(f"ALTER TABLE {table} ENABLE TRIGGER USER")
            self._set_counters()
            self._connection.execute("COMMIT")
            self._connection.execute("ANALYZE")

    def close(self) -> None:
        """Let go; what is not finished did not happen."""
        self._connection.close()

    def _refuse_full(self) -> None:
        for schema, table in tables_of(self._connection):
            question = sql.SQL("SELECT EXISTS (SELECT 1 FROM {})").format(sql.Identifier(schema, table))
            if self._one(question):
                raise KeepingRefused(
                    "目标数据库不是空的，没有恢复任何内容。请用 createdb 新建一个空数据库，并设置 DATABASE_URL。"
                )

    def _begin(self, revision: str) -> None:
        self._make_schema(revision)
        there = self._one(sql.SQL("SELECT version_num FROM public.alembic_version"))
        if there != revision:
            raise KeepingRefused("目标数据库的结构与备份的不同，请用 createdb 新建一个空数据库再恢复。")
        self._connection.execute("BEGIN")
        self._references = self._connection.execute(
            "SELECT conrelid::regclass::text, quote_ident(conname), pg_get_constraintdef(oid)"
            " FROM pg_constraint WHERE contype = 'f' ORDER BY 1, 2"
        ).fetchall()
        for table, name, _ in self._references:
            self._run(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
        for table in self._quoted_tables():
            self._run(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        self._begun = True

    def _copy_in(self, name: str, facts: dict[str, Any], archive: Archive, piece: Piece) -> None:
        schema, _, table = name.partition(".")
        statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
            sql.Identifier(schema, table), sql.SQL(", ").join(map(sql.Identifier, facts["columns"]))
        )
        with self._connection.cursor() as cursor:
            with cursor.copy(statement) as copy:
                for chunk in archive.chunks(piece):
                    copy.write(chunk)
            if cursor.rowcount != facts["rows"]:
                raise ArchiveDamaged(f"表 {name} 的行数与清单不符，备份已损坏；请改用另一代备份。")
        self._rows[name] = int(facts["rows"])

    def _do(self, change: changes.RowChange) -> None:
        told = self._relations.get(change.oid)
        if told is None:
            raise ArchiveDamaged("备份的变更读不懂，备份已损坏；请改用另一代备份。")
        table, name = sql.Identifier(told.schema, told.table), f"{told.schema}.{told.table}"
        if change.kind == "I":
            assert change.new is not None
            self._connection.execute(
                sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
                    table,
                    sql.SQL(", ").join(map(sql.Identifier, told.columns)),
                    sql.SQL(", ").join(sql.Placeholder() * len(told.columns)),
                ),
                change.new,
            )
            self._rows[name] += 1
            return
        which = change.old or change.new or []
        keys = [
            (column, value)
            for column, is_key, value in zip(told.columns, told.keys, which, strict=True)
            if is_key
        ]
        where = sql.SQL(" AND ").join(sql.SQL("{} = %s").format(sql.Identifier(column)) for column, _ in keys)
        values = [value for _, value in keys]
        if change.kind == "D":
            self._connection.execute(sql.SQL("DELETE FROM {} WHERE {}").format(table, where), values)
            self._rows[name] -= 1
            return
        assert change.new is not None
        new = [
            (column, value)
            for column, value in zip(told.columns, change.new, strict=True)
            if value is not changes.UNCHANGED
        ]
        assigned = sql.SQL(", ").join(sql.SQL("{} = %s").format(sql.Identifier(column)) for column, _ in new)
        self._connection.execute(
            sql.SQL("UPDATE {} SET {} WHERE {}").format(table, assigned, where),
            [value for _, value in new] + values,
        )

    def _set_counters(self) -> None:
        """Let every serial column go on behind its largest number."""
        owned = self._connection.execute(
            "SELECT s.oid::regclass::text, t.oid::regclass::text, quote_ident(a.attname)"
            " FROM pg_class s JOIN pg_depend d ON d.objid = s.oid AND d.deptype IN ('a', 'i')"
            " AND d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass"
            " JOIN pg_class t ON t.oid = d.refobjid"
            " JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid WHERE s.relkind = 'S'"
        ).fetchall()
        for sequence, table, column in owned:
            self._run(
                f"SELECT setval('{sequence}', coalesce(max({column}), 0) + 1, false) FROM {table}"  # noqa: S608  (names from the catalogue, quoted by it)
            )

    def _quoted_tables(self) -> list[str]:
        return [
            sql.Identifier(schema, table).as_string(self._connection)
            for schema, table in tables_of(self._connection)
        ]

    def _run(self, statement: str) -> None:
        self._connection.execute(statement.encode())

    def _one(self, question: sql.Composed | sql.SQL) -> Any:
        row = self._connection.execute(question).fetchone()
        return None if row is None else row[0]


@contextmanager
def _sentences() -> Iterator[None]:
    try:
        yield
    except psycopg.Error as error:
        # The driver's words may quote a row; its code does not.
        raise KeepingRefused(
            f"数据库没有接受备份的内容（{error.sqlstate or '连接中断'}），没有恢复任何内容。"
        ) from None
