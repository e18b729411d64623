"""The words that every schema on the wire is made of: strict, in Chinese when they refuse, exact in both directions.

A body's field takes what CONTRACT §1 promises and nothing near it: no naive instants, no `true` for 1, no numbers in
quotes, no NaN. Texts come back byte for byte. When dumping, a value that is in its wire form already passes through.
"""

import datetime as dt
import math
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, cast
from uuid import UUID
from zoneinfo import ZoneInfo

from marshmallow import RAISE, Schema, fields
from marshmallow.exceptions import ValidationError
from marshmallow.types import ErrorMessages

from server.terms import Term

SHANGHAI = ZoneInfo("Asia/Shanghai")
FIRST_YEAR, LAST_YEAR = 1970, 2100
FIRST_DATE_YEAR = 1900

INSTANT_PATTERN = r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(Z|[+-]\d{2}:\d{2})$"
UUID_PATTERN = "^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$"
MONEY_PATTERN = r"^-?(0|[1-9]\d{0,11})\.\d{2}$"

_INSTANT = re.compile(INSTANT_PATTERN[1:-1], re.ASCII)
_UUID = re.compile(UUID_PATTERN[1:-1])
_MONEY = re.compile(MONEY_PATTERN[1:-1], re.ASCII)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])", re.ASCII)
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")

MESSAGES: ErrorMessages = {
    "required": "这一项必须填写。",
    "null": "这一项不能为空。",
    "validator_failed": "内容不对。",
    "type": "应当是一个对象（{…}）。",
    "unknown": "没有这一项，请检查名称。",
    "invalid": "内容不对。",
}


class Strict(Schema):
    """A body whose unknown fields are refused, so that a typing error never loses a datum."""

    class Meta:
        unknown = RAISE

    error_messages = cast("dict[str, str]", MESSAGES)


class _Chinese:
    default_error_messages: ErrorMessages = MESSAGES


def _described(options: dict[str, Any], **schema: Any) -> dict[str, Any]:
    """Add what OpenAPI should say of a field to its options; the field's own metadata win."""
    return options | {"metadata": schema | dict(options.get("metadata", {}))}


class Text(_Chinese, fields.String):
    """A text of `least` to `longest` characters, kept byte for byte; what cannot be stored is refused.

    NUL and lone surrogates are refused. Nothing is trimmed: rare characters, 间隔号 and long names come back as sent.
    """

    def __init__(self, longest: int, *, least: int = 1, pattern: str | None = None, **options: Any) -> None:
        shown = {"maxLength": longest} | ({"minLength": least} if least else {})
        super().__init__(**_described(options, **shown, **({"pattern": pattern} if pattern else {})))
        self.longest = longest
        self.least = least
        self.pattern = re.compile(pattern.removeprefix("^").removesuffix("$")) if pattern else None

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        del attr, data, kwargs
        return text(value, self.longest, least=self.least, pattern=self.pattern)


def text(value: Any, longest: int, *, least: int = 1, pattern: re.Pattern[str] | None = None) -> str:
    """Check one text; raises ValidationError in words for its writer."""
    if not isinstance(value, str):
        raise ValidationError("应当是文字。")
    if len(value) > longest:
        raise ValidationError(f"最多{longest}个字。")
    if len(value) < least:
        raise ValidationError("不能是空白。")
    if _UNSTORABLE.search(value):
        raise ValidationError("文字中有无法保存的字符。")
    if pattern is not None and not pattern.fullmatch(value):
        raise ValidationError("格式不对。")
    return value


class UuidField(_Chinese, fields.Field[UUID]):
    """An id in canonical form, in either case; answers are lower-case."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**_described(options, type="string", format="uuid", pattern=UUID_PATTERN))

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> UUID:
        del attr, data, kwargs
        if not isinstance(value, str) or not _UUID.fullmatch(value):
            raise ValidationError("编号应当是 UUID。")
        return UUID(value)

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        del attr, obj, kwargs
        return None if value is None else str(value)


class Instant(_Chinese, fields.Field[dt.datetime]):
    """An instant, RFC 3339 with `T` and an offset, in whole seconds of the years 1970 to 2100; UTC inside."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**_described(options, type="string", format="date-time", pattern=INSTANT_PATTERN))

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> dt.datetime:
        del attr, data, kwargs
        if not isinstance(value, str) or not _INSTANT.fullmatch(value):
            raise ValidationError("时间应当像 2026-03-05T09:12:00+08:00，到秒，并带时区。")
        try:
            instant = dt.datetime.fromisoformat(value).astimezone(dt.UTC)
        except (ValueError, OverflowError):
            raise ValidationError("没有这个时间。") from None
        if not FIRST_YEAR <= instant.year <= LAST_YEAR:
            raise ValidationError(f"年份应当在{FIRST_YEAR}至{LAST_YEAR}之间。")
        return instant

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        del attr, obj, kwargs
        if isinstance(value, dt.datetime):
            return value.astimezone(SHANGHAI).isoformat(timespec="seconds")
        return None if value is None else str(value)


def day(value: Any) -> dt.date:
    """Check one date; raises ValidationError in words for its writer."""
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        raise ValidationError("日期应当像 2026-03-05。")
    try:
        made = dt.date.fromisoformat(value)
    except ValueError:
        raise ValidationError("没有这一天。") from None
    if not FIRST_DATE_YEAR <= made.year <= LAST_YEAR:
        raise ValidationError(f"年份应当在{FIRST_DATE_YEAR}至{LAST_YEAR}之间。")
    return made


class DateField(_Chinese, fields.Field[dt.date]):
    """A business day, `YYYY-MM-DD`."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**_described(options, type="string", format="date"))

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> dt.date:
        del attr, data, kwargs
        return day(value)

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        del attr, obj, kwargs
        return None if value is None else str(value)


class Month(_Chinese, fields.Field[dt.date]):
    """A calendar month, `YYYY-MM`; its first day inside."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**_described(options, type="string", pattern="^[0-9]{4}-(0[1-9]|1[0-2])$"))

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> dt.date:
        del attr, data, kwargs
        if not isinstance(value, str) or not _MONTH.fullmatch(value):
            raise ValidationError("月份应当像 2026-03。")
        return day(f"{value}-01")

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        del attr, obj, kwargs
        return None if value is None else str(value)[: len("2026-03")]


class MoneyField(_Chinese, fields.Field[Decimal]):
    """An amount in yuan as a decimal string with two places, `"755.00"`; Decimal inside."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**_described(options, type="string", pattern=MONEY_PATTERN, example="755.00"))

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Decimal:
        del attr, data, kwargs
        if not isinstance(value, str) or not _MONEY.fullmatch(value):
            raise ValidationError("金额应当像 755.00，以元为单位。")
        return Decimal(value)

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        del attr, obj, kwargs
        return None if value is None else f"{value:.2f}" if isinstance(value, Decimal) else str(value)


class Number(_Chinese, fields.Field[float]):
    """A finite number from `least` to `most`; neither a truth value nor a number in quotes."""

    def __init__(self, least: float, most: float, **options: Any) -> None:
        super().__init__(**_described(options, type="number", minimum=least, maximum=most))
        self.least = least
        self.most = most

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> float:
        del attr, data, kwargs
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise ValidationError("应当是数字。")
        if not self.least <= value <= self.most:  # also NaN, and integers too large for a float
            raise ValidationError(f"应当在{self.least:g}至{self.most:g}之间。")
        return float(value) + 0.0  # -0.0 is 0.0

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> float | None:
        del attr, obj, kwargs
        return None if value is None or not math.isfinite(value) else value


class Latitude(Number):
    """Degrees north, within ±90."""

    def __init__(self, **options: Any) -> None:
        super().__init__(-90, 90, **options)


class Longitude(Number):
    """Degrees east, within ±180."""

    def __init__(self, **options: Any) -> None:
        super().__init__(-180, 180, **options)


def whole(value: Any, least: int, most: int) -> int:
    """Check one whole number; raises ValidationError in words for its writer."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValidationError("应当是整数。")
    if not least <= value <= most:
        raise ValidationError(f"应当在{least}至{most}之间。")
    return value


class Whole(_Chinese, fields.Field[int]):
    """A whole number from `least` to `most`; not a truth value."""

    def __init__(self, least: int, most: int, **options: Any) -> None:
        super().__init__(**_described(options, type="integer", minimum=least, maximum=most))
        self.least = least
        self.most = most

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        del attr, data, kwargs
        return whole(value, self.least, self.most)


class YesNo(_Chinese, fields.Field[bool]):
    """`true` or `false`, and nothing that merely looks like it."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**_described(options, type="boolean"))

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        del attr, data, kwargs
        if not isinstance(value, bool):
            raise ValidationError("应当是 true 或 false。")
        return value


def labels(vocabulary: type[Term]) -> dict[str, str]:
    """Give the Chinese label of each word, for the OpenAPI file."""
    return {member.value: member.label for member in vocabulary}


def outside(words: Mapping[str, Any]) -> ValidationError:
    """Say that a word is none of a vocabulary."""
    return ValidationError(f"只能是：{'、'.join(words)}。")


class TermField(_Chinese, fields.Field[Term]):
    """One word of a vocabulary; OpenAPI gets its values as `enum` and its labels as `x-labels`."""

    def __init__(self, vocabulary: type[Term], **options: Any) -> None:
        words: list[str | None] = [member.value for member in vocabulary]
        if options.get("allow_none") or options.get("load_default", ...) is None:
            words.append(None)
        schema = {"type": "string", "enum": words, "x-labels": labels(vocabulary)}
        super().__init__(**_described(options, **schema))
        self.words: dict[str, Term] = {member.value: member for member in vocabulary}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Term:
        del attr, data, kwargs
        word = self.words.get(value) if isinstance(value, str) else None
        if word is None:
            raise outside(self.words)
        return word

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        del attr, obj, kwargs
        return value.value if isinstance(value, Term) else value


class Many(_Chinese, fields.List[Any]):
    """A list of `least` to `most` members, loaded as a tuple; `distinct` refuses repetition."""

    default_error_messages: ErrorMessages = MESSAGES | {"invalid": "应当是一个列表（[…]）。"}

    def __init__(
        self, inner: fields.Field[Any], *, most: int, least: int = 0, distinct: bool = False, **options: Any
    ) -> None:
        shown: dict[str, Any] = {"maxItems": most} | ({"minItems": least} if least else {})
        super().__init__(inner, **_described(options, **shown, **({"uniqueItems": True} if distinct else {})))
        self.least = least
        self.most = most
        self.distinct = distinct

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if isinstance(value, list) and len(value) > self.most:
            raise ValidationError(f"最多{self.most}项。")
        made = tuple(super()._deserialize(value, attr, data, **kwargs)) if value != [] else ()
        if len(made) < self.least:
            raise ValidationError(f"至少{self.least}项。")
        if self.distinct and len(set(made)) != len(made):
            raise ValidationError("有重复的项。")
        return made


class One(_Chinese, fields.Nested):
    """One object by its own schema."""


class Shown(One):
    """An object by its own schema that is in its wire form already when it is dumped."""

    def _serialize(self, nested_obj: Any, attr: Any, obj: Any, **kwargs: Any) -> Any:  # type: ignore[override]
        del attr, obj, kwargs
        return nested_obj


class ManyShown(Many):
    """A list whose members are in their wire form already when it is dumped."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> Any:
        del attr, obj, kwargs
        return value


__all__ = [
    "DateField",
    "Instant",
    "Latitude",
    "Longitude",
    "Many",
    "ManyShown",
    "MoneyField",
    "Month",
    "Number",
    "One",
    "Shown",
    "Strict",
    "TermField",
    "Text",
    "UuidField",
    "Whole",
    "YesNo",
]
