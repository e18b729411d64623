"""What happens when the S3 store is down, slow, cut off, full, or its answer is lost: never a false success."""

import hashlib
import io
import secrets
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from server.errors import StoreFull, Unavailable
from server.storage import BlobExists
from server.storage.s3 import S3Settings, S3Store
from tests.engines.ceph import S3Endpoint
from tests.engines.proxy import FaultyProxy, faulty_proxy

pytestmark = pytest.mark.s3

KEY = "ab/cdef0123456789"
BYTES = b"sealed" * 50_000
DIGEST = hashlib.sha256(BYTES).digest()


def put(store: S3Store, data: bytes = BYTES) -> None:
    store.put(KEY, io.BytesIO(data), size=len(data), sha256=hashlib.sha256(data).digest())


@pytest.fixture
def proxy(s3_endpoint: S3Endpoint) -> Iterator[FaultyProxy]:
    with faulty_proxy(s3_endpoint.url) as proxy:
        yield proxy


@pytest.fixture
def behind(hasty: S3Settings, proxy: FaultyProxy) -> S3Store:
    return S3Store(replace(hasty, endpoint_url=proxy.url))


@pytest.fixture
def direct(s3_settings: S3Settings) -> S3Store:
    return S3Store(s3_settings)


def answer(status: int, code: str) -> bytes:
    body = (
        f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>secret host name</Message></Error>".encode()
    )
    head = f"HTTP/1.1 {status} X\r\nContent-Type: application/xml\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + b"Connection: close\r\n\r\n" + body


FAULTS: list[str | bytes] = [
    "black_hole",
    "cut",
    "slow",
    "lost_reply",
    answer(503, "SlowDown"),
    answer(500, "InternalError"),
    answer(403, "AccessDenied"),
    answer(404, "NoSuchBucket"),
    b"nonsense\r\n\r\n",
]


@pytest.mark.parametrize("fault", FAULTS)
def test_no_fault_gives_a_false_success_and_each_ends_in_time(
    behind: S3Store, direct: S3Store, proxy: FaultyProxy, fault: str | bytes
) -> None:
    calls: list[Callable[[], object]] = [
        lambda: put(behind),
        behind.check_writable,
        behind.list,
        lambda: behind.delete(KEY),
    ]
    proxy.fault, proxy.delay = fault, 3.0
    for call in calls:
        began = time.monotonic()
        with pytest.raises(Unavailable) as caught:
            call()
        assert time.monotonic() - began < 2.6 + 0.5
        assert "secret" not in str(caught.value)
        assert caught.value.retry_after
    proxy.fault = ""
    put(behind)
    assert direct.stat(KEY).sha256 == DIGEST


def test_a_put_whose_answer_was_lost_succeeds_by_its_own_repeat(
    behind: S3Store, direct: S3Store, proxy: FaultyProxy
) -> None:
    proxy.fault, proxy.times = "lost_reply", 1
    put(behind)
    assert proxy.times == 0
    assert direct.stat(KEY).sha256 == DIGEST


def test_a_lost_answer_does_not_hide_that_other_bytes_are_there(
    behind: S3Store, direct: S3Store, proxy: FaultyProxy
) -> None:
    put(direct, b"other")
    proxy.fault, proxy.times = "lost_reply", 1
    with pytest.raises(BlobExists):
        put(behind)
    assert direct.stat(KEY).size == 5


def test_an_answer_of_success_from_something_that_kept_nothing_is_not_believed(
    behind: S3Store, proxy: FaultyProxy
) -> None:
    proxy.fault = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    with pytest.raises(Unavailable):
        put(behind)


def test_a_changed_bit_on_the_way_is_not_kept(behind: S3Store, direct: S3Store, proxy: FaultyProxy) -> None:
    proxy.fault = "bit_flip"
    with pytest.raises(Unavailable):
        put(behind)
    assert direct.stat(KEY) is None


def test_an_answer_cut_while_reading_is_unavailable_not_short(
    behind: S3Store, direct: S3Store, proxy: FaultyProxy
) -> None:
    put(direct, BYTES * 20)
    proxy.fault = b"HTTP/1.1 200 OK\r\nContent-Length: 600000\r\nConnection: close\r\n\r\nonly this"
    with pytest.raises(Unavailable), behind.open(KEY) as file:
        file.read()


def test_a_stalled_download_ends_in_time(behind: S3Store, proxy: FaultyProxy) -> None:
    proxy.fault = "black_hole"
    began = time.monotonic()
    with pytest.raises(Unavailable), behind.open(KEY) as file:
        file.read()
    assert time.monotonic() - began < 3.1


def test_a_server_that_is_down_is_unavailable_at_once(s3_settings: S3Settings) -> None:
    store = S3Store(replace(s3_settings, endpoint_url="http://127.0.0.1:9"))
    began = time.monotonic()
    with pytest.raises(Unavailable):
        put(store)
    assert time.monotonic() - began < 2


def test_wrong_keys_are_unavailable_and_say_nothing(s3_settings: S3Settings) -> None:
    store = S3Store(replace(s3_settings, secret_key="wrong"))
    for call in (lambda: put(store), lambda: store.stat(KEY), lambda: store.open(KEY), store.check_writable):
        with pytest.raises(Unavailable) as caught:
            call()
        assert caught.value.detail == Unavailable.detail


def test_a_quota_that_is_used_up_is_a_full_store(s3_endpoint: S3Endpoint, s3_settings: S3Settings) -> None:
    name = f"q{secrets.token_hex(6)}"
    s3_endpoint.admin(
        "user", "create", f"--uid={name}", f"--display-name={name}", f"--access-key={name}", "--secret=S"
    )
    s3_endpoint.admin("quota", "set", "--quota-scope=user", f"--uid={name}", "--max-objects=1")
    s3_endpoint.admin("quota", "enable", "--quota-scope=user", f"--uid={name}")
    replace(s3_endpoint, access_key=name, secret_key="S").make_bucket(name)
    store = S3Store(replace(s3_settings, bucket=name, access_key=name, secret_key="S"))
    put(store)
    with pytest.raises(StoreFull):
        store.put("another1", io.BytesIO(b"x"), size=1, sha256=hashlib.sha256(b"x").digest())
    put(store)


@pytest.mark.parametrize("code", ["XMinioStorageFull", "QuotaExceeded", "Whatever"])
def test_full_stores_of_other_makers_are_known(behind: S3Store, proxy: FaultyProxy, code: str) -> None:
    proxy.fault = answer(507, code)
    with pytest.raises(StoreFull):
        put(behind)


def test_a_bucket_that_is_not_there_is_unavailable_for_writing(s3_settings: S3Settings) -> None:
    store = S3Store(replace(s3_settings, bucket="nobody-made-this"))
    with pytest.raises(Unavailable):
        put(store)
    with pytest.raises(Unavailable):
        store.check_writable()


def test_one_store_serves_many_threads(direct: S3Store) -> None:
    def one(number: int) -> int:
        data = b"%d" % number * 5000
        key = f"ab/{number:010d}"
        direct.put(key, io.BytesIO(data), size=len(data), sha256=hashlib.sha256(data).digest())
        with direct.open(key) as file:
            assert file.read() == data
        return number

    with ThreadPoolExecutor(12) as pool:
        assert sorted(pool.map(one, range(40))) == list(range(40))
    assert len(direct.list()) == 40


def test_listings_longer_than_a_page_of_the_server_are_whole(direct: S3Store) -> None:
    def one(number: int) -> None:
        direct.put(f"k/{number:08d}", io.BytesIO(b""), size=0, sha256=hashlib.sha256(b"").digest())

    with ThreadPoolExecutor(12) as pool:
        list(pool.map(one, range(1005)))
    assert [stat.key for stat in direct.list(limit=5000)] == [f"k/{number:08d}" for number in range(1005)]
