"""What the faults of a disk mean to a worker."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from server.errors import StoreFull, Unavailable

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


@contextmanager
def disk_faults() -> Iterator[None]:
    """Turn OSErrors into StoreFull (no space, quota) or Unavailable (everything else)."""
    try:
        yield
    except OSError as error:
        raise (StoreFull if error.errno in _FULL else Unavailable) from error


@contextmanager
def full_disk() -> Iterator[None]:
    """Turn only a full disk into StoreFull: other OSErrors of the block may be a sender that hung up."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise StoreFull from error
        raise
