"""A database that went away and came back is noticed before a request is begun on a dead connection, at no cost."""

from collections.abc import Iterator
from tempfile import TemporaryFile

import psycopg
import pytest
from sqlalchemy import Column, Engine, Integer, MetaData, Table, create_engine, insert, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from server.db import engine_options, prepare_engine
from server.prepared import Prepared
from tests.engines.postgres import Postgres, postgres

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with postgres(durable=False) as running:
        yield running


@pytest.fixture
def engine(server: Postgres) -> Iterator[Engine]:
    url = server.new_database()
    made = create_engine(url, **engine_options(url, pool_size=4))
    prepare_engine(made)
    yield made
    made.dispose()


def ask(engine: Engine) -> int:
    with engine.begin() as connection:
        return int(connection.execute(text("SELECT pg_backend_pid()")).scalar_one())


def end_back_ends(server: Postgres, *pids: int) -> None:
    with psycopg.connect(server.url.replace("+psycopg", ""), autocommit=True) as boss:
        for pid in pids:
            boss.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])


def test_a_connection_that_died_in_the_pool_is_replaced_unseen(server: Postgres, engine: Engine) -> None:
    first = ask(engine)
    assert ask(engine) == first
    end_back_ends(server, first)
    assert ask(engine) != first


def test_after_a_restart_every_pooled_connection_is_replaced_unseen(server: Postgres, engine: Engine) -> None:
    held = [engine.connect() for _ in range(4)]
    pids = {int(one.execute(text("SELECT pg_backend_pid()")).scalar_one()) for one in held}
    for one in held:
        one.close()
    assert len(pids) == 4
    server.stop()
    server.start()
    held = [engine.connect() for _ in range(4)]
    for one in held:
        assert one.execute(text("SELECT 1")).scalar_one() == 1
        one.close()


def test_looking_sends_nothing_to_the_database(engine: Engine) -> None:
    first = ask(engine)
    with engine.connect() as connection:
        raw = connection.connection.dbapi_connection
    assert raw is not None
    with TemporaryFile("w+") as wire:
        raw.pgconn.trace(wire.fileno())
        assert ask(engine) == first
        raw.pgconn.untrace()
        wire.seek(0)
        asked = [line.split("\t") for line in wire if line.split("\t")[1] == "F"]
    statements = [line for line in asked if line[3] in {"Query", "Parse"}]
    assert [line[4].strip(' "\n') for line in statements] == ["BEGIN", "SELECT pg_backend_pid()", "COMMIT"]


NOTES = Table("notes", MetaData(), Column("n", Integer))


@pytest.mark.parametrize("prepared", [False, True])
def test_a_leader_that_became_a_standby_is_left(engine: Engine, prepared: bool) -> None:
    NOTES.create(engine)
    first = ask(engine)
    with pytest.raises(DBAPIError) as caught, Session(engine) as session:
        session.execute(text("SET TRANSACTION READ ONLY"))
        if prepared:
            Prepared(insert(NOTES), ["n"]).write(session, {"n": 1})
        else:
            session.execute(insert(NOTES).values(n=1))
    assert caught.value.connection_invalidated
    assert ask(engine) != first
