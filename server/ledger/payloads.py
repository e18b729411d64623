"""The payload of an event as it is stored: nonce and canonical JSON, in the clear when it holds no personal datum."""

import hashlib
import json
import re
from base64 import b64decode
from typing import Any
from uuid import UUID

NONCE_CHARACTERS = 24  # 16 bytes in base64
SEALED = "v1."
_ID = re.compile("[0-9a-f]{32}")


def is_sealed(stored: str) -> bool:
    """Say whether a stored payload is sealed under a key."""
    return stored.startswith(SEALED)


def parted(opened: str) -> tuple[bytes, str]:
    """Part an open payload into nonce and canonical JSON. Raises ValueError when it is none."""
    nonce, dot, text = opened[:NONCE_CHARACTERS], opened[NONCE_CHARACTERS : NONCE_CHARACTERS + 1], opened[25:]
    if dot != ".":
        raise ValueError("not a payload")
    return b64decode(nonce, validate=True), text


def commitment(opened: str) -> bytes:
    """Give what an event commits to: SHA-256(nonce ‖ canonical JSON)."""
    nonce, text = parted(opened)
    return hashlib.sha256(nonce + text.encode()).digest()


def read(stored: str | None) -> dict[str, Any]:
    """Read a payload that is stored in the clear; {} of a sealed one or of none."""
    if not stored or is_sealed(stored):
        return {}
    try:
        said = json.loads(parted(stored)[1])
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def ids_named(stored: str | None) -> set[str]:
    """Give the ids (32 hex digits) of the people whom a list's entry names."""
    if not stored or '"people":[' not in stored:
        return set()
    named = read(stored).get("people")
    if not isinstance(named, list):
        return set()
    ids = {str(one).replace("-", "") for one in named}
    return {one for one in ids if _ID.fullmatch(one)}


def people_named(stored: str | None) -> set[UUID]:
    """Give the people whom a list's entry names."""
    return {UUID(hex=one) for one in ids_named(stored)}
