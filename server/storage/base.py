"""What the house asks of a place that keeps blobs, whichever it is."""

import datetime as dt
import re
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from server.errors import Broken, Conflict, Unavailable

Source = BinaryIO | Path | bytes

CHUNK = 1 << 18
_KEY = re.compile(r"(?=.{8,80}\Z)[a-z0-9]+(?:/[a-z0-9]+)*\Z")
_PREFIX = re.compile(r"[a-z0-9/]{0,80}\Z")


class BlobExists(Conflict):
    """Other bytes are already kept under this key; a stored blob is never replaced."""

    title = "文件已存在"
    detail = "这个编号下已保存了另一份文件，原文件不会被替换。"


class BlobMissing(Broken):
    """A record points to a blob that the store does not have; an administrator has to restore it."""

    title = "文件不在"
    detail = "没有找到保存的文件，请告知管理员。"


class BlobDamaged(Unavailable):
    """The bytes that reached the store are not those that were announced; nothing was kept, send them again."""

    title = "文件传输出错"
    detail = "文件保存时出错，请重新上传，手机里的照片不要删除。"


@dataclass(frozen=True, slots=True)
class BlobStat:
    """What a store says about a blob without reading it.

    `size` in bytes, `modified` an aware instant, `sha256` the digest recorded when it was put, or None when this
    store (or a listing of it) keeps none.
    """

    key: str
    size: int
    modified: dt.datetime
    sha256: bytes | None = None


class BlobStore(Protocol):
    """A place that keeps blobs. Every failure is a `Refusal`: `StoreFull` (507) or `Unavailable` (503).

    Keys are random, 8 to 80 characters of `a-z0-9` in parts divided by `/`; another key is a ValueError.
    """

    def put(self, key: str, source: Source, *, size: int, sha256: bytes | None = None) -> None:
        """Keep `size` bytes under a new key, durable on return; `BlobDamaged` when they have another digest.

        Without `sha256` there is none to compare with: the caller made the bytes a moment ago in this process. The
        source is read from its beginning. The same bytes under the same key again are a success, other bytes
        `BlobExists`. Nothing may write to a spooled file any more once it has been put.
        """

    def open(self, key: str, offset: int = 0, length: int | None = None) -> BinaryIO:
        """Read a blob, or `length` bytes of it from `offset`; `BlobMissing` when it is not there."""

    def stat(self, key: str) -> BlobStat | None:
        """Say what is known of a blob, None when it is not there."""

    def delete(self, key: str) -> None:
        """Remove a blob for good; one that is not there is no fault."""

    def list(self, prefix: str = "", after: str | None = None, limit: int = 1000) -> Sequence[BlobStat]:
        """Give the next page of blobs in the order of their keys; the last key of a page is the next `after`."""

    def check_writable(self) -> None:
        """Write a probe, for readiness."""

    def free_bytes(self) -> int | None:
        """Say how much room is left, None when the store does not tell."""

    def spool(self) -> AbstractContextManager[BinaryIO]:
        """Lend a temporary file to receive an upload in; it is gone afterwards, whatever happened."""

    def sweep_temporary(self, older_than: dt.datetime) -> int:
        """Remove temporary files that a killed process left before this instant; says how many."""


def checked_key(key: str) -> str:
    """Give the key back, or raise ValueError: a key is a path in some stores, so nothing else may get through."""
    if not _KEY.match(key):
        raise ValueError("a blob key is 8 to 80 characters of a-z0-9, in parts divided by /")
    return key


def is_key(name: str) -> bool:
    """Say whether something found in a store is a blob of ours."""
    return _KEY.match(name) is not None


def checked_prefix(prefix: str) -> str:
    """Give the prefix of a listing back, or raise ValueError."""
    if not _PREFIX.match(prefix) or prefix.startswith("/") or "//" in prefix:
        raise ValueError("a prefix is the beginning of a blob key")
    return prefix
