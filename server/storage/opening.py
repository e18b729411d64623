"""Which store a STORAGE_URL names."""

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from server.storage.base import BlobStore
from server.storage.local import LocalStore

LOW_WATER = 200_000_000
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]\Z")
_OBJECT_PREFIX = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(?:/[A-Za-z0-9][A-Za-z0-9._-]*)*\Z")


def open_store(
    url: str,
    *,
    s3_endpoint_url: str | None = None,
    s3_pool_size: int = 16,
    s3_spool_dir: Path | None = None,
    low_water: int = LOW_WATER,
) -> BlobStore:
    """Open the store of `file:///absolute/folder` (made when missing) or `s3://bucket/prefix`.

    `low_water` is how many bytes a local store leaves free for the database. `s3_pool_size` is how many requests
    go to S3 at once. S3 credentials and region come from the usual AWS variables. A wrong url is a ValueError.
    """
    parts = urlsplit(url)
    if parts.query or parts.fragment or "?" in url or "#" in url:
        raise ValueError("STORAGE_URL takes no query and no fragment")
    if parts.scheme == "file":
        folder = Path(unquote(parts.path))
        if parts.netloc or not folder.is_absolute() or folder == Path("/") or "\0" in str(folder):
            raise ValueError("STORAGE_URL must be file:/// and an absolute folder")
        return LocalStore(folder, low_water=low_water)
    if parts.scheme == "s3":
        prefix = parts.path.strip("/")
        if not _BUCKET.match(parts.netloc) or (prefix and not _OBJECT_PREFIX.match(prefix)):
            raise ValueError("STORAGE_URL must be s3://bucket or s3://bucket/prefix")
        # boto3 takes its time to load, which the embedded store need not pay.
        from server.storage.s3 import S3Settings, S3Store

        return S3Store(
            S3Settings(
                bucket=parts.netloc,
                prefix=prefix,
                endpoint_url=s3_endpoint_url,
                pool_size=s3_pool_size,
                spool_dir=s3_spool_dir,
            )
        )
    raise ValueError("STORAGE_URL must be file:///… or s3://bucket/prefix")
