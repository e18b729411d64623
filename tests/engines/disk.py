"""A small file system of its own, in memory, that a test may fill up."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MB = 1_000_000
FILLER = "filler"


class SmallDisk:
    """A mounted folder with little room."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def free(self) -> int:
        """Say how many bytes are left."""
        figures = os.statvfs(self.folder)
        return figures.f_bavail * figures.f_frsize

    def fill(self, *, leave: int = 0) -> None:
        """Let somebody else's file take all the room but `leave` bytes."""
        more = self.free() - leave
        if more > 0:
            descriptor = os.open(self.folder / FILLER, os.O_WRONLY | os.O_CREAT)
            try:
                size = os.fstat(descriptor).st_size
                os.posix_fallocate(descriptor, size, more)
            finally:
                os.close(descriptor)

    def make_room(self) -> None:
        """Delete the filler."""
        (self.folder / FILLER).unlink(missing_ok=True)


@contextmanager
def small_disk(size: int) -> Iterator[SmallDisk]:
    """Mount a file system of `size` bytes for as long as the block lasts (root only)."""
    folder = Path(tempfile.mkdtemp(prefix="visits-disk-"))
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], check=True)
    try:
        yield SmallDisk(folder)
    finally:
        subprocess.run(["umount", "-l", folder], check=True)
        folder.rmdir()
