"""Blind indexes: find a sealed id number, phone or identity without reading it.

HMAC-SHA-256 with a key for each purpose, apart from the keys that seal: all id numbers can be enumerated, so without
the key an index must tell nothing. The same thing written differently (full-width digits, lower-case x, blanks,
+86) has the same index. All results have 32 bytes.
"""

import hmac
import re
import unicodedata

from server.vault.keyring import Keyring

_FILLERS = re.compile(r"[\s\-‐-―−·.]+")
_NOT_DIGITS = re.compile(r"\D+")
_COUNTRY_CODE = re.compile(r"^(?:00)?86(?=1\d{10}$)")
_LAST = 4


def normal_id_number(number: str) -> str:
    """Write an id number as the card does: half-width, upper X, no blanks or dashes."""
    return _FILLERS.sub("", unicodedata.normalize("NFKC", number)).upper()


def normal_phone(number: str) -> str:
    """Write a phone number in bare ASCII digits; a mobile number without its country code."""
    digits = _NOT_DIGITS.sub("", unicodedata.normalize("NFKC", number))
    return _COUNTRY_CODE.sub("", digits)


def whole_id_number(keyring: Keyring, number: str) -> bytes:
    """Index a whole id number, for the exact search."""
    return _digest(keyring, "id_number", normal_id_number(number))


def phone(keyring: Keyring, number: str) -> bytes:
    """Index a phone number."""
    return _digest(keyring, "phone", normal_phone(number))


def last_four(keyring: Keyring, number: str, area: str) -> bytes:
    """Index the last four of an id number (whole, or only those four) within an area.

    Equal last fours in different areas have different indexes, so that nothing can be counted across areas.
    """
    return _digest(keyring, "last4", area, normal_id_number(number)[-_LAST:])


def identity(keyring: Keyring, provider: str, app_id: str, subject: str) -> bytes:
    """Index who somebody is at a sign-in provider; taken to the letter, as providers give them out."""
    return _digest(keyring, "identity", provider, app_id, subject)


def likeness_key(keyring: Keyring) -> bytes:
    """Give the key under which texts are marked so that equal and like ones are found; made from another one's.

    A ring has no key of its own for it, so that rings which are in use stay whole.
    """
    return hmac.digest(keyring.index["last4"], b"likeness of texts", "sha256")


def _digest(keyring: Keyring, purpose: str, *parts: str) -> bytes:
    measured = bytearray()
    for part in parts:
        # A lone surrogate of a hostile search finds nothing, instead of failing.
        encoded = part.encode("utf-8", "surrogatepass")
        measured += len(encoded).to_bytes(4, "big") + encoded
    return hmac.digest(keyring.index[purpose], bytes(measured), "sha256")
