"""Looks whether a database, its keys and its photos are whole and fit together."""

import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from typing import Any
from uuid import UUID

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from server.db import unit_of_work
from server.errors import Refusal
from server.http.parts import Parts
from server.ledger.leaves import leaf
from server.ledger.models import Event, Pending, Position
from server.ledger.tree import leaf_hash
from server.people.models import Person
from server.photos.models import Photo
from server.photos.scrubbing import Share, scrub
from server.schema import MIGRATIONS
from server.vault.fields import SealBroken
from server.vault.keyring import KeyringBroken
from server.vault.models import StoredKey

PAGE = 1000
THREADS = 8
_LOG = logging.getLogger(__name__)


def check(house: Parts, share: Fraction) -> dict[str, Any]:
    """Check everything, and of the photos' contents a share; `faults` says in sentences what is wrong, [] is good."""
    faults: list[str] = []
    counts: dict[str, Any] = {}
    _schema(house, faults)
    _ledger(house, counts, faults)
    _keys(house, counts, faults)
    _photos(house, share, counts, faults)
    return {**counts, "faults": faults}


def _schema(house: Parts, faults: list[str]) -> None:
    with house.engine.connect() as connection:
        there = MigrationContext.configure(connection).get_current_revision()
    if there != ScriptDirectory(str(MIGRATIONS)).get_current_head():
        faults.append("数据库结构不是最新，请执行 flask db upgrade。")


def _ledger(house: Parts, counts: dict[str, Any], faults: list[str]) -> None:
    """Every event has one position or waits for one; positions have no gap and every leaf hash is right."""
    expected, wrong = 1, 0
    for page in _positions(house):
        for position, event in page:
            if (
                position.seq != expected
                or leaf_hash(leaf(event, position.seq, position.leaf_form)) != position.leaf_hash
            ):
                wrong += 1
            expected = position.seq + 1
    with unit_of_work(house.sessions) as session:
        events, positions, pending = (_count(session, one) for one in (Event, Position, Pending))
    counts["ledger"] = {"events": events, "positions": positions}
    if wrong:
        faults.append(f"留痕有 {wrong} 处断号或与内容不符。")
    if events != positions + pending or positions != expected - 1:
        faults.append("留痕的事件与位置数目对不上。")


def _positions(house: Parts) -> Iterator[list[tuple[Position, Event]]]:
    after = 0
    while True:
        with unit_of_work(house.sessions) as session:
            rows = session.execute(
                select(Position, Event)
                .join(Event, Event.id == Position.event_id)
                .where(Position.seq > after)
                .order_by(Position.seq)
                .limit(PAGE)
            )
            page = [(row[0], row[1]) for row in rows]
        if not page:
            return
        after = page[-1][0].seq
        yield page


def _keys(house: Parts, counts: dict[str, Any], faults: list[str]) -> None:
    """Every data key opens with the key ring, and every person has one (or had, before erasure)."""
    opened = destroyed = shut = 0
    for page in _locked(house):
        for key_id, wrapped in page:
            if wrapped is None:
                destroyed += 1
            elif _opens(house, key_id, wrapped):
                opened += 1
            else:
                shut += 1
    with unit_of_work(house.sessions) as session:
        without = session.scalar(
            select(func.count())
            .select_from(Person)
            .outerjoin(StoredKey, StoredKey.id == Person.data_key_id)
            .where(StoredKey.id.is_(None))
        )
    counts["keys"] = {"opened": opened, "destroyed": destroyed}
    if shut:
        faults.append(f"有 {shut} 把数据密钥用现在的密钥环打不开，请放回做备份时的密钥环。")
    if without:
        faults.append(f"有 {without} 人的数据密钥不在备份里，其加密内容无法读取。")


def _locked(house: Parts) -> Iterator[list[tuple[UUID, bytes | None]]]:
    after: UUID | None = None
    while True:
        wanted = select(StoredKey.id, StoredKey.wrapped).order_by(StoredKey.id).limit(PAGE)
        if after is not None:
            wanted = wanted.where(StoredKey.id > after)
        with unit_of_work(house.sessions) as session:
            page = [(row.id, row.wrapped) for row in session.execute(wanted)]
        if not page:
            return
        after = page[-1][0]
        yield page


def _opens(house: Parts, key_id: UUID, wrapped: bytes) -> bool:
    try:
        house.keys.keyring.unwrap(wrapped, key_id)
    except (KeyringBroken, SealBroken):
        return False
    return True


def _photos(house: Parts, share: Fraction, counts: dict[str, Any], faults: list[str]) -> None:
    """Every photo that a row names is there; of a share, the content is what was sent."""
    named = missing = 0
    with ThreadPoolExecutor(THREADS) as pool:
        for page in _blob_keys(house):
            named += len(page)
            missing += sum(pool.map(lambda key: not _is_there(house, key), page))
    found = scrub(house.sessions, house.keys, house.store, Share.of_day(share, house.tools.now().date()))
    counts["photos"] = {"named": named, "missing": missing, "read": found.seen, "ok": found.ok}
    if missing:
        faults.append(f"有 {missing} 张照片不在照片存储里。")
    if found.corrupt:
        faults.append(
            f"有 {len(found.corrupt)} 张照片与登记的摘要不符：{'、'.join(map(str, found.corrupt[:20]))}"
        )


def _blob_keys(house: Parts) -> Iterator[list[str]]:
    after = ""
    while True:
        with unit_of_work(house.sessions) as session:
            page = [
                key
                for key in session.scalars(
                    select(Photo.blob_key).where(Photo.blob_key > after).order_by(Photo.blob_key).limit(PAGE)
                )
                if key is not None
            ]
        if not page:
            return
        after = page[-1]
        yield page


def _is_there(house: Parts, blob_key: str) -> bool:
    try:
        return house.store.stat(blob_key) is not None
    except Refusal:
        _LOG.warning("the photo store did not answer")
        return False


def _count(session: Session, table: type[Event | Position | Pending]) -> int:
    return session.scalar(select(func.count()).select_from(table)) or 0
