"""Passwords as argon2id hashes; hashing is bounded, so that a flood of sign-ins cannot eat the machine."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

from server.accounts.password_rules import POLICY, normal_password
from server.errors import Unavailable

# argon2id, 19 MiB, 2 passes: OWASP's recommendation.
_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_NO_SALT = bytes(16)
_log = structlog.get_logger()


class HashingSlots:
    """How many passwords one process hashes at once, and how many seconds another one waits for its turn."""

    def __init__(self, slots: int, wait: float) -> None:
        self._free = threading.BoundedSemaphore(slots)
        self._wait = wait

    @contextmanager
    def one(self) -> Iterator[None]:
        """Hold a slot; raises Unavailable when none came free in time."""
        if not self._free.acquire(timeout=self._wait):
            raise Unavailable
        try:
            yield
        finally:
            self._free.release()


SLOTS = HashingSlots(slots=2, wait=5.0)


def hash_password(password: str, *, salt: bytes | None = None, slots: HashingSlots = SLOTS) -> str:
    """Hash a password for storing; `salt` (16 bytes) is fresh unless it is given."""
    with slots.one():
        return _hasher.hash(_bytes(password), salt=salt)


def verify_or_burn(stored: str | None, password: str, *, slots: HashingSlots = SLOTS) -> bool:
    """Say whether a password fits; an account that is not there, or has no password, costs the same time."""
    too_long = len(password) > POLICY.most
    given = _bytes(password[: POLICY.most])
    with slots.one():
        if stored is not None:
            try:
                return _hasher.verify(stored, given) and not too_long
            except VerifyMismatchError:
                return False
            except (InvalidHashError, VerificationError):
                _log.error("password_hash_broken")
        _hasher.hash(given, salt=_NO_SALT)
        return False


def needs_rehash(stored: str) -> bool:
    """Say whether a stored hash was made at another cost than today's; hash anew after the next good sign-in."""
    try:
        return _hasher.check_needs_rehash(stored)
    except InvalidHashError:
        return True


def _bytes(password: str) -> bytes:
    # A lone surrogate fits no stored password, instead of failing.
    return normal_password(password).encode("utf-8", "surrogatepass")
