"""Puts a backup back into an empty place, replays erasures, and checks what came out."""

import datetime as dt
import json
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import select, update

from server.db import Sessions, unit_of_work
from server.keeping import catalogue, erasing, photos
from server.keeping.archive import Archive
from server.keeping.catalogue import Archives
from server.keeping.terms import ArchiveDamaged, KeepingRefused, Tick
from server.ledger.work import Work
from server.people.models import Person
from server.storage import BlobStore
from server.vault.models import StoredKey

BATCH = 500


class Target(Protocol):
    """An empty database that is filled from a backup."""

    def base(self, role: str, tick: Tick, archive: Archive) -> None:
        """Lay down the base copy of the records or of the keys."""

    def apply(self, role: str, tick: Tick, archive: Archive) -> None:
        """Add what changed until a tick."""

    def finish(self) -> None:
        """Make it durable and ready for use."""

    def close(self) -> None:
        """Put away what is unfinished."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What an administrator wants back: which generation, until when, and how many of the photos are to be opened."""

    generation: str | None = None
    until: dt.datetime | None = None
    share: Fraction = Fraction(1, 20)


@dataclass(slots=True)
class Report:
    """What a restore did: up to which instant, what is lost, how long each step took (seconds), what the check found."""

    generation: str
    restored_until: dt.datetime
    changes: int
    seconds: dict[str, float] = field(default_factory=dict)
    photos: int = 0
    erasures_replayed: int = 0
    check: dict[str, Any] = field(default_factory=dict)

    def facts(self) -> dict[str, Any]:
        """Give what the ledger keeps of a restore."""
        return {
            "generation": self.generation,
            "restored_until": self.restored_until.isoformat(),
            "changes": self.changes,
            "photos": self.photos,
            "erasures_replayed": self.erasures_replayed,
        }

    def told(self, now: dt.datetime) -> dict[str, Any]:
        """Give the JSON form, with how much time before `now` is not in the backup."""
        return {
            **self.facts(),
            "age_seconds": round((now - self.restored_until).total_seconds(), 1),
            "seconds": {step: round(seconds, 1) for step, seconds in self.seconds.items()},
            "check": self.check,
        }


def refuse_full_store(store: BlobStore, kept: BlobStore) -> None:
    """Refuse to restore into a store that holds other photos; those of a restore that was cut off are welcome."""
    if next(photos.missing(store, kept), None) is not None:
        raise KeepingRefused("目标照片存储不是空的，没有恢复任何内容。请另设 STORAGE_URL，或把现有照片移走。")


def rebuild(archives: Archives, target: Target, wish: Wish, say: Callable[[str], None]) -> Report:
    """Rebuild the database: the records as of the wish, the data keys as new as there are.

    Keys of the newest generation fit records of any age: none is ever changed, only added or destroyed. Taking the
    newest is what keeps an erased person erased.
    """
    generation = catalogue.chosen(archives, wish.generation, wish.until)
    last: Tick | None = None
    with closing(target):
        ticks = catalogue.ticks(archives, generation)
        if wish.until is not None:
            ticks = _until_damage(ticks, 0, say)
        for tick in ticks:
            if tick.number and wish.until is not None and tick.at > wish.until:
                break
            (target.apply if tick.number else target.base)("records", tick, archives.records)
            last = tick
        if last is None:
            raise ArchiveDamaged("这一代备份没有底本，不能用来恢复；请改用另一代备份。")
        newest = catalogue.chosen(archives, None)
        least = last.number if newest == generation else 0
        for tick in _until_damage(catalogue.ticks(archives, newest), least, say):
            (target.apply if tick.number else target.base)("keys", tick, archives.keys)
        target.finish()
    return Report(generation, last.at, last.number)


def _until_damage(ticks: Iterator[Tick], least: int, say: Callable[[str], None]) -> Iterator[Tick]:
    """Give the ticks up to where their chain is broken, if that is behind the last one that is needed."""
    reached = -1
    try:
        for tick in ticks:
            yield tick
            reached = tick.number
    except ArchiveDamaged as damaged:
        if reached < least:
            raise
        say(f"只能用到第 {reached} 个时点为止 (usable up to here): {damaged}")


def replay_erasures(archives: Archives, sessions: Sessions, work_of: Callable[[Any], Work]) -> int:
    """Destroy again every key that was ever destroyed, and overwrite what they belonged to, with a line in the ledger each;
    returns how many keys had come back."""
    replayed = 0
    for name in archives.erasures.names():
        listed: dict[str, str] = json.loads(archives.erasures.read(name))
        ids = [UUID(text) for text in listed]
        for start in range(0, len(ids), BATCH):
            with unit_of_work(sessions) as session:
                work = work_of(session)
                back = session.scalars(
                    select(StoredKey.id).where(
                        StoredKey.id.in_(ids[start : start + BATCH]), StoredKey.wrapped.is_not(None)
                    )
                ).all()
                if back:
                    session.execute(
                        update(StoredKey)
                        .where(StoredKey.id.in_(back))
                        .values(wrapped=None, destroyed_at=work.now)
                    )
                for key_id in back:
                    work.tell("erasure.replayed", "data_key", key_id)
                # Older records still have in the clear what was overwritten since.
                for person in session.scalars(
                    select(Person).where(
                        Person.data_key_id.in_(ids[start : start + BATCH]), Person.name != erasing.ERASED
                    )
                ).all():
                    erasing.replay(work, person)
                work.close()
                replayed += len(back)
    return replayed
