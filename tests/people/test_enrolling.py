"""Enrolments, their ends, deaths: with a database."""

import datetime as dt
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from server.errors import Invalid
from server.people.editing import AlreadyExists
from server.people.enrolling import end_enrolment, enrol, record_death
from server.people.models import Enrolment, Person
from server.people.rules import DiedOnAnotherDay, EnrolmentOver, EnrolmentOverlaps, PersonHasDied
from server.people.terms import Category, Death, EndOfEnrolment, ExitReason, NewEnrolment
from tests.builders.world import World
from tests.people.conftest import Register

JUNE = dt.date(2025, 6, 1)


def rows(world: World, person_id: UUID) -> list[Enrolment]:
    with world.work() as work:
        return list(
            work.session.scalars(
                select(Enrolment)
                .where(Enrolment.person_id == person_id)
                .order_by(Enrolment.recorded_at, Enrolment.valid_from)
            )
        )


def known(world: World, person_id: UUID) -> list[tuple[Category, dt.date, dt.date | None, ExitReason | None]]:
    return [
        (one.category, one.valid_from, one.valid_to, one.exit_reason)
        for one in rows(world, person_id)
        if one.superseded_at is None
    ]


def test_ending_supersedes_and_keeps_what_was_known(world: World, registered: Register) -> None:
    person_id = registered(1)
    [first] = rows(world, person_id)
    world.clock.move(days=1)
    end = EndOfEnrolment(dt.date(2026, 3, 5), ExitReason.INCOME)
    for _ in range(2):
        with world.work() as work:
            assert end_enrolment(work, person_id, first.id, end).valid_to == end.valid_to
    old, new = rows(world, person_id)
    assert (old.id, old.valid_to, old.superseded_at) == (first.id, None, new.recorded_at)
    with pytest.raises(EnrolmentOver), world.work() as work:
        end_enrolment(work, person_id, first.id, EndOfEnrolment(dt.date(2026, 3, 4), ExitReason.INCOME))


def test_two_enrolments_of_one_category_never_share_a_day(world: World, registered: Register) -> None:
    person_id = registered(1)
    with pytest.raises(EnrolmentOverlaps), world.work() as work:
        enrol(work, person_id, NewEnrolment(uuid4(), Category.TEKUN_DISPERSED, dt.date(2026, 1, 1)))
    with world.work() as work:
        enrol(work, person_id, NewEnrolment(uuid4(), Category.DIBAO_RURAL, dt.date(2026, 1, 1)))


def test_enrolling_again_with_the_same_id_is_a_repeat_or_a_conflict(
    world: World, registered: Register
) -> None:
    person_id = registered(1)
    new = NewEnrolment(uuid4(), Category.DIBAO_RURAL, dt.date(2026, 1, 1))
    for _ in range(2):
        with world.work() as work:
            enrol(work, person_id, new)
    assert len(known(world, person_id)) == 2
    with pytest.raises(AlreadyExists), world.work() as work:
        enrol(work, person_id, NewEnrolment(new.id, Category.DIBAO_RURAL, dt.date(2026, 1, 2)))


def test_a_change_of_category_ends_the_old_one_the_day_before(world: World, registered: Register) -> None:
    person_id = registered(1)
    [old] = rows(world, person_id)
    new = NewEnrolment(uuid4(), Category.TEKUN_CENTRAL, dt.date(2026, 3, 1), replaces=old.id)
    with world.work() as work:
        enrol(work, person_id, new)
    assert sorted(known(world, person_id)) == [
        (Category.TEKUN_CENTRAL, dt.date(2026, 3, 1), None, None),
        (Category.TEKUN_DISPERSED, JUNE, dt.date(2026, 2, 28), ExitReason.CATEGORY_CHANGE),
    ]


def test_a_category_that_was_wrong_from_its_first_day_is_withdrawn(
    world: World, registered: Register
) -> None:
    person_id = registered(1)
    [old] = rows(world, person_id)
    with world.work() as work:
        enrol(work, person_id, NewEnrolment(uuid4(), Category.TEKUN_CENTRAL, JUNE, replaces=old.id))
    assert known(world, person_id) == [(Category.TEKUN_CENTRAL, JUNE, None, None)]


def test_death_ends_every_enrolment_on_its_day_and_unmakes_those_to_come(
    world: World, registered: Register
) -> None:
    person_id = registered(1)
    with world.work() as work:
        enrol(work, person_id, NewEnrolment(uuid4(), Category.DIBAO_RURAL, dt.date(2026, 4, 1)))
    day = dt.date(2026, 3, 2)
    for _ in range(2):
        with world.work() as work:
            record_death(work, person_id, Death(day))
    assert known(world, person_id) == [(Category.TEKUN_DISPERSED, JUNE, day, ExitReason.DEATH)]
    with pytest.raises(DiedOnAnotherDay), world.work() as work:
        record_death(work, person_id, Death(dt.date(2026, 3, 1)))
    with pytest.raises(PersonHasDied), world.work() as work:
        enrol(work, person_id, NewEnrolment(uuid4(), Category.TEMP, day))
    with world.work() as work:
        assert work.session.get_one(Person, person_id).died_on == day


@pytest.mark.parametrize("day", [dt.date(2026, 3, 6), dt.date(1949, 12, 31), dt.date(1, 1, 1)])
def test_nobody_dies_tomorrow_or_before_they_were_born(
    world: World, registered: Register, day: dt.date
) -> None:
    person_id = registered(1)
    with pytest.raises(Invalid), world.work() as work:
        record_death(work, person_id, Death(day))


def test_death_is_not_recorded_as_an_exit(world: World, registered: Register) -> None:
    person_id = registered(1)
    [old] = rows(world, person_id)
    with pytest.raises(Invalid), world.work() as work:
        end_enrolment(work, person_id, old.id, EndOfEnrolment(dt.date(2026, 3, 1), ExitReason.DEATH))


def test_duties_are_settled_for_whoever_is_enrolled_or_leaves(world: World, registered: Register) -> None:
    settled: list[set[UUID]] = []
    person_id = registered(1)
    with world.work() as work:
        work.settle = lambda _work, people: settled.append(people)
        enrol(work, person_id, NewEnrolment(uuid4(), Category.DIBAO_RURAL, dt.date(2026, 1, 1)))
    with world.work() as work:
        work.settle = lambda _work, people: settled.append(people)
        record_death(work, person_id, Death(dt.date(2026, 3, 1)))
    assert settled == [{person_id}, {person_id}]
