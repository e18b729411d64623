"""The steps that a local store takes on a disk, each a method, so that a test can watch or break any of them."""

import errno
import os
import secrets
from pathlib import Path
from typing import BinaryIO

_OPEN_FILES = Path("/proc/self/fd")
# What a file system says that has no files without a name (NFS, some overlays).
_NO_NAMELESS = frozenset({errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL})


class Disk:
    """A disk of this machine. Every method may raise OSError."""

    def free_bytes(self, folder: Path) -> int:
        """Say how much room is left for us, not for the superuser."""
        figures = os.statvfs(folder)
        return figures.f_bavail * figures.f_frsize

    def create_temporary(self, folder: Path) -> BinaryIO:
        """Make a new file that only this user can read, open for reading and writing.

        It has no name where the system can do that (Linux), so that a killed process leaves none, and two changes of
        a folder are saved. Its `name` is a path in the folder either way.
        """
        path = folder / f"{secrets.token_hex(16)}.part"
        descriptor = _nameless(folder)
        if descriptor is None:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        return open(path, "r+b", opener=lambda _path, _flags: descriptor)

    def write(self, file: BinaryIO, data: bytes) -> None:
        """Write all of it."""
        file.write(data)

    def fsync_file(self, file: BinaryIO) -> None:
        """Have the file's bytes on the medium; the memory that held them on their way is given back.

        What was just stored is seldom read soon, and the database has better use for the cache.
        """
        file.flush()
        os.fsync(file.fileno())
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)

    def link(self, file: BinaryIO, target: Path) -> None:
        """Give a temporary file its name, FileExistsError when the name is taken (a rename would replace)."""
        if os.fstat(file.fileno()).st_nlink:
            os.link(file.name, target, follow_symlinks=False)
        else:
            # The folder is not looked at, as the path is absolute; naming one makes Python follow the link.
            descriptor = file.fileno()
            os.link(f"{_OPEN_FILES}/{descriptor}", target, src_dir_fd=descriptor, follow_symlinks=True)

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


def _nameless(folder: Path) -> int | None:
    """Open a new file without a name in this folder's file system; None where that is not to be had."""
    if not hasattr(os, "O_TMPFILE") or not _OPEN_FILES.is_dir():
        return None
    try:
        return os.open(folder, os.O_RDWR | os.O_TMPFILE | os.O_CLOEXEC, 0o600)
    except OSError as error:
        if error.errno in _NO_NAMELESS:
            return None
        raise
