"""An object store that is down, hangs, cuts, lies or forgets: no false acknowledgement, 503 in time, others go on.

A real server over a real S3 gateway, with a proxy of ours between them that breaks what goes through, over HTTP and HTTPS.
"""

import secrets
import statistics
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import select

from server.photos.models import Photo
from tests.engines.ceph import S3Endpoint, ceph
from tests.engines.certificates import loopback_tls
from tests.engines.proxy import FaultyProxy, faulty_proxy
from tests.faults.harness import THREADS, WORKERS, Record, call, photo_request, visit_request
from tests.faults.sizes import LONG, seen, size, until
from tests.faults.township import Township, township

UPLOADS = size("FAULT_STORE_UPLOADS", short=6, long=20)
"""How many phones send a photo at once while the store is in trouble."""
CROWD = WORKERS * THREADS + 12
"""How many when it hangs: more than the server has threads."""
OTHERS = 12
ENDS_WITHIN = 10.0
OTHERS_WITHIN = 2.0
BUSY = b"HTTP/1.1 503 X\r\nContent-Type: application/xml\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%b"
SLOW_DOWN = b"<?xml version='1.0'?><Error><Code>SlowDown</Code></Error>"
REFUSED = BUSY % (len(SLOW_DOWN), SLOW_DOWN)

pytestmark = [pytest.mark.slow, pytest.mark.s3]


@dataclass(frozen=True)
class Trouble:
    """What the proxy does; `after` bytes for the cuts, `delay` seconds, `times` it happens; 503 is the only answer
    unless the store's own repeat or verification `succeeds`."""

    name: str
    fault: str | bytes
    after: int = 0
    delay: float = 0.0
    times: int = 1_000_000
    succeeds: bool = False
    phones: int = UPLOADS


HANGS = Trouble("black hole", "black_hole", phones=CROWD)
LOST = Trouble("reply lost after success", "lost_reply", times=UPLOADS, succeeds=True)
FLIPPED = Trouble("flipped bit", "bit_flip")
ALL = [
    Trouble("down", "down"),
    HANGS,
    Trouble("30 s slow", "slow", delay=30.0, phones=CROWD),
    Trouble("request cut after 20 kB", "cut_after", after=20_000),
    Trouble("answer cut after 40 bytes", "cut_answer", after=40),
    FLIPPED,
    Trouble("503", REFUSED),
    LOST,
    Trouble("every reply lost", "lost_reply"),
]


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Endpoint]:
    with ceph(tmp_path_factory.mktemp("engine")) as running:
        yield running


@pytest.fixture(params=["http", "https"])
def behind(
    request: pytest.FixtureRequest, endpoint: S3Endpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Township, FaultyProxy]]:
    """Give a township whose server reaches the store through the proxy; the test reads from the store directly."""
    keys = {"AWS_ACCESS_KEY_ID": endpoint.access_key, "AWS_SECRET_ACCESS_KEY": endpoint.secret_key}
    for name, value in keys.items():
        monkeypatch.setenv(name, value)
    bucket = endpoint.make_bucket(f"b{secrets.token_hex(8)}")
    tls, trusted = loopback_tls(tmp_path) if request.param == "https" else (None, None)
    with ExitStack() as stack:
        proxy = stack.enter_context(faulty_proxy(endpoint.url, tls))
        server = {"S3_ENDPOINT_URL": proxy.url} | ({"AWS_CA_BUNDLE": str(trusted)} if trusted else {})
        made = township(
            f"sqlite:///{tmp_path}/app.sqlite", f"s3://{bucket}/photos", tmp_path,
            more={"S3_ENDPOINT_URL": endpoint.url}, server=server,
        )  # fmt: skip
        yield stack.enter_context(made), proxy


def send(town: Township, record: Record) -> tuple[int, float]:
    """Send a record's photo; gives status and seconds."""
    began = time.monotonic()
    path, body, kind = photo_request(record, record.photos[0])
    answer = call(
        town.server.port, "POST", path, token=record.token, body=body, content_type=kind, timeout=40
    )
    if answer.status == 503:
        assert answer.json["code"] in {"unavailable", "blob_damaged"}, answer.body
    return answer.status, time.monotonic() - began


def record(town: Township, one: Record) -> float:
    """Record a visit and read it back; gives the seconds of the slower."""
    path, body, kind = visit_request(one)
    took = []
    for method, content in (("PUT", body), ("GET", None)):
        began = time.monotonic()
        answer = call(town.server.port, method, path, token=one.token, body=content, content_type=kind)
        assert answer.status in {200, 201}, answer.body
        took.append(time.monotonic() - began)
    one.answer = 201
    return max(took)


def stored(town: Township, one: Record) -> bool:
    """Say whether the database names a photo's blob; if so the store has it (or the row lies)."""
    with town.world.work() as work:
        key = work.session.get_one(Photo, one.photos[0].photo_id).blob_key
    assert key is None or town.house.store.stat(key) is not None
    return key is not None


def test_no_trouble_of_the_store_is_acknowledged_or_holds_up_others(
    behind: tuple[Township, FaultyProxy], request: pytest.FixtureRequest
) -> None:
    town, proxy = behind
    secure = proxy.url.startswith("https")
    troubles = ALL if LONG else [FLIPPED, LOST] if secure else [HANGS, LOST]
    records = town.records(sum(one.phones + OTHERS for one in troubles) + 1)
    everything = list(records)
    well = records.pop()
    record(town, well)
    assert send(town, well)[0] == 201
    for trouble in troubles:
        phones, others = ([records.pop() for _ in range(count)] for count in (trouble.phones, OTHERS))
        for one in phones:
            record(town, one)
        proxy.after, proxy.delay, proxy.times = trouble.after, trouble.delay, trouble.times
        proxy.fault = trouble.fault
        if trouble.fault == "down":
            proxy.end_open()
        with ThreadPoolExecutor(len(phones)) as pool:
            sending = [pool.submit(send, town, one) for one in phones]
            _let_it_hang(sending)
            waited = [record(town, one) for one in others]
            answers = [one.result() for one in sending]
        statuses = Counter(status for status, _ in answers)
        assert set(statuses) <= ({201, 503} if trouble.succeeds else {503}), trouble.name
        for one, (status, _) in zip(phones, answers, strict=True):
            assert (status == 201) == stored(town, one), f"{trouble.name}: {status}"
        longest = max(took for _, took in answers)
        assert longest <= ENDS_WITHIN, trouble.name
        assert max(waited) <= OTHERS_WITHIN, trouble.name
        proxy.fault = ""
        well_again = time.monotonic()
        for _ in until(15, f"an upload after: {trouble.name}"):
            if send(town, phones[0])[0] in {200, 201}:
                break
        went_on = time.monotonic() - well_again
        for one in [*phones, *others]:
            assert send(town, one)[0] in {200, 201}
        seen(
            f"store {trouble.name}, {'HTTPS' if secure else 'HTTP'}",
            f"{len(phones)} photos at once {dict(statuses)}, the longest {longest:.1f} s; a visit meanwhile "
            f"{statistics.median(waited):.2f} s (median), {max(waited):.2f} s (longest); well after {went_on:.1f} s",
        )
    town.server.kill()
    town.holds_each_once(everything)
    _no_orphan_is_left_past_the_grace(town)


def _let_it_hang(sending: Sequence[Future[tuple[int, float]]]) -> None:
    """Wait until somebody has an answer, or has none after so long that a server without seats has no thread left."""
    patience = time.monotonic() + 3.0
    while time.monotonic() < patience and not any(one.done() for one in sending):
        time.sleep(0.02)


def _no_orphan_is_left_past_the_grace(town: Township) -> None:
    with town.world.work() as work:
        named = set(work.session.scalars(select(Photo.blob_key)))
    orphans = {blob.key for blob in town.house.store.list(limit=100_000)} - named
    town.sweep_after_the_grace()
    town.holds_only_named_blobs()
    seen("orphans in the store", f"{len(orphans)} before the grace, none after it")
