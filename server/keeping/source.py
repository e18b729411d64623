"""What is asked of a database that is backed up, whichever it is."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Protocol

from server.keeping.terms import Piece

PutBase = Callable[[str, BinaryIO], Piece]
"""Takes the role of a piece of the base (`records`, `keys`, or one of either with `:name`) and its content."""


@dataclass(slots=True)
class Changed:
    """What was committed since the last tick: records, data keys, and the photos that arrived (their blob keys)."""

    records: BinaryIO | None = None
    keys: BinaryIO | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    photos: Sequence[str] = ()


class Source(Protocol):
    """A database that is followed while the service goes on."""

    def base(self, put: PutBase) -> Mapping[str, Any]:
        """Copy the whole database at one instant; gives the facts of tick 0. Followed from there on."""

    def tick(self) -> Changed | None:
        """Gather what was committed since the base or the last tick; keys at least as new as records."""

    def kept(self) -> None:
        """Hear that the last tick is durable."""

    def is_outdated(self) -> bool:
        """Say whether a new base is needed (the schema was upgraded)."""

    def destroyed(self) -> Mapping[str, str]:
        """Give the ids of the data keys that were destroyed, with the instant."""

    def close(self) -> None:
        """Stop following."""


class LostTrackError(Exception):
    """Something may have gone by unseen; a new generation is begun."""
