"""Sealed objects in a place of their own: a folder or a bucket, encrypted with the backup key, never replaced.

An object is sealed as photos are (server/vault/blobs.py), bound to its name: one that was changed, cut off, or put in
the place of another does not open. The backup key is none of the key ring's, and lies in no backup.
"""

import base64
import binascii
import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from io import BytesIO
from typing import BinaryIO, Self, cast
from uuid import UUID

from server.errors import Refusal, StoreFull
from server.keeping.terms import ArchiveDamaged, KeepingRefused, Piece
from server.storage import BlobMissing, BlobStore, open_store
from server.vault.blobs import open_stream, seal_stream
from server.vault.fields import KEY_BYTES, DataKey, SealBroken

CHUNK = 1 << 18
PAGE = 1000


def backup_key(text: str | None, random_bytes: Callable[[int], bytes]) -> DataKey:
    """Read the backup key: 32 bytes in base64. Its id is told by its digest, so a wrong key is known as such."""
    if not text:
        raise KeepingRefused(
            "没有设置备份密钥 BACKUP_KEY。请执行 openssl rand -base64 32 生成一把，存入只有 root 可读的文件，"
            "设置 BACKUP_KEY=file:/路径，并另抄一份与密钥环一起保管；没有它备份无法恢复。"
        )
    secret = b""
    with suppress(binascii.Error, ValueError):
        secret = base64.b64decode(text.strip(), validate=True)
    if len(secret) != KEY_BYTES:
        raise KeepingRefused("备份密钥 BACKUP_KEY 不对：应为 32 字节的 base64（openssl rand -base64 32）。")
    mark = hashlib.sha256(b"tanfang backup key v1" + secret).digest()
    return DataKey(UUID(bytes=mark[:16]), secret, random_bytes)


class Archive:
    """One kind of objects of the backup (records, keys, erasures) in one store."""

    def __init__(self, store: BlobStore, key: DataKey, kind: str) -> None:
        self._store = store
        self._key = key
        self._kind = kind

    @classmethod
    def at(cls, url: str, key: DataKey, kind: str, *, s3_endpoint_url: str | None = None) -> Self:
        """Open the archive of a kind at a URL (`file:///folder` or `s3://bucket/prefix`)."""
        return cls(place(f"{url.rstrip('/')}/{kind}", s3_endpoint_url), key, kind)

    def put(self, name: str, source: BinaryIO) -> Piece:
        """Seal a file under a new name; durable on return."""
        counted = _Counted(source)
        with _told(), self._store.spool() as sealed:
            seal_stream(cast("BinaryIO", counted), sealed, self._key, self._bound(name))
            digest, size = hashlib.sha256(), 0
            sealed.seek(0)
            while chunk := sealed.read(CHUNK):
                digest.update(chunk)
                size += len(chunk)
            self._store.put(name, sealed, size=size, sha256=digest.digest())
        return Piece(name, counted.size, counted.digest.hexdigest())

    def put_bytes(self, name: str, content: bytes) -> Piece:
        """Seal a small object."""
        return self.put(name, BytesIO(content))

    def read(self, name: str) -> bytes:
        """Open a small object whole."""
        return b"".join(self._chunks(name))

    def chunks(self, piece: Piece) -> Iterator[bytes]:
        """Open a piece, chunk by chunk; ArchiveDamaged, at the latest at its end, when it is not what was put."""
        digest, size = hashlib.sha256(), 0
        for chunk in self._chunks(piece.name):
            digest.update(chunk)
            size += len(chunk)
            yield chunk
        if (size, digest.hexdigest()) != (piece.size, piece.sha256):
            raise ArchiveDamaged(f"备份文件 {self._kind}/{piece.name} 与清单不符，备份已损坏。")

    def names(self, prefix: str = "", after: str | None = None) -> Iterator[str]:
        """Give the names of all objects, in order."""
        with _told():
            while page := self._store.list(prefix, after=after, limit=PAGE):
                yield from (blob.key for blob in page)
                after = page[-1].key

    def first_after(self, after: str) -> str | None:
        """Give the first name behind another, None at the end."""
        with _told():
            page = self._store.list(after=after, limit=1)
        return page[0].key if page else None

    def has(self, name: str) -> bool:
        """Say whether an object is there."""
        with _told():
            return self._store.stat(name) is not None

    def delete(self, name: str) -> None:
        """Remove an object for good."""
        with _told():
            self._store.delete(name)

    def _bound(self, name: str) -> bytes:
        return f"{self._kind}/{name}".encode()

    def _chunks(self, name: str) -> Iterator[bytes]:
        try:
            with _told(), self._store.open(name) as sealed:
                yield from open_stream(sealed, self._key, self._bound(name))
        except SealBroken as broken:
            if "another key" in str(broken):
                raise KeepingRefused(
                    "备份密钥不对：这份备份是用另一把 BACKUP_KEY 加密的，请换用做备份时的那一把。"
                ) from None
            raise ArchiveDamaged(
                f"备份文件 {self._kind}/{name} 被改动或不完整，不能用来恢复；请改用另一代备份。"
            ) from None


def place(url: str, s3_endpoint_url: str | None = None) -> BlobStore:
    """Open a place for backups; a wrong URL or an unreachable folder is refused in a sentence."""
    try:
        with _told():
            return open_store(url, s3_endpoint_url=s3_endpoint_url)
    except ValueError as wrong:
        raise KeepingRefused(f"备份位置不对（应为 file:///文件夹 或 s3://桶/前缀）：{wrong}") from None


class _Counted:
    """A file that is digested while it is read."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self.size = 0
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        content = self._source.read(size)
        self.size += len(content)
        self.digest.update(content)
        return content


@contextmanager
def _told() -> Iterator[None]:
    """Tell what a store refuses in words about backups."""
    try:
        yield
    except BlobMissing:
        raise ArchiveDamaged("备份中缺少清单所列的文件，备份不完整；请改用另一代备份。") from None
    except StoreFull:
        raise KeepingRefused("备份位置的空间不足，请腾出空间。") from None
    except Refusal:
        raise KeepingRefused("备份位置现在无法读写，请检查磁盘、网络和权限。") from None
