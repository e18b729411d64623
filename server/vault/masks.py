"""Masks: what is shown of a personal datum to those who needn't know it whole (TRUST §2, GB/T 35273 §7.2).

Every mask gives "" for "" and never more than it says, however odd the input.
"""

import re

from server.vault.blind_index import normal_id_number, normal_phone

_STAR = "*"
_ID_HEAD, _ID_TAIL, _ID_SHORTEST = 3, 4, 15
_PHONE_HEAD, _PHONE_TAIL, _PHONE_SHORTEST = 3, 4, 11
_BANK_TAIL, _BANK_SHORTEST = 4, 12
_SHORT_SHARE = 4  # of what is too short for its mask, at most a quarter is shown
# A character with what modifies it: combining marks, and the selectors that pick a variant of a rare character.
_CHARACTER = re.compile(r".[\u0300-\u036f\ufe00-\ufe0f\U000e0100-\U000e01ef]*", re.DOTALL)
_BETWEEN_NAMES = "·•・"
_VILLAGE = re.compile(r".*?(?:村|社区|居委会|居民委员会)", re.DOTALL)


def mask_id_number(number: str) -> str:
    """Show the first three and last four of an id number, old ones of 15 digits too; of odd ones less."""
    return _masked(normal_id_number(number), _ID_HEAD, _ID_TAIL, _ID_SHORTEST)


def mask_phone(number: str) -> str:
    """Show a phone number as 138****1234; of short ones the last few digits."""
    digits = normal_phone(number)
    if number and not digits:
        return _STAR * len(number)
    return _masked(digits, _PHONE_HEAD, _PHONE_TAIL, _PHONE_SHORTEST)


def mask_bank(account: str) -> str:
    """Show the last four of a bank account; of short ones less."""
    return _masked("".join(account.split()), 0, _BANK_TAIL, _BANK_SHORTEST)


def mask_name(name: str) -> str:
    """Show a name as 张*明, 张* or 买*****孜; the 间隔号 of a long name stays."""
    characters: list[str] = _CHARACTER.findall(name.strip())
    if len(characters) <= 1:
        return _STAR * len(characters)
    shown_at_end = len(characters) > len("张明")
    hidden = characters[1:-1] if shown_at_end else characters[1:]
    stars = "".join(each if each in _BETWEEN_NAMES else _STAR for each in hidden)
    return characters[0] + stars + (characters[-1] if shown_at_end else "")


def mask_address(address: str) -> str:
    """Show an address down to the first village or community that it names; nothing when it names none."""
    village = _VILLAGE.match(address)
    return village.group() if village else ""


def _masked(text: str, head: int, tail: int, shortest: int) -> str:
    if len(text) < shortest:
        head, tail = 0, min(tail, len(text) // _SHORT_SHARE)
    hidden = len(text) - head - tail
    return text[:head] + _STAR * hidden + text[len(text) - tail :]
