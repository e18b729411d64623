"""Deletes what a demo made in its folder, and nothing else."""

import re
import shutil
from pathlib import Path

from demo.state import (
    CHECKPOINTS,
    DATABASE_FILE,
    EMBEDDED,
    EXPORT_FILE,
    KEYRING_FILE,
    LEDGER_KEY_FILE,
    LOCK_FILE,
    LOGS,
    RECEIPT_FILE,
    ROOT,
    STATE_FILE,
    UPLOADS,
    DemoError,
    held,
    load,
)
from server.db import vault_file

_STORED = re.compile(r"[0-9a-z]{2}\Z|\.tmp\Z")
_BESIDE = ("", "-wal", "-shm", "-journal")


def reset(folder: Path) -> list[str]:
    """Delete the demo of a folder; returns what is worth saying. Raises DemoError when it is not certainly a demo's.

    Databases and stores outside the folder (PostgreSQL, S3) are left alone and named.
    """
    if folder.is_symlink() or folder in {Path("/"), Path.home(), ROOT} or ROOT.is_relative_to(folder):
        raise DemoError(
            f"{folder} 不像演示的目录，未删除任何文件 (is not a demo's folder; nothing was deleted)"
        )
    state = load(folder)
    if state is None:
        if folder.exists() and any(one.name != LOCK_FILE for one in folder.iterdir()):
            raise DemoError(
                f"{folder} 里没有 {STATE_FILE}，不是演示的目录，未删除任何文件"
                " (holds no demo; nothing was deleted)"
            )
        return [f"{folder}：没有演示数据 (there is no demo)"]
    with held(folder, alone=True, wait=False):
        _delete(folder)
    said = [f"{folder}：演示数据已删除 (the demo was deleted)"]
    if state.townships.keys() - {EMBEDDED}:
        said.append("其他数据库和 S3 中的演示数据未删除 (what is in other databases and in S3 stays there)")
    if folder.exists():
        said.append(f"{folder}：其他文件未动 (other files stay)")
    return said


def _delete(folder: Path) -> None:
    uploads = folder / UPLOADS
    if uploads.is_dir() and not uploads.is_symlink():
        for one in uploads.iterdir():
            if _STORED.match(one.name) and one.is_dir() and not one.is_symlink():
                shutil.rmtree(one)
        _remove_if_empty(uploads)
    databases = (folder / DATABASE_FILE, Path(vault_file(f"sqlite:///{folder / DATABASE_FILE}")))
    for database in databases:
        for ending in _BESIDE:
            database.with_name(database.name + ending).unlink(missing_ok=True)
    checkpoints = folder / CHECKPOINTS
    if checkpoints.is_dir() and not checkpoints.is_symlink():
        for one in checkpoints.glob("*/*.checkpoint"):
            one.unlink()
        for one in (one for one in checkpoints.iterdir() if one.is_dir() and not one.is_symlink()):
            _remove_if_empty(one)
        _remove_if_empty(checkpoints)
    # The state goes last: until then a reset that was cut short can be repeated.
    for name in (*LOGS, EXPORT_FILE, RECEIPT_FILE, LEDGER_KEY_FILE, KEYRING_FILE, STATE_FILE, LOCK_FILE):
        (folder / name).unlink(missing_ok=True)
    _remove_if_empty(folder)


def _remove_if_empty(folder: Path) -> None:
    if not any(folder.iterdir()):
        folder.rmdir()
