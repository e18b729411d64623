"""Blobs in any S3 store: create-only, checked by our own digest, and never waited for longer than ten seconds."""

import base64
import datetime as dt
import hashlib
import io
import logging
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar, cast

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from server.errors import Refusal, StoreFull, Unavailable
from server.storage.base import (
    CHUNK,
    BlobDamaged,
    BlobExists,
    BlobMissing,
    BlobStat,
    Source,
    checked_key,
    checked_prefix,
    is_key,
)
from server.storage.faults import disk_faults, full_disk
from server.storage.reading import TROUBLE, Paced, Reading
from server.storage.waiting import Seat, WaitingRoom

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_LOG = logging.getLogger(__name__)
_T = TypeVar("_T")
_FULL = frozenset(
    {
        "QuotaExceeded",
        "InsufficientStorage",
        "XMinioStorageFull",
        "XMinioAdminBucketQuotaExceeded",
        "ServiceQuotaExceededException",
    }
)
_AGAIN = frozenset(
    {"SlowDown", "RequestTimeout", "ConditionalRequestConflict", "InternalError", "ServiceUnavailable"}
)
_PROBE = ".writable"


@dataclass(frozen=True)
class S3Settings:
    """Which bucket, and how long to wait for it (seconds).

    A request takes at most `connect` + 1 (the server's leave to send) + `read`. Nothing new is begun when that could
    pass `total`, and a body that is still on its way `read` before `total` is given up. `pool_size` is how many
    requests of a process may wait at once: far fewer than it has threads, so that a store that hangs leaves some.
    """

    bucket: str
    prefix: str = ""
    endpoint_url: str | None = None
    pool_size: int = 16
    spool_dir: Path | None = None
    connect: float = 2.0
    read: float = 5.0
    total: float = 10.0
    access_key: str | None = None
    secret_key: str | None = None
    region: str | None = None


class S3Store:
    """Blobs in a bucket, under `prefix/key`; safe to use from many threads."""

    def __init__(self, settings: S3Settings, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._bucket = settings.bucket
        self._inside = f"{settings.prefix}/" if settings.prefix else ""
        self._clock = clock
        self._room = WaitingRoom(settings.pool_size)
        session = boto3.session.Session(
            aws_access_key_id=settings.access_key,
            aws_secret_access_key=settings.secret_key,
            region_name=settings.region,
        )
        self._client: S3Client = session.client(
            "s3",
            endpoint_url=settings.endpoint_url,
            region_name=session.region_name or "us-east-1",
            config=Config(
                connect_timeout=settings.connect,
                read_timeout=settings.read,
                # Repeats are ours, since only we know how much time is left.
                retries={"total_max_attempts": 1, "mode": "standard"},
                max_pool_connections=settings.pool_size,
                # Stores other than AWS fail on the default checksums over HTTPS.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
                s3={"addressing_style": "path"} if settings.endpoint_url else {},
                signature_version="s3v4",
            ),
        )

    def put(self, key: str, source: Source, *, size: int, sha256: bytes | None = None) -> None:
        checked_key(key)
        began = self._clock()
        with disk_faults():
            if isinstance(source, Path):
                with source.open("rb") as file:
                    self._put(key, file, size, sha256, began)
            elif isinstance(source, bytes):
                self._put(key, io.BytesIO(source), size, sha256, began)
            else:
                self._put(key, source, size, sha256, began)

    def open(self, key: str, offset: int = 0, length: int | None = None) -> BinaryIO:
        if offset < 0 or (length is not None and length < 0):
            raise ValueError("offset and length count bytes")
        if length == 0:
            return io.BytesIO()
        last = "" if length is None else str(offset + length - 1)
        asked: dict[str, Any] = {"Range": f"bytes={offset}-{last}"} if offset or length is not None else {}
        began, name = self._clock(), self._name(key)
        seat = self._room.seat()
        try:
            answer = self._ask_seated(
                lambda: self._client.get_object(Bucket=self._bucket, Key=name, **asked), began, seat
            )
        except ClientError as error:
            if _code(error) == "InvalidRange":
                return io.BytesIO()
            if _status(error) == 404:  # noqa: PLR2004
                raise BlobMissing from None
            raise _refused(error) from error
        return cast(
            "BinaryIO",
            io.BufferedReader(Reading(answer["Body"], self._settings.total, self._clock, seat), CHUNK),
        )

    def stat(self, key: str) -> BlobStat | None:
        return self._stat(key, self._clock())

    def delete(self, key: str) -> None:
        try:
            self._ask(
                lambda: self._client.delete_object(Bucket=self._bucket, Key=self._name(key)), self._clock()
            )
        except ClientError as error:
            raise _refused(error) from error

    def list(self, prefix: str = "", after: str | None = None, limit: int = 1000) -> Sequence[BlobStat]:
        checked_prefix(prefix)
        found: list[BlobStat] = []
        while len(found) < limit:
            page, after = self._page(prefix, after, min(1000, limit - len(found)))
            found += page
            if after is None:
                break
        return tuple(found)

    def check_writable(self) -> None:
        name = self._inside + _PROBE
        try:
            self._ask(lambda: self._client.put_object(Bucket=self._bucket, Key=name, Body=b""), self._clock())
        except ClientError as error:
            raise _refused(error) from error

    def free_bytes(self) -> int | None:
        return None

    @contextmanager
    def spool(self) -> Iterator[BinaryIO]:
        with disk_faults():
            file = cast("BinaryIO", tempfile.TemporaryFile(dir=self._settings.spool_dir))  # noqa: SIM115
        with full_disk(), file:
            yield file

    def sweep_temporary(self, older_than: dt.datetime) -> int:  # noqa: ARG002  (the protocol's)
        # Spooled files have no name, so a killed process leaves none.
        return 0

    def _name(self, key: str) -> str:
        return self._inside + checked_key(key)

    def _put(self, key: str, source: BinaryIO, size: int, announced: bytes | None, began: float) -> None:
        sha256, md5 = _compare(source, size, announced)
        patience = self._settings.total - self._settings.read

        def send() -> None:
            source.seek(0)
            self._client.put_object(
                Bucket=self._bucket,
                Key=self._name(key),
                Body=cast("Any", Paced(source, lambda: self._clock() - began < patience)),
                ContentLength=size,
                ContentMD5=base64.b64encode(md5).decode(),
                ChecksumSHA256=base64.b64encode(sha256).decode(),
                ContentType="application/octet-stream",
                IfNoneMatch="*",
                Metadata={"sha256": sha256.hex()},
            )

        refusal: Refusal | None = None
        try:
            self._ask(send, began)
        except ClientError as error:
            refusal = BlobExists() if _status(error) == 412 else _refused(error)  # noqa: PLR2004
            if not isinstance(refusal, BlobExists | StoreFull):
                raise refusal from error
        # After a refusal it may still be there: our own put whose answer was lost, or a repeat when no room is left.
        there = self._stat(key, began)
        if there is None:
            raise refusal if isinstance(refusal, StoreFull) else Unavailable
        if (there.size, there.sha256) != (size, sha256):
            raise refusal or BlobDamaged

    def _stat(self, key: str, began: float) -> BlobStat | None:
        try:
            facts = self._ask(
                lambda: self._client.head_object(Bucket=self._bucket, Key=self._name(key)), began
            )
        except ClientError as error:
            if _status(error) == 404:  # noqa: PLR2004
                return None
            raise _refused(error) from error
        try:
            digest = bytes.fromhex(facts["Metadata"].get("sha256", "")) or None
            modified = facts["LastModified"].astimezone(dt.UTC)
            return BlobStat(key=key, size=facts["ContentLength"], modified=modified, sha256=digest)
        except (KeyError, ValueError) as error:
            # Something answers that is not the store, or the object is not ours.
            raise Unavailable from error

    def _page(self, prefix: str, after: str | None, limit: int) -> tuple[Sequence[BlobStat], str | None]:
        asked: dict[str, Any] = {"StartAfter": self._inside + after} if after else {}
        try:
            answer = self._ask(
                lambda: self._client.list_objects_v2(
                    Bucket=self._bucket, Prefix=self._inside + prefix, MaxKeys=limit, **asked
                ),
                self._clock(),
            )
        except ClientError as error:
            raise _refused(error) from error
        contents = answer.get("Contents", [])
        page = [
            BlobStat(key=key, size=entry["Size"], modified=entry["LastModified"].astimezone(dt.UTC))
            for entry in contents
            if is_key(key := entry["Key"].removeprefix(self._inside))
        ]
        more = answer.get("IsTruncated") and contents
        return page, contents[-1]["Key"].removeprefix(self._inside) if more else None

    def _ask(self, request: Callable[[], _T], began: float) -> _T:
        """Make a request when there is a seat to wait in."""
        seat = self._room.seat()
        answer = self._ask_seated(request, began, seat)
        seat.well()
        return answer

    def _ask_seated(self, request: Callable[[], _T], began: float, seat: Seat) -> _T:
        """Make a request; the seat is given back when it fails, and is the caller's when it succeeds."""
        try:
            return self._insist(request, began)
        except ClientError as error:
            seat.well() if _status(error) < 500 else seat.failed()  # noqa: PLR2004
            raise
        except BaseException:
            seat.failed()
            raise

    def _insist(self, request: Callable[[], _T], began: float) -> _T:
        """Make a request, and again while it fails for a passing reason and there is time.

        Gives ClientError to the caller when the store answered with a refusal of its own; anything else that goes
        wrong is Unavailable.
        """
        longest = self._settings.connect + 1 + self._settings.read
        cause: Exception | None = None
        for pause in (0.0, 0.1, 0.4):
            if self._clock() - began + pause > self._settings.total - longest:
                break
            time.sleep(pause)
            try:
                return request()
            except ClientError as error:
                if _status(error) < 500 and _code(error) not in _AGAIN:  # noqa: PLR2004
                    raise
                cause = error
            except TROUBLE as error:
                cause = error
        if isinstance(cause, ClientError):
            raise cause
        _LOG.warning("S3 does not answer in time: %s", type(cause).__name__)
        raise Unavailable from cause


def _compare(source: BinaryIO, size: int, announced: bytes | None) -> tuple[bytes, bytes]:
    source.seek(0)
    digest, md5, count = hashlib.sha256(), hashlib.md5(usedforsecurity=False), 0
    while count <= size and (chunk := source.read(CHUNK)):
        digest.update(chunk)
        md5.update(chunk)
        count += len(chunk)
    sha256 = digest.digest()
    if count != size or (announced is not None and announced != sha256):
        raise BlobDamaged
    return sha256, md5.digest()


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _status(error: ClientError) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def _refused(error: ClientError) -> Unavailable | StoreFull:
    """Tell a full store from one that cannot serve; the store's own words go to the log only."""
    _LOG.warning("S3 refused: %s (%s)", _code(error), _status(error))
    if _code(error) in _FULL or _status(error) == 507:  # noqa: PLR2004
        return StoreFull()
    return Unavailable()
