"""Pinyin initials of names (张明 → ZM), by which people are searched on a phone."""

import re

MOST = 40
# As a family name these are read otherwise than in most words.
_FAMILY_NAMES = {
    "万俟": "mq", "尉迟": "yc", "单于": "cy", "单": "s", "仇": "q", "解": "x", "曾": "z", "查": "z", "翟": "z",
    "朴": "p", "缪": "m", "乐": "y", "区": "o", "种": "c", "员": "y", "盖": "g", "繁": "p", "黑": "h", "秘": "b",
    "洗": "x", "冼": "x", "折": "s", "召": "s", "长孙": "zs",
}  # fmt: skip
_LONGEST_FIRST = sorted(_FAMILY_NAMES, key=len, reverse=True)
_LETTERS = re.compile("[^A-Z0-9]+")


def initials(name: str) -> str:
    """Give the pinyin initials of a name in upper case, at most 40; "" when nothing in it can be read."""
    # Its dictionary takes 56 MB, which a process that registers nobody need not hold.
    from pypinyin import Style, lazy_pinyin

    family = next((one for one in _LONGEST_FIRST if name.startswith(one)), "")
    rest = name[len(family) :]
    letters = _FAMILY_NAMES.get(family, "") + "".join(lazy_pinyin(rest, style=Style.FIRST_LETTER))
    return _LETTERS.sub("", letters.upper())[:MOST]
