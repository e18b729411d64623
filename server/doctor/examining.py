"""The whole examination: each part on its own, so that a broken one does not hide the others."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from server.doctor.background import examine_background
from server.doctor.backups import examine_backup
from server.doctor.clock import examine_clock
from server.doctor.configuration import examine_settings, read_settings
from server.doctor.database import examine_database, examine_schema, open_database
from server.doctor.keys import examine_ring, examine_stored_keys
from server.doctor.places import examine_disks, examine_store
from server.doctor.sign_in import examine_sign_in
from server.doctor.terms import Finding, Part, State
from server.settings import Settings
from server.tools import Tools

NOT_LOOKED = "没有检查，因为上面的故障。"


def examine(tools: Tools, environment: Mapping[str, str] | None = None) -> list[Finding]:
    """Examine the installation that the settings in the environment describe."""
    settings = read_settings()
    if isinstance(settings, Finding):
        return [
            settings,
            *(Finding(part, State.UNKNOWN, NOT_LOOKED) for part in Part if part is not Part.CONFIGURATION),
        ]
    seen = os.environ if environment is None else environment
    found = [
        *_safely(Part.CONFIGURATION, lambda: examine_settings(settings, seen)),
        *_safely(Part.KEYS, lambda: examine_ring(settings, seen)),
        *_of_the_database(settings, tools),
        *_safely(Part.DISK, lambda: examine_disks(settings)),
        *_safely(Part.STORAGE, lambda: examine_store(settings, tools)),
        *_safely(Part.SIGN_IN, lambda: examine_sign_in(settings)),
        *_safely(Part.BACKUP, lambda: examine_backup(settings, tools)),
    ]
    order = list(Part)
    return sorted(found, key=lambda one: order.index(one.part))


def _of_the_database(settings: Settings, tools: Tools) -> Iterator[Finding]:
    engine = open_database(settings)
    if isinstance(engine, Finding):
        yield engine
        for part in (Part.SCHEMA, Part.CLOCK, Part.BACKGROUND):
            yield Finding(part, State.UNKNOWN, NOT_LOOKED)
        return
    try:
        yield from _safely(Part.DATABASE, lambda: examine_database(engine, settings))
        schema = list(_safely(Part.SCHEMA, lambda: examine_schema(engine)))
        yield from schema
        if any(one.state is State.TROUBLE for one in schema):
            for part in (Part.CLOCK, Part.BACKGROUND):
                yield Finding(part, State.UNKNOWN, NOT_LOOKED)
            return
        yield from _of_the_records(engine, settings, tools)
    finally:
        engine.dispose()


def _of_the_records(engine: Engine, settings: Settings, tools: Tools) -> Iterator[Finding]:
    looks: dict[Part, Callable[[Session], Iterable[Finding]]] = {
        Part.KEYS: lambda session: examine_stored_keys(settings, session),
        Part.CLOCK: lambda session: examine_clock(engine, session, tools),
        Part.BACKGROUND: lambda session: examine_background(session, tools),
    }
    for part, look in looks.items():
        with Session(engine) as session:
            yield from _safely(part, lambda look=look, session=session: look(session))  # type: ignore[misc]


def _safely(part: Part, look: Callable[[], Iterable[Finding]]) -> list[Finding]:
    """Look at one part; what nobody foresaw is told by its kind only, since its text may hold a secret."""
    try:
        return list(look())
    except (SQLAlchemyError, OSError, ValueError, RuntimeError, ArithmeticError, LookupError) as error:
        return [
            Finding(part, State.TROUBLE, f"检查时出错（{type(error).__name__}）。", "把这一行告诉维护人员。")
        ]
