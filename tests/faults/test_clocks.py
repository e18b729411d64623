"""Clocks that are wrong or jump: never refused for being late, duties right, nothing lives longer (TRUST §1)."""

import datetime as dt
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from server.schedule.models import Duty
from server.tools import SHANGHAI
from server.visits.models import Visit
from tests.builders.visits import a_visit_body
from tests.builders.world import Phone, World
from tests.faults.harness import call, visit_request
from tests.faults.sizes import seen
from tests.faults.township import Township, township

TEN_YEARS = dt.timedelta(days=3653)
MINUTE = dt.timedelta(minutes=1)
LIBRARY = sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))


@pytest.fixture
def phone(world: World) -> Phone:
    return world.phone(world.worker())


def at_body(
    world: World, phone: Phone, person: UUID, occurred: dt.datetime, claimed: dt.datetime
) -> dict[str, Any]:
    """A visit that happened at one instant, by a phone whose clock shows another when it is written."""
    local = occurred.astimezone(SHANGHAI).replace(microsecond=0)
    shown = claimed.astimezone(SHANGHAI).replace(microsecond=0).isoformat()
    return a_visit_body(
        person,
        visitors=[str(phone.actor.worker_id)],
        occurred_at=local.isoformat(),
        ended_at=None,
        client_created_at=shown,
        location={
            "latitude": 30.8931, "longitude": 119.4172, "accuracy_m": 25, "datum": "gcj02", "taken_at": shown,
        },
        photos=[{"id": str(uuid4()), "kind": "room", "taken_at": shown}],
    )  # fmt: skip


def put(world: World, phone: Phone, person: UUID, occurred: dt.datetime, claimed: dt.datetime | None = None) -> TestResponse:  # fmt: skip
    return phone.put(f"/visits/{uuid4()}", at_body(world, phone, person, occurred, claimed or occurred))


def done(world: World, person: UUID) -> dict[str, int]:
    """Count the visits of each month's duty that are done."""
    with world.work() as work:
        rows = work.session.scalars(select(Duty).where(Duty.person_id == person)).all()
        return {row.period_start.isoformat(): row.done for row in rows if row.done}


@pytest.mark.parametrize("off", [-TEN_YEARS, TEN_YEARS, -dt.timedelta(hours=1), dt.timedelta(hours=1)])
def test_a_phone_whose_clock_is_off_is_measured_and_not_refused(
    world: World, phone: Phone, off: dt.timedelta
) -> None:
    person, now = world.person(phone.actor), world.clock()
    answer = put(world, phone, person, now - MINUTE, now + off)
    assert (answer.status_code, answer.json["filed_late"]) == (201, False), answer.json
    assert done(world, person) == {"2026-03-01": 1}
    with world.work() as work:
        visit = work.session.get_one(Visit, UUID(answer.json["id"]))
        assert visit.clock_skew_s == off.total_seconds()
        assert visit.received_at == now


def test_a_visit_dated_ten_years_ago_is_kept_as_late_and_meets_nothing_of_today(
    world: World, phone: Phone
) -> None:
    person, now = world.person(phone.actor), world.clock()
    answer = put(world, phone, person, now - TEN_YEARS)
    assert (answer.status_code, answer.json["filed_late"]) == (201, True), answer.json
    assert done(world, person) == {}
    assert put(world, phone, person, now - MINUTE).status_code == 201
    assert done(world, person) == {"2026-03-01": 1}


def test_a_visit_dated_ten_years_ahead_is_taken_as_soon_as_its_day_is_put_right(
    world: World, phone: Phone
) -> None:
    person, now, visit = world.person(phone.actor), world.clock(), uuid4()
    wrong = at_body(world, phone, person, now + TEN_YEARS, now + TEN_YEARS)
    refused = phone.put(f"/visits/{visit}", wrong)
    assert (refused.status_code, refused.json["code"]) == (422, "visit_in_the_future")
    assert list(refused.json["errors"]) == ["occurred_at"]
    right = wrong | {"occurred_at": at_body(world, phone, person, now, now)["occurred_at"]}
    assert phone.put(f"/visits/{visit}", right).status_code == 201
    assert done(world, person) == {"2026-03-01": 1}


def test_a_server_whose_clock_jumps_an_hour_keeps_answering_repeats_and_signs_nobody_out(
    world: World, phone: Phone
) -> None:
    person, visit, began = world.person(phone.actor), uuid4(), world.clock()
    body = at_body(world, phone, person, began - MINUTE, began)
    first = phone.put(f"/visits/{visit}", body)
    assert first.status_code == 201
    cursor = phone.get("/sync").json["next_cursor"]
    for number, hours in enumerate((1, -1, -1, 1), start=1):
        now = world.clock.move(hours=hours)
        again = phone.put(f"/visits/{visit}", body)
        assert again.status_code == 200, again.json
        assert again.json | {"duty": None} == first.json | {"duty": None}, "only the duty goes on"
        fresh = put(world, phone, person, now - MINUTE)
        assert fresh.status_code == 201, fresh.json
        assert done(world, person) == {"2026-03-01": number + 1}
        changed = phone.get("/sync", cursor=cursor).json
        assert fresh.json["id"] in str(changed), (
            "a phone that keeps up misses nothing when the clock goes back"
        )
        cursor = changed["next_cursor"]


ENDS = [
    ("2026-03-31", "2026-04-01"),
    ("2026-12-31", "2027-01-01"),
    ("2027-02-28", "2027-03-01"),
    ("2028-02-29", "2028-03-01"),
]


@pytest.mark.parametrize(("last", "first"), ENDS)
def test_a_visit_counts_for_the_month_in_which_it_happened_to_the_second(
    world: World, last: str, first: str
) -> None:
    midnight = dt.datetime.fromisoformat(f"{first}T00:00:00+08:00")
    world.clock.instant = midnight - dt.timedelta(minutes=5)
    phone = world.phone(world.worker())
    early, late, both = (world.person(phone.actor) for _ in range(3))
    world.clock.instant = midnight + dt.timedelta(minutes=5)  # what happened before midnight arrives after it
    second = dt.timedelta(seconds=1)
    answers = [
        put(world, phone, person, at)
        for person, at in (
            (early, midnight - second),
            (late, midnight),
            (both, midnight - second),
            (both, midnight),
        )
    ]
    assert [answer.status_code for answer in answers] == [201] * 4
    old, new = f"{last[:7]}-01", f"{first[:7]}-01"
    assert done(world, early) == {old: 1}
    assert done(world, late) == {new: 1}
    assert done(world, both) == {old: 1, new: 1}
    assert [answer.json["duty"]["state"] for answer in answers] == ["met_late", "met", "met_late", "met"]


def test_a_leap_day_is_a_day_like_any_other(world: World) -> None:
    world.clock.instant = dt.datetime.fromisoformat("2028-02-29T10:00:00+08:00")
    phone = world.phone(world.worker())
    person = world.person(phone.actor)
    answer = put(world, phone, person, world.clock() - MINUTE)
    assert (answer.status_code, answer.json["duty"]["state"]) == (201, "met"), answer.json
    assert done(world, person) == {"2028-02-01": 1}
    world.clock.instant = dt.datetime.fromisoformat("2029-02-28T23:59:59+08:00")
    again = world.phone(phone.actor)
    assert put(world, again, person, world.clock()).status_code == 201
    assert done(world, person)["2029-02-01"] == 1


@pytest.fixture
def moved(tmp_path: Path) -> Iterator[tuple[Township, Path]]:
    """A real server whose clock is that of libfaketime; the file says by how much it is off."""
    clock = tmp_path / "clock"
    clock.write_text("+0\n")
    fake = {
        "LD_PRELOAD": str(LIBRARY[-1]),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "DONT_FAKE_MONOTONIC": "1",
    }
    with ExitStack() as stack:
        made = township(
            f"sqlite:///{tmp_path}/app.sqlite", f"file://{tmp_path}/uploads", tmp_path, people=6, server=fake
        )
        yield stack.enter_context(made), clock


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.faketime
def test_a_real_server_whose_clock_jumps_serves_on(moved: tuple[Township, Path]) -> None:
    town, clock = moved
    now = dt.datetime.now(dt.UTC)
    month = (
        now.astimezone(SHANGHAI).replace(day=1, hour=0, minute=0, second=0) + dt.timedelta(days=32)
    ).replace(day=1)
    # Also to a minute before the next month begins, in small steps: a token lives seven days after its last use.
    days = int((month - now).total_seconds() // 86400)
    jumps = [
        0,
        3600,
        0,
        -3600,
        0,
        *(86400 * day for day in range(5, days, 5)),
        int((month - now).total_seconds()) - 60,
    ]
    sent, answers = [], []
    for seconds in jumps:
        clock.write_text(f"{seconds:+d}\n")
        at = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=seconds)
        [record] = town.records(1)
        body, when = record.body, (at - 2 * MINUTE).astimezone(SHANGHAI).replace(microsecond=0)
        record.body = lambda one, body=body, when=when: body(one) | {  # type: ignore[misc]
            "occurred_at": when.isoformat(), "ended_at": None, "client_created_at": when.isoformat(),
        }  # fmt: skip
        for one in [record, *sent]:
            path, content, kind = visit_request(one)
            answer = call(town.server.port, "PUT", path, token=one.token, body=content, content_type=kind)
            assert answer.status == (201 if one is record else 200), answer.body.decode()
            if one is record:
                received = dt.datetime.fromisoformat(answer.json["received_at"])
                assert abs(received - at) < dt.timedelta(seconds=30), "the server's clock did not move"
                answers.append(answer.json["duty"]["state"])
        sent.append(record)
    assert set(answers) == {"met"}
    town.server.kill()
    seen(
        "server's clock jumps",
        f"{len(jumps)} jumps (an hour forth and back, to the end of the month), all answered",
    )
