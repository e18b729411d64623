"""Opaque tokens and invite codes: shown once, stored as digests; and how long a session lives (TRUST §2)."""

import datetime as dt
import hashlib
import hmac
import re
import unicodedata
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from server.accounts.terms import SessionKind
from server.vault.keyring import Keyring

TOKEN_BYTES = 32
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}\Z")

# Crockford's base 32: 50 bits in ten characters; what looks alike is read as one (O as 0, I and L as 1), no U.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_ALIKE = str.maketrans("OIL", "011")
CODE_LENGTH = 10
LONGEST_TYPED = 64
_FILLERS = re.compile(r"[\s\-‐-―−_·.]+")

SessionState = Literal["live", "idle_expired", "expired", "revoked"]


@dataclass(frozen=True, slots=True)
class Lifetime:
    """How long a session lives unused, and at most; `tolerance` is how far a server's clock may go back meanwhile.

    A phone's is longer than the hour by which a wrongly set clock jumps, so that nobody in the field is signed out.
    """

    idle: dt.timedelta
    absolute: dt.timedelta
    tolerance: dt.timedelta = dt.timedelta(minutes=5)


LIFETIMES: Mapping[SessionKind, Lifetime] = {
    SessionKind.PHONE: Lifetime(dt.timedelta(days=7), dt.timedelta(days=30), dt.timedelta(hours=2)),
    SessionKind.BROWSER: Lifetime(dt.timedelta(minutes=15), dt.timedelta(hours=8)),
}


def mint(random_bytes: Callable[[int], bytes]) -> tuple[str, bytes]:
    """Make a token of 256 bits (43 URL-safe characters); returns it and its SHA-256, which alone is stored."""
    token = urlsafe_b64encode(random_bytes(TOKEN_BYTES)).decode().rstrip("=")
    return token, hashlib.sha256(token.encode()).digest()


def digest(token: str) -> bytes | None:
    """Give the digest of a token; None for what cannot be one."""
    return hashlib.sha256(token.encode()).digest() if _TOKEN.match(token) else None


def session_state(
    created_at: dt.datetime,
    last_seen_at: dt.datetime,
    revoked_at: dt.datetime | None,
    now: dt.datetime,
    lifetime: Lifetime,
) -> SessionState:
    """Say whether a session lives.

    A clock that was set ahead and came back never lengthens a life: a session that was opened, or last seen, in the
    future is over, and a revoked one stays so whenever that was.
    """
    if revoked_at is not None:
        return "revoked"
    if not -lifetime.tolerance <= now - created_at < lifetime.absolute:
        return "expired"
    if not -lifetime.tolerance <= now - last_seen_at < lifetime.idle:
        return "idle_expired"
    return "live"


def invite_code(random_bytes: Callable[[int], bytes], keyring: Keyring) -> tuple[str, bytes]:
    """Make an invite code such as 7KQ2M-9XWRT; returns it and the keyed digest, which alone is stored."""
    letters = "".join(ALPHABET[byte % len(ALPHABET)] for byte in random_bytes(CODE_LENGTH))
    return f"{letters[:5]}-{letters[5:]}", _keyed(letters, keyring)


def invite_digest(typed: str, keyring: Keyring) -> bytes | None:
    """Give the digest of a code as somebody typed it; None for what cannot be one.

    Small letters, full width, blanks, dashes of any sort and letters that look alike are forgiven.
    """
    if len(typed) > LONGEST_TYPED:
        return None
    letters = _FILLERS.sub("", unicodedata.normalize("NFKC", typed))
    if len(letters) != CODE_LENGTH or not letters.isascii():
        return None
    letters = letters.upper().translate(_ALIKE)
    return _keyed(letters, keyring) if set(letters) <= set(ALPHABET) else None


def _keyed(letters: str, keyring: Keyring) -> bytes:
    return hmac.digest(keyring.index["identity"], b"invite\x00" + letters.encode(), "sha256")
