"""The signing key and the folder of exported checkpoints: both outside the database, which must not be its own witness."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from server.ledger.checkpoints import CheckpointRefused
from server.ledger.models import Checkpoint
from server.ledger.notes import KeyBroken, NoteBroken, Signed, SigningKey
from server.settings import Settings, text_or_file
from server.vault.keyring import place_once

SUFFIX = ".checkpoint"
LONGEST = 100_000


def signing_key(settings: Settings) -> SigningKey:
    """Read the key that signs checkpoints; there is none by default."""
    if not settings.ledger_key:
        raise KeyBroken(
            "没有设置签名密钥 LEDGER_KEY。请用 flask ledger keygen 文件 --name 名称 生成一把，"
            "设置 LEDGER_KEY=file:/路径，并把显示的公钥交给核验的人。"
        )
    return SigningKey.parse(text_or_file("LEDGER_KEY", settings.ledger_key))


def make_key(file: Path, name: str, random_bytes: Callable[[int], bytes]) -> tuple[SigningKey, bool]:
    """Make a signing key in a file (mode 0600) unless there is one, and say whether it was made."""
    try:
        made = not file.exists() and place_once(
            file, SigningKey.generate(name, random_bytes).written(), random_bytes(8).hex()
        )
        return SigningKey.parse(file.read_text(encoding="ascii")), made
    except (OSError, UnicodeDecodeError) as broken:
        why = broken.strerror if isinstance(broken, OSError) else "not ASCII text"
        raise KeyBroken(f"{file}: {why}") from None


@dataclass(frozen=True, slots=True)
class CheckpointFolder:
    """Where checkpoints are exported to; best on another machine, or one that only lets files be added."""

    path: Path

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Open the folder that the settings name."""
        url = settings.ledger_checkpoints
        if not url or not url.startswith("file:"):
            raise CheckpointRefused(
                "没有设置 LEDGER_CHECKPOINTS：检查点导出到哪里（file:///文件夹）。它应当在数据库管理员改不到的地方。"
            )
        path = Path(url.removeprefix("file://").removeprefix("file:"))
        if not path.is_dir():
            raise CheckpointRefused(f"检查点文件夹 {path} 不存在或读不了。")
        return cls(path)

    def held(self, key: SigningKey) -> list[Signed]:
        """Read the last checkpoint that was exported; a changed one, or one of another key, is refused."""
        names = sorted(one.name for one in self.path.glob(f"*{SUFFIX}"))
        if not names:
            return []
        try:
            with (self.path / names[-1]).open(encoding="utf-8") as file:
                return [key.opened(file.read(LONGEST))]
        except NoteBroken:
            raise CheckpointRefused(
                f"导出的检查点 {names[-1]} 不是用现在的密钥签的，或被改动过。没有签名。换了密钥时请换一个新的空文件夹。"
            ) from None
        except (OSError, UnicodeDecodeError):
            raise CheckpointRefused(f"导出的检查点 {names[-1]} 读不出来。没有签名。") from None

    def put(self, key: SigningKey, one: Checkpoint) -> None:
        """Export a checkpoint of the table, if this key signed it; durable on return, never over an older file."""
        try:
            said = key.opened(one.note)
        except NoteBroken:
            raise CheckpointRefused(f"库中第 {one.number} 号检查点不是用现在的密钥签的，没有导出。") from None
        file = self.path / f"{said.number:08}-{said.size}{SUFFIX}"
        draft = file.with_name(f".{file.name}")
        with draft.open("w", encoding="utf-8", newline="\n") as out:
            out.write(one.note)
            out.flush()
            os.fsync(out.fileno())
        draft.replace(file)
        folder = os.open(self.path, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
