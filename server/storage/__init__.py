"""Blobs: sealed bytes under random keys, in a folder of this machine or in an S3 store."""

from server.storage.base import BlobDamaged, BlobExists, BlobMissing, BlobStat, BlobStore
from server.storage.opening import open_store

__all__ = ["BlobDamaged", "BlobExists", "BlobMissing", "BlobStat", "BlobStore", "open_store"]
