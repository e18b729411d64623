"""Makes a backup and keeps it up to date: a base copy, then every few seconds what was committed since."""

import datetime as dt
import json
import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from threading import Event
from typing import BinaryIO

import psycopg

from server.keeping import catalogue, photos
from server.keeping.archive import Archive
from server.keeping.catalogue import Archives
from server.keeping.source import Changed, LostTrackError, Source
from server.keeping.terms import KeepingRefused, Piece, Tick
from server.storage import BlobStore
from server.tools import SHANGHAI, Tools

IDLE = dt.timedelta(seconds=60)
"""When nothing changes, a tick says at least this often that nothing did."""
NEW_BASE_HOUR = 3
"""Shanghai; from this hour on, once a day, a new generation begins."""
_RETRY_SECONDS = 15.0
TROUBLE = (LostTrackError, OSError, sqlite3.Error, psycopg.Error)

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Places:
    """What is backed up, and where to."""

    open_source: Callable[[], Source]
    store: BlobStore
    archives: Archives
    photos: BlobStore
    tools: Tools


class Generation:
    """One generation that is being written."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self.name = catalogue.new_generation(places.tools.now(), places.tools.random_bytes(4))
        self._source = places.open_source()
        self._erased: set[str] = set()
        self.number = 0
        self.at = places.tools.clock()
        try:
            self._previous = self._base()
        except BaseException:
            self._source.close()
            raise

    def close(self) -> None:
        """Stop following."""
        self._source.close()

    def is_due(self, now: dt.datetime) -> bool:
        """Say whether a new generation should begin: a day has turned, or the schema was upgraded."""
        shift = dt.timedelta(hours=NEW_BASE_HOUR)
        turned = (now - shift).astimezone(SHANGHAI).date() > (catalogue.began(self.name) - shift).astimezone(
            SHANGHAI
        ).date()
        return turned or self._source.is_outdated()

    def tick(self) -> bool:
        """Ship what was committed since the last time; False when that was nothing and nothing was written."""
        at = self._places.tools.clock()
        changed = self._source.tick()
        if changed is None and at - self.at < IDLE:
            return False
        changed = changed or Changed()
        try:
            self._write(at, changed)
        finally:
            for content in (changed.records, changed.keys):
                if content is not None:
                    content.close()
        self._source.kept()
        return True

    def _base(self) -> str:
        pieces: dict[str, Piece] = {}

        def put(role: str, content: BinaryIO) -> Piece:
            pieces[role] = self._archive(role).put(catalogue.piece_name(self.name, 0, len(pieces)), content)
            return pieces[role]

        facts = self._source.base(put)
        self._note_erased()
        return catalogue.write(self._places.archives, self.name, Tick(0, self.at, "", pieces, facts))

    def _write(self, at: dt.datetime, changed: Changed) -> None:
        # The photos first: a tick promises that all that its rows name is there.
        photos.copy_named(self._places.store, self._places.photos, changed.photos)
        if changed.keys is not None:
            self._note_erased()
        pieces = {}
        for role, content in (("records", changed.records), ("keys", changed.keys)):
            if content is not None:
                name = catalogue.piece_name(self.name, self.number + 1)
                pieces[role] = self._archive(role).put(name, content)
        tick = Tick(self.number + 1, at, self._previous, pieces, changed.facts)
        self._previous = catalogue.write(self._places.archives, self.name, tick)
        self.number, self.at = tick.number, at

    def _archive(self, role: str) -> Archive:
        archives = self._places.archives
        return archives.keys if role.startswith("keys") else archives.records

    def _note_erased(self) -> None:
        """Keep the list of destroyed keys apart, and for ever: a restore destroys them again."""
        new = {key: at for key, at in self._source.destroyed().items() if key not in self._erased}
        if new:
            tools = self._places.tools
            name = catalogue.new_generation(tools.now(), tools.random_bytes(4))
            self._places.archives.erasures.put_bytes(name, json.dumps(new, sort_keys=True).encode())
            self._erased |= new.keys()


def back_up_once(places: Places) -> str:
    """Make one whole backup: database, then photos, then a tick that takes in what happened meanwhile."""
    generation = Generation(places)
    try:
        copied = sum(photos.copy_new(places.store, places.photos))
        generation.tick()
    finally:
        generation.close()
    catalogue.prune(places.archives, places.tools.now())
    return json.dumps(
        {"generation": generation.name, "until": generation.at.isoformat(), "photos_copied": copied}
    )


def follow(places: Places, every: float, say: Say, stop: Event) -> None:
    """Back up until `stop` is set, at `every` seconds' distance; what goes wrong is said, and tried again.

    A new generation is made beside the old one, which goes on until the new one is whole.
    """
    with ThreadPoolExecutor(1) as beside:
        while not stop.is_set():
            try:
                _follow(places, every, say, beside, stop)
                continue
            except KeepingRefused as refused:
                say(f"中断 interrupted: {refused}")
            except TROUBLE as trouble:
                # A driver's own words may hold data; its name does not.
                say(f"中断 interrupted: {type(trouble).__name__}")
            stop.wait(min(_RETRY_SECONDS, every * 5))


def _follow(places: Places, every: float, say: Say, beside: ThreadPoolExecutor, stop: Event) -> None:
    generation = Generation(places)
    following: Future[Generation] | None = None
    try:
        to_copy = _begun(places, generation, say)
        while not stop.is_set():
            began = time.monotonic()
            generation.tick()
            if following is None and generation.is_due(places.tools.clock()):
                following = beside.submit(Generation, places)
            if following is not None and following.done():
                fresh, following = following.result(), None
                generation.close()
                generation = fresh
                to_copy = _begun(places, generation, say)
            # What is left of the time goes to photos that the backup lacks from before.
            while time.monotonic() - began < every and next(to_copy, None) is not None:
                pass
            stop.wait(max(0.0, every - (time.monotonic() - began)))
        generation.tick()
    finally:
        generation.close()
        if following is not None:
            with suppress(KeepingRefused, *TROUBLE):
                following.result().close()


def _begun(places: Places, generation: Generation, say: Say) -> Iterator[int]:
    say(f"generation {generation.name}")
    for gone in catalogue.prune(places.archives, places.tools.now()):
        say(f"deleted {gone}")
    return photos.copy_new(places.store, places.photos)
