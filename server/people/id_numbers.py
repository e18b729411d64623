"""Citizen id numbers (公民身份号码, GB 11643): read as people type them, checked, and what they tell.

No sentence here repeats the number, not even a part of it, and the value object does not print it.
"""

import re
from dataclasses import dataclass, field
from datetime import date

from stdnum import numdb
from stdnum.cn import ric

from server.errors import Invalid
from server.people.terms import Sex

LENGTH = 18
OLD_LENGTH = 15
# An area that is never issued: the people of demos and tests are born there.
SYNTHETIC_AREA = "999999"
# 18-digit numbers were first given to people alive in 1999; an earlier birth is a typing error.
EARLIEST_BIRTH = date(1870, 1, 1)

# Only the full-width twins of ASCII. NFKC would also turn ① and ² into digits, which is guessing.
_FULL_WIDTH = {0xFF01 + offset: 0x21 + offset for offset in range(0x5E)}
# White space of any sort, what spreadsheets and chat programs put in unseen, and Excel's text mark.
_NOISE = re.compile("[\\s\u200b-\u200f\u2060\ufeff\u00ad'‘’`]+")
_SHAPE = re.compile(r"[0-9]{17}[0-9X]", re.ASCII)


class IdNumberWrong(Invalid):
    """The citizen id number cannot be right."""

    title = "身份证号码有误"
    detail = "身份证号码不正确，请对照证件重新填写。"


class IdNumberMissing(IdNumberWrong):
    """No id number was given."""

    detail = "请填写身份证号码。"


class IdNumberFirstGeneration(IdNumberWrong):
    """It is a fifteen-digit number of the first generation of cards, which have been invalid since 2013."""

    title = "旧版身份证号码"
    detail = "这是15位的旧身份证号码，已停止使用，请填写18位身份证号码。"


class IdNumberLength(IdNumberWrong):
    """It does not have eighteen characters."""

    detail = "身份证号码应为18位，请检查是否多填或漏填。"


class IdNumberCharacters(IdNumberWrong):
    """It holds something other than digits and a last X."""

    detail = "身份证号码只能是数字，最后一位可以是X，请重新填写。"


class IdNumberBirthDate(IdNumberWrong):
    """The birth date within it does not exist, or lies in the future or too far in the past."""

    detail = "身份证号码里的出生日期不存在，请对照证件重新填写。"


class IdNumberCheckDigit(IdNumberWrong):
    """Its last character does not fit the others: at least one is wrong."""

    detail = "身份证号码校验不通过，至少有一位填错，请对照证件重新填写。"


@dataclass(frozen=True, slots=True)
class IdNumber:
    """A citizen id number that can be right, and what it tells of its holder.

    `area_known` is false when the six digits of the area were never issued as far as the tables know; this is to be
    shown as a warning and never refused, for the tables are incomplete.
    """

    number: str = field(repr=False)
    birth_on: date = field(repr=False)
    sex: Sex
    area_known: bool

    @property
    def warning(self) -> str | None:
        """Give the Chinese sentence to show beside the number, if there is something to look at again."""
        return None if self.area_known else "身份证号码的地区代码未查到，请再核对一次证件。"


def normalise_id_number(text: str) -> str:
    """Bring an id number into its one form: half-width, without spaces or marks, X in upper case; checks nothing."""
    return _NOISE.sub("", text.translate(_FULL_WIDTH)).upper()


def read_id_number(text: str, *, today: date, path: str = "id_number") -> IdNumber:
    """Read and check an id number as somebody typed it or a roster holds it.

    `today` is the business date; `path` names the field in the refusal's `errors`. Raises the subclass of
    `IdNumberWrong` that says what is wrong.
    """
    number = normalise_id_number(text)
    wrong = _wrong_shape(number) or _wrong_content(number, today)
    if wrong is not None:
        raise wrong(errors={path: [wrong.detail]})
    area = number[:6]
    return IdNumber(
        number=number,
        birth_on=ric.get_birth_date(number),
        sex=Sex.MALE if int(number[16]) % 2 else Sex.FEMALE,
        area_known=area == SYNTHETIC_AREA or _is_known(area),
    )


def _wrong_shape(number: str) -> type[IdNumberWrong] | None:
    if not number:
        return IdNumberMissing
    if len(number) == OLD_LENGTH and number.isascii() and number.isdigit():
        return IdNumberFirstGeneration
    if len(number) != LENGTH:
        return IdNumberLength
    if not _SHAPE.fullmatch(number):
        return IdNumberCharacters
    return None


def _wrong_content(number: str, today: date) -> type[IdNumberWrong] | None:
    birth_on = _birth_date(number)
    if birth_on is None or not EARLIEST_BIRTH <= birth_on <= today:
        return IdNumberBirthDate
    if ric.calc_check_digit(number) != number[-1]:
        return IdNumberCheckDigit
    return None


def _birth_date(number: str) -> date | None:
    try:
        return date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return None


def _is_known(area: str) -> bool:
    # stdnum's own get_birth_place() also asks whether the county existed in the year of birth, but numbers were
    # given out from 1984 on with the areas of then: that test warns about most old people.
    return any("county" in facts for _, facts in numdb.get("cn/loc").info(area))
