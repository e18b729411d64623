"""Room that is kept for the records when somebody else takes a disk's last byte (SQLite; TRUST §1).

Reading and signing in leave a line in the ledger, so that a full disk would stop them too. A file of some megabytes
beside the database is given up then. It is taken again at the next start that finds room.
"""

import os
from pathlib import Path

NAME = "reserve"
ENOUGH = 1_000_000
"""Bytes that are room again: another process has given the reserve up, or somebody has tidied up."""
TIMES = 4
"""The reserve is taken only where so many times its size are free: it must not be what fills the disk."""


class Reserve:
    """A file in `folder` that holds `size` bytes free for an emergency; None or zero: there is none."""

    def __init__(self, folder: Path | None, size: int) -> None:
        self._path = None if folder is None or size <= 0 else folder / NAME
        self._size = size

    def hold(self) -> None:
        """Take the room, where it is not held yet and there is plenty."""
        path = self._path
        if path is None or path.exists() or _free(path.parent) < TIMES * self._size:
            return
        taking = path.with_name(f"{NAME}.{os.getpid()}.part")
        try:
            descriptor = os.open(taking, os.O_WRONLY | os.O_CREAT, 0o600)
            try:
                os.posix_fallocate(descriptor, 0, self._size)
            finally:
                os.close(descriptor)
            taking.replace(path)
        except OSError:
            taking.unlink(missing_ok=True)  # no room after all; the service starts without

    def make_room(self) -> bool:
        """Give the room up; says whether there is room now, whoever made it."""
        if self._path is None:
            return False
        self._path.unlink(missing_ok=True)
        return _free(self._path.parent) >= ENOUGH


def _free(folder: Path) -> int:
    figures = os.statvfs(folder)
    return figures.f_bavail * figures.f_frsize
