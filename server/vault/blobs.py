"""Photos and other files, sealed under a person's key as a stream of chunks with bounded memory.

The STREAM construction: AES-256-GCM over chunks, each nonce being 7 random bytes, the chunk's number in 4 bytes and
one byte that marks the last chunk, so that cutting, reordering, repeating or appending is found. Header, 48 bytes:
magic `TFBL`, version (1), id of the data key (16), chunk size (4), salt (16), nonce prefix (7). The blob's own
key is derived from the data key and the salt, so that blobs and fields never share a nonce. Header and the caller's
associated data are authenticated with every chunk.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import BinaryIO
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from server.vault.fields import DataKey, SealBroken

CHUNK_BYTES = 1 << 20
_LARGEST_CHUNK = 4 << 20  # a hostile header may not ask for more memory than this
_TAG_BYTES = 16
_SALT_BYTES = 16
_PREFIX_BYTES = 7
_PURPOSE = b"tanfang blob v1"
_MAGIC = b"TFBL"
_VERSION = 1
_HEADER = struct.Struct(">4sB16sI16s7s")


@dataclass(frozen=True, slots=True)
class SealedSize:
    """How many bytes went in and how many came out."""

    plain: int
    sealed: int


def seal_stream(
    source: BinaryIO, target: BinaryIO, key: DataKey, aad: bytes, *, chunk_bytes: int = CHUNK_BYTES
) -> SealedSize:
    """Seal what `source` holds into `target`; holds two chunks in memory.

    `aad` says what the blob is (such as the photo's id) and is needed to open it. Flushing, syncing and renaming
    are the business of the store.
    """
    if not 0 < chunk_bytes <= _LARGEST_CHUNK:
        raise ValueError(f"a chunk has 1 to {_LARGEST_CHUNK} bytes")
    salt, prefix = key.random_bytes(_SALT_BYTES), key.random_bytes(_PREFIX_BYTES)
    header = _HEADER.pack(_MAGIC, _VERSION, key.key_id.bytes, chunk_bytes, salt, prefix)
    cipher, bound = key.derived(_PURPOSE, salt), header + aad
    target.write(header)
    plain = 0
    sealed = len(header)
    for number, (chunk, is_last) in enumerate(_chunks(source, chunk_bytes)):
        content = cipher.encrypt(_nonce(prefix, number, is_last=is_last), chunk, bound)
        target.write(content)
        plain += len(chunk)
        sealed += len(content)
    return SealedSize(plain, sealed)


def seal_bytes(content: bytes, key: DataKey, aad: bytes) -> bytes:
    """Seal a small blob in memory, such as a thumbnail or a signature."""
    target = BytesIO()
    seal_stream(BytesIO(content), target, key, aad)
    return target.getvalue()


def open_stream(source: BinaryIO, key: DataKey, aad: bytes) -> Iterator[bytes]:
    """Open a sealed blob, chunk by chunk; holds two chunks in memory.

    Header and first chunk are checked before this returns, so a web answer can still become an error. What was
    yielded is genuine, but complete only when the iterator has ended. Raises SealBroken for whatever was changed.
    """
    header = _read(source, _HEADER.size)
    if len(header) != _HEADER.size:
        raise SealBroken("the blob is cut off in its header")
    magic, version, key_id, chunk_bytes, salt, prefix = _HEADER.unpack(header)
    if magic != _MAGIC or version != _VERSION or not 0 < chunk_bytes <= _LARGEST_CHUNK:
        raise SealBroken("this is not a sealed blob of a known version")
    if key_id != key.key_id.bytes:
        raise SealBroken("the blob is sealed under another key")
    opened = _opened(source, key.derived(_PURPOSE, salt), header + aad, prefix, chunk_bytes)
    first = next(opened)
    return _after(first, opened)


def open_bytes(source: BinaryIO | bytes, key: DataKey, aad: bytes) -> bytes:
    """Open a whole blob in memory. Raises SealBroken for whatever was changed."""
    stream = BytesIO(source) if isinstance(source, bytes) else source
    return b"".join(open_stream(stream, key, aad))


def key_of_blob(header: bytes) -> UUID:
    """Name the data key that a blob was sealed under, from its first 48 bytes. Raises SealBroken if it is none."""
    if len(header) < _HEADER.size or not header.startswith(_MAGIC):
        raise SealBroken("this is not a sealed blob")
    return UUID(bytes=_HEADER.unpack_from(header)[2])


def sealed_size(plain: int, *, chunk_bytes: int = CHUNK_BYTES) -> int:
    """Say how many bytes a blob of `plain` bytes has when it is sealed."""
    chunks = max(1, -(-plain // chunk_bytes))
    return _HEADER.size + plain + chunks * _TAG_BYTES


def _opened(
    source: BinaryIO, cipher: AESGCM, bound: bytes, prefix: bytes, chunk_bytes: int
) -> Iterator[bytes]:
    for number, (chunk, is_last) in enumerate(_chunks(source, chunk_bytes + _TAG_BYTES)):
        try:
            yield cipher.decrypt(_nonce(prefix, number, is_last=is_last), chunk, bound)
        except (InvalidTag, ValueError) as broken:
            raise SealBroken("the blob was changed, cut off or put together from parts") from broken


def _after(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


def _chunks(source: BinaryIO, size: int) -> Iterator[tuple[bytes, bool]]:
    # One chunk ahead, since the last one is marked; an empty source has one empty chunk, the last.
    chunk = _read(source, size)
    while following := _read(source, size):
        yield chunk, False
        chunk = following
    yield chunk, True


def _read(source: BinaryIO, size: int) -> bytes:
    # A raw file, a pipe or an S3 body may hand out less than it was asked for.
    content = source.read(size)
    if len(content) == size or not content:
        return content
    parts = [content]
    missing = size - len(content)
    while missing and (part := source.read(missing)):
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)


def _nonce(prefix: bytes, number: int, *, is_last: bool) -> bytes:
    return prefix + number.to_bytes(4, "big") + (b"\x01" if is_last else b"\x00")
