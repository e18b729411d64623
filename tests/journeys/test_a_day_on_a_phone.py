"""Stories of the work, told through the API as phones and the township live them (CONTRACT §3 to §7)."""

import hashlib
import io
from typing import Any
from uuid import UUID, uuid4

import pytest
from PIL import Image

from server.permissions import Role
from tests.builders.clock import Clock
from tests.builders.visits import a_visit_body, an_absence
from tests.builders.world import SHENGPING, Phone, World


@pytest.fixture
def january(clock: Clock, loaded_anew: None) -> None:
    """Let the township begin on 20 January."""
    clock.set("2026-01-20T09:00:00+08:00")


@pytest.fixture
def phone(world: World) -> Phone:
    return world.phone(world.worker())


@pytest.fixture
def chief(world: World) -> Phone:
    return world.phone(world.worker(Role.CHIEF, SHENGPING))


def at(world: World, phone: Phone, person: UUID, **more: Any) -> dict[str, Any]:
    """Write a visit that happens now."""
    now = world.clock().isoformat(timespec="seconds")
    times = {"occurred_at": now, "ended_at": None, "client_created_at": now}
    return a_visit_body(person, **{"visitors": [str(phone.actor.worker_id)]} | times | more)


def attempt(world: World, phone: Phone, person: UUID, **more: Any) -> dict[str, Any]:
    day = world.clock().date().isoformat()
    absence = an_absence(last_seen_on=day, next_try_on=day)
    absent = {"outcome": "not_met", "identity_checked_by": None, "answers": {}, "absence": absence}
    return at(world, phone, person, **absent | more)


def pull(phone: Phone, cursor: str | None = None) -> tuple[list[dict[str, Any]], str]:
    items: list[dict[str, Any]] = []
    while True:
        page = phone.get("/sync", **({"cursor": cursor} if cursor else {})).get_json()
        items, cursor = items + page["items"], str(page["next_cursor"])
        if not page["has_more"]:
            return items, cursor


def owed(phone: Phone) -> dict[str, str]:
    """Tell the state of what is owed, by person, in the order of the list."""
    return {one["person_id"]: one["duty"]["state"] for one in phone.get("/worklist").get_json()["items"]}


def overdue(phone: Phone, **query: Any) -> dict[str, str]:
    items = phone.get("/overdue", **query).get_json()["items"]
    return {one["person"]["person_id"]: one["due_on"] for one in items}


def test_a_day_without_signal_and_an_evening_with_it(world: World, phone: Phone) -> None:
    world.clock.set("2026-03-05T07:00:00+08:00")
    phone = world.phone(phone.actor)
    people = [world.person(phone.actor) for _ in range(3)]
    items, cursor = pull(phone)
    assert {one["id"] for one in items if one["kind"] == "person"} == {str(one) for one in people}
    assert len(owed(phone)) == 3

    drafts = {}  # what the phone writes while there is no signal
    pictures = {}
    for number, person in enumerate(people[:2]):
        world.clock.set(f"2026-03-05T{9 + number:02}:10:00+08:00")
        data = picture()
        photo = {"id": str(uuid4()), "kind": "room", "sha256": hashlib.sha256(data).hexdigest()}
        drafts[str(uuid4())] = at(world, phone, person, photos=[photo])
        pictures[photo["id"]] = data
    world.clock.set("2026-03-05T11:00:00+08:00")
    drafts[str(uuid4())] = attempt(world, phone, people[2])

    world.clock.set("2026-03-05T19:30:00+08:00")
    for visit, draft in drafts.items():
        first = phone.put(f"/visits/{visit}", draft)
        assert first.status_code == 201, first.text  # and its reply is lost on the way
        again = phone.put(f"/visits/{visit}", draft)
        assert (again.status_code, again.get_json()) == (200, first.get_json())
        assert first.get_json()["filed_late"] is False
    assert owed(phone) == {str(people[2]): "overdue"}  # January and February were never visited

    world.clock.move(days=1)  # the photos wait for the office's network
    for visit, draft in drafts.items():
        for photo in draft["photos"]:
            assert phone.get(f"/visits/{visit}").get_json()["photo_debt"] == [photo["id"]]
            form = lambda one=photo: {"photo_id": one["id"], "file": (io.BytesIO(pictures[one["id"]]), "tmp")}  # noqa: E731
            assert phone.upload(f"/visits/{visit}/photos", form()).status_code == 201
            repeat = phone.upload(f"/visits/{visit}/photos", form())
            assert (repeat.status_code, repeat.get_json()["photo_debt"]) == (200, [])
            shown = phone.get(f"/photos/{photo['id']}", size="thumb")
            assert (shown.status_code, shown.content_type) == (200, "image/jpeg")
    told, _ = pull(phone, cursor)
    assert {one["id"] for one in told if one["kind"] == "visit"} == set(drafts)


@pytest.mark.usefixtures("january")
def test_the_month_turns_and_what_was_not_done_is_overdue_at_the_township(
    world: World, phone: Phone, chief: Phone
) -> None:
    seen, tried, forgotten = (world.person(phone.actor) for _ in range(3))
    assert phone.put(f"/visits/{uuid4()}", at(world, phone, seen)).status_code == 201
    assert phone.put(f"/visits/{uuid4()}", attempt(world, phone, tried)).status_code == 201
    assert overdue(chief) == {}
    world.clock.set("2026-02-01T08:00:00+08:00")
    phone, chief = world.phone(phone.actor), world.phone(chief.actor)
    assert overdue(chief) == {str(tried): "2026-01-31", str(forgotten): "2026-01-31"}
    (row,) = chief.get("/overdue/summary").get_json()["items"]
    assert (row["village"]["code"], row["overdue"]) == (phone.actor.area_code, 2)

    late = at(world, phone, forgotten, occurred_at="2026-01-31T16:00:00+08:00")
    duty = phone.put(f"/visits/{uuid4()}", late).get_json()["duty"]
    assert (duty["due_on"], duty["state"]) == ("2026-01-31", "met_late")
    assert overdue(chief) == {str(tried): "2026-01-31"}
    world.clock.move(minutes=5)
    before = overdue(chief, as_of="2026-02-01", known_at="2026-02-01T07:59:59+08:00")
    assert before == {str(tried): "2026-01-31", str(forgotten): "2026-01-31"}
    assert phone.put(f"/visits/{uuid4()}", at(world, phone, tried)).status_code == 201
    assert overdue(chief) == {}  # January is missed, and closed by the visit of February


def test_a_returned_visit_is_corrected_and_accepted(world: World, phone: Phone) -> None:
    reviewer = world.phone(world.worker(Role.REVIEWER, SHENGPING))
    person, visit = world.person(phone.actor), uuid4()
    sent = at(world, phone, person)
    assert phone.put(f"/visits/{visit}", sent).status_code == 201
    _, cursor = pull(phone)
    asked = {"decision": "return", "reason": "请写明用药情况", "revision": 1}
    assert reviewer.post(f"/visits/{visit}/decisions", asked).status_code == 201
    (told,) = (one["data"] for one in pull(phone, cursor)[0] if one["kind"] == "visit")
    assert (told["state"], told["state_reason"], told["revision"]) == ("returned", "请写明用药情况", 2)
    assert str(person) not in overdue(reviewer)
    corrected = sent | {"notes": "每天服降压药"}
    for _ in range(2):
        answer = phone.put(f"/visits/{visit}", corrected, revision=2)
        assert (answer.status_code, answer.get_json()["revision"]) == (200, 3)
    stale = reviewer.post(f"/visits/{visit}/decisions", {"decision": "accept", "revision": 2})
    assert (stale.status_code, stale.get_json()["code"]) == (409, "stale_revision")
    done = reviewer.post(f"/visits/{visit}/decisions", {"decision": "accept", "revision": 3})
    assert (done.status_code, done.get_json()["state"]) == (201, "accepted")
    assert phone.put(f"/visits/{visit}", sent).get_json()["state"] == "accepted"  # the old draft, once more


def test_somebody_has_died(world: World, phone: Phone, chief: Phone) -> None:
    person, visit = world.person(phone.actor), uuid4()
    sent = at(world, phone, person, outcome="dead", identity_checked_by=None, answers={})
    assert phone.put(f"/visits/{visit}", sent).status_code == 201
    assert owed(phone) == {}
    day = world.clock().date().isoformat()
    assert chief.post(f"/people/{person}/death", {"died_on": day}).status_code == 200
    world.clock.set("2026-04-02T08:00:00+08:00")
    phone, chief = world.phone(phone.actor), world.phone(chief.actor)
    assert owed(phone) == {}
    assert "2026-03-31" not in overdue(chief).values()
    assert phone.put(f"/visits/{visit}", sent).status_code == 200


def test_a_stay_in_hospital_pauses_what_is_owed_until_somebody_calls(
    world: World, phone: Phone, chief: Phone
) -> None:
    world.clock.set("2026-01-10T09:00:00+08:00")
    phone, chief = world.phone(phone.actor), world.phone(chief.actor)
    person = world.person(phone.actor)
    pause = {"id": str(uuid4()), "reason": "hospital", "from_on": "2026-01-10", "to_on": "2026-01-25"}
    assert chief.post(f"/people/{person}/pauses", pause).status_code == 201
    (item,) = phone.get("/worklist").get_json()["items"]
    assert item["duty"]["state"] == "paused"
    assert item["duty"]["pause"] == {"reason": "hospital", "until": "2026-01-25"}
    call = at(world, phone, person, method="phone", outcome="remote_met", location=None)
    answer = phone.put(f"/visits/{uuid4()}", call)
    assert (answer.status_code, answer.get_json()["duty"]["state"]) == (201, "met")
    assert owed(phone) == {}


def test_people_are_handed_over_and_both_phones_know(world: World, phone: Phone, chief: Phone) -> None:
    new = world.phone(world.worker())
    person, kept, visit = world.person(phone.actor), world.person(phone.actor), uuid4()
    draft = at(world, phone, person)
    (_, old_cursor), (_, new_cursor) = pull(phone), pull(new)
    world.clock.move(minutes=10)
    asked = {
        "id": str(uuid4()),
        "from_worker": str(phone.actor.worker_id),
        "to_worker": str(new.actor.worker_id),
        "person_ids": [str(person)],
        "reason": "岗位调整",
    }
    assert chief.post("/people/hand-overs", asked).status_code == 200
    world.clock.move(minutes=10)
    lost, gained = pull(phone, old_cursor)[0], pull(new, new_cursor)[0]
    assert {one["id"] for one in lost if one["kind"] == "person" and one["data"] is None} == {str(person)}
    assert {one["id"] for one in gained if one["kind"] == "person" and one["data"]} == {str(person)}
    assert (set(owed(phone)), set(owed(new))) == ({str(kept)}, {str(person)})
    assert phone.put(f"/visits/{visit}", draft).status_code == 201  # it happened before, and lands
    assert owed(new) == {}
    assert phone.put(f"/visits/{uuid4()}", at(world, phone, person)).status_code == 404


def picture() -> bytes:
    out = io.BytesIO()
    Image.effect_noise((64, 48), 60).save(out, "PNG")
    return out.getvalue()
