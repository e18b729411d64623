"""What every store promises; the same tests for a folder and for a real S3 server."""

import datetime as dt
import hashlib
import io
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from server.storage import BlobDamaged, BlobExists, BlobMissing, BlobStore

KEY = "ab/cdef0123456789"
BYTES = bytes(range(256)) * 1200


def digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def put(store: BlobStore, key: str = KEY, data: bytes = BYTES) -> None:
    store.put(key, io.BytesIO(data), size=len(data), sha256=digest(data))


def read(store: BlobStore, key: str = KEY, offset: int = 0, length: int | None = None) -> bytes:
    with store.open(key, offset, length) as file:
        return file.read()


def test_what_was_put_is_read_back_whole(store: BlobStore) -> None:
    put(store)
    assert read(store) == BYTES


def test_bytes_in_memory_are_put_with_and_without_a_digest(store: BlobStore) -> None:
    store.put(KEY, BYTES, size=len(BYTES))
    store.put(KEY, BYTES, size=len(BYTES), sha256=digest(BYTES))
    with store.spool() as file:
        file.write(BYTES)
        store.put(KEY, file, size=len(BYTES))
    assert read(store) == BYTES
    with pytest.raises(BlobExists):
        store.put(KEY, BYTES[:-1] + b"x", size=len(BYTES))
    for size, sha256 in ((len(BYTES), bytes(32)), (len(BYTES) - 1, None)):
        with pytest.raises(BlobDamaged):
            store.put("cd/0123456789", BYTES, size=size, sha256=sha256)
    assert read(store) == BYTES
    assert store.stat("cd/0123456789") is None


def test_an_empty_blob_is_a_blob(store: BlobStore) -> None:
    put(store, data=b"")
    assert read(store) == b""
    assert store.stat(KEY).size == 0


@pytest.mark.parametrize(
    ("offset", "length"), [(0, 1), (5, 100), (0, 0), (307_199, 1), (307_100, 5000), (400_000, 5)]
)
def test_a_part_is_read_by_offset_and_length(store: BlobStore, offset: int, length: int) -> None:
    put(store)
    assert read(store, KEY, offset, length) == BYTES[offset : offset + length]


def test_a_part_without_length_goes_to_the_end(store: BlobStore) -> None:
    put(store)
    assert read(store, KEY, 300_000) == BYTES[300_000:]


def test_a_large_blob_is_read_in_pieces(store: BlobStore) -> None:
    data = BYTES * 20
    put(store, data=data)
    with store.open(KEY) as file:
        pieces = list(iter(lambda: file.read(100_000), b""))
    assert b"".join(pieces) == data
    assert len(pieces) > 10


def test_stat_tells_size_and_age(store: BlobStore) -> None:
    assert store.stat(KEY) is None
    put(store)
    stat = store.stat(KEY)
    assert (stat.key, stat.size) == (KEY, len(BYTES))
    assert abs(stat.modified - dt.datetime.now(dt.UTC)) < dt.timedelta(minutes=1)
    assert stat.sha256 in {None, digest(BYTES)}


def test_the_same_bytes_again_are_a_success(store: BlobStore) -> None:
    put(store)
    put(store)
    assert read(store) == BYTES


@pytest.mark.parametrize("other", [b"", BYTES[:-1] + b"x", BYTES + b"x"])
def test_other_bytes_never_replace(store: BlobStore, other: bytes) -> None:
    put(store)
    with pytest.raises(BlobExists):
        put(store, data=other)
    assert read(store) == BYTES


@pytest.mark.parametrize(
    ("size", "sha256"),
    [
        (len(BYTES), bytes(32)),
        (len(BYTES) - 1, digest(BYTES)),
        (len(BYTES) + 1, digest(BYTES)),
        (0, digest(b"")),
    ],
)
def test_bytes_that_are_not_those_announced_are_not_kept(store: BlobStore, size: int, sha256: bytes) -> None:
    with pytest.raises(BlobDamaged):
        store.put(KEY, io.BytesIO(BYTES), size=size, sha256=sha256)
    assert store.stat(KEY) is None


def test_a_spooled_file_is_put_by_handle_and_by_path(store: BlobStore, tmp_path: Path) -> None:
    with store.spool() as file:
        file.write(BYTES)
        store.put(KEY, file, size=len(BYTES), sha256=digest(BYTES))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(BYTES)
    store.put("cd/0123456789", elsewhere, size=len(BYTES), sha256=digest(BYTES))
    assert read(store) == BYTES == read(store, "cd/0123456789")
    assert elsewhere.read_bytes() == BYTES


def test_spools_leave_nothing_whatever_happened(store: BlobStore, tmp_path: Path) -> None:
    with store.spool() as file:
        file.write(BYTES)
    with pytest.raises(ZeroDivisionError), store.spool():
        raise ZeroDivisionError
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    assert store.list() == ()


def test_a_missing_blob_is_told(store: BlobStore) -> None:
    with pytest.raises(BlobMissing):
        store.open(KEY)


def test_delete_removes_and_may_be_repeated(store: BlobStore) -> None:
    put(store)
    store.delete(KEY)
    store.delete(KEY)
    assert store.stat(KEY) is None
    put(store, data=b"other")
    assert read(store) == b"other"


@pytest.mark.parametrize(
    "key",
    ["", "short", "/etc/passwd", "../../etc/passwd", "ab/../cdefgh", "ab//cdefgh", "abcdefgh/", "AB/cdefgh12", "a" * 81,
     ".tmp/abcdefgh", "ab/cdefgh\n", "ab/cdef\0gh", "ab/cdefg%2e", "ab\\cdefgh", "探访探访探访探访", "./abcdefgh"],
)  # fmt: skip
def test_a_key_that_could_be_a_path_elsewhere_is_refused(store: BlobStore, key: str) -> None:
    for call in (store.open, store.stat, store.delete):
        with pytest.raises(ValueError, match="blob key"):
            call(key)
    with pytest.raises(ValueError, match="blob key"):
        put(store, key)


def test_pages_of_a_listing_hold_every_blob_once_in_order(store: BlobStore) -> None:
    keys = sorted(
        [
            "ab/c0000001",
            "ab/c0000002",
            "ab0/00000003",
            "a/b/c/d00004",
            "abcdefg5",
            "ab1/x/000006",
            "zz/z0000007",
        ]
    )
    for key in keys:
        put(store, key, key.encode())
    seen: list[str] = []
    after = None
    while page := store.list(after=after, limit=2):
        assert len(page) <= 2
        seen += [stat.key for stat in page]
        after = seen[-1]
    assert seen == keys
    assert [stat.size for stat in store.list()] == [len(key) for key in keys]
    assert [stat.key for stat in store.list("ab/")] == ["ab/c0000001", "ab/c0000002"]
    assert [stat.key for stat in store.list("ab")] == [key for key in keys if key.startswith("ab")]
    assert store.list("q") == ()


@pytest.mark.parametrize("prefix", ["..", "/", "a//b", ".tmp", "A"])
def test_a_prefix_that_could_be_a_path_is_refused(store: BlobStore, prefix: str) -> None:
    with pytest.raises(ValueError, match="prefix"):
        store.list(prefix)


def test_of_many_putting_at_once_one_wins_and_the_rest_are_told(store: BlobStore) -> None:
    def attempt(number: int) -> str:
        try:
            put(store, data=b"%d" % (number % 4) * 1000)
        except BlobExists:
            return "exists"
        return "kept"

    with ThreadPoolExecutor(16) as pool:
        outcomes = list(pool.map(attempt, range(16)))
    winner = int(read(store)[:1])
    assert outcomes == ["kept" if number % 4 == winner else "exists" for number in range(16)]


def test_a_writable_store_is_ready_and_shows_no_probe(store: BlobStore) -> None:
    store.check_writable()
    store.check_writable()
    assert store.list() == ()
    assert store.free_bytes() is None or store.free_bytes() > 0
