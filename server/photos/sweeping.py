"""Sweeps blobs that no row names: uploads cut off by a crash between the store and the database.

Mark, wait, look again, delete with a ledger line. What a row names is never touched.
"""

import datetime as dt

from sqlalchemy import delete, select, union_all

from server.ledger.work import Work
from server.photos.models import Orphan, Photo, Rendition
from server.storage import BlobStore

PAGE = 500
SETTLED_AFTER = dt.timedelta(hours=1)
"""A younger blob may belong to an upload whose row is still to come."""
GRACE = dt.timedelta(days=30)


def sweep(work: Work, store: BlobStore, *, grace: dt.timedelta = GRACE) -> tuple[int, int]:
    """Mark new orphans and delete those marked for longer than the grace period; returns (marked, deleted)."""
    store.sweep_temporary(work.now - SETTLED_AFTER)
    marked = deleted = 0
    after: str | None = None
    while page := store.list(after=after, limit=PAGE):
        after = page[-1].key
        settled = [blob.key for blob in page if blob.modified < work.now - SETTLED_AFTER]
        named = _named(work, settled)
        known = {
            orphan.blob_key: orphan
            for orphan in work.session.scalars(select(Orphan).where(Orphan.blob_key.in_(settled)))
        }
        for key in settled:
            if key in named:
                if key in known:
                    work.session.delete(known[key])
            elif key not in known:
                work.session.add(Orphan(blob_key=key, found_at=work.now))
                marked += 1
            elif known[key].found_at <= work.now - grace:
                store.delete(key)
                work.session.execute(delete(Orphan).where(Orphan.blob_key == key))
                work.tell("blob.swept", "blob", payload={"key": key, "found_at": known[key].found_at})
                deleted += 1
    _forget_gone(work, store)
    return marked, deleted


def _forget_gone(work: Work, store: BlobStore) -> None:
    """Drop marks of blobs that are gone: a sweep that was cut off had deleted them, or their upload had."""
    after = ""
    while page := work.session.scalars(
        select(Orphan).where(Orphan.blob_key > after).order_by(Orphan.blob_key).limit(PAGE)
    ).all():
        after = page[-1].blob_key
        for orphan in page:
            if store.stat(orphan.blob_key) is None:
                work.session.delete(orphan)


def _named(work: Work, keys: list[str]) -> set[str]:
    return set(
        work.session.scalars(
            union_all(
                select(Photo.blob_key).where(Photo.blob_key.in_(keys)),
                select(Rendition.blob_key).where(Rendition.blob_key.in_(keys)),
            )
        )
    )
