"""Plans what the visitors of the demo do in a month: who is visited when and how, and whom they forget."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from random import Random  # noqa: TID251  (lent with its seed)
from typing import Any

from server.tools import SHANGHAI

Item = Mapping[str, Any]


class Manner(StrEnum):
    """How an errand goes."""

    MET = "met"
    ELSEWHERE = "elsewhere"
    REMOTE = "remote"
    ABSENT_ONCE = "absent_once"  # not met, then met two days later
    ABSENT = "absent"  # not met, and nobody came again
    FILED_LATE = "filed_late"  # no signal for days
    FILED_AFTER_THE_MONTH = "filed_after_the_month"
    HAZARD = "hazard"
    CARELESS = "careless"  # returned by the reviewer, then corrected
    WRONG = "wrong"  # voided by the reviewer
    DOUBTFUL = "doubtful"  # with something that makes a reviewer look, and left in the queue
    REVIEW = "review"  # two surveyors and a photo
    FORGOTTEN = "forgotten"


ONCE_EACH = (
    Manner.FORGOTTEN,
    Manner.FORGOTTEN,
    Manner.FORGOTTEN,
    Manner.FORGOTTEN,
    Manner.FORGOTTEN,
    Manner.ABSENT,
    Manner.WRONG,
    Manner.CARELESS,
    Manner.CARELESS,
    Manner.FILED_AFTER_THE_MONTH,
    Manner.FILED_AFTER_THE_MONTH,
    Manner.HAZARD,
    Manner.HAZARD,
    Manner.REMOTE,
    Manner.DOUBTFUL,
    Manner.DOUBTFUL,
    Manner.DOUBTFUL,
)
"""What happens to some of the dispersed in a month, whatever chance says."""

MOSTLY = {
    Manner.MET: 66,
    Manner.ELSEWHERE: 6,
    Manner.REMOTE: 6,
    Manner.ABSENT_ONCE: 10,
    Manner.FILED_LATE: 9,
    Manner.HAZARD: 3,
}
OTHERS_SEEN = 0.12
"""Which part of the other people on the list is seen in a month; they have the quarter or the year."""

NOBODY_COMES = frozenset({Manner.FORGOTTEN, Manner.ABSENT, Manner.WRONG})


@dataclass(frozen=True)
class Errand:
    """One person to be seen by one visitor (its username) at an instant; the record is filed at `filed_at`."""

    at: dt.datetime
    filed_at: dt.datetime
    visitor: str
    item: Item
    manner: Manner
    again: bool = False


def plan_month(
    first: dt.date,
    lists: Mapping[str, Sequence[Item]],
    chance: Random,
    never: Mapping[str, Manner],
) -> list[Errand]:
    """Plan a month from the worklists of its first day, by visitor; `never` are people whom nobody meets."""
    seen_by: dict[str, list[str]] = {}
    items: dict[str, Item] = {}
    for visitor, rows in lists.items():
        for item in rows:
            items[item["person_id"]] = item
            seen_by.setdefault(item["person_id"], []).append(visitor)
    dispersed = sorted(one for one, item in items.items() if "tekun_dispersed" in item["categories"])
    others = sorted(items.keys() - set(dispersed))
    special = dict(zip(chance.sample(dispersed, len(dispersed)), ONCE_EACH, strict=False))
    errands: list[Errand] = []
    for person in dispersed:
        manner = never.get(person) or special.get(person) or chance.choices([*MOSTLY], [*MOSTLY.values()])[0]
        errands += _errands(first, chance.choice(seen_by[person]), items[person], manner, chance)
    for person in others:
        if chance.random() < OTHERS_SEEN:
            reviewed = any(one.startswith("dibao") for one in items[person]["categories"])
            manner = Manner.REVIEW if reviewed and chance.random() < 0.5 else Manner.MET
            errands += _errands(first, chance.choice(seen_by[person]), items[person], manner, chance)
    return errands


def _errands(first: dt.date, visitor: str, item: Item, manner: Manner, chance: Random) -> list[Errand]:
    if manner is Manner.FORGOTTEN:
        return []
    at = dt.datetime.combine(_working_day(first, chance), dt.time(8, 30), SHANGHAI) + dt.timedelta(
        minutes=chance.randrange(9 * 60), seconds=chance.randrange(60)
    )
    soon = at + dt.timedelta(minutes=chance.randint(36, 60))
    filed_at = soon
    if manner is Manner.FILED_LATE:
        filed_at = soon + dt.timedelta(days=chance.randint(2, 4))
    elif manner is Manner.FILED_AFTER_THE_MONTH:
        after = (first.replace(day=28) + dt.timedelta(days=10)).replace(day=1)
        filed_at = dt.datetime.combine(
            after + dt.timedelta(days=chance.randint(1, 3)), dt.time(18, chance.randrange(60)), SHANGHAI
        )
    errands = [Errand(at, filed_at, visitor, item, manner)]
    if manner is Manner.ABSENT_ONCE:
        later = at + dt.timedelta(days=2)
        errands.append(Errand(later, later + dt.timedelta(minutes=50), visitor, item, Manner.MET, again=True))
    return errands


def _working_day(first: dt.date, chance: Random) -> dt.date:
    day = first + dt.timedelta(days=chance.randint(1, 25))
    return day - dt.timedelta(days=1) if day.weekday() == 6 else day
