"""Restarts under constant load lose no request: the shipped units behind the shipped nginx, clients that never retry."""

from collections.abc import Iterator

import pytest

from bench.population import Visitor, populate
from server.app import create_app
from server.http.parts import Parts
from server.schema import upgrade
from server.settings import Settings
from tests.conftest import KEYRING
from tests.deploy.field_work import FieldWork, exchange_worker
from tests.deploy.processes import Clients, Process, ask, processes
from tests.engines.nginx import Nginx, nginx

pytestmark = [pytest.mark.nginx, pytest.mark.slow]


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("data")
    return {
        "DATABASE_URL": f"sqlite:///{folder}/app.sqlite",
        "STORAGE_URL": f"file://{folder}/uploads",
        "KEYRING": KEYRING,
        "SECRET_KEY": "only for tests, and long enough for them",
        "TRUSTED_PROXIES": "1",
    }


@pytest.fixture(scope="module")
def visitors(environment: dict[str, str]) -> list[Visitor]:
    app = create_app(
        Settings(
            database_url=environment["DATABASE_URL"],
            storage_url=environment["STORAGE_URL"],
            keyring=KEYRING,
            secret_key=environment["SECRET_KEY"],
        )
    )
    house: Parts = app.extensions["parts"]
    upgrade(house.engine)
    made = populate(house, people=200)
    house.engine.dispose()
    return made


@pytest.fixture(scope="module")
def both(
    environment: dict[str, str], visitors: list[Visitor], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[Process]]:
    with processes([environment] * 2, tmp_path_factory.mktemp("processes")) as running:
        yield running


@pytest.fixture(scope="module")
def proxy(both: list[Process], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    with nginx(tmp_path_factory.mktemp("nginx"), [one.port for one in both]) as running:
        yield running


def check_all_is_there(work: FieldWork, proxy: Nginx) -> None:
    connection = proxy.connection()
    for token, visit, _photo in work.told:
        status, said = ask(connection, "GET", f"/api/v1/visits/{visit}", token)
        assert (status, b'"photo_debt":[]' in said) == (200, True)
    connection.close()


def test_restarting_one_process_after_the_other_loses_no_request(
    both: list[Process], proxy: Nginx, visitors: list[Visitor]
) -> None:
    work = FieldWork(visitors)
    with Clients(proxy.connection, work) as clients:
        clients.wait_for(60)
        for process in both:
            assert process.stop() == 0
            clients.wait_for(30)  # the other carries on alone
            process.start()
            clients.wait_for(30)
    assert clients.failed == []
    assert len(work.told) > 50
    check_all_is_there(work, proxy)


def test_exchanging_a_worker_loses_no_request(
    both: list[Process], proxy: Nginx, visitors: list[Visitor]
) -> None:
    work = FieldWork(visitors)
    with Clients(proxy.connection, work) as clients:
        clients.wait_for(60)
        exchange_worker(both[0])
        clients.wait_for(30)
    assert clients.failed == []
    check_all_is_there(work, proxy)


def test_a_process_that_is_killed_takes_down_nothing_that_can_be_sent_again(
    both: list[Process], proxy: Nginx, visitors: list[Visitor]
) -> None:
    """nginx itself sends what a dead process left unanswered to the other one: visits, photos and reads alike."""
    work = FieldWork(visitors)
    with Clients(proxy.connection, work) as clients:
        clients.wait_for(60)
        both[0].kill()
        clients.wait_for(90)
        both[0].start()
    assert clients.failed == []
    check_all_is_there(work, proxy)
