"""Passwords as argon2id hashes; hashing is bounded, so that a flood of sign-ins cannot eat the machine."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from server.errors import Unavailable

_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_slots = threading.BoundedSemaphore(2)
WAIT_SECONDS = 5.0
_NOBODY = _hasher.hash("nobody has this password, and checking it takes as long as any other")


def hash_password(password: str) -> str:
    """Hash a password (argon2id, 19 MiB, 2 passes: OWASP's recommendation)."""
    with _slot():
        return _hasher.hash(password)


def verify_or_burn(stored: str | None, password: str) -> bool:
    """Say whether a password fits; an account that is not there costs the same time."""
    with _slot():
        try:
            fits = _hasher.verify(stored or _NOBODY, password)
        except (Argon2Error, InvalidHashError):
            return False
    return fits and stored is not None


@contextmanager
def _slot() -> Iterator[None]:
    if not _slots.acquire(timeout=WAIT_SECONDS):
        raise Unavailable
    try:
        yield
    finally:
        _slots.release()
