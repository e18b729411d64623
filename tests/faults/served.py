"""A township whose server runs as it is shipped: granian's processes, and nginx before them."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from server.app import create_app
from server.http.parts import Parts
from server.schema import upgrade
from server.settings import Settings
from server.tools import Tools
from server.vault.keyring import Keyring
from tests.builders.clock import Clock
from tests.builders.world import World
from tests.engines.nginx import Nginx, nginx
from tests.faults.harness import Server, running


@dataclass(frozen=True)
class Served:
    """The server, the proxy, and the world over the same database."""

    server: Server
    proxy: Nginx
    world: World


@contextmanager
def served(folder: Path) -> Iterator[Served]:
    """Serve a township over SQLite behind nginx for as long as the block lasts."""
    uploads = folder / "uploads"
    uploads.mkdir()
    environment = {
        "DATABASE_URL": f"sqlite:///{folder}/app.sqlite",
        "STORAGE_URL": f"file://{uploads}",
        "KEYRING": Keyring.generate().to_json(),
        "SECRET_KEY": "only for tests, and long enough for them",
        "TRUSTED_PROXIES": "1",
    }
    settings = Settings(
        database_url=environment["DATABASE_URL"],
        storage_url=environment["STORAGE_URL"],
        keyring=environment["KEYRING"],
        secret_key=environment["SECRET_KEY"],
    )
    app = create_app(settings, Tools(clock=(clock := Clock(dt.datetime.now(dt.UTC)))))
    house: Parts = app.extensions["parts"]
    upgrade(house.engine)
    world = World(app, clock)
    try:
        with (
            running(environment, folder / "server.log") as server,
            nginx(folder / "nginx", server.port) as proxy,
        ):
            yield Served(server, proxy, world)
    finally:
        house.engine.dispose()
