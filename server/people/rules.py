"""What a person's history may look like: spans of days that do not contradict each other, and dates that can be."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from server.errors import Conflict, Invalid
from server.people.terms import LIMITS, Category, ExitReason, Limits

DAY = dt.timedelta(days=1)


class PersonAlreadyRegistered(Conflict):
    """Somebody with this id number is registered already; `person_id` is given to those who may see the file."""

    title = "此人已登记"
    detail = "这个身份证号码已经登记过，不能重复登记。如不在本辖区，请联系县民政局。"


class PersonHasDied(Conflict):
    """The person is recorded as dead; what is for the living cannot be recorded any more."""

    title = "此人已登记死亡"
    detail = "此人已登记死亡，不能再办理这项业务。"


class DiedOnAnotherDay(Conflict):
    """Another day of death is recorded already."""

    title = "死亡日期不一致"
    detail = "此人已登记过另一个死亡日期，请核对后联系管理员。"


class EnrolmentOverlaps(Conflict):
    """The person is enrolled under the same category on some of these days already."""

    title = "救助类别时间重叠"
    detail = "此人在这段时间已有同一救助类别，请先核对起止日期。"


class EnrolmentOver(Conflict):
    """The enrolment was ended or changed meanwhile; read the file again."""

    title = "救助记录已变更"
    detail = "这条救助记录已经变更过，请刷新后再操作。"


class PausesOverlap(Conflict):
    """Another pause covers some of these days."""

    title = "暂停时间重叠"
    detail = "这段时间已有暂停记录，请先核对起止日期。"


class PauseOver(Conflict):
    """The pause is over; what was paused then stays as it was."""

    title = "暂停已结束"
    detail = "这次暂停已经结束，不能再撤销。"


@dataclass(frozen=True, slots=True)
class Span:
    """Days of one category; both ends belong to it, None goes on."""

    category: Category
    valid_from: dt.date
    valid_to: dt.date | None = None
    reason: ExitReason | None = None

    def meets(self, other: "Span") -> bool:
        """Say whether both hold the same category on some day."""
        return (
            self.category is other.category
            and (other.valid_to is None or self.valid_from <= other.valid_to)
            and (self.valid_to is None or other.valid_from <= self.valid_to)
        )


def refuse_overlap(there: Iterable[Span], new: Span) -> None:
    """Refuse a span that meets another of its category, and one that ends before it begins."""
    if new.valid_to is not None and new.valid_to < new.valid_from:
        raise Invalid(errors={"valid_to": ["结束日期不能早于开始日期。"]})
    if any(new.meets(one) for one in there):
        raise EnrolmentOverlaps(errors={"valid_from": ["与已有的同类别记录重叠。"]})


def cut_at_death(span: Span, died_on: dt.date) -> Span | None:
    """Say what remains of a span when the person died: their last day is the day of death; None when nothing does."""
    if span.valid_from > died_on:
        return None
    if span.valid_to is not None and span.valid_to <= died_on:
        return span
    return Span(span.category, span.valid_from, died_on, ExitReason.DEATH)


def possible_day(
    day: dt.date, path: str, today: dt.date, *, ahead: bool = False, limits: Limits = LIMITS
) -> dt.date:
    """Refuse a day that can only be a typing error: before 1900, or after today (`ahead`: after a good year)."""
    latest = today + limits.ahead_days * DAY if ahead else today
    if day < limits.earliest:
        raise Invalid(errors={path: ["日期太早，请核对。"]})
    if day > latest:
        raise Invalid(errors={path: ["日期太远，请核对。" if ahead else "日期不能晚于今天。"]})
    return day


def check_death(died_on: dt.date, birth_date: dt.date | None, today: dt.date) -> None:
    """Refuse a death in the future or before the birth."""
    possible_day(died_on, "died_on", today)
    if birth_date is not None and died_on < birth_date:
        raise Invalid(errors={"died_on": ["死亡日期不能早于出生日期。"]})


def check_pause(from_on: dt.date, to_on: dt.date, today: dt.date, limits: Limits = LIMITS) -> None:
    """Refuse a pause that ends before it begins, or that is longer than a pause can be."""
    possible_day(from_on, "from_on", today, ahead=True, limits=limits)
    possible_day(to_on, "to_on", today, ahead=True, limits=limits)
    if to_on < from_on:
        raise Invalid(errors={"to_on": ["结束日期不能早于开始日期。"]})
    if to_on - from_on > limits.longest_pause_days * DAY:
        raise Invalid(errors={"to_on": ["暂停时间太长，请分段填写。"]})


def check_agreement(
    signed_on: dt.date, starts_on: dt.date, ends_on: dt.date, today: dt.date, limits: Limits = LIMITS
) -> None:
    """Refuse an agreement signed in the future, or whose days cannot be."""
    possible_day(signed_on, "signed_on", today, limits=limits)
    possible_day(starts_on, "starts_on", today, ahead=True, limits=limits)
    if ends_on < starts_on:
        raise Invalid(errors={"ends_on": ["结束日期不能早于开始日期。"]})
    if ends_on - starts_on > limits.longest_agreement_days * DAY:
        raise Invalid(errors={"ends_on": ["协议期限太长，请核对。"]})


def said(text: str | None, path: str, most: int) -> str | None:
    """Trim a text that somebody typed; None when nothing is left. Refuses what is too long or cannot be stored."""
    kept = (text or "").strip()
    if len(kept) > most:
        raise Invalid(errors={path: [f"最多 {most} 个字。"]})
    if any((char < " " and char not in "\n\t") or "\ud800" <= char <= "\udfff" for char in kept):
        raise Invalid(errors={path: ["文字中有无法保存的字符。"]})
    return kept or None


def said_surely(text: str | None, path: str, most: int) -> str:
    """Trim a text that must be given."""
    kept = said(text, path, most)
    if kept is None:
        raise Invalid(errors={path: ["请填写这一项。"]})
    return kept
