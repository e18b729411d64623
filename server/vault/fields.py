"""Single fields sealed under a person's key, each bound to its place in the database.

A sealed field is the text `v1.<kid>.<alg>.<nonce>.<ciphertext>`: kid is the data key's id in hex, alg `a256gcm`
(another algorithm gets another word), nonce and ciphertext are base64url without padding. Table, column, row and the
first three parts are authenticated, so a sealed text that is moved, relabelled or changed does not open.
"""

import binascii
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Callable
from functools import lru_cache
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES = 32
NONCE_BYTES = 12
_VERSION = "v1"
_ALGORITHM = "a256gcm"
_PARTS = 5


class SealBroken(Exception):  # noqa: N818  (a state of the data, not a mistake of the caller)
    """What was sealed does not open: it was changed, cut, moved to another place, or sealed under another key."""


class KeyDestroyed(Exception):  # noqa: N818
    """The person's data were erased: their key is gone, and what it sealed can never be read again."""


class DataKey:
    """One person's key, opened and ready to seal and open fields (`seal`, `open`) and blobs (`blobs.py`).

    `secret` has 32 bytes; `random_bytes` gives nonces. Safe to share between threads.
    """

    __slots__ = ("_cipher", "_head", "_head_bytes", "_secret", "key_id", "random_bytes")

    def __init__(
        self, key_id: UUID, secret: bytes, random_bytes: Callable[[int], bytes] = secrets.token_bytes
    ) -> None:
        if len(secret) != KEY_BYTES:
            raise ValueError(f"a data key has {KEY_BYTES} bytes")
        self.key_id = key_id
        self.random_bytes = random_bytes
        self._secret = secret
        # Made at its first use: an opened cipher takes about 2 kB, and a roster reserves tens of thousands of keys.
        self._cipher: AESGCM | None = None
        self._head = f"{_VERSION}.{key_id.hex}.{_ALGORITHM}."
        self._head_bytes = self._head.encode()

    def __repr__(self) -> str:
        return f"DataKey({self.key_id})"

    def seal(self, text: str, *, table: str, column: str, row: UUID | str) -> str:
        """Seal the text of one field for its place. The same text gives another result each time.

        Raises ValueError (UnicodeEncodeError) for a lone surrogate, which no stored text may hold.
        """
        nonce = self.random_bytes(NONCE_BYTES)
        sealed = self._aead().encrypt(
            nonce, text.encode(), self._head_bytes + _place(table, column, str(row))
        )
        return f"{self._head}{_to_text(nonce)}.{_to_text(sealed)}"

    def open(self, sealed: str, *, table: str, column: str, row: UUID | str) -> str:
        """Read a sealed field at its place. Raises SealBroken when it does not belong there or was changed."""
        head = self._head
        if not sealed.startswith(head):
            raise SealBroken("the field is not sealed under this key, or not a sealed field")
        nonce_text, _, sealed_text = sealed[len(head) :].partition(".")
        place = self._head_bytes + _place(table, column, str(row))
        try:
            nonce, content = _to_bytes(nonce_text), _to_bytes(sealed_text)
            return self._aead().decrypt(nonce, content, place).decode()
        except (InvalidTag, ValueError) as broken:
            raise SealBroken(
                "the field was changed, or stands in another place than it was sealed for"
            ) from broken

    def _aead(self) -> AESGCM:
        if self._cipher is None:
            self._cipher = AESGCM(self._secret)
        return self._cipher

    def derived(self, purpose: bytes, salt: bytes) -> AESGCM:
        """Give the cipher of a key of its own for one thing that this data key protects (HKDF-SHA-256)."""
        return AESGCM(HKDF(SHA256(), KEY_BYTES, salt, purpose).derive(self._secret))


def key_of(sealed: str) -> UUID:
    """Name the data key that a field was sealed under. Raises SealBroken when it is no sealed field."""
    parts = sealed.split(".", _PARTS)
    if len(parts) != _PARTS or (parts[0], parts[2]) != (_VERSION, _ALGORITHM):
        raise SealBroken("this is not a sealed field")
    try:
        key_id = UUID(hex=parts[1])
    except ValueError as broken:
        raise SealBroken("this is not a sealed field") from broken
    if key_id.hex != parts[1]:
        raise SealBroken("this is not a sealed field")
    return key_id


@lru_cache(maxsize=1024)
def _column_place(table: str, column: str) -> bytes:
    return _measured(table) + _measured(column)


def _place(table: str, column: str, row: str) -> bytes:
    return _column_place(table, column) + _measured(row)


def _measured(part: str) -> bytes:
    # Its length before each part: ("ab", "c") and ("a", "bc") must not be the same place.
    encoded = part.encode()
    return len(encoded).to_bytes(4, "big") + encoded


def _to_text(content: bytes) -> str:
    return urlsafe_b64encode(content).rstrip(b"=").decode()


def _to_bytes(text: str) -> bytes:
    coded = text.encode("ascii").translate(_STANDARD)
    spare = len(coded) % 4
    # The decoder ignores spare bits of the last character: only the one spelling that we write is right.
    if spare and coded[-1:] not in _LAST[spare]:
        raise SealBroken("the field is not base64url as it was written")
    try:
        return binascii.a2b_base64(coded + _PADDING[spare], strict_mode=True)
    except binascii.Error as broken:
        raise SealBroken("the field is not base64url") from broken


_STANDARD = bytes.maketrans(b"-_+/=", b"+/***")
"""Turns base64url into what the decoder reads; what base64url does not have becomes what the decoder refuses."""
_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_PADDING = (b"", b"", b"==", b"=")
_LAST = (
    frozenset[bytes](),
    frozenset[bytes](),  # no text is one character longer than whole groups
    frozenset(_ALPHABET[place : place + 1] for place in range(0, 64, 16)),
    frozenset(_ALPHABET[place : place + 1] for place in range(0, 64, 4)),
)
"""By how many characters stand after the last whole group: which the last of them may be, its spare bits being 0."""
