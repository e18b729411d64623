"""Takes a photo in: checked by decoding, sealed and stored, with no transaction open (CONTRACT §5).

The order is what makes an acknowledged photo safe: the sealed bytes are durable in the store before the row names
them, and the row is committed before the answer leaves.
"""

import io
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

from server.errors import Refusal
from server.photos.imaging import examine
from server.photos.intake_limits import PhotoLimits
from server.photos.terms import PhotoFacts
from server.storage import BlobStore
from server.vault.blobs import seal_bytes, seal_stream
from server.vault.fields import DataKey

LIMITS = PhotoLimits()
GATE = threading.Semaphore(1)
"""One big picture at a time is decoded in a process, so that memory stays bounded."""
SEALED_IN_MEMORY = 1 << 20
"""Bytes up to which a photo is sealed in memory; a larger one goes to the store piece by piece."""


class PhotoDigestDiffers(Refusal):
    """The bytes that arrived are not those whose SHA-256 was announced; send the photo again."""

    title = "照片与校验值不符"
    detail = "照片在传输中出错，请重新上传。"


@dataclass(frozen=True, slots=True)
class Taken:
    """A photo that is durable in the store and waits for its row; `key_id` names the key that seals it."""

    blob_key: str
    key_id: UUID
    sha256: bytes
    size: int
    facts: PhotoFacts
    likeness_sealed: bytes


def take_in(
    content: bytes,
    *,
    photo_id: UUID,
    sha256: bytes,
    key: DataKey,
    store: BlobStore,
    random_bytes: Callable[[int], bytes],
) -> Taken:
    """Check a photo, seal it under the person's key and make it durable; refuses what is no photo."""
    facts = examine(content, limits=LIMITS, gate=GATE)
    blob_key = keep(content, photo_id, key, store, random_bytes)
    likeness = seal_bytes(facts.likeness, key, likeness_of(photo_id))
    return Taken(blob_key, key.key_id, sha256, len(content), facts, likeness)


def likeness_of(photo_id: UUID) -> bytes:
    """Name what the small picture of a photo is sealed as."""
    return photo_id.bytes + b"likeness"


def drop(taken: Taken, store: BlobStore) -> None:
    """Let go of a photo whose row was surely not written; where that fails, the sweep finds it."""
    with suppress(Refusal):
        store.delete(taken.blob_key)


def keep(
    content: bytes, photo_id: UUID, key: DataKey, store: BlobStore, random_bytes: Callable[[int], bytes]
) -> str:
    """Seal bytes and make them durable under a new random key; returns the key.

    256 folders: they are all there soon, and millions of blobs leave each of a size that file systems like.
    """
    name = random_bytes(20).hex()
    blob_key = f"{name[:2]}/{name[2:]}"
    if len(content) <= SEALED_IN_MEMORY:
        sealed = seal_bytes(content, key, photo_id.bytes)
        store.put(blob_key, sealed, size=len(sealed))
        return blob_key
    with store.spool() as file:
        size = seal_stream(io.BytesIO(content), file, key, photo_id.bytes).sealed
        store.put(blob_key, file, size=size)
    return blob_key
