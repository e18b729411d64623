"""Takes a photo in: spooled, checked by decoding, sealed and stored, with no transaction open (CONTRACT §5).

The order is what makes an acknowledged photo safe: the sealed bytes are durable in the store before the row names
them, and the row is committed before the answer leaves.
"""

import hashlib
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import BinaryIO
from uuid import UUID

from server.errors import Refusal
from server.photos.imaging import examine
from server.photos.intake_limits import PhotoLimits
from server.photos.terms import PhotoFacts
from server.storage import BlobStore
from server.vault.blobs import seal_stream
from server.vault.fields import DataKey

LIMITS = PhotoLimits()
GATE = threading.Semaphore(1)
"""One big picture at a time is decoded in a process, so that memory stays bounded."""
CHUNK = 1 << 18


class PhotoDigestDiffers(Refusal):
    """The bytes that arrived are not those whose SHA-256 was announced; send the photo again."""

    title = "照片与校验值不符"
    detail = "照片在传输中出错，请重新上传。"


@dataclass(frozen=True, slots=True)
class Taken:
    """A photo that is durable in the store and waits for its row."""

    blob_key: str
    sha256: bytes
    size: int
    facts: PhotoFacts


def digest_of(file: BinaryIO) -> tuple[bytes, int]:
    """Give the SHA-256 and the size of a spooled file."""
    file.seek(0)
    digest, size = hashlib.sha256(), 0
    while chunk := file.read(CHUNK):
        digest.update(chunk)
        size += len(chunk)
    return digest.digest(), size


def take_in(
    file: BinaryIO,
    *,
    photo_id: UUID,
    sha256: bytes,
    size: int,
    key: DataKey,
    store: BlobStore,
    random_bytes: Callable[[int], bytes],
) -> Taken:
    """Check a spooled photo, seal it under the person's key and make it durable; refuses what is no photo."""
    facts = examine(file, limits=LIMITS, gate=GATE)
    blob_key = keep(file, photo_id, key, store, random_bytes)
    return Taken(blob_key, sha256, size, facts)


def drop(taken: Taken, store: BlobStore) -> None:
    """Let go of a photo whose row was surely not written; where that fails, the sweep finds it."""
    with suppress(Refusal):
        store.delete(taken.blob_key)


def keep(
    file: BinaryIO, photo_id: UUID, key: DataKey, store: BlobStore, random_bytes: Callable[[int], bytes]
) -> str:
    """Seal a file and make it durable under a new random key; returns the key."""
    name = random_bytes(20).hex()
    blob_key = f"{name[:2]}/{name[2:4]}/{name[4:]}"
    with store.spool() as sealed:
        file.seek(0)
        seal_stream(file, sealed, key, photo_id.bytes)
        sha256, size = digest_of(sealed)
        store.put(blob_key, sealed, size=size, sha256=sha256)
    return blob_key
