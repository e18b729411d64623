"""Assessments, caregivers, agreements, homes, tags, consent, pauses: with a database."""

import datetime as dt
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select

from server.errors import Invalid
from server.ledger.models import Event
from server.people.caring import (
    NoCaregiver,
    agree,
    assess,
    set_caregiver,
    set_home,
    set_photo_consent,
    set_tags,
)
from server.people.editing import AlreadyExists
from server.people.models import CareAgreement, Caregiver, Home, Pause, Person, PersonTag
from server.people.pausing import end_pause, pause
from server.people.rules import PauseOver, PausesOverlap
from server.people.terms import (
    Ability,
    Assessment,
    CareLevel,
    NewAgreement,
    NewCaregiver,
    NewHome,
    NewPause,
    PauseReason,
    Relation,
    Tag,
    TagGiven,
)
from server.places.terms import Datum
from tests.builders.world import World
from tests.people.conftest import Register

ALL = dict.fromkeys(Ability, True)
MARCH = dt.date(2026, 3, 1)


def test_the_newest_assessment_decides_the_level_whenever_it_is_recorded(
    world: World, registered: Register
) -> None:
    person_id = registered(1)
    newest = Assessment(uuid4(), {**ALL, Ability.WALK: False}, MARCH, "县医院")
    older = Assessment(uuid4(), dict.fromkeys(Ability, False), dt.date(2025, 7, 1), "县医院")
    for one in (newest, older, newest):
        with world.work() as work:
            assess(work, person_id, one)
    with world.work() as work:
        assert work.session.get_one(Person, person_id).care_level is CareLevel.HALF_CARE
    with pytest.raises(AlreadyExists), world.work() as work:
        assess(work, person_id, Assessment(newest.id, ALL, MARCH, "县医院"))
    with pytest.raises(Invalid), world.work() as work:
        assess(work, person_id, Assessment(uuid4(), ALL, dt.date(2026, 3, 6), "县医院"))


def test_a_caregiver_takes_the_place_of_the_one_before(world: World, registered: Register) -> None:
    person_id = registered(1)
    first = NewCaregiver("测试照料甲", Relation.NEIGHBOUR, "13900000009")
    for one in (first, first, NewCaregiver("测试照料乙", Relation.RELATIVE), None, None):
        with world.work() as work:
            set_caregiver(work, person_id, one)
    with world.work() as work:
        rows = work.session.scalars(select(Caregiver).order_by(Caregiver.id)).all()
        assert [row.name for row in rows] == ["测试照料甲", "测试照料乙"]
        assert all(row.superseded_at is not None for row in rows)


def test_an_agreement_needs_a_caregiver_and_replaces_those_that_it_meets(
    world: World, registered: Register
) -> None:
    person_id = registered(1)

    def agreement(year: int) -> NewAgreement:
        return NewAgreement(uuid4(), MARCH, dt.date(year, 1, 1), dt.date(year + 1, 6, 30))

    with pytest.raises(NoCaregiver), world.work() as work:
        agree(work, person_id, agreement(2026))
    with world.work() as work:
        set_caregiver(work, person_id, NewCaregiver("测试照料甲", Relation.NEIGHBOUR))
    for year in (2025, 2026):
        with world.work() as work:
            agree(work, person_id, agreement(year))
    with world.work() as work:
        left = work.session.scalars(
            select(CareAgreement.starts_on).where(CareAgreement.superseded_at.is_(None))
        )
        assert left.all() == [dt.date(2026, 1, 1)]


def test_a_home_keeps_what_was_set_and_where_that_is_on_the_ground(
    world: World, registered: Register
) -> None:
    person_id = registered(1)
    homes = [NewHome(30.8931, 119.4172, Datum.GCJ02, 20.0), NewHome(30.9, 119.4172, Datum.WGS84, 0.0)]
    for one in (*homes, homes[1]):
        with world.work() as work:
            set_home(work, person_id, one)
    with world.work() as work:
        old, new = work.session.scalars(select(Home).order_by(Home.id)).all()
        assert old.superseded_at is not None
        assert old.wgs_latitude != old.latitude
        assert (new.latitude, new.wgs_latitude, new.accuracy_m, new.superseded_at) == (30.9, 30.9, None, None)


@pytest.mark.parametrize("where", [(0.0, 0.0), (91.0, 0.0), (float("nan"), 1.0)])
def test_a_home_that_is_nowhere_is_refused(
    world: World, registered: Register, where: tuple[float, float]
) -> None:
    person_id = registered(1)
    with pytest.raises(Invalid), world.work() as work:
        set_home(work, person_id, NewHome(*where, Datum.GCJ02))


def test_tags_that_are_not_named_end_yesterday_and_stay_in_the_history(
    world: World, registered: Register
) -> None:
    person_id = registered(1)
    alone, old = TagGiven(Tag.LIVING_ALONE, MARCH), TagGiven(Tag.ADVANCED_AGE, MARCH)
    today = TagGiven(Tag.KEY_OBJECT, dt.date(2026, 3, 5))
    for tags in ([alone, today], [alone, today], [old], [old]):
        with world.work() as work:
            set_tags(work, person_id, tags)
    with world.work() as work:
        known = work.session.execute(
            select(PersonTag.tag, PersonTag.valid_to).where(PersonTag.superseded_at.is_(None))
        )
        assert sorted(map(tuple, known)) == [
            (Tag.ADVANCED_AGE, None),
            (Tag.LIVING_ALONE, dt.date(2026, 3, 4)),
        ]
    with pytest.raises(Invalid), world.work() as work:
        set_tags(work, person_id, [alone, alone])


def test_consent_is_told_once_for_each_change(world: World, registered: Register) -> None:
    person_id = registered(1)
    for given in (True, True, False):
        with world.work() as work:
            set_photo_consent(work, person_id, given=given)
    with world.work() as work:
        told = select(func.count()).where(Event.action == "photo_consent.set")
        assert work.session.scalar(told) == 2


def pauses(world: World, person_id: UUID) -> list[tuple[dt.date, dt.date]]:
    with world.work() as work:
        return [
            (row.from_on, row.to_on)
            for row in work.session.scalars(
                select(Pause).where(Pause.person_id == person_id, Pause.superseded_at.is_(None))
            )
        ]


def test_a_pause_that_ends_early_ends_yesterday_and_keeps_its_note(
    world: World, registered: Register
) -> None:
    person_id = registered(1)
    new = NewPause(uuid4(), PauseReason.HOSPITAL, MARCH, dt.date(2026, 3, 20), "县医院住院")
    for _ in range(2):
        with world.work() as work:
            pause(work, person_id, new)
    with pytest.raises(PausesOverlap), world.work() as work:
        pause(work, person_id, NewPause(uuid4(), PauseReason.OUT_OF_AREA, new.to_on, new.to_on))
    for _ in range(2):
        with world.work() as work:
            end_pause(work, person_id, new.id)
    assert pauses(world, person_id) == [(MARCH, dt.date(2026, 3, 4))]


def test_a_pause_that_has_not_begun_is_withdrawn_and_one_that_is_over_stays(
    world: World, registered: Register
) -> None:
    person_id = registered(1)
    coming = NewPause(uuid4(), PauseReason.OUT_OF_AREA, dt.date(2026, 3, 5), dt.date(2026, 3, 9))
    past = NewPause(uuid4(), PauseReason.OUT_OF_AREA, MARCH, dt.date(2026, 3, 3))
    for one in (coming, past):
        with world.work() as work:
            pause(work, person_id, one)
    with world.work() as work:
        assert end_pause(work, person_id, coming.id) is None
    with pytest.raises(PauseOver), world.work() as work:
        end_pause(work, person_id, past.id)
    assert pauses(world, person_id) == [(MARCH, dt.date(2026, 3, 3))]


@pytest.mark.parametrize(
    ("first", "last"),
    [
        (dt.date(2026, 3, 2), MARCH),
        (MARCH, dt.date(9999, 12, 31)),
        (dt.date(1, 1, 1), MARCH),
        (dt.date(2024, 1, 1), MARCH),
    ],
)
def test_a_pause_that_cannot_be_is_refused(
    world: World, registered: Register, first: dt.date, last: dt.date
) -> None:
    person_id = registered(1)
    with pytest.raises(Invalid), world.work() as work:
        pause(work, person_id, NewPause(uuid4(), PauseReason.HOSPITAL, first, last))
