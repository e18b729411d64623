"""Who answers for whom: with a database, and with many hands at once."""

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from server.accounts.managing import disable
from server.errors import Conflict, Invalid, NotFound, Refusal
from server.ledger.models import Event
from server.people.editing import AlreadyExists
from server.people.handing_over import (
    NothingToHandOver,
    NotTheirs,
    WorkerCannotTakeOver,
    assign,
    hand_over,
    set_deputies,
)
from server.people.models import Responsibility
from server.people.terms import HandOver, ResponsibilityKind
from server.permissions import Actor, Role
from tests.builders.world import QIANCUN, SHENGPING, World

RESPONSIBLE, DEPUTY = ResponsibilityKind.RESPONSIBLE, ResponsibilityKind.DEPUTY


def answering(world: World, person_id: UUID) -> dict[UUID, ResponsibilityKind]:
    with world.work() as work:
        return {
            row.worker_id: row.kind
            for row in work.session.scalars(
                select(Responsibility).where(
                    Responsibility.person_id == person_id, Responsibility.to_at.is_(None)
                )
            )
        }


def over(first: Actor, second: Actor, *people: UUID) -> HandOver:
    return HandOver(uuid4(), first.worker_id, second.worker_id, "岗位调整", people or None)


def test_a_hand_over_moves_everybody_and_tells_of_each(world: World) -> None:
    first, second, noise = world.worker(), world.worker(), world.worker()
    people = sorted(world.person(first, noise) for _ in range(3))
    as_deputy, others = world.person(noise, first), world.person(noise)
    command = over(first, second)
    for _ in range(2):  # the second is a repeat
        with world.work(world.worker(Role.CHIEF, SHENGPING)) as work:
            assert hand_over(work, command) == sorted([*people, as_deputy])
    for person in people:
        assert answering(world, person) == {second.worker_id: RESPONSIBLE, noise.worker_id: DEPUTY}
    assert answering(world, as_deputy) == {noise.worker_id: RESPONSIBLE, second.worker_id: DEPUTY}
    assert answering(world, others) == {noise.worker_id: RESPONSIBLE}
    with world.work() as work:
        told = work.session.scalars(select(Event.person_id).where(Event.action == "responsibility.given"))
        assert sorted(filter(None, told)) == sorted([*people, as_deputy])
    with pytest.raises(AlreadyExists), world.work() as work:
        hand_over(work, HandOver(command.id, second.worker_id, first.worker_id, "岗位调整"))


def test_a_deputy_who_becomes_responsible_deputises_no_more(world: World) -> None:
    first, second = world.worker(), world.worker()
    person = world.person(first, second)
    with world.work() as work:
        hand_over(work, over(first, second, person))
    assert answering(world, person) == {second.worker_id: RESPONSIBLE}


def test_a_deputy_who_leaves_adds_nothing_to_the_responsible_worker(world: World) -> None:
    first, second = world.worker(), world.worker()
    person = world.person(second, first)
    with world.work() as work:
        hand_over(work, over(first, second))
    assert answering(world, person) == {second.worker_id: RESPONSIBLE}


def test_one_person_who_cannot_be_handed_over_keeps_all_where_they_are(world: World) -> None:
    first, second = world.worker(Role.VISITOR, SHENGPING), world.worker()
    near, far = world.person(first), world.person(first, village=QIANCUN)
    with pytest.raises(WorkerCannotTakeOver), world.work() as work:
        hand_over(work, over(first, second))
    for person in (near, far):
        assert answering(world, person) == {first.worker_id: RESPONSIBLE}


def test_whom_the_first_worker_does_not_answer_for_cannot_be_handed_over(world: World) -> None:
    first, second, third = world.worker(), world.worker(), world.worker()
    mine, theirs = world.person(first), world.person(third)
    with pytest.raises(NotTheirs), world.work() as work:
        hand_over(work, over(first, second, mine, theirs))
    with pytest.raises(NotFound), world.work(world.worker(Role.CHIEF, "341882100")) as work:
        hand_over(work, over(first, second, mine))
    with pytest.raises(NothingToHandOver), world.work() as work:
        hand_over(work, over(second, third))
    with pytest.raises(Invalid), world.work() as work:
        hand_over(work, over(first, first))


@pytest.mark.parametrize("kind", ["disabled", "elsewhere", "auditor", "nobody"])
def test_whoever_cannot_visit_there_does_not_take_over(world: World, kind: str) -> None:
    first = world.worker()
    person = world.person(first)
    second = world.worker(
        Role.AUDITOR if kind == "auditor" else Role.VISITOR,
        QIANCUN if kind == "elsewhere" else SHENGPING,
    )
    if kind == "disabled":
        with world.work() as work:
            disable(work, second.worker_id)
    worker_id = uuid4() if kind == "nobody" else second.worker_id
    for act in (
        lambda work: assign(work, person, worker_id),
        lambda work: set_deputies(work, person, [worker_id]),
        lambda work: hand_over(work, HandOver(uuid4(), first.worker_id, worker_id, "调整")),
    ):
        with pytest.raises(WorkerCannotTakeOver), world.work() as work:
            act(work)
    assert answering(world, person) == {first.worker_id: RESPONSIBLE}


def test_deputies_are_exactly_those_named(world: World) -> None:
    first, second, third = world.worker(), world.worker(), world.worker()
    person = world.person(first, second)
    for _ in range(2):
        with world.work() as work:
            set_deputies(work, person, [third.worker_id])
    assert answering(world, person) == {first.worker_id: RESPONSIBLE, third.worker_id: DEPUTY}
    with pytest.raises(Invalid), world.work() as work:
        set_deputies(work, person, [first.worker_id])


def test_of_hand_overs_at_once_one_wins_and_everybody_has_one_responsible_worker(world: World) -> None:
    first, *others = (world.worker() for _ in range(5))
    people = [world.person(first) for _ in range(4)]

    def act(other: Actor) -> bool:
        try:
            with world.work() as work:
                hand_over(work, over(first, other, *people))
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        won = [other for other, done in zip(others, pool.map(act, others), strict=True) if done]
    assert len(won) == 1
    for person in people:
        assert answering(world, person) == {won[0].worker_id: RESPONSIBLE}


def test_assigning_replaces_the_responsible_worker_and_a_repeat_adds_nothing(world: World) -> None:
    first, second = world.worker(), world.worker()
    person = world.person(first, second)
    for _ in range(2):
        with world.work() as work:
            assign(work, person, second.worker_id)
    assert answering(world, person) == {second.worker_id: RESPONSIBLE}


def test_a_reason_is_needed(world: World) -> None:
    first, second = world.worker(), world.worker()
    world.person(first)
    with pytest.raises(Refusal), world.work() as work:
        hand_over(work, HandOver(uuid4(), first.worker_id, second.worker_id, " "))
