"""How many rows a statement touched is known on both engines; exactly-once depends on it."""

import datetime as dt

from sqlalchemy import delete, update
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite

from server.accounts.models import AttemptCount
from server.db import rows_of, unit_of_work
from server.http.parts import Parts

ROW = {"key_digest": b"1" * 32, "window_start": dt.datetime(2026, 1, 1, tzinfo=dt.UTC), "count": 1}


def test_an_insert_counts_one_and_a_conflict_none(house: Parts) -> None:
    insert = insert_postgresql if house.engine.dialect.name == "postgresql" else insert_sqlite
    with unit_of_work(house.sessions) as session:
        once = insert(AttemptCount).on_conflict_do_nothing()
        assert [rows_of(session, once, ROW), rows_of(session, once, ROW)] == [1, 0]
        assert rows_of(session, insert(AttemptCount).values(**ROW).on_conflict_do_nothing()) == 0
        assert rows_of(session, update(AttemptCount).values(count=2)) == 1
        assert rows_of(session, delete(AttemptCount)) == 1
        assert rows_of(session, delete(AttemptCount)) == 0
