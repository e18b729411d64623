"""Shows photos: small upright pictures without metadata to those who may see the visit, originals to few."""

import hashlib
import hmac
import io
from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite

from server.errors import NotFound, NotSignedIn
from server.ledger.work import Work
from server.photos.imaging import render_all
from server.photos.intake import GATE, LIMITS, keep
from server.photos.models import Photo, Rendition
from server.photos.terms import Size
from server.storage import BlobStore
from server.vault.blobs import open_stream
from server.vault.fields import DataKey

LINK_LIVES = 600
"""Seconds for which a signed link opens a picture."""


BOXES = {Size.THUMB: 320, Size.SCREEN: 1600}


def original(photo: Photo, key: DataKey, store: BlobStore) -> Iterator[bytes]:
    """Open the exact bytes that were sent, chunk by chunk."""
    if photo.blob_key is None:
        raise NotFound
    with store.open(photo.blob_key) as sealed:
        yield from open_stream(sealed, key, photo.id.bytes)


def rendition(work: Work, photo: Photo, size: Size, key: DataKey, store: BlobStore) -> bytes:
    """Give the small JPEG of a photo; the first view makes it, and the other size with it."""
    if photo.blob_key is None:
        raise NotFound
    blob_key = work.session.scalar(
        select(Rendition.blob_key).where(Rendition.photo_id == photo.id, Rendition.box == BOXES[size])
    )
    if blob_key is not None:
        with store.open(blob_key) as sealed:
            return b"".join(open_stream(sealed, key, photo.id.bytes))
    data = b"".join(original(photo, key, store))
    made = render_all(data, tuple(BOXES.values()), limits=LIMITS, gate=GATE)
    for box, picture in made.items():
        _remember(work, photo, box, picture, key, store)
    return made[BOXES[size]]


def signature(secret: str, photo_id: UUID, size: str, worker_id: UUID, expires: int) -> str:
    """Sign a link to one picture for one worker until an instant (seconds since 1970)."""
    message = f"photo\x00{photo_id}\x00{size}\x00{worker_id}\x00{expires}".encode()
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()


def check_signature(
    secret: str, photo_id: UUID, size: str, worker_id: UUID, expires: int, given: str, now: datetime
) -> None:
    """Refuse a link that was changed or has expired."""
    fits = hmac.compare_digest(signature(secret, photo_id, size, worker_id, expires), given)
    if not fits or expires < now.timestamp():
        raise NotSignedIn("照片链接已失效，请刷新页面。")


def _remember(work: Work, photo: Photo, box: int, picture: bytes, key: DataKey, store: BlobStore) -> None:
    blob_key = keep(io.BytesIO(picture), photo.id, key, store, work.tools.random_bytes)
    insert = insert_postgresql if work.session.get_bind().dialect.name == "postgresql" else insert_sqlite
    done = work.session.execute(
        insert(Rendition)
        .values(photo_id=photo.id, box=box, blob_key=blob_key, size=len(picture), made_at=work.now)
        .on_conflict_do_nothing()
    )
    if not done.rowcount:  # type: ignore[attr-defined]  # somebody else looked at the same moment
        store.delete(blob_key)
