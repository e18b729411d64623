"""Signed notes (C2SP signed-note, tlog-checkpoint): the text of a checkpoint, its Ed25519 signature, and the keys.

A private key is one line `PRIVATE+KEY+<name>+<hash>+<base64>`, a public one `<name>+<hash>+<base64>`; the name is the
origin of the ledger and stands in every checkpoint, the hash tells keys of one name apart.
"""

import base64
import binascii
import datetime as dt
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

ED25519 = b"\x01"
KEY_BYTES = 32
PRIVATE = "PRIVATE+KEY+"
_NAME = re.compile(r"[A-Za-z0-9._/-]{1,100}")
_DASH = "\u2014"


class KeyBroken(Exception):  # noqa: N818  (read by an administrator as a sentence)
    """A signing key cannot be used; the message says why, and shows nothing of it."""


class NoteBroken(Exception):  # noqa: N818
    """A text is no checkpoint that this key signed; the message says why."""


@dataclass(frozen=True, slots=True)
class Signed:
    """What a checkpoint says: `number` counts checkpoints, `size` entries; `restored` names the one that a restore left."""

    origin: str
    size: int
    root: bytes
    number: int
    at: dt.datetime
    restored: int | None = None

    def text(self) -> str:
        """Write what is signed."""
        lines = [self.origin, str(self.size), base64.b64encode(self.root).decode()]
        lines += [
            f"number {self.number}",
            f"time {self.at.astimezone(dt.UTC).strftime('%Y-%m-%dT%H:%M:%SZ')}",
        ]
        if self.restored is not None:
            lines.append(f"after-restore {self.restored}")
        return "".join(f"{line}\n" for line in lines)


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key that signs checkpoints."""

    name: str
    secret: Ed25519PrivateKey = field(repr=False)

    @classmethod
    def generate(cls, name: str, random_bytes: Callable[[int], bytes]) -> Self:
        """Make a fresh key for a ledger of this name (letters, digits, `.`, `_`, `-`, `/`)."""
        if not _NAME.fullmatch(name):
            raise KeyBroken("the name of a ledger has letters, digits, '.', '_', '-' and '/' only")
        return cls(name, Ed25519PrivateKey.from_private_bytes(random_bytes(KEY_BYTES)))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a private key."""
        line = text.strip()
        parts = line.removeprefix(PRIVATE).split("+", 2)
        if not line.startswith(PRIVATE) or len(parts) != 3 or not _NAME.fullmatch(parts[0]):  # noqa: PLR2004
            raise KeyBroken(
                "this is no private key of a ledger (PRIVATE+KEY+…); make one with `flask ledger keygen`"
            )
        try:
            kind = base64.b64decode(parts[2], validate=True)
        except binascii.Error:
            kind = b""
        if len(kind) != 1 + KEY_BYTES or kind[:1] != ED25519:
            raise KeyBroken("the private key of the ledger is cut off or of an unknown kind")
        key = cls(parts[0], Ed25519PrivateKey.from_private_bytes(kind[1:]))
        if key.public().split("+")[1] != parts[1]:
            raise KeyBroken("the private key of the ledger was changed: its hash does not fit")
        return key

    def written(self) -> str:
        """Write the private key."""
        secret = base64.b64encode(ED25519 + self.secret.private_bytes_raw()).decode()
        return f"{PRIVATE}{self.name}+{self.public().split('+')[1]}+{secret}\n"

    def public(self) -> str:
        """Write the public key, which whoever verifies is handed."""
        raw = self._raw()
        return f"{self.name}+{key_hash(self.name, raw).hex()}+{base64.b64encode(ED25519 + raw).decode()}"

    def sign(self, said: Signed) -> str:
        """Write a checkpoint as a signed note."""
        text = said.text()
        mark = key_hash(self.name, self._raw()) + self.secret.sign(text.encode())
        return f"{text}\n{_DASH} {self.name} {base64.b64encode(mark).decode()}\n"

    def opened(self, note: str) -> Signed:
        """Read a checkpoint that this key signed. Raises NoteBroken."""
        return opened(note, self.public())

    def _raw(self) -> bytes:
        return self.secret.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def key_hash(name: str, raw: bytes) -> bytes:
    """Give the four bytes that tell keys of one name apart."""
    return hashlib.sha256(name.encode() + b"\n" + ED25519 + raw).digest()[:4]


def opened(note: str, public: str) -> Signed:
    """Read a checkpoint that the owner of a public key signed. Raises NoteBroken."""
    name, _, rest = public.strip().partition("+")
    raw = base64.b64decode(rest.partition("+")[2])[1:]
    text, gap, signatures = note.rpartition("\n\n")
    for line in signatures.splitlines():
        dash, signer, mark = [*line.split(" "), "", ""][:3]
        if (dash, signer) != (_DASH, name):
            continue
        try:
            signature = base64.b64decode(mark, validate=True)
            if signature[:4] == key_hash(name, raw):
                Ed25519PublicKey.from_public_bytes(raw).verify(signature[4:], f"{text}\n".encode())
                return _read(f"{text}\n", name)
        except (binascii.Error, InvalidSignature):
            break
    raise NoteBroken("the checkpoint is not signed by this key" if gap else "this is no checkpoint")


def _read(text: str, name: str) -> Signed:
    lines = text.splitlines()
    try:
        more = dict(line.split(" ", 1) for line in lines[3:])
        said = Signed(
            lines[0],
            int(lines[1]),
            base64.b64decode(lines[2], validate=True),
            int(more["number"]),
            dt.datetime.fromisoformat(more["time"]),
            int(more["after-restore"]) if "after-restore" in more else None,
        )
    except (ValueError, KeyError, IndexError) as broken:
        raise NoteBroken("the checkpoint cannot be read") from broken
    if said.origin != name or said.text() != text:
        raise NoteBroken("the checkpoint is not written as this key's are")
    return said
