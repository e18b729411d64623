"""Single cells as officials fill them: text without noise, dates in every spelling, money, telephones."""

import re
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from math import isfinite

Cell = str | int | float | bool | date | datetime | object

_FULL_WIDTH = {0xFF01 + offset: 0x21 + offset for offset in range(0x5E)} | {0x3000: 0x20}
# Unseen characters that spreadsheets and chat programs leave behind. Variation selectors stay: they choose the
# form of a rare character in somebody's name.
_UNSEEN = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\u00ad]")
_SPACES = re.compile(r"[\s\x00-\x1f\x7f-\x9f]+")
_SURROGATES = re.compile("[\ud800-\udfff]")
_EXCEL_TEXT = re.compile(r'="([^"]*)"')
_HAN = "\u2e80-\u9fff\uf900-\ufaff\ue000-\uf8ff\U00020000-\U000323af"
_BETWEEN_HAN = re.compile(f"(?<=[{_HAN}]) +(?=[{_HAN}])")

_LONGEST = 2000
_EPOCH = date(1899, 12, 30)
_SERIALS = range(3_654, 73_051)  # 1910 to 2099
_WHOLE = 2**53

_DAY = re.compile(
    r"(\d{4})\s*[-./年]\s*(\d{1,2})\s*[-./月]\s*(\d{1,2})\s*[日号]?(?:[ T]+\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?"
)
_MONTH = re.compile(r"(\d{4})\s*[-./年]\s*(\d{1,2})\s*月?(?:份|起)?")
_DIGITS = re.compile(r"\d{5,8}", re.ASCII)
_YEAR = re.compile(r"\d{4}\s*年?", re.ASCII)

_MOBILE = re.compile(r"(?:\+?86)?(1[3-9]\d{9})", re.ASCII)
_LANDLINE = re.compile(r"(0\d{2,3})?(\d{7,8})", re.ASCII)
_PHONE_BREAKS = re.compile(r"[,，、;；/\\]+|或|(?<=\d{11}) +(?=[01])")
_SCIENTIFIC = re.compile(r"\d(?:\.\d+)?E\+?\d+", re.ASCII | re.IGNORECASE)

NOTHING = frozenset(
    {"无", "没有", "暂无", "-", "--", "—", "——", "/", "\\", "N/A", "n/a", "NULL", "null", "#N/A", "空"}
)


class CellError(ValueError):
    """A cell does not hold what its column should; the text is the Chinese message."""


def text_of(value: Cell) -> str:
    """Give a cell as the text that a person would read in it: half-width, trimmed, on one line."""
    if isinstance(value, str):
        return _clean(value)
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < _WHOLE else repr(value)
    if isinstance(value, datetime):
        return value.date().isoformat()
    return "" if value is None else str(value)


def _clean(text: str) -> str:
    if text.isascii() and text.isalnum():
        return text
    text = _SURROGATES.sub("\ufffd", _UNSEEN.sub("", text)).translate(_FULL_WIDTH)
    text = _SPACES.sub(" ", text).strip()
    wrapped = _EXCEL_TEXT.fullmatch(text)
    if wrapped:
        text = wrapped[1].strip()
    if text[:1] in {"'", "’", "`"} and text[1:2].isdigit():
        text = text[1:]
    return text[:_LONGEST]


def is_number(value: Cell) -> bool:
    """Tell whether the cell holds a number, which keeps only fifteen digits."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def looks_like_lost_digits(text: str) -> bool:
    """Tell whether the text is a long number that a spreadsheet wrote as 3.41822E+17."""
    return _SCIENTIFIC.fullmatch(text) is not None


def person_name(text: str) -> str:
    """Read a name: the padding between two characters goes, everything else stays; raises `CellError`."""
    name = _BETWEEN_HAN.sub("", text)
    if "\ufffd" in name:
        raise CellError("姓名里有乱码，请重新填写")
    if any(character.isdigit() for character in name) or not any(
        character.isalpha() or character in "〇\ue000" or "\ue000" <= character <= "\uf8ff"
        for character in name
    ):
        raise CellError("这里填的不是姓名")
    if len(name) > 60:  # noqa: PLR2004  (the longest names of minorities stay well below)
        raise CellError("姓名太长，请检查是否填错列")
    return name


def has_private_characters(text: str) -> bool:
    """Tell whether the text holds characters that only one make of computer can show (造字)."""
    return any("\ue000" <= character <= "\uf8ff" for character in text)


def day(value: Cell) -> date:
    """Read a date, or a month as its first day: real dates, serials, 2024.1.5, 2024年1月5日, 20240105, 2024-01.

    Raises `CellError`. A bare number such as 2024.1 is refused: it may have been 2024.10.
    """
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    if isinstance(value, float) and isfinite(value) and not value.is_integer() and int(value) not in _SERIALS:
        raise CellError("日期分不清是1月还是10月，请写成“2024年10月”或“2024-10-01”")
    text = text_of(int(value) if isinstance(value, float) and abs(value) < _WHOLE else value)
    if _YEAR.fullmatch(text):
        raise CellError("日期只有年份，请写到月，例如“2024年10月”")
    try:
        found = _day_in(text)
    except ValueError:
        found = None
    if found is None:
        raise CellError("日期看不懂或不存在，请写成“2024-01-05”")
    return found


def _day_in(text: str) -> date | None:
    full = _DAY.fullmatch(text)
    if full:
        return date(int(full[1]), int(full[2]), int(full[3]))
    month = _MONTH.fullmatch(text)
    if month:
        return date(int(month[1]), int(month[2]), 1)
    if not _DIGITS.fullmatch(text):
        return None
    if len(text) == 8:  # noqa: PLR2004  (yyyymmdd)
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    if len(text) == 6:  # noqa: PLR2004  (yyyymm)
        return date(int(text[:4]), int(text[4:]), 1)
    return _EPOCH + timedelta(days=int(text)) if int(text) in _SERIALS else None


def money(value: Cell) -> Decimal:
    """Read an amount in yuan, exact to the cent; raises `CellError`.

    A number that a formula made is rounded to the cent, a typed text must not be finer than that.
    """
    text = text_of(value).replace(",", "").removeprefix("¥").removeprefix("￥").removesuffix("元").strip()
    try:
        amount = Decimal(text)
    except InvalidOperation:
        raise CellError("金额看不懂，请只填数字") from None
    if not amount.is_finite() or not 0 <= amount < 10_000_000:  # noqa: PLR2004  (a typing error, whatever the policy)
        raise CellError("金额不合理，请检查")
    cents = amount.quantize(Decimal("0.01"))
    if isinstance(value, str) and cents != amount:
        raise CellError("金额最多两位小数")
    return cents


def telephones(text: str) -> tuple[str, ...]:
    """Read one or more telephone numbers of a cell, mobile or landline; raises `CellError`."""
    return tuple(_telephone(part) for part in _PHONE_BREAKS.split(text) if part.strip())


def _telephone(text: str) -> str:
    digits = re.sub(r"[-—()（） .]", "", text)
    mobile = _MOBILE.fullmatch(digits)
    if mobile:
        return mobile[1]
    landline = _LANDLINE.fullmatch(digits)
    if landline is None:
        raise CellError("电话号码不对，应为11位手机号或带区号的座机")
    return "-".join(part for part in landline.groups() if part)
