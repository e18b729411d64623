"""Prepared statements say what SQLAlchemy would have said: same rows, same counts, same errors."""

import datetime as dt
from uuid import uuid4

import pytest
from sqlalchemy import bindparam, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from server.db import unit_of_work
from server.http.parts import Parts
from server.policies.models import PolicyVersion
from server.prepared import Prepared, insert_once

NOON = dt.datetime(2026, 3, 5, 4, 0, tzinfo=dt.UTC)
COLUMNS = (
    *("id", "key", "area_code", "value", "unit", "effective_from", "source_doc_no", "source_url"),
    *("needs_confirmation", "recorded_at"),
)
BY_AREA = select(*PolicyVersion.__table__.c).where(PolicyVersion.area_code == bindparam("area_code"))
BY_AREA = BY_AREA.order_by(PolicyVersion.key)


def version(key: str, area_code: str = "341882003") -> dict[str, object]:
    return {
        "id": uuid4(),
        "key": key,
        "area_code": area_code,
        "value": {"若干": [1, 2.5, None]},
        "unit": "天",
        "effective_from": dt.date(2026, 3, 1),
        "source_doc_no": "百分号 % 与 %(名)s",
        "source_url": "",
        "needs_confirmation": True,
        "recorded_at": NOON,
    }


def stored(session: Session) -> list[tuple[object, ...]]:
    return [tuple(row) for row in session.execute(BY_AREA, {"area_code": "341882003"})]


def test_rows_come_back_as_the_columns_types_give_them(house: Parts) -> None:
    written = version("a")
    with unit_of_work(house.sessions) as session:
        assert Prepared(insert_once(PolicyVersion), COLUMNS).write(session, written) == 1
        Prepared(insert_once(PolicyVersion), COLUMNS).write(session, version("noise", "341882004"))
        (row,) = Prepared(BY_AREA).all(session, {"area_code": "341882003"})
        assert [tuple(row)] == stored(session)
        assert {name: getattr(row, name) for name in COLUMNS} == written


def test_an_insert_that_finds_its_key_there_changes_and_counts_nothing(house: Parts) -> None:
    once = Prepared(insert_once(PolicyVersion), COLUMNS)
    there = version("a")
    with unit_of_work(house.sessions) as session:
        assert once.write(session, there) == 1
        assert once.write(session, there | {"unit": "月"}) == 0
        assert once.write_all(session, [there, version("b"), version("c")]) == 2
    with unit_of_work(house.sessions) as session:
        assert [row[1] for row in stored(session)] == ["a", "b", "c"]
        assert "月" not in {row[4] for row in stored(session)}


def test_it_sees_what_the_session_has_not_sent_yet_and_goes_with_its_transaction(house: Parts) -> None:
    by_area = Prepared(BY_AREA)
    with pytest.raises(ZeroDivisionError), unit_of_work(house.sessions) as session:
        session.add(PolicyVersion(**version("a")))
        assert by_area.first(session, {"area_code": "341882003"}).key == "a"
        Prepared(insert_once(PolicyVersion), COLUMNS).write(session, version("b"))
        raise ZeroDivisionError
    with unit_of_work(house.sessions) as session:
        assert by_area.first(session, {"area_code": "341882003"}) is None


def test_a_broken_constraint_is_the_same_error_as_ever(house: Parts) -> None:
    there = version("a")
    with unit_of_work(house.sessions) as session:
        session.add(PolicyVersion(**there))
    spoil = Prepared(
        update(PolicyVersion).where(PolicyVersion.id == bindparam("which")).values(key=bindparam("to"))
    )
    with pytest.raises(IntegrityError) as broken, unit_of_work(house.sessions) as session:
        spoil.write(session, {"which": there["id"], "to": None})
    assert broken.value.hide_parameters
    assert broken.value.connection_invalidated is False


@pytest.mark.postgres
@pytest.mark.parametrize("template", ["postgresql"], indirect=True)
def test_a_connection_that_was_cut_is_told_and_replaced(house: Parts) -> None:
    by_area = Prepared(BY_AREA)
    with pytest.raises(DBAPIError) as cut, unit_of_work(house.sessions) as session:
        mine = session.scalar(text("SELECT pg_backend_pid()"))
        with house.engine.connect() as other:
            other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": mine})
        by_area.first(session, {"area_code": "341882003"})
    assert cut.value.connection_invalidated
    with unit_of_work(house.sessions) as session:
        assert by_area.all(session, {"area_code": "341882003"}) == []


def test_two_columns_of_one_name_are_refused(house: Parts) -> None:
    twice = Prepared(select(PolicyVersion.id, PolicyVersion.key, PolicyVersion.key.label("id")))
    with pytest.raises(AssertionError, match="one name"), unit_of_work(house.sessions) as session:
        twice.first(session, {})


def test_a_statement_with_a_list_is_refused(house: Parts) -> None:
    listed = Prepared(
        select(PolicyVersion.id).where(PolicyVersion.key.in_(bindparam("keys", expanding=True)))
    )
    with pytest.raises(AssertionError, match="list"), unit_of_work(house.sessions) as session:
        listed.all(session, {"keys": ["a"]})
