"""What somebody means who searches the archives: one box takes names, initials, file numbers and id numbers."""

import re
import unicodedata
from dataclasses import dataclass

from server.archives.terms import SearchKind

_LAST_FOUR = re.compile(r"[0-9]{3}[0-9X]", re.ASCII)
_WHOLE = re.compile(r"[0-9]{17}[0-9X]|[0-9]{15}", re.ASCII)
_FILE_NO = re.compile(r"[0-9][0-9A-Z-]*", re.ASCII)
_LETTERS = re.compile(r"[A-Z]+", re.ASCII)
_GAPS = re.compile(r"\s+")
LAST_CHARACTER = 0x10FFFF
SURROGATES = (0xD800, 0xDFFF)


@dataclass(frozen=True, slots=True)
class Search:
    """A search understood: its kind, and the text in the form in which it is compared."""

    kind: SearchKind
    text: str


def understood(query: str) -> Search | None:
    """Say what a search box's text asks for; None when it holds nothing.

    Four characters like the end of an id number are one, 15 or 18 a whole id number; other digits begin a file
    number, Latin letters a name or its initials. Everything else begins a name, to the letter: `%` and `_` are
    characters like any other.
    """
    text = query.strip()
    if not text:
        return None
    plain = _GAPS.sub("", unicodedata.normalize("NFKC", text)).upper()
    if _LAST_FOUR.fullmatch(plain):
        return Search(SearchKind.LAST_FOUR, plain)
    if _WHOLE.fullmatch(plain):
        return Search(SearchKind.ID_NUMBER, plain)
    if _FILE_NO.fullmatch(plain):
        return Search(SearchKind.FILE_NO, plain)
    if _LETTERS.fullmatch(plain):
        return Search(SearchKind.INITIALS, plain)
    return Search(SearchKind.NAME, text)


def end_of_prefix(prefix: str) -> str | None:
    """Give the first text that sorts behind everything that begins with `prefix` (by code point); None: nothing does."""
    for place in range(len(prefix) - 1, -1, -1):
        following = ord(prefix[place]) + 1
        if SURROGATES[0] <= following <= SURROGATES[1]:
            following = SURROGATES[1] + 1
        if following <= LAST_CHARACTER:
            return prefix[:place] + chr(following)
    return None
