"""The key ring: whether it can be used, who else can read it, and whether it opens what is stored."""

import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

from sqlalchemy import select
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

from server.doctor.terms import Finding, Part, State
from server.settings import Settings
from server.vault.fields import SealBroken
from server.vault.keyring import Keyring, KeyringBroken
from server.vault.models import StoredKey

PART = Part.KEYS
SAMPLE = 200


def ring_file(environment: Mapping[str, str]) -> Path | None:
    """Name the file that KEYRING points to; None when it holds the ring itself or is not set."""
    text = environment.get("KEYRING", "")
    return Path(text.removeprefix("file://").removeprefix("file:")) if text.startswith("file:") else None


def examine_ring(settings: Settings, environment: Mapping[str, str]) -> Iterator[Finding]:
    """Look at the ring itself and at its file."""
    try:
        Keyring.parse(settings.keyring)
    except KeyringBroken as broken:
        yield Finding(
            PART, State.TROUBLE, f"密钥环不能用：{broken}", "从保险柜取出密钥环的副本放回原处，权限 0600。"
        )
        return
    path = ring_file(environment)
    if path is None:
        yield Finding(PART, State.OK, "密钥环完整，由环境变量给出。")
        return
    yield from _file(path, settings)


def _file(path: Path, settings: Settings) -> Iterator[Finding]:
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        yield Finding(
            PART,
            State.TROUBLE,
            f"密钥环文件的权限是 {mode:04o}，别的用户也能读到钥匙。",
            f"chmod 600 {path}；如果机器上有别人登录过，再按第 9 节换钥匙。",
        )
    if any(path.resolve().is_relative_to(folder) for folder in data_folders(settings)):
        yield Finding(
            PART,
            State.WARNING,
            "密钥环和数据放在同一个文件夹里，备份数据时会把钥匙一起带走。",
            "移到别处（例如 /etc/visits），并改 KEYRING。",
        )
    if not mode & 0o077:
        yield Finding(PART, State.OK, "密钥环完整，只有本用户能读。")


def data_folders(settings: Settings) -> list[Path]:
    """List the folders of this machine that hold photos and records."""
    folders = []
    store = urlsplit(settings.storage_url)
    if store.scheme == "file":
        folders.append(Path(unquote(store.path)).resolve())
    url = make_url(settings.database_url)
    if url.get_backend_name() == "sqlite" and url.database:
        folders.append(Path(url.database).resolve().parent)
    return folders


def examine_stored_keys(settings: Settings, session: Session) -> Iterator[Finding]:
    """Open the oldest and the newest of the stored data keys with the ring; `flask keyring status` counts them all."""
    try:
        ring = Keyring.parse(settings.keyring)
    except KeyringBroken:
        return
    wanted = select(StoredKey.id, StoredKey.wrapped).where(StoredKey.wrapped.is_not(None)).limit(SAMPLE)
    rows = {
        key_id: wrapped
        for order in (StoredKey.id, StoredKey.id.desc())
        for key_id, wrapped in session.execute(wanted.order_by(order))
        if wrapped is not None
    }
    for key_id, wrapped in rows.items():
        try:
            ring.unwrap(wrapped, key_id)
        except (KeyringBroken, SealBroken):
            yield Finding(
                PART,
                State.TROUBLE,
                "密钥环打不开数据库里保存的数据密钥：这不是这套数据的密钥环，或缺了一把旧钥匙。",
                "放回原来的密钥环；在此之前不要录入。用 flask keyring status 查看缺哪一把。",
            )
            return
    yield Finding(PART, State.OK, f"抽查的 {len(rows)} 把数据密钥都能打开。")
