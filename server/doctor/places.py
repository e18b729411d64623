"""Where the data lie: the disks of this machine and the store of the photos."""

import hashlib
import io
import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

from server.doctor.keys import data_folders
from server.doctor.terms import Finding, Part, State
from server.errors import Refusal, StoreFull
from server.settings import Settings
from server.storage.base import BlobExists, BlobStore
from server.storage.opening import LOW_WATER, open_store
from server.tools import Tools

SOON_FULL = 5
MB = 1_000_000


def examine_disks(settings: Settings, *, low_water: int = LOW_WATER) -> Iterator[Finding]:
    """Look at the free space where photos and records are; what is below `low_water` bytes takes nothing in."""
    seen = set()
    for folder in data_folders(settings):
        there = next(path for path in (folder, *folder.parents) if path.exists())
        if (device := there.stat().st_dev) in seen:
            continue
        seen.add(device)
        yield _disk(there, low_water)
    if not seen:
        yield Finding(
            Part.DISK, State.UNKNOWN, "数据不在本机磁盘上。", "在数据库和存储所在的机器上用 df 查看。"
        )


def _disk(folder: Path, low_water: int) -> Finding:
    figures = os.statvfs(folder)
    free = figures.f_bavail * figures.f_frsize
    room = f"{folder} 还剩 {free // MB} MB"
    if figures.f_files and figures.f_favail < SOON_FULL:
        return Finding(
            Part.DISK,
            State.TROUBLE,
            f"{folder} 的文件数（inode）用完了。",
            "删除无用的小文件，用 df -i 查看。",
        )
    if free < low_water:
        return Finding(
            Part.DISK,
            State.TROUBLE,
            f"{room}，已低于 {low_water // MB} MB：照片不再接收（507），登录和查询照常。",
            "马上腾出或增加空间；已确认的记录没有丢失，不必重启。",
        )
    if free < SOON_FULL * low_water:
        return Finding(
            Part.DISK, State.WARNING, f"{room}。", f"低于 {low_water // MB} MB 时不再接收照片，尽快扩容。"
        )
    return Finding(Part.DISK, State.OK, f"{room}。")


def examine_store(settings: Settings, tools: Tools) -> Iterator[Finding]:
    """Write a probe, read it back, see that it cannot be replaced, and delete it."""
    parts = urlsplit(settings.storage_url)
    if parts.scheme == "file" and not Path(unquote(parts.path)).is_dir():
        yield _trouble("存放照片的文件夹不在。", "检查磁盘是否已挂载；第一次安装才新建它。")
        return
    try:
        store = open_store(settings.storage_url, s3_endpoint_url=settings.s3_endpoint_url)
    except ValueError:
        yield _trouble("STORAGE_URL 有误。", "按第 2 节改正。")
        return
    except (Refusal, OSError):
        yield _trouble("存放照片的文件夹不能写。", "检查文件夹的属主和磁盘是否只读。")
        return
    key = f"doctor/{tools.random_bytes(16).hex()}"
    try:
        yield from _probe(store, key, tools.random_bytes(64), tools.random_bytes(64))
    except StoreFull:
        yield _trouble("存储空间不足。", "腾出空间；手机会自己重试。")
    except (Refusal, OSError):
        yield _trouble(
            "照片存储没有应答，或拒绝写入。",
            "看存储是否在运行、地址和访问密钥是否正确；走访照常录入，照片稍后补传。",
        )


def _probe(store: BlobStore, key: str, first: bytes, second: bytes) -> Iterator[Finding]:
    _put(store, key, first)
    try:
        with store.open(key) as there:
            same = there.read() == first
        kept = _is_kept(store, key, second)
    finally:
        store.delete(key)
    if not same:
        yield _trouble("写入后读回的内容不一样。", "存储正在损坏数据：停止上传，查硬盘和内存。")
    if not kept:
        yield _trouble(
            "存储不支持条件写入（If-None-Match），已有的照片可能被覆盖。", "换用支持条件写入的存储或版本。"
        )
    if store.stat(key) is not None:
        yield _trouble("探测文件删不掉。", "给存储账户删除权限。")
    elif same and kept:
        yield Finding(Part.STORAGE, State.OK, "照片存储可写、可读，不会覆盖。")


def _is_kept(store: BlobStore, key: str, other: bytes) -> bool:
    """Say whether a stored blob withstands an attempt to replace it."""
    try:
        _put(store, key, other)
    except BlobExists:
        return True
    return False


def _put(store: BlobStore, key: str, data: bytes) -> None:
    store.put(key, io.BytesIO(data), size=len(data), sha256=hashlib.sha256(data).digest())


def _trouble(sentence: str, advice: str) -> Finding:
    return Finding(Part.STORAGE, State.TROUBLE, sentence, advice)
