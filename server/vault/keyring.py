"""The ring of keys that everything else is locked with: it wraps the data keys and keys the blind indexes.

A key-encryption key (KEK) locks data keys, of which each person has one. Several KEKs may be on the ring; the
active one locks, all unlock, so that keys can be rotated without downtime. Index keys are apart, one for each
purpose, and never rotate in place: an index made with another key finds nothing.
"""

import base64
import binascii
import json
import os
import re
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Self
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from server.vault.fields import KEY_BYTES, NONCE_BYTES, SealBroken

INDEX_PURPOSES = ("id_number", "phone", "last4", "identity")
_KID = re.compile(r"[A-Za-z0-9_-]{1,32}")
_WRAP = b"w1"
_MEMBERS = {"active", "kek", "index"}


class KeyringBroken(Exception):  # noqa: N818  (read by an administrator as a sentence)
    """The key ring cannot be used; the message tells an administrator what to put right, and shows no key."""


@dataclass(frozen=True, slots=True, repr=False)
class Keyring:
    """The keys of one installation.

    `active` names the KEK that locks new data keys; `kek` holds KEKs by their name (kid), `index` one key for each of
    `INDEX_PURPOSES`; every key has 32 bytes. Raises KeyringBroken when one is missing, short, unknown or used twice.
    """

    active: str
    kek: Mapping[str, bytes]
    index: Mapping[str, bytes]
    random_bytes: Callable[[int], bytes] = field(default=secrets.token_bytes, compare=False)
    _ciphers: Mapping[str, AESGCM] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        _check(self.active, self.kek, self.index)
        object.__setattr__(self, "kek", MappingProxyType(dict(self.kek)))
        object.__setattr__(self, "index", MappingProxyType(dict(self.index)))
        object.__setattr__(self, "_ciphers", {kid: AESGCM(key) for kid, key in self.kek.items()})

    def __repr__(self) -> str:
        return f"Keyring(active={self.active!r}, kek={sorted(self.kek)}, index={sorted(self.index)})"

    @classmethod
    def parse(cls, text: str | bytes, random_bytes: Callable[[int], bytes] = secrets.token_bytes) -> Self:
        """Read a key ring from its JSON: `{"active": kid, "kek": {kid: base64}, "index": {purpose: base64}}`."""
        ring: object = None
        # Not chained to the parser's exception, which carries the whole text, keys included.
        with suppress(ValueError, RecursionError):
            ring = json.loads(text, object_pairs_hook=_once)
        if ring is None:
            raise KeyringBroken("the key ring is not a JSON document")
        if not isinstance(ring, dict) or ring.keys() != _MEMBERS:
            raise KeyringBroken(
                "the key ring is a JSON object with exactly these members: active, kek, index"
            )
        if not isinstance(ring["active"], str):
            raise KeyringBroken("`active` is the name of one of the keys in `kek`")
        return cls(ring["active"], _keys(ring["kek"], "kek"), _keys(ring["index"], "index"), random_bytes)

    @classmethod
    def generate(cls, random_bytes: Callable[[int], bytes] = secrets.token_bytes, *, kid: str = "k1") -> Self:
        """Make a ring of fresh keys with one KEK."""
        index = {purpose: random_bytes(KEY_BYTES) for purpose in INDEX_PURPOSES}
        return cls(kid, {kid: random_bytes(KEY_BYTES)}, index, random_bytes)

    def to_json(self) -> str:
        """Write the ring as the JSON that `parse` reads. It holds every key in the clear."""
        return json.dumps(
            {
                "active": self.active,
                "kek": {kid: base64.b64encode(key).decode() for kid, key in self.kek.items()},
                "index": {purpose: base64.b64encode(key).decode() for purpose, key in self.index.items()},
            },
            indent=2,
        )

    def with_new_active(self, kid: str) -> Self:
        """Give a ring that locks with a fresh KEK of this name and still unlocks with the old ones."""
        if kid in self.kek:
            raise KeyringBroken(f"the key ring already has a key named {kid!r}; choose another name")
        keks = {**self.kek, kid: self.random_bytes(KEY_BYTES)}
        return type(self)(kid, keks, self.index, self.random_bytes)

    def wrap(self, data_key: bytes, key_id: UUID) -> bytes:
        """Lock a data key of 32 bytes for storage under its id: `w1.<kid>.` ‖ nonce ‖ ciphertext."""
        if len(data_key) != KEY_BYTES:
            raise ValueError(f"a data key has {KEY_BYTES} bytes")
        head = b".".join((_WRAP, self.active.encode(), b""))
        nonce = self.random_bytes(NONCE_BYTES)
        return head + nonce + self._ciphers[self.active].encrypt(nonce, data_key, head + key_id.bytes)

    def unwrap(self, wrapped: bytes, key_id: UUID) -> bytes:
        """Unlock a stored data key.

        Raises KeyringBroken when its KEK is not on the ring, SealBroken when it was changed or belongs to another id.
        """
        kid, sealed = _split(wrapped)
        cipher = self._ciphers.get(kid)
        if cipher is None:
            raise KeyringBroken(
                f"a data key is locked with {kid!r}, which is not on the key ring; put that key back"
            )
        head = wrapped[: len(wrapped) - len(sealed)]
        try:
            return cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], head + key_id.bytes)
        except (InvalidTag, ValueError) as broken:
            raise SealBroken("a locked data key was changed, or stands under another id") from broken

    @staticmethod
    def kid_of(wrapped: bytes) -> str:
        """Name the KEK that a stored data key is locked with."""
        return _split(wrapped)[0]

    def without(self, kid: str) -> Self:
        """Give a ring without an old KEK. What that one still locks can no longer be read: rewrap first."""
        if kid == self.active:
            raise KeyringBroken(f"{kid!r} is the active key, which locks; rotate first")
        if kid not in self.kek:
            raise KeyringBroken(f"the key ring has no key named {kid!r}")
        keks = {name: key for name, key in self.kek.items() if name != kid}
        return type(self)(self.active, keks, self.index, self.random_bytes)

    def needs_rewrap(self, wrapped: bytes) -> bool:
        """Say whether a stored data key is locked with another KEK than the active one."""
        return _split(wrapped)[0] != self.active

    def rewrap(self, wrapped: bytes, key_id: UUID) -> bytes:
        """Lock a stored data key anew with the active KEK. The data key, and all that it seals, stays the same."""
        return self.wrap(self.unwrap(wrapped, key_id), key_id)


def load_or_create(
    path: Path, random_bytes: Callable[[int], bytes] = secrets.token_bytes
) -> tuple[Keyring, bool]:
    """Read the key ring at `path`, or make one there (mode 0600), and say whether it was made.

    For the embedded default. The file appears whole or not at all, and is on disk before it is used; of several
    processes that start at once one makes it and all read the same. Raises KeyringBroken when it is not usable.
    """
    try:
        if not path.exists():
            created = place_once(path, Keyring.generate(random_bytes).to_json(), random_bytes(8).hex())
        else:
            created = False
        text = path.read_bytes()
    except OSError as broken:
        raise KeyringBroken(f"the key ring {path} cannot be read or made: {broken.strerror}") from broken
    try:
        return Keyring.parse(text, random_bytes), created
    except KeyringBroken as broken:
        raise KeyringBroken(f"{path}: {broken}") from broken


def replace(path: Path, keyring: Keyring) -> None:
    """Put a changed ring in the place of the file at `path` (mode 0600); at every instant the old or the new is there."""
    draft = path.with_name(f".{path.name}.{keyring.random_bytes(8).hex()}")
    try:
        _write(draft, keyring.to_json())
        draft.replace(path)
        _sync_folder(path)
    except OSError as broken:
        draft.unlink(missing_ok=True)
        raise KeyringBroken(f"the key ring {path} cannot be written: {broken.strerror}") from broken


def place_once(path: Path, text: str, mark: str) -> bool:
    """Put a file of secrets in place (mode 0600) unless one is there, and say whether it was put; `mark` names the draft."""
    draft = path.with_name(f".{path.name}.{mark}")
    try:
        _write(draft, text)
        try:
            # A link, unlike a rename, never replaces a ring that another process has just made.
            os.link(draft, path)
            created = True
        except FileExistsError:
            created = False
    finally:
        draft.unlink(missing_ok=True)
    _sync_folder(path)
    return created


def _write(draft: Path, text: str) -> None:
    opened = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(opened, "w", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(path: Path) -> None:
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise KeyringBroken("the key ring names the same member twice")
    return members


def _keys(members: object, part: str) -> dict[str, bytes]:
    if not isinstance(members, dict):
        raise KeyringBroken(f"`{part}` is an object of keys by name")
    return {name: _key(text, f"{part}.{name}") for name, text in members.items()}


def _key(text: object, name: str) -> bytes:
    if not isinstance(text, str):
        raise KeyringBroken(f"{name} is a base64 text of {KEY_BYTES} bytes")
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as broken:
        raise KeyringBroken(f"{name} is not valid base64") from broken


def _check(active: str, kek: Mapping[str, bytes], index: Mapping[str, bytes]) -> None:
    for kid in kek:
        if not _KID.fullmatch(kid):
            raise KeyringBroken("the name of a key has 1 to 32 letters, digits, `_` or `-`")
    if active not in kek:
        raise KeyringBroken("`active` is not the name of one of the keys in `kek`")
    if missing := sorted(set(INDEX_PURPOSES) - index.keys()):
        raise KeyringBroken(f"`index` lacks the key for: {', '.join(missing)}")
    if unknown := sorted(index.keys() - set(INDEX_PURPOSES)):
        raise KeyringBroken(f"`index` has keys that nothing uses: {', '.join(unknown)}")
    named = [(f"kek.{name}", key) for name, key in kek.items()]
    named += [(f"index.{name}", key) for name, key in index.items()]
    owners: dict[bytes, str] = {}
    for name, key in named:
        if len(key) != KEY_BYTES:
            raise KeyringBroken(f"{name} has {len(key)} bytes; every key has {KEY_BYTES}")
        if key in owners:
            raise KeyringBroken(f"{owners[key]} and {name} are the same key; make each of its own")
        owners[key] = name


def _split(wrapped: bytes) -> tuple[str, bytes]:
    version, _, rest = wrapped.partition(b".")
    kid, dot, sealed = rest.partition(b".")
    name = kid.decode("ascii", "replace")
    if version != _WRAP or not dot or not _KID.fullmatch(name):
        raise SealBroken("this is not a locked data key")
    return name, sealed
