"""Shows photos: small upright pictures without metadata to those who may see the visit, originals to few."""

import hashlib
import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from server.errors import NotSignedIn
from server.ledger.work import Work
from server.photos.imaging import render_all
from server.photos.intake import GATE, LIMITS, keep
from server.photos.models import Rendition
from server.photos.terms import Size
from server.prepared import Prepared, insert_once
from server.storage import BlobStore
from server.vault.blobs import open_stream
from server.vault.fields import DataKey

LINK_LIVES = 600
"""Seconds for which a signed link opens a picture."""
BOXES = {Size.THUMB: 320, Size.SCREEN: 1600}
_REMEMBER = Prepared(insert_once(Rendition), ("photo_id", "box", "blob_key", "size", "made_at"))


@dataclass(frozen=True, slots=True)
class Found:
    """A photo that may be looked at: where its bytes are, and the key that opens them.

    `rendition_key` names the small picture when it was made already. Nothing here needs a transaction any more.
    """

    photo_id: UUID
    format: str
    blob_key: str
    rendition_key: str | None
    key: DataKey


@dataclass(frozen=True, slots=True)
class Made:
    """A small picture that is durable in the store and waits for its row."""

    box: int
    blob_key: str
    picture: bytes


def original(found: Found, store: BlobStore) -> bytes:
    """Open the exact bytes that were sent."""
    return _opened(found, found.blob_key, store)


def rendition(found: Found, store: BlobStore) -> bytes:
    """Open the small picture that was made before."""
    assert found.rendition_key is not None
    return _opened(found, found.rendition_key, store)


def make(found: Found, store: BlobStore, random_bytes: Callable[[int], bytes]) -> list[Made]:
    """Make the small pictures of a photo, decoding once, and store them sealed; with no transaction open."""
    pictures = render_all(original(found, store), tuple(BOXES.values()), limits=LIMITS, gate=GATE)
    return [
        Made(box, keep(picture, found.photo_id, found.key, store, random_bytes), picture)
        for box, picture in pictures.items()
    ]


def remember(work: Work, photo_id: UUID, made: Sequence[Made]) -> list[str]:
    """Write the rows of small pictures; gives the blobs that nobody needs, because somebody looked at the same moment."""
    unneeded = []
    for one in made:
        row = {
            "photo_id": photo_id,
            "box": one.box,
            "blob_key": one.blob_key,
            "size": len(one.picture),
            "made_at": work.now,
        }
        if not _REMEMBER.write(work.session, row):
            unneeded.append(one.blob_key)
    return unneeded


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


def _opened(found: Found, blob_key: str, store: BlobStore) -> bytes:
    with store.open(blob_key) as sealed:
        return b"".join(open_stream(sealed, found.key, found.photo_id.bytes))
