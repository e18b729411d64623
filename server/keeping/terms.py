"""What a backup consists of, in words: generations, ticks, pieces, and what is said when one cannot be used."""

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self


class KeepingRefused(Exception):  # noqa: N818  (read by an administrator as a sentence)
    """A backup or a restore cannot go on; the message says why and what to do, in Chinese, without personal data."""


class ArchiveDamaged(KeepingRefused):
    """Something in the backup was changed, cut off or lost."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One sealed object of an archive: its name, the size and the SHA-256 (hex) of what went in."""

    name: str
    size: int
    sha256: str

    def told(self) -> dict[str, Any]:
        """Give the JSON form."""
        return {"name": self.name, "size": self.size, "sha256": self.sha256}

    @classmethod
    def heard(cls, said: Mapping[str, Any]) -> Self:
        """Read the JSON form."""
        return cls(str(said["name"]), int(said["size"]), str(said["sha256"]))


@dataclass(frozen=True, slots=True)
class Tick:
    """One point to which a generation can be restored.

    Number 0 is the base copy, the others what changed since. `at` is an instant at which everything acknowledged was
    already in what the tick holds; `previous` the SHA-256 of the tick before, so that none can be taken out or
    exchanged. `pieces` maps a role (`records`, `keys`, or a table's of a base) to its object, `facts` is the engine's own.
    """

    number: int
    at: dt.datetime
    previous: str
    pieces: Mapping[str, Piece]
    facts: Mapping[str, Any]

    def to_json(self) -> bytes:
        """Write the tick; the same tick always gives the same bytes."""
        told = {
            "number": self.number,
            "at": self.at.astimezone(dt.UTC).isoformat(),
            "previous": self.previous,
            "pieces": {role: piece.told() for role, piece in self.pieces.items()},
            "facts": dict(self.facts),
        }
        return json.dumps(told, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()

    @classmethod
    def parse(cls, text: bytes) -> Self:
        """Read a tick. Raises ArchiveDamaged when it is none."""
        try:
            said = json.loads(text)
            return cls(
                number=int(said["number"]),
                at=dt.datetime.fromisoformat(said["at"]),
                previous=str(said["previous"]),
                pieces={role: Piece.heard(piece) for role, piece in said["pieces"].items()},
                facts=said["facts"],
            )
        except (ValueError, KeyError, TypeError, AttributeError) as broken:
            raise ArchiveDamaged("备份的清单读不懂，备份已损坏；请改用另一代备份。") from broken
