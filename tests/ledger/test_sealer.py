"""Events get gapless positions after they were committed, in whatever order that happened."""

import hashlib
import threading

import pytest
from sqlalchemy import delete, func, select, text, update
from sqlalchemy.exc import DBAPIError

from server.db import unit_of_work
from server.ledger import leaves, sealer
from server.ledger.models import Event, Pending, Position
from tests.builders.world import World


def tell(world: World, action: str) -> None:
    with world.work() as work:
        work.tell(action, "test", payload={"what": action})


def test_positions_are_gapless_and_each_event_has_one(world: World) -> None:
    for number in range(7):
        tell(world, f"told.{number}")
    with unit_of_work(world.house.sessions) as session:
        assert sealer.seal(session) == session.scalar(select(func.count()).select_from(Event))
    with unit_of_work(world.house.sessions) as session:
        assert sealer.seal(session) == 0
        positions = session.scalars(select(Position.seq).order_by(Position.seq)).all()
        assert positions == list(range(1, len(positions) + 1))
        assert session.scalar(select(func.count()).select_from(Pending)) == 0


def test_a_refused_request_leaves_no_position(world: World) -> None:
    with pytest.raises(RuntimeError), world.work() as work:
        work.tell("never.happened", "test")
        work.close_lines()
        raise RuntimeError
    with unit_of_work(world.house.sessions) as session:
        sealer.seal(session)
        assert session.scalars(select(Event.id).where(Event.action == "never.happened")).all() == []


def test_writers_and_sealers_at_once_leave_no_gap(world: World) -> None:
    def write(name: str) -> None:
        for number in range(10):
            tell(world, f"{name}.{number}")

    def seal() -> None:
        for _ in range(10):
            with unit_of_work(world.house.sessions) as session:
                sealer.seal(session)

    threads = [threading.Thread(target=write, args=(name,)) for name in "abc"]
    threads += [threading.Thread(target=seal) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with unit_of_work(world.house.sessions) as session:
        sealer.seal(session)
        positions = session.scalars(select(Position.seq).order_by(Position.seq)).all()
        assert positions == list(range(1, len(positions) + 1))
        assert len(positions) == session.scalar(select(func.count()).select_from(Event))


@pytest.mark.parametrize("how", ["update", "delete"])
@pytest.mark.parametrize("table", [Event, Position])
def test_nothing_in_the_ledger_can_be_changed(
    world: World, table: type[Event] | type[Position], how: str
) -> None:
    tell(world, "told")
    with unit_of_work(world.house.sessions) as session:
        sealer.seal(session)
    column = "action" if table is Event else "leaf_hash"
    value = "changed" if table is Event else b"0" * 32
    statement = delete(table) if how == "delete" else update(table).values({column: value})
    with pytest.raises(DBAPIError), unit_of_work(world.house.sessions) as session:
        session.execute(statement)


def test_a_leaf_commits_to_its_payload_without_showing_it(world: World) -> None:
    tell(world, "told.secret")
    with unit_of_work(world.house.sessions) as session:
        sealer.seal(session)
        event = session.scalars(select(Event).where(Event.action == "told.secret")).one()
        position = session.scalars(select(Position).where(Position.event_id == event.id)).one()
        leaf = leaves.leaf(event, position.seq)
    assert b"what" not in leaf
    assert event.commitment.hex().encode() in leaf
    assert position.leaf_hash == hashlib.sha256(b"\x00" + leaf).digest()


def test_an_event_waits_for_its_position(world: World) -> None:
    with unit_of_work(world.house.sessions) as session:
        sealer.seal(session)
    tell(world, "told")
    with unit_of_work(world.house.sessions) as session:
        assert session.scalar(select(func.count()).select_from(Pending)) == 1


def test_an_event_cannot_be_replaced_either(world: World) -> None:
    tell(world, "told")
    with unit_of_work(world.house.sessions) as session:
        event = session.scalars(select(Event).where(Event.action == "told")).one()
        columns = ", ".join(column.name for column in Event.__table__.columns)
    verb = "INSERT OR REPLACE" if world.house.engine.dialect.name == "sqlite" else "INSERT"
    with pytest.raises(DBAPIError), unit_of_work(world.house.sessions) as session:
        session.execute(text(f"{verb} INTO ledger_events ({columns}) SELECT {columns} FROM ledger_events"))
    with unit_of_work(world.house.sessions) as session:
        assert session.get_one(Event, event.id).action == "told"
