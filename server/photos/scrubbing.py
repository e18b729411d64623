"""Reads stored photos again, a share each day: is each there, does it open, is it what was sent (TRUST §2, Blobs)."""

import datetime as dt
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import and_, or_, select

from server.db import Sessions, unit_of_work
from server.photos.models import Photo
from server.storage import BlobMissing, BlobStore
from server.vault.blobs import open_stream
from server.vault.fields import DataKey, SealBroken
from server.vault.keys import KeyStore
from server.vault.models import StoredKey

PAGE = 100
THREADS = 2
_SPACE = 1 << 256


@dataclass(frozen=True, slots=True)
class Share:
    """A part of all photos, from one digest up to another: equal parts, since digests are spread evenly."""

    begin: bytes
    end: bytes | None

    @classmethod
    def of_day(cls, share: Fraction, day: dt.date) -> "Share":
        """Give the part of a day: with 1/30, each photo has its turn once in any 30 days."""
        turns = -(-share.denominator // share.numerator)
        turn = day.toordinal() % turns
        begin, end = (
            min(_SPACE, n * _SPACE * share.numerator // share.denominator) for n in (turn, turn + 1)
        )
        return cls(begin.to_bytes(32, "big"), None if end == _SPACE else end.to_bytes(32, "big"))


@dataclass(slots=True)
class Findings:
    """What a reading found: how many photos are right, and which are missing or no longer what was sent.

    `erased` counts those whose key was destroyed by lawful erasure: they cannot be read, and need not be. A photo whose
    key is lost is corrupt.
    """

    seen: int = 0
    ok: int = 0
    erased: int = 0
    missing: list[UUID] = field(default_factory=list)
    corrupt: list[UUID] = field(default_factory=list)

    @property
    def are_good(self) -> bool:
        """Say whether nothing is missing or corrupt."""
        return not self.missing and not self.corrupt

    def told(self) -> dict[str, Any]:
        """Give the JSON form: numbers and ids."""
        return {
            "seen": self.seen,
            "ok": self.ok,
            "erased": self.erased,
            "missing": [str(one) for one in self.missing],
            "corrupt": [str(one) for one in self.corrupt],
        }


@dataclass(frozen=True, slots=True)
class _Stored:
    photo_id: UUID
    blob_key: str
    sha256: bytes
    data_key_id: UUID | None


def scrub(sessions: Sessions, keys: KeyStore, store: BlobStore, share: Share) -> Findings:
    """Read the photos of a share and compare each with its row; no transaction is open while a photo is read."""
    found = Findings()
    with ThreadPoolExecutor(THREADS) as pool:
        for page, opened in _pages(sessions, keys, share):
            verdicts = pool.map(partial(_verdict, opened=opened, store=store), page)
            for one, verdict in zip(page, verdicts, strict=True):
                _note(found, one, verdict)
    return found


def _note(found: Findings, one: _Stored, verdict: str) -> None:
    found.seen += 1
    if verdict == "ok":
        found.ok += 1
    elif verdict == "erased":
        found.erased += 1
    elif verdict == "missing":
        found.missing.append(one.photo_id)
    else:
        found.corrupt.append(one.photo_id)


def _pages(
    sessions: Sessions, keys: KeyStore, share: Share
) -> Iterator[tuple[Sequence[_Stored], Mapping[UUID | None, DataKey | None]]]:
    """Give the photos of a share with their keys; a key that was destroyed is None, one that is lost is not there."""
    wanted = (
        select(Photo.id, Photo.blob_key, Photo.sha256, Photo.data_key_id)
        .where(Photo.blob_key.is_not(None), Photo.sha256 >= share.begin)
        .order_by(Photo.sha256, Photo.id)
        .limit(PAGE)
    )
    if share.end is not None:
        wanted = wanted.where(Photo.sha256 < share.end)
    asked = wanted
    while True:
        with unit_of_work(sessions) as session:
            page = [
                _Stored(row.id, row.blob_key, row.sha256, row.data_key_id) for row in session.execute(asked)
            ]
            ids = [one.data_key_id for one in page if one.data_key_id is not None]
            known: dict[UUID | None, DataKey | None] = dict.fromkeys(
                session.scalars(select(StoredKey.id).where(StoredKey.id.in_(ids)))
            )
            known.update(keys.fetch(session, ids).items())
        if not page:
            return
        yield page, known
        last = page[-1]
        asked = wanted.where(
            or_(Photo.sha256 > last.sha256, and_(Photo.sha256 == last.sha256, Photo.id > last.photo_id))
        )


def _verdict(one: _Stored, opened: Mapping[UUID | None, DataKey | None], store: BlobStore) -> str:
    if one.data_key_id not in opened:
        return "corrupt"
    key = opened[one.data_key_id]
    if key is None:
        return "erased"
    digest = hashlib.sha256()
    try:
        with store.open(one.blob_key) as sealed:
            for chunk in open_stream(sealed, key, one.photo_id.bytes):
                digest.update(chunk)
    except BlobMissing:
        return "missing"
    except SealBroken:
        return "corrupt"
    return "ok" if digest.digest() == one.sha256 else "corrupt"
