"""Restarts under constant load lose no request: the shipped units behind the shipped nginx, clients that never retry."""

import http.client
import io
import time
from collections.abc import Iterator
from uuid import uuid4

import pytest
from PIL import Image

from bench import phone
from bench.population import Visitor, populate
from server.app import create_app
from server.http.parts import Parts
from server.schema import upgrade
from server.settings import Settings
from tests.conftest import KEYRING
from tests.deploy.processes import Clients, Process, ask, processes
from tests.engines.nginx import Nginx, nginx

pytestmark = [pytest.mark.nginx, pytest.mark.slow]
STORED = {200, 201}


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


class FieldWork:
    """A visit, its photo, and a look at what was stored; `told` is what was acknowledged."""

    def __init__(self, visitors: list[Visitor]) -> None:
        self._targets = [
            (one.token, str(one.worker), str(person)) for one in visitors for person in one.people
        ]
        out = io.BytesIO()
        Image.new("RGB", (320, 240), "tan").save(out, "JPEG")
        self._picture = out.getvalue()
        self.told: list[tuple[str, str, str]] = []

    def __call__(self, connection: http.client.HTTPConnection, number: int) -> Iterator[int]:
        token, worker, person = self._targets[number % len(self._targets)]
        visit, photo = str(uuid4()), str(uuid4())
        body = phone.visit(person, worker, number, [photo])
        form, kind = phone.upload(photo, phone.unique(self._picture, photo))
        for method, path, sent, content in (
            ("PUT", f"/api/v1/visits/{visit}", body, "application/json"),
            ("POST", f"/api/v1/visits/{visit}/photos", form, kind),
            ("GET", f"/api/v1/visits/{visit}", None, ""),
        ):
            status, said = ask(connection, method, path, token, sent, content)
            assert status in STORED, f"{method} {path.rpartition('/')[2]}: {status} {said[:200]!r}"
            yield status
        self.told.append((token, visit, photo))


def check_all_is_there(work: FieldWork, proxy: Nginx) -> None:
    connection = proxy.connection()
    for token, visit, _photo in work.told:
        status, said = ask(connection, "GET", f"/api/v1/visits/{visit}", token)
        assert (status, b'"photo_debt":[]' in said) == (200, True)
    connection.close()


def exchange_worker(process: Process) -> None:
    """Reload as `systemctl reload` does, and wait until the old worker is gone."""
    old = set(process.workers())
    process.reload()
    patience = time.monotonic() + 60
    while old & set(process.workers()):
        assert time.monotonic() < patience, process.log()[-2000:]
        time.sleep(0.05)


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
