"""Copies photos, sealed as they are, from one store to another; what is there already is left alone.

The database is copied first and the photos after it, so that every photo that a restored row names is there: a photo is
stored before its row, and nothing that a row ever named is deleted within the grace of 30 days (photos/sweeping.py).
"""

import hashlib
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

from server.errors import Refusal
from server.keeping.terms import KeepingRefused
from server.storage import BlobMissing, BlobStat, BlobStore
from server.storage.base import CHUNK

PAGE = 500
SLICE = 64
THREADS = 8


def copy_new(source: BlobStore, target: BlobStore) -> Iterator[int]:
    """Copy what the target lacks; yields now and then how many were copied."""
    with ThreadPoolExecutor(THREADS) as pool:
        for page in missing(source, target):
            yield sum(pool.map(lambda key: copy(source, target, key), page))


def copy_named(source: BlobStore, target: BlobStore, keys: Iterable[str]) -> int:
    """Copy these photos, unless they are there; returns how many were copied."""
    with ThreadPoolExecutor(THREADS) as pool:
        return sum(pool.map(lambda key: copy(source, target, key), keys))


def copy(source: BlobStore, target: BlobStore, key: str) -> int:
    """Copy one photo; 0 when it is there already, or no longer anywhere (a photo let go of, a small picture swept)."""
    try:
        there = target.stat(key)
        known = source.stat(key)
        if known is None or (there is not None and there.size == known.size):
            return 0
        with target.spool() as spooled:
            digest, size = hashlib.sha256(), 0
            with source.open(key) as sealed:
                while chunk := sealed.read(CHUNK):
                    spooled.write(chunk)
                    digest.update(chunk)
                    size += len(chunk)
            if size != known.size or known.sha256 not in {None, digest.digest()}:
                raise KeepingRefused(
                    "照片在复制途中与存储里登记的不一致，请用 flask photos scrub 检查照片存储。"
                )
            target.put(key, spooled, size=size, sha256=digest.digest())
    except BlobMissing:
        return 0
    except Refusal as refusal:
        raise KeepingRefused(f"照片复制不了：{refusal.detail}") from None
    return 1


def missing(source: BlobStore, target: BlobStore) -> Iterator[list[str]]:
    """Give the keys that the target lacks, walking through both listings side by side, a page at a time in memory."""

    def lacking() -> Iterator[str]:
        there = _listed(target)
        other = next(there, None)
        for blob in _listed(source):
            while other is not None and other.key < blob.key:
                other = next(there, None)
            if other is None or other.key != blob.key or other.size != blob.size:
                yield blob.key

    keys = lacking()
    while page := list(islice(keys, SLICE)):
        yield page


def _listed(store: BlobStore) -> Iterator[BlobStat]:
    after: str | None = None
    try:
        while page := store.list(after=after, limit=PAGE):
            yield from page
            after = page[-1].key
    except Refusal as refusal:
        raise KeepingRefused(f"照片存储现在不能读取：{refusal.detail}") from None
