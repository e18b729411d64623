"""Duties opened set-wise are those that the rules derive person by person, for whole random populations."""

import datetime as dt
import random
import threading
from uuid import uuid4

import pytest
from sqlalchemy import func, select, update

from server.db import unit_of_work
from server.people.models import CareAssessment, Enrolment, Person, PersonTag
from server.people.terms import CareLevel, Category, Tag
from server.schedule.models import Duty, OpenedPeriod
from server.schedule.opening import ensure_open
from server.visits.duties import settle_people
from tests.builders.world import World


def populate(world: World, seed: int, count: int) -> None:
    """Enrol people at random: categories, levels of care, tags, first and last days."""
    chance = random.Random(seed)
    for _ in range(count):
        since = dt.date(2025, 11, 1) + dt.timedelta(days=chance.randrange(160))
        person = world.person(category=chance.choice(list(Category)), since=since)
        level = chance.choice([None, *CareLevel])
        with world.work() as work:
            work.session.execute(
                update(Person)
                .where(Person.id == person)
                .values(care_level=level, is_head=chance.random() < 0.7)
            )
            if level is not None:
                abilities = {f"can_{one}": True for one in ("eat", "dress", "bed", "toilet", "walk", "bathe")}
                work.session.add(
                    CareAssessment(
                        id=uuid4(), person_id=person, level=level, assessed_on=dt.date(2025, 1, 1), assessor="医院",
                        recorded_at=work.now, **abilities,
                    )
                )  # fmt: skip
            if chance.random() < 0.4:
                end = since + dt.timedelta(days=chance.randrange(120))
                work.session.execute(
                    update(Enrolment).where(Enrolment.person_id == person).values(valid_to=end)
                )
            if chance.random() < 0.3:
                work.session.add(
                    PersonTag(
                        id=uuid4(), person_id=person, tag=chance.choice([Tag.KEY_OBJECT, Tag.HIGH_RISK_ELDER]),
                        valid_from=since, recorded_at=work.now,
                    )
                )  # fmt: skip


def owed(world: World) -> dict[tuple[object, ...], tuple[object, ...]]:
    """Read every duty that somebody still owes or met."""
    with unit_of_work(world.house.sessions) as session:
        return {
            (duty.person_id, duty.lane, duty.period_start): (
                duty.due_on, duty.opens_at, duty.due_at, duty.due_soon_on, duty.required, duty.in_person, duty.category,
            )
            for duty in session.scalars(select(Duty))
            if duty.exit_on is None or duty.exit_on > duty.period_start
        }  # fmt: skip


@pytest.mark.parametrize("seed", range(4))
def test_set_wise_and_one_by_one_agree(world: World, seed: int) -> None:
    world.clock.set("2026-01-01T12:00:00+08:00")
    populate(world, seed, 30)
    with unit_of_work(world.house.sessions) as session:
        from sqlalchemy import delete

        session.execute(delete(Duty))
        session.execute(delete(OpenedPeriod))
    world.clock.set("2026-04-15T12:00:00+08:00")
    with world.work() as work:
        ensure_open(work)
    set_wise = owed(world)
    with world.work() as work:
        settle_people(work, work.session.scalars(select(Person.id)).all())
    assert owed(world) == set_wise
    assert set_wise


def test_opening_at_once_opens_once(world: World) -> None:
    for _ in range(5):
        world.person()
    world.clock.set("2026-05-02T12:00:00+08:00")

    def open_it() -> None:
        with world.work() as work:
            ensure_open(work)

    threads = [threading.Thread(target=open_it) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with unit_of_work(world.house.sessions) as session:
        in_may = session.scalar(
            select(func.count()).select_from(Duty).where(Duty.period_start == dt.date(2026, 5, 1))
        )
    assert in_may == 5


def test_the_first_period_of_a_newcomer_after_the_twentieth_is_the_next_one(world: World) -> None:
    early = world.person(since=dt.date(2026, 2, 20))
    late = world.person(since=dt.date(2026, 2, 21))
    with unit_of_work(world.house.sessions) as session:
        starts = {
            person: session.scalars(
                select(Duty.period_start).where(Duty.person_id == person).order_by(Duty.period_start)
            ).all()
            for person in (early, late)
        }
    assert starts[early] == [dt.date(2026, 2, 1), dt.date(2026, 3, 1)]
    assert starts[late] == [dt.date(2026, 3, 1)]
