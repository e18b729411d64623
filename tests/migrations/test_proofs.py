"""Migration 0012: sessions that were open before it go on, and count as proved when they were opened."""

import datetime as dt

from sqlalchemy import text

from server.accounts.proving import PROOF_LASTS, is_proved
from server.http.parts import Parts
from server.permissions import Role
from tests.builders.clock import Clock
from tests.builders.world import SHENGPING, World


def test_an_open_session_was_proved_when_it_was_opened(house: Parts, world: World, clock: Clock) -> None:
    phone = world.phone(world.worker(Role.REVIEWER, SHENGPING))
    with (
        house.engine.begin() as connection
    ):  # as the version before left it, and as it goes on writing while an upgrade rolls
        connection.execute(text("UPDATE sign_ins SET proved_at = NULL"))
    assert phone.get("/me").status_code == 200
    with world.work(phone.actor) as work:
        assert is_proved(work, phone.token)
    clock.instant += PROOF_LASTS - dt.timedelta(seconds=1)
    with world.work(phone.actor) as work:
        assert is_proved(work, phone.token)
    clock.instant += dt.timedelta(seconds=1)
    with world.work(phone.actor) as work:
        assert not is_proved(work, phone.token)


def test_a_clock_that_went_back_proves_nothing(world: World, clock: Clock) -> None:
    phone = world.phone(world.worker(Role.REVIEWER, SHENGPING))
    clock.instant -= dt.timedelta(seconds=30)
    with world.work(phone.actor) as work:
        assert not is_proved(work, phone.token)
