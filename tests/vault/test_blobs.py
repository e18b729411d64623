"""Sealed blobs: whole or not at all, in bounded memory."""

import io
import tracemalloc
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from server.vault.blobs import (
    CHUNK_BYTES,
    SealedSize,
    key_of_blob,
    open_bytes,
    open_stream,
    seal_bytes,
    seal_stream,
    sealed_size,
)
from server.vault.fields import DataKey, SealBroken

KEY = DataKey(UUID(int=0xABC), b"k" * 32)
AAD = b"photo:1"
HEADER = 48
CHUNK = 16  # small, so that short contents have many chunks
SEALED_CHUNK = CHUNK + 16

contents = st.binary(max_size=5 * CHUNK)


def seal(content: bytes, chunk_bytes: int = CHUNK, key: DataKey = KEY, aad: bytes = AAD) -> bytes:
    target = io.BytesIO()
    seal_stream(io.BytesIO(content), target, key, aad, chunk_bytes=chunk_bytes)
    return target.getvalue()


class Dripping(io.BytesIO):
    """Hands out less than it is asked for, as sockets and raw files do."""

    def read(self, size: int | None = -1) -> bytes:
        return super().read(min(3, size) if size is not None and size > 0 else size)


@given(contents, st.integers(1, 40))
def test_every_content_comes_back(content: bytes, chunk_bytes: int) -> None:
    sealed = seal(content, chunk_bytes)
    assert b"".join(open_stream(io.BytesIO(sealed), KEY, AAD)) == content
    assert open_bytes(sealed, KEY, AAD) == content
    assert open_bytes(io.BytesIO(sealed), KEY, AAD) == content


@given(contents, st.integers(1, 40))
def test_sizes_are_told_truly_and_beforehand(content: bytes, chunk_bytes: int) -> None:
    target = io.BytesIO()
    size = seal_stream(io.BytesIO(content), target, KEY, AAD, chunk_bytes=chunk_bytes)
    assert size == SealedSize(len(content), len(target.getvalue()))
    assert sealed_size(len(content), chunk_bytes=chunk_bytes) == size.sealed


@given(contents)
def test_a_source_that_drips_makes_no_difference(content: bytes) -> None:
    target = io.BytesIO()
    seal_stream(Dripping(content), target, KEY, AAD, chunk_bytes=CHUNK)
    assert open_bytes(Dripping(target.getvalue()), KEY, AAD) == content


@pytest.mark.parametrize("size", [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES])
def test_the_borders_of_a_chunk_are_right(size: int) -> None:
    content = bytes(range(256)) * (size // 256 + 1)
    assert open_bytes(seal_bytes(content[:size], KEY, AAD), KEY, AAD) == content[:size]


def test_nothing_of_the_content_shows() -> None:
    content = b"\xff\xd8\xff\xe1 Exif of a phone" * 10
    sealed = seal(content)
    assert not any(content[at : at + 4] in sealed for at in range(len(content) - 4))
    assert seal(content) != sealed


@given(contents, st.data())
def test_any_flipped_bit_is_found(content: bytes, data: st.DataObject) -> None:
    sealed = bytearray(seal(content))
    sealed[data.draw(st.integers(0, len(sealed) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(SealBroken):
        open_bytes(bytes(sealed), KEY, AAD)


@given(contents, st.data())
def test_any_cut_is_found(content: bytes, data: st.DataObject) -> None:
    sealed = seal(content)
    with pytest.raises(SealBroken):
        open_bytes(sealed[: data.draw(st.integers(0, len(sealed) - 1))], KEY, AAD)


@pytest.mark.parametrize("chunks", [0, 1, 2, 3])
def test_a_cut_at_the_end_of_a_chunk_is_found(chunks: int) -> None:
    sealed = seal(b"x" * 4 * CHUNK)
    with pytest.raises(SealBroken):
        open_bytes(sealed[: HEADER + chunks * SEALED_CHUNK], KEY, AAD)


@given(contents, st.binary(min_size=1, max_size=3 * SEALED_CHUNK))
def test_anything_appended_is_found(content: bytes, added: bytes) -> None:
    with pytest.raises(SealBroken):
        open_bytes(seal(content) + added, KEY, AAD)


@given(st.permutations(range(5)), st.binary(min_size=4 * CHUNK + 1, max_size=5 * CHUNK))
def test_chunks_in_another_order_are_found(order: list[int], content: bytes) -> None:
    assume(order != sorted(order))
    sealed = seal(content)
    chunks = [sealed[at : at + SEALED_CHUNK] for at in range(HEADER, len(sealed), SEALED_CHUNK)]
    with pytest.raises(SealBroken):
        open_bytes(sealed[:HEADER] + b"".join(chunks[at] for at in order), KEY, AAD)


@given(st.integers(0, 4), st.integers(0, 4))
def test_a_repeated_or_left_out_chunk_is_found(at: int, instead: int) -> None:
    sealed = seal(bytes(range(5 * CHUNK)))
    chunks = [sealed[start : start + SEALED_CHUNK] for start in range(HEADER, len(sealed), SEALED_CHUNK)]
    for changed in (chunks[:at] + chunks[at + 1 :], [*chunks[:at], chunks[instead], *chunks[at:]]):
        with pytest.raises(SealBroken):
            open_bytes(sealed[:HEADER] + b"".join(changed), KEY, AAD)


def test_chunks_of_two_blobs_do_not_mix() -> None:
    one, other = seal(b"a" * 2 * CHUNK), seal(b"b" * 2 * CHUNK)
    mixed = one[: HEADER + SEALED_CHUNK] + other[HEADER + SEALED_CHUNK :]
    with pytest.raises(SealBroken):
        open_bytes(mixed, KEY, AAD)


@pytest.mark.parametrize("aad", [b"", b"photo:2", AAD + b"1"])
def test_a_blob_under_another_name_does_not_open(aad: bytes) -> None:
    with pytest.raises(SealBroken):
        open_bytes(seal(b"x"), KEY, aad)


@pytest.mark.parametrize("key", [DataKey(KEY.key_id, b"j" * 32), DataKey(UUID(int=0xDEF), b"k" * 32)])
def test_another_key_opens_no_blob(key: DataKey) -> None:
    with pytest.raises(SealBroken):
        open_bytes(seal(b"x"), key, AAD)


@given(st.binary(max_size=200))
def test_what_was_never_sealed_is_no_blob(content: bytes) -> None:
    with pytest.raises(SealBroken):
        open_bytes(content, KEY, AAD)


def test_header_and_first_chunk_are_checked_before_anything_is_sent() -> None:
    sealed = bytearray(seal(b"x" * 2 * CHUNK))
    sealed[HEADER] ^= 1
    with pytest.raises(SealBroken):
        open_stream(io.BytesIO(bytes(sealed)), KEY, AAD)


def test_a_later_change_is_found_before_its_chunk_is_yielded() -> None:
    sealed = bytearray(seal(b"x" * 2 * CHUNK))
    sealed[-1] ^= 1
    opened = open_stream(io.BytesIO(bytes(sealed)), KEY, AAD)
    assert next(opened) == b"x" * CHUNK
    with pytest.raises(SealBroken):
        next(opened)


def test_a_header_cannot_ask_for_much_memory() -> None:
    sealed = bytearray(seal(b"x"))
    sealed[21:25] = b"\xff\xff\xff\xff"
    with pytest.raises(SealBroken, match="known version"):
        open_bytes(bytes(sealed), KEY, AAD)


@pytest.mark.parametrize("chunk_bytes", [0, -1, 1 << 30])
def test_a_chunk_size_is_sensible(chunk_bytes: int) -> None:
    with pytest.raises(ValueError, match="chunk"):
        seal(b"x", chunk_bytes)


def test_a_blob_names_its_key() -> None:
    sealed = seal(b"x")
    assert key_of_blob(sealed[:HEADER]) == KEY.key_id
    for broken in (b"", sealed[: HEADER - 1], b"X" + sealed[1:]):
        with pytest.raises(SealBroken):
            key_of_blob(broken)


class Zeros(io.RawIOBase):
    """Many bytes that are nowhere in memory."""

    def __init__(self, size: int) -> None:
        self.left = size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        size = min(len(buffer), self.left)
        buffer[:size] = bytes(size)
        self.left -= size
        return size


def test_a_large_blob_takes_little_memory(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("blobs") / "sealed"
    size = 24 * CHUNK_BYTES
    tracemalloc.start()
    try:
        with path.open("wb") as target:
            seal_stream(io.BufferedReader(Zeros(size)), target, KEY, AAD)
        with path.open("rb") as source:
            opened = sum(len(chunk) for chunk in chunks_of(source))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert opened == size
    assert peak < 6 * CHUNK_BYTES


def chunks_of(source: io.BufferedReader) -> Iterator[bytes]:
    return open_stream(source, KEY, AAD)
