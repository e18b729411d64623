"""Registering and correcting people, with a database."""

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from uuid import uuid4

import pytest
from sqlalchemy import func, select, text

from server.errors import Invalid, NotAllowed, NotFound, StaleRevision
from server.ledger.models import Event
from server.people.editing import AlreadyExists
from server.people.handing_over import assign
from server.people.households import HouseholdHasHead
from server.people.models import Dwelling, Household, Person, Responsibility
from server.people.names import initials
from server.people.registering import change_person, register_person
from server.people.rules import PersonAlreadyRegistered
from server.people.sight import see
from server.people.terms import PersonChange, Sex
from server.permissions import Role
from tests.builders.world import QIANCUN, SHENGPING, TUANSHAN, World
from tests.people.conftest import Register, id_number, new_person


def test_what_is_sealed_is_nowhere_in_the_clear(world: World, registered: Register) -> None:
    number = id_number(7)
    registered(7, bank_account="6222999900001111", health="糖尿病")
    with world.work() as work:
        rows = [
            str(row._mapping)
            for table in ("persons", "ledger_events", "households", "enrolments")
            for row in work.session.execute(text(f"SELECT * FROM {table}"))
        ]
    for secret in (number, "13900000001", "6222999900001111", "糖尿病", "团山村1号"):
        assert not any(secret in row for row in rows)


def test_the_id_number_tells_sex_and_birth_and_the_person_opens_under_their_own_key(
    world: World, registered: Register
) -> None:
    person_id = registered(12)
    with world.work() as work:
        person = work.session.get_one(Person, person_id)
        key = work.keys.fetch_one(work.session, person.data_key_id)
        assert key is not None
        assert person.id_number_sealed is not None
        opened = key.open(person.id_number_sealed, table="persons", column="id_number_sealed", row=person.id)
        assert opened == id_number(12)
        assert (person.sex, person.birth_date) == (Sex.FEMALE, dt.date(1950, 1, 1))
        assert person.file_no == "341882003-TK-2026-00001"
        assert person.is_head
        assert person.name_initials == "CSJ"


def test_who_is_registered_has_lived_in_their_village_as_far_as_is_known(
    world: World, registered: Register
) -> None:
    person_id = registered(1)
    registered(2, village_code=QIANCUN)
    with world.work() as work:
        (kept,) = work.session.scalars(select(Dwelling).where(Dwelling.person_id == person_id)).all()
        assert (kept.village_code, kept.valid_from, kept.valid_to) == (TUANSHAN, None, None)
        assert kept.recorded_at == work.session.get_one(Person, person_id).created_at


def test_family_names_are_read_as_family_names() -> None:
    assert [initials(name) for name in ("曾国", "单明", "欧阳娜", "张·A", "☃")] == [
        "ZG",
        "SM",
        "OYN",
        "ZA",
        "",
    ]


def test_registering_the_same_again_gives_the_same_person(world: World) -> None:
    new = new_person(3)
    world.house.keys.reserve(3)
    for _ in range(2):
        with world.work() as work:
            assert register_person(work, new).id == new.id
    with world.work() as work:
        assert work.session.scalar(select(func.count()).select_from(Person)) == 1
    with pytest.raises(AlreadyExists), world.work() as work:
        register_person(work, replace(new, name="测试乙"))


def test_an_id_number_is_registered_once_and_only_those_in_sight_learn_whose_it_is(
    world: World, registered: Register
) -> None:
    person_id = registered(5)
    near, far = world.worker(Role.CHIEF, SHENGPING), world.worker(Role.CHIEF, "341882100")
    village = "341882100200"
    with world.work() as work:
        from server.regions.models import Region

        village = (
            work.session.scalars(
                select(Region.code).where(Region.code.like("341882100%"), func.length(Region.code) == 12)
            ).first()
            or village
        )
    world.house.keys.reserve(2)
    with pytest.raises(PersonAlreadyRegistered) as told, world.work(near) as work:
        register_person(work, new_person(5))
    assert told.value.extra == {"person_id": str(person_id)}
    with pytest.raises(PersonAlreadyRegistered) as told, world.work(far) as work:
        register_person(work, new_person(5, village_code=village))
    assert told.value.extra == {}


def test_somebody_without_an_id_number_needs_a_reason(registered: Register) -> None:
    with pytest.raises(Invalid):
        registered(id_number=None)
    assert registered(id_number=None, no_id_reason="未上户口")


@pytest.mark.parametrize("wrong", [{"sex": Sex.FEMALE}, {"birth_date": dt.date(1951, 1, 1)}])
def test_what_contradicts_the_id_number_is_refused(registered: Register, wrong: dict[str, object]) -> None:
    with pytest.raises(Invalid):
        registered(1, **wrong)


@pytest.mark.parametrize("village", ["", "341882003", "341882003999", "x" * 12, "341882100200"])
def test_a_village_outside_ones_area_or_nowhere_is_refused(world: World, village: str) -> None:
    world.house.keys.reserve(1)
    with pytest.raises(Invalid), world.work(world.worker(Role.CHIEF, SHENGPING)) as work:
        register_person(work, new_person(1, village_code=village))


@pytest.mark.parametrize("role", [Role.VISITOR, Role.COUNTY_INSPECTOR, Role.ADMINISTRATOR, Role.AUDITOR])
def test_only_the_township_registers(world: World, role: Role) -> None:
    world.house.keys.reserve(1)
    with pytest.raises(NotAllowed), world.work(world.worker(role, SHENGPING)) as work:
        register_person(work, new_person(1))


def test_members_of_a_household_share_it_and_it_has_one_head(world: World, registered: Register) -> None:
    head = registered(1, household_number="7")
    member = registered(2, household_number="7", relation_to_head="妻")
    with world.work() as work:
        one, two = work.session.get_one(Person, head), work.session.get_one(Person, member)
        assert one.household_id == two.household_id
        assert one.is_head
        assert not two.is_head
    with pytest.raises(HouseholdHasHead):
        registered(3, household_number="7", is_head=True)
    with pytest.raises(Invalid):
        registered(4, household_id=uuid4())


def test_file_numbers_are_gapless_and_never_shared_by_parallel_registrations(world: World) -> None:
    count = 24
    world.house.keys.reserve(count)

    def one(number: int) -> str:
        with world.work() as work:
            return register_person(work, new_person(number)).file_no

    with ThreadPoolExecutor(8) as pool:
        given = sorted(pool.map(one, range(count)))
    assert given == [f"341882003-TK-2026-{one:05d}" for one in range(1, count + 1)]


def test_a_change_keeps_what_it_does_not_name_and_raises_the_revision(
    world: World, registered: Register
) -> None:
    person_id = registered(1)
    with world.work() as work:
        revision = work.session.get_one(Person, person_id).revision
    change = PersonChange(phone="138 0000 0002")
    for _ in range(2):  # the second is a repeat, from before the first was answered
        with world.work() as work:
            person = change_person(work, person_id, change, revision=revision)
            assert person.revision == revision + 1
            assert person.address_sealed is not None
    with pytest.raises(StaleRevision), world.work() as work:
        change_person(work, person_id, PersonChange(phone="13800000003"), revision=revision)
    with world.work() as work:
        assert work.session.scalars(select(Event.action).where(Event.action == "person.changed")).all() == [
            "person.changed"
        ]


def test_an_id_number_that_was_missing_can_be_added(world: World, registered: Register) -> None:
    person_id = registered(id_number=None, no_id_reason="未上户口")
    with world.work() as work:
        revision = work.session.get_one(Person, person_id).revision
        person = change_person(work, person_id, PersonChange(id_number=id_number(9)), revision=revision)
        assert person.id_number_index is not None
        assert person.no_id_reason is None
        assert person.birth_date
    with pytest.raises(PersonAlreadyRegistered):
        registered(9)


def test_who_moves_takes_a_household_of_one_along_and_leaves_workers_who_do_not_reach(
    world: World, registered: Register
) -> None:
    person_id = registered(1, household_number="7")
    village_worker, township_worker = world.worker(), world.worker(Role.VISITOR, SHENGPING)
    with world.work() as work:
        assign(work, person_id, village_worker.worker_id)
        work.session.flush()
    with world.work() as work:
        from server.people.handing_over import set_deputies

        set_deputies(work, person_id, [township_worker.worker_id])
        revision = work.session.get_one(Person, person_id).revision
        change_person(work, person_id, PersonChange(village_code=QIANCUN), revision=revision)
    with world.work() as work:
        person = work.session.get_one(Person, person_id)
        assert work.session.get_one(Household, person.household_id).village_code == QIANCUN
        left = work.session.scalars(select(Responsibility.worker_id).where(Responsibility.to_at.is_(None)))
        assert left.all() == [township_worker.worker_id]


def test_a_member_who_moves_alone_opens_a_household(world: World, registered: Register) -> None:
    head = registered(1, household_number="7")
    member = registered(2, household_number="7")
    with world.work() as work:
        revision = work.session.get_one(Person, member).revision
        change_person(work, member, PersonChange(village_code=QIANCUN), revision=revision)
    with world.work() as work:
        one, two = work.session.get_one(Person, head), work.session.get_one(Person, member)
        assert one.household_id != two.household_id
        assert two.is_head
        assert one.village_code == TUANSHAN


def test_the_house_sees_everybody_but_a_request_that_nobody_signed_sees_nobody(
    world: World, registered: Register
) -> None:
    person_id = registered(1)
    with world.work() as work:
        assert see(work, person_id).id == person_id
        work.request_id = "a request"
        with pytest.raises(NotFound):
            see(work, person_id)


def test_another_township_cannot_change_a_person_and_its_try_is_told(
    world: World, registered: Register
) -> None:
    person_id = registered(1)
    stranger = world.worker(Role.CHIEF, "341882100")
    with pytest.raises(NotFound) as refused, world.work(stranger) as work:
        change_person(work, person_id, PersonChange(name="测试丙"), revision=2)
    assert refused.value.leaves is not None
