"""Checkpoints as signed notes (C2SP signed-note and tlog-checkpoint), and public keys."""

import base64
import binascii
import hashlib
from dataclasses import dataclass

from ledger_verify.ed25519 import verify

ED25519 = b"\x01"
DASH = "\u2014"
MOST_BYTES = 100_000


class Unusable(Exception):
    """What was handed in cannot be used; the message says why, in Chinese."""


@dataclass(frozen=True)
class PublicKey:
    """A public key: the ledger's name, the four bytes that tell its keys apart, and the key."""

    name: str
    mark: bytes
    raw: bytes


@dataclass(frozen=True)
class Checkpoint:
    """What a checkpoint says, once its signature has been verified."""

    origin: str
    size: int
    root: bytes
    more: dict[str, str]

    @property
    def number(self) -> int | None:
        """The number of the checkpoint, counted from 1."""
        text = self.more.get("number", "")
        return int(text) if text.isdigit() else None

    @property
    def at(self) -> str:
        """When it was signed, in UTC."""
        return self.more.get("time", "")


def public_key(text: str) -> PublicKey:
    """Read a public key `<name>+<hash>+<base64>`. Raises Unusable."""
    name, _, rest = text.strip().partition("+")
    mark, _, coded = rest.partition("+")
    try:
        raw = base64.b64decode(coded, validate=True)
        held = bytes.fromhex(mark)
    except (binascii.Error, ValueError):
        raise Unusable("公钥格式不对，应为“名称+8位校验+编码”一行。") from None
    if not name or len(raw) != 33 or raw[:1] != ED25519:
        raise Unusable("公钥格式不对，应为“名称+8位校验+编码”一行。")
    if hashlib.sha256(name.encode() + b"\n" + raw).digest()[:4] != held:
        raise Unusable("公钥与其校验位不符，可能抄错或不完整。")
    return PublicKey(name, held, raw[1:])


def checkpoint(text: str, key: PublicKey) -> Checkpoint:
    """Read a checkpoint and verify its signature. Raises Unusable."""
    body, gap, signatures = text.rpartition("\n\n")
    if not gap:
        raise Unusable("不是检查点：缺少签名部分，文件可能不完整。")
    signed = (body + "\n").encode()
    found = False
    for line in signatures.split("\n"):
        parts = line.split(" ")
        if len(parts) != 3 or parts[0] != DASH or parts[1] != key.name:
            continue
        try:
            mark = base64.b64decode(parts[2], validate=True)
        except binascii.Error:
            continue
        if mark[:4] != key.mark:
            continue
        found = True
        if verify(key.raw, signed, mark[4:]):
            return _read(body + "\n", key)
    if found:
        raise Unusable("检查点的签名不对：内容被改动过。")
    raise Unusable("检查点不是用这把公钥对应的密钥签的。")


def _read(text: str, key: PublicKey) -> Checkpoint:
    lines = text.split("\n")[:-1]
    try:
        origin, size, root = lines[0], int(lines[1]), base64.b64decode(lines[2], validate=True)
        more = dict(line.split(" ", 1) for line in lines[3:])
    except (IndexError, ValueError, binascii.Error):
        raise Unusable("检查点的内容读不懂。") from None
    if origin != key.name or str(size) != lines[1] or size < 0 or len(root) != 32:
        raise Unusable("检查点的内容读不懂。")
    return Checkpoint(origin, size, root, more)
