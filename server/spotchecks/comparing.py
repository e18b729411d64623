"""Compares a back-check with what was recorded, as survey organisations do (IPA back checks), and proposes a result.

Questions are of three kinds. A difference in one that is stable and easy to ask (type 1) hints that it was not asked in
earnest; in one that is stable and hard to ask (type 2), that the visitor needs help; in one that changes by itself (type
3), it speaks of the question. So rates are told by question and by kind, never by worker, and a proposal is only that.
"""

import datetime as dt
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from server.spotchecks.terms import QuestionKind, Recall, SpotCheckResult
from server.visits.answers import NOT_ASKED, QUESTIONS
from server.visits.form import Answer

_1, _2, _3 = QuestionKind.TYPE_1, QuestionKind.TYPE_2, QuestionKind.TYPE_3
KINDS: Mapping[str, QuestionKind] = {
    "living_with": _1,
    "water": _1,
    "housing_type": _1,
    "housing_structure": _1,
    "medical_insurance": _1,
    "family_doctor": _1,
    "card_held_by": _1,
    "money_received": _1,
    "caregiver_met": _1,
    "meals_by": _2,
    "gas": _2,
    "smart_device": _2,
    "housing_safety": _2,
    "electric": _2,
    "fire": _2,
    "chronic": _2,
    "care_fee_known": _2,
    "caregiver_performing": _2,
    "can_walk": _2,
    "policy_told": _2,
    "food": _3,
    "food_stock_days": _3,
    "clothing_bedding": _3,
    "hygiene_person": _3,
    "hygiene_room": _3,
    "health_overall": _3,
    "mental_state": _3,
    "medicine_have": _3,
    "satisfaction": _3,
}
"""The questions that a back-check asks again, with their kind; free texts and sealed answers are left in peace."""

Z_95 = 1.959963984540054


class Compared(NamedTuple):
    """One question that both had answered."""

    question: str
    kind: QuestionKind
    differs: bool


@dataclass(frozen=True, slots=True)
class Tolerances:
    """What is still the same: numbers within `number`, days within `days`; and how many type-1 differences are how bad."""

    number: int
    days: int
    minor_from: int
    major_from: int


class Interval(NamedTuple):
    """The 95 % interval of a share (Wilson), from 0 to 1."""

    low: float
    high: float


def compare(
    recorded: Mapping[str, Answer], checked: Mapping[str, Answer], tolerances: Tolerances
) -> list[Compared]:
    """Compare the questions that both answered, in the order of the form; what either did not ask is not compared."""
    return [
        Compared(name, KINDS[name], not same(name, recorded[name], checked[name], tolerances))
        for name in QUESTIONS
        if name in KINDS and _answered(recorded, name) and _answered(checked, name)
    ]


def same(name: str, one: Answer, other: Answer, tolerances: Tolerances) -> bool:
    """Say whether two answers to a question are the same: several words in any order, numbers within the tolerance."""
    question = QUESTIONS[name]
    if question.kind == "words":
        return _words(one) == _words(other)
    if question.kind == "number":
        return abs(int(str(one)) - int(str(other))) <= tolerances.number
    return one == other and type(one) is type(other)


def day_fits(visited_on: dt.date, recalled_on: dt.date | None, tolerances: Tolerances) -> bool | None:
    """Say whether the day that was remembered is the day of the visit; None when none was."""
    return None if recalled_on is None else abs((visited_on - recalled_on).days) <= tolerances.days


def propose(
    recall: Recall, compared: Iterable[Compared], tolerances: Tolerances, *, day: bool | None = None
) -> SpotCheckResult | None:
    """Propose a result for a person to decide on; None while nobody was reached.

    Who says that nobody came may be confused, or afraid: that asks for an inquiry and is never a verdict by itself.
    """
    if recall is Recall.UNREACHABLE:
        return None
    if recall is Recall.DENIED:
        return SpotCheckResult.NEEDS_INQUIRY
    stable = sum(one.differs for one in compared if one.kind is QuestionKind.TYPE_1)
    if stable >= tolerances.major_from:
        return SpotCheckResult.MAJOR
    if stable >= tolerances.minor_from or day is False:
        return SpotCheckResult.MINOR
    return SpotCheckResult.PASS


def interval(differing: int, compared: int) -> Interval | None:
    """Give how far the true share may lie from the one seen: wide when little was compared, None when nothing was."""
    if compared == 0:
        return None
    share, square = differing / compared, Z_95**2
    middle = share + square / (2 * compared)
    reach = Z_95 * math.sqrt(share * (1 - share) / compared + square / (4 * compared**2))
    whole = 1 + square / compared
    low = (middle - reach) / whole if differing else 0.0
    high = (middle + reach) / whole if differing < compared else 1.0
    return Interval(low, high)


def _answered(answers: Mapping[str, Answer], name: str) -> bool:
    return name in answers and answers[name] != NOT_ASKED


def _words(answer: Answer) -> frozenset[str]:
    return frozenset(answer) if isinstance(answer, (tuple, list)) else frozenset({str(answer)})
