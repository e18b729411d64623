"""The shapes that every message shares: strict objects, instants, dates, words, texts, ids, coordinates.

Every failure is a Chinese sentence that says what to do; nothing is trimmed, rounded or guessed.
"""

import datetime as dt
import math
import re
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from marshmallow import RAISE, Schema, ValidationError, fields

from server.terms import Term

SHANGHAI = ZoneInfo("Asia/Shanghai")
YEARS = range(1900, 2101)
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:Z|[+-]\d{2}:\d{2})\Z", re.ASCII)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}\Z", re.ASCII)
_MONTH = re.compile(r"\d{4}-(?:0[1-9]|1[0-2])\Z", re.ASCII)
_MONEY = re.compile(r"(?:0|[1-9]\d{0,7})\.\d{2}\Z", re.ASCII)
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z", re.ASCII)
REQUIRED = "请填写这一项。"
NOT_NULL = "这一项不能为空。"


class Strict(Schema):
    """An object in which every name is known: a typing error never loses a datum."""

    class Meta:
        """Unknown names are refused."""

        unknown = RAISE

    error_messages = {"unknown": "没有这一项，请检查名称。", "type": "应当是一个对象。"}  # noqa: RUF012


class _Field(fields.Field[Any]):
    default_error_messages = {"required": REQUIRED, "null": NOT_NULL, "invalid": "填写不对。"}  # noqa: RUF012


class Instant(_Field):
    """An instant: RFC 3339 with an offset and whole seconds; leaves with +08:00."""

    default_error_messages = {  # noqa: RUF012
        "naive": "时间须带时区，例如 2026-03-05T09:12:00+08:00。",
        "year": "时间的年份不对。",
    }

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> dt.datetime:
        if not isinstance(value, str) or not _INSTANT.match(value):
            raise self.make_error("naive")
        try:
            instant = dt.datetime.fromisoformat(value)
            utc = instant.astimezone(dt.UTC)
        except (ValueError, OverflowError):
            raise self.make_error("naive") from None
        if utc.year not in YEARS:
            raise self.make_error("year")
        return utc

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else value.astimezone(SHANGHAI).isoformat(timespec="seconds")


class DateField(_Field):
    """A calendar day, YYYY-MM-DD."""

    default_error_messages = {"format": "日期应为 2026-03-05 这样的格式。"}  # noqa: RUF012

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> dt.date:
        if not isinstance(value, str) or not _DATE.match(value):
            raise self.make_error("format")
        try:
            day = dt.date.fromisoformat(value)
        except ValueError:
            raise self.make_error("format") from None
        if day.year not in YEARS:
            raise self.make_error("format")
        return day

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else value.isoformat()


class Month(_Field):
    """A calendar month, YYYY-MM."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        if not isinstance(value, str) or not _MONTH.match(value):
            raise ValidationError("月份应为 2026-03 这样的格式。")
        return value


class MoneyField(_Field):
    """An amount in yuan as a decimal string, "755.00"."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Decimal:
        if not isinstance(value, str) or not _MONEY.match(value):
            raise ValidationError('金额应为 "755.00" 这样的文字（元，两位小数）。')
        return Decimal(value)

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else f"{value:.2f}"


class TermField(_Field):
    """A word of a closed vocabulary, by its wire value; `also` names further values such as "not_asked"."""

    def __init__(self, vocabulary: type[Term], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.vocabulary = vocabulary
        self._members = {member.value: member for member in vocabulary}
        self.metadata.setdefault("enum", list(self._members))
        self.metadata.setdefault("x-labels", {member.value: member.label for member in vocabulary})

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Term:
        member = self._members.get(value) if isinstance(value, str) else None
        if member is None:
            raise ValidationError(f"只能填：{'、'.join(self._members)}。")
        return member

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else str(value)


def sound_text(value: Any, *, least: int = 0, most: int) -> str:
    """Check a text: its length in characters, no NUL, no lone surrogate; it comes back as it was sent."""
    if not isinstance(value, str):
        raise ValidationError("应当是文字。")
    if len(value) > most:
        raise ValidationError(f"最多 {most} 个字。")
    if len(value) < least:
        raise ValidationError(REQUIRED if least == 1 else f"至少 {least} 个字。")
    if "\x00" in value or not _encodes(value):
        raise ValidationError("文字中有无法保存的字符。")
    return value


def _encodes(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


class Text(_Field):
    """A text of bounded length that comes back byte for byte."""

    def __init__(self, *, most: int, least: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.most, self.least = most, least
        self.metadata.setdefault("maxLength", most)
        if least:
            self.metadata.setdefault("minLength", least)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        return sound_text(value, least=self.least, most=self.most)


class UuidField(_Field):
    """A UUID as a string, in its canonical form with hyphens."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> UUID:
        if not isinstance(value, str) or not _UUID.match(value):
            raise ValidationError("编号应为 UUID。")
        return UUID(value)

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else str(value)


class Whole(_Field):
    """A whole number within bounds; true, "3" and 3.0 are none."""

    def __init__(self, *, least: int, most: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.least, self.most = least, most
        self.metadata.setdefault("minimum", least)
        self.metadata.setdefault("maximum", most)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValidationError("应当是整数。")
        if not self.least <= value <= self.most:
            raise ValidationError(f"应在 {self.least} 到 {self.most} 之间。")
        return value


class Flag(_Field):
    """True or false, nothing that merely looks like it."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise ValidationError("应为 true 或 false。")
        return value


class Degrees(_Field):
    """Degrees within ± `bound`; finite."""

    def __init__(self, bound: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.bound = bound
        self.metadata.setdefault("minimum", -bound)
        self.metadata.setdefault("maximum", bound)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            raise ValidationError("应当是数字。")
        if not -self.bound <= value <= self.bound:
            raise ValidationError(f"应在 -{self.bound} 到 {self.bound} 之间。")
        return float(value)


def Latitude(**kwargs: Any) -> Degrees:  # noqa: N802  (reads as the other fields do)
    """Degrees north."""
    return Degrees(90, **kwargs)


def Longitude(**kwargs: Any) -> Degrees:  # noqa: N802
    """Degrees east."""
    return Degrees(180, **kwargs)
