"""Opaque tokens and invite codes: shown once, stored as digests; and how long a session lives (TRUST §2)."""

import datetime as dt
import hashlib
import hmac
import re
import unicodedata
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from server.accounts.terms import SessionKind
from server.vault.keyring import Keyring

TOKEN_BYTES = 32
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}\Z")
ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
CODE_LENGTH = 10

SessionState = Literal["live", "idle_expired", "expired", "revoked"]


@dataclass(frozen=True, slots=True)
class Lifetime:
    """How long a session lives unused, and at most."""

    idle: dt.timedelta
    absolute: dt.timedelta


LIFETIMES = {
    SessionKind.PHONE: Lifetime(dt.timedelta(days=7), dt.timedelta(days=30)),
    SessionKind.BROWSER: Lifetime(dt.timedelta(minutes=15), dt.timedelta(hours=8)),
}


def mint(random_bytes: Callable[[int], bytes]) -> tuple[str, bytes]:
    """Make a token of 256 bits; returns it and its SHA-256, which alone is stored."""
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
    """Say whether a session lives; a clock that jumped back never lengthens a life."""
    if revoked_at is not None:
        return "revoked"
    if now - created_at >= lifetime.absolute:
        return "expired"
    if now - last_seen_at >= lifetime.idle:
        return "idle_expired"
    return "live"


def invite_code(random_bytes: Callable[[int], bytes], keyring: Keyring) -> tuple[str, bytes]:
    """Make an invite code such as 7KQ2M-9XWRT; returns it and the keyed digest, which alone is stored."""
    letters = "".join(ALPHABET[byte % len(ALPHABET)] for byte in random_bytes(CODE_LENGTH))
    return f"{letters[:5]}-{letters[5:]}", _keyed(letters, keyring)


def invite_digest(typed: str, keyring: Keyring) -> bytes | None:
    """Give the digest of a code as somebody typed it: small letters, full width, blanks and hyphens are forgiven."""
    letters = "".join(
        char for char in unicodedata.normalize("NFKC", typed).upper() if not char.isspace() and char != "-"
    )
    if len(letters) != CODE_LENGTH or not set(letters) <= set(ALPHABET):
        return None
    return _keyed(letters, keyring)


def _keyed(letters: str, keyring: Keyring) -> bytes:
    return hmac.digest(keyring.index["identity"], b"invite\x00" + letters.encode(), "sha256")
