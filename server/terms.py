"""The base of every enumerated word: its value on the wire, its Chinese label, where it comes from."""

from enum import StrEnum
from typing import Self


class Term(StrEnum):
    """One word of a closed vocabulary: `MET = "met", "见到本人", "DOMAIN §3.1"`.

    The member is the lower_snake string that goes over the wire and into the database; `label` is what people
    read, `source` is the document that the word comes from. `GET /terms` lists every subclass that a feature
    hands to it.
    """

    label: str
    source: str

    def __new__(cls, value: str, label: str, source: str = "") -> Self:
        member = str.__new__(cls, value)
        member._value_ = value
        member.label = label
        member.source = source
        return member


def values(vocabulary: type[Term]) -> list[str]:
    """List the wire values of a vocabulary, in the order of its definition."""
    return [member.value for member in vocabulary]
