"""Sets a demo up: its folder, secrets, schema and township. What was set up before is left as it is."""

from collections.abc import Mapping
from pathlib import Path

from demo import accounts
from demo.application import application
from demo.progress import Progress
from demo.settings import demo_settings
from demo.state import LOCK_FILE, DemoError, State, Township, database_name, fresh, load, save
from demo.township import KEYS, eve_of, first_of_previous_month, new_township, write_township
from server.db import unit_of_work
from server.http.parts import Parts
from server.schema import upgrade
from server.settings import Settings
from server.tools import Tools, business_day


def prepare(folder: Path) -> None:
    """Make the demo's folder, readable by its owner only."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        (folder / LOCK_FILE).touch(mode=0o600)
    except OSError as error:
        raise DemoError(f"{folder} 不能使用 (cannot be used): {error.strerror}") from None


def set_up(folder: Path, environ: Mapping[str, str]) -> tuple[State, Township, Settings]:
    """Bring the demo of this environment to where it can be served; quick when it was set up before.

    The township goes into the database whole or not at all, so a set-up that was cut short is simply repeated.
    """
    state = load(folder) or fresh()
    name = database_name(environ)
    now = Tools().now()
    township = state.townships.get(name) or new_township(first_of_previous_month(business_day(now)))
    state.townships[name] = township
    save(folder, state)
    settings = demo_settings(folder, state, environ)
    house: Parts = application(settings, folder, township).extensions["parts"]
    try:
        upgrade(house.engine)
        if not accounts.is_there(house, township):
            if accounts.somebody_else(house, township):
                raise DemoError("这个数据库里有别的数据，演示不会写入 (this database holds something else)")
            township.begin_on = first_of_previous_month(business_day(now))
            township.played = "no"
            _write(settings, folder, township)
        renewed = accounts.renew_invites(house, township)
    finally:
        house.engine.dispose()
    if renewed or not township.ready:
        township.ready = True
        save(folder, state)
    return state, township, settings


def _write(settings: Settings, folder: Path, township: Township) -> None:
    progress = Progress("建立演示街道 setting up the township")
    eve = eve_of(township.begin_on)
    app = application(settings, folder, township, Tools(clock=lambda: eve))
    house: Parts = app.extensions["parts"]
    try:
        house.keys.reserve(KEYS)
        with unit_of_work(house.sessions) as session:
            work = house.work(session)
            people = write_township(work, township, progress)
            work.close()
    finally:
        house.engine.dispose()
    progress.close(f"{people} 名救助对象、{len(township.accounts)} 个账户")
