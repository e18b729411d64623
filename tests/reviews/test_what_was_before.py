"""A record is shown beside the visits before it: those alone that its reader may see themselves."""

from uuid import uuid4

from server.people.models import Person
from server.permissions import Role
from server.visits.earlier import places_before
from server.visits.models import Visit
from tests.builders.world import SHENGPING, World
from tests.visits.test_recording import body

FAR_VILLAGE = "341882100009"


def test_who_keeps_a_record_of_their_own_sees_nothing_of_others_before_it(world: World) -> None:
    """A reviewer's own record stays theirs when the person moves away; what others recorded before it does not."""
    visitor, reviewer = world.worker(), world.worker(Role.REVIEWER, SHENGPING)
    person, earlier, own = world.person(visitor), uuid4(), uuid4()
    before = {name: f"2026-03-04T09:{minutes}:00+08:00" for name, minutes in
              (("occurred_at", 12), ("ended_at", 31), ("client_created_at", 32))}  # fmt: skip
    assert (
        world.phone(visitor).put(f"/visits/{earlier}", body(person, visitor.worker_id, **before)).status_code
        == 201
    )
    desk = world.phone(reviewer)
    assert desk.put(f"/visits/{own}", body(person, reviewer.worker_id)).status_code == 201

    def seen() -> tuple[bool, int, bool]:
        with world.work(reviewer) as work:
            places = places_before(work, person, work.session.get_one(Visit, own).occurred_at)
        told = desk.get(f"/visits/{own}/comparison")
        assert told.status_code == 200
        return bool(places), desk.get(f"/visits/{earlier}").status_code, told.json["previous"] is not None

    assert seen() == (True, 200, True)
    with world.work() as work:
        work.session.get_one(Person, person).village_code = FAR_VILLAGE
    assert seen() == (False, 404, False)
