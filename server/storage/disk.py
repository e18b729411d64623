"""The steps that a local store takes on a disk, each a method, so that a test can watch or break any of them."""

import os
import secrets
from pathlib import Path
from typing import BinaryIO


class Disk:
    """A disk of this machine. Every method may raise OSError."""

    def free_bytes(self, folder: Path) -> int:
        """Say how much room is left for us, not for the superuser."""
        figures = os.statvfs(folder)
        return figures.f_bavail * figures.f_frsize

    def create_temporary(self, folder: Path) -> BinaryIO:
        """Make a new file that only this user can read, open for reading and writing."""
        path = folder / f"{secrets.token_hex(16)}.part"
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        return open(path, "r+b", opener=lambda _path, _flags: descriptor)

    def write(self, file: BinaryIO, data: bytes) -> None:
        """Write all of it."""
        file.write(data)

    def fsync_file(self, file: BinaryIO) -> None:
        """Have the file's bytes on the medium."""
        file.flush()
        os.fsync(file.fileno())

    def link(self, temporary: Path, target: Path) -> None:
        """Give the file its name, FileExistsError when the name is taken (a rename would replace)."""
        os.link(temporary, target, follow_symlinks=False)

    def make_folder(self, folder: Path) -> None:
        """Make one folder; it may be there."""
        folder.mkdir(mode=0o700, exist_ok=True)

    def fsync_folder(self, folder: Path) -> None:
        """Have the names in a folder on the medium."""
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def unlink(self, path: Path) -> None:
        """Take a name away; it may be gone."""
        path.unlink(missing_ok=True)
