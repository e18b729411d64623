"""Names of villages as people write them, led to area codes."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

VillageLookup = Callable[[str], list[str]]

_COMMITTEE = re.compile(r"(?:村民|居民)?委员会$|[村居]委会?$|村居委会$")
_COUNTY = re.compile(r"^(?:安徽省)?(?:宣城市)?(?:广德[市县])?")
_GROUP = re.compile(r"(?<=[村区])[^村区]{1,8}(?:组|队|号)$")


@dataclass(frozen=True, slots=True)
class VillageName:
    """A village or community: its twelve-digit code, its official name, and the name of its township."""

    code: str
    name: str
    township: str


def _stem(name: str) -> str:
    return re.sub(r"(?:村民|居民)委员会$", "", name)


def village_lookup(villages: Iterable[VillageName]) -> VillageLookup:
    """Make the lookup of a directory: the codes that a written name may mean, none or several included.

    The official name wins over its shortened forms; 村民委员会, 村委会 and the township's name may be there or not.
    """
    units = list(villages)

    def candidates(text: str) -> list[VillageName]:
        name = _COUNTY.sub("", text.replace(" ", ""))
        exact = _match(units, name)
        if exact:
            return exact
        for township in sorted({unit.township for unit in units}, key=len, reverse=True):
            short = re.sub(r"(?:街道|镇|乡)$", "", township)
            for prefix in (f"{township}办事处", township, short):
                rest = name.removeprefix(prefix)
                if rest and rest != name:
                    found = _match([unit for unit in units if unit.township == township], rest)
                    if found:
                        return found
        without_group = _GROUP.sub("", name)
        return candidates(without_group) if without_group != name else []

    def lookup(text: str) -> list[str]:
        return [unit.code for unit in candidates(text)] if text else []

    return lookup


def _match(units: list[VillageName], name: str) -> list[VillageName]:
    tiers: list[Callable[[VillageName], bool]] = [
        lambda unit: name in {unit.code, unit.name},
        lambda unit: name == _stem(unit.name),
        lambda unit: (
            _committee_of(name) in {_stem(unit.name), _core(unit.name)} and _committee_of(name) != name
        ),
        lambda unit: name == _core(unit.name),
    ]
    for tier in tiers:
        found = [unit for unit in units if tier(unit)]
        if found:
            return found
    return []


def _committee_of(name: str) -> str:
    return _COMMITTEE.sub("", name)


def _core(name: str) -> str:
    stem = _stem(name)
    return re.sub(r"(?:村|社区)$", "", stem) or stem
