"""One row of a roster, read into a person or into everything that is wrong with it."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import TypeVar

from server.people.id_numbers import IdNumber, IdNumberWrong, read_id_number
from server.people.roster import cells
from server.people.roster.cells import Cell, CellError
from server.people.roster.terms import Column, Field, Header, RejectedRow, RosterLimits, RosterRow, RowProblem
from server.people.roster.villages import VillageLookup
from server.people.roster.words import (
    care_level_of,
    category_of,
    dibao_class_of,
    disability_of,
    relation_of,
    residence_of,
)
from server.people.terms import Category, Sex

T = TypeVar("T")
LOST_DIGITS = "号码是按数字存的，后几位已经丢失：请把这一格设为文本格式，对照证件重新填写"
_NO_NUMBER = re.compile(r"黑户|无户口|未落户|补办|办理中|弃婴|未办|没有身份证")
_ACCOUNT_DIGITS = 15
_MOST_SPELLINGS = 5_000
_SEXES = {"男": Sex.MALE, "男性": Sex.MALE, "女": Sex.FEMALE, "女性": Sex.FEMALE}


class Interpreter:
    """Reads the rows of one roster in order, and remembers the id numbers that it has seen."""

    def __init__(
        self,
        header: Header,
        *,
        today: date,
        village_lookup: VillageLookup,
        limits: RosterLimits,
        category: Category | None = None,
        village_code: str | None = None,
    ) -> None:
        self.columns: Mapping[Field, Column] = {
            column.field: column
            for column in header.matched
            if column.field is not None and column.field is not Field.IGNORED
        }
        self.today, self.lookup, self.limits = today, village_lookup, limits
        self.category, self.village_code = category, village_code
        self.seen: dict[str, int] = {}
        self._villages: dict[tuple[str, str], list[str]] = {}

    def villages(self, township: str, village: str) -> list[str]:
        """Give the codes that a village's name may mean; asked once for each spelling, for a roster repeats few."""
        key = (township, village)
        if key not in self._villages:
            if len(self._villages) >= _MOST_SPELLINGS:
                self._villages.clear()
            self._villages[key] = (self.lookup(township + village) if township else []) or self.lookup(
                village
            )
        return self._villages[key]

    def read(
        self, row_number: int, row: Sequence[Cell], errors: frozenset[int] = frozenset()
    ) -> RosterRow | RejectedRow:
        """Read a row of raw cells; `errors` are the positions where a formula failed."""
        return _Reading(self, row_number, row, errors).result()


class _Reading:
    def __init__(
        self, roster: Interpreter, row_number: int, row: Sequence[Cell], errors: frozenset[int]
    ) -> None:
        self.roster, self.row_number, self.row = roster, row_number, row
        self.problems: list[RowProblem] = []
        self.warnings: list[RowProblem] = []
        self.blanked: set[int] = set()
        for field, column in roster.columns.items():
            if column.index in errors:
                self.wrong(field, "公式出错，没有结果，请改成直接填写的内容")

    def result(self) -> RosterRow | RejectedRow:
        number, reason = self.id_number()
        name = self.name()
        sex, birth_on = self.sex(number), self.birth_on(number)
        residence = residence_of(self.text(Field.RESIDENCE))
        category, village = self.category(), self.village()
        phones = self.converted(Field.PHONE, lambda value: cells.telephones(cells.text_of(value))) or ()
        caregiver_phones = self.converted(
            Field.CAREGIVER_PHONE, lambda value: cells.telephones(cells.text_of(value))
        )
        row = RosterRow(
            row_number=self.row_number,
            name=name,
            id_number=number.number if number else None,
            no_id_reason=reason,
            sex=sex,
            birth_on=birth_on,
            village_code=village,
            category=category or Category.OTHER,
            address=self.optional(Field.ADDRESS),
            phone=phones[0] if phones else None,
            other_phones=phones[1:],
            residence=residence,
            dibao_class=dibao_class_of(self.text(Field.DIBAO_CLASS))
            or dibao_class_of(self.text(Field.CATEGORY)),
            care_level=self.word(
                Field.CARE_LEVEL, care_level_of, "自理能力看不懂，请写成“全自理”“半护理”或“全护理”"
            ),
            started_on=self.started_on(birth_on),
            household_no=self.optional(Field.HOUSEHOLD_NO),
            head_name=self.optional(Field.HEAD_NAME),
            head_id_number=self.head_id_number(),
            relation_to_head=self.optional(Field.RELATION_TO_HEAD),
            amount=self.converted(Field.AMOUNT, cells.money),
            bank_name=self.optional(Field.BANK_NAME),
            bank_account=self.bank_account(),
            disability=self.word(
                Field.DISABILITY_TYPE,
                lambda text: disability_of(text, self.text(Field.DISABILITY_GRADE)),
                "残疾类别或等级看不懂，请写成“肢体二级”",
                warn=True,
            ),
            health=self.optional(Field.HEALTH),
            remarks=self.optional(Field.REMARKS),
            caregiver_name=self.optional(Field.CAREGIVER_NAME),
            caregiver_phone=caregiver_phones[0] if caregiver_phones else None,
            caregiver_relation=self.word(Field.CAREGIVER_RELATION, relation_of, ""),
            visitor_name=self.optional(Field.VISITOR_NAME),
            legacy_no=self.optional(Field.LEGACY_NO),
            warnings=tuple(self.warnings),
        )
        return self.rejected() if self.problems else row

    def rejected(self) -> RejectedRow:
        texts = [
            "" if index in self.blanked else cells.text_of(value) for index, value in enumerate(self.row)
        ]
        return RejectedRow(self.row_number, tuple(texts), tuple(self.problems))

    def problem(self, field: Field, message: str) -> RowProblem:
        column = self.roster.columns.get(field)
        return RowProblem(self.row_number, column.header if column else field.label, message)

    def wrong(self, field: Field, message: str) -> None:
        self.problems.append(self.problem(field, message))

    def warn(self, field: Field, message: str) -> None:
        self.warnings.append(self.problem(field, message))

    def raw(self, field: Field) -> Cell:
        column = self.roster.columns.get(field)
        return self.row[column.index] if column and column.index < len(self.row) else ""

    def text(self, field: Field) -> str:
        text = cells.text_of(self.raw(field))
        return "" if text in cells.NOTHING else text

    def optional(self, field: Field) -> str | None:
        text = self.text(field)
        if "\ufffd" in text:
            self.wrong(field, "这一格有乱码，请重新填写")
        return text or None

    def converted(self, field: Field, convert: Callable[[Cell], T]) -> T | None:
        if not self.text(field):
            return None
        try:
            return convert(self.raw(field))
        except CellError as reason:
            self.wrong(field, str(reason))
            return None

    def word(
        self, field: Field, find: Callable[[str], T | None], message: str, *, warn: bool = False
    ) -> T | None:
        text = self.text(field)
        found = find(text) if text else None
        if text and found is None:
            (self.warn if warn else self.wrong)(field, message)
        return found

    def name(self) -> str:
        text = self.text(Field.NAME)
        if not text:
            self.wrong(Field.NAME, "没有填写姓名")
            return ""
        if cells.has_private_characters(text):
            self.warn(Field.NAME, "姓名里有自造字，别的电脑可能显示不出，请核对")
        return self.converted(Field.NAME, lambda value: cells.person_name(cells.text_of(value))) or ""

    def number_in(self, field: Field) -> IdNumber | None:
        """Read an id number; one that was stored as a number is refused and not shown again, for it is another."""
        text = self.text(field)
        try:
            if cells.is_number(self.raw(field)) or cells.looks_like_lost_digits(text):
                self.blanked.add(self.roster.columns[field].index)
                self.wrong(field, LOST_DIGITS)
                return None
            return read_id_number(text, today=self.roster.today)
        except IdNumberWrong as refusal:
            self.wrong(field, refusal.detail)
        return None

    def id_number(self) -> tuple[IdNumber | None, str | None]:
        text = self.text(Field.ID_NUMBER)
        if not text:
            self.wrong(Field.ID_NUMBER, "没有填写身份证号码；确实没有的请写明原因：黑户、补办中或弃婴")
            return None, None
        if _NO_NUMBER.search(text):
            return None, text[:50]
        number = self.number_in(Field.ID_NUMBER)
        if number is None:
            return None, None
        if number.warning:
            self.warn(Field.ID_NUMBER, number.warning)
        earlier = self.roster.seen.setdefault(number.number, self.row_number)
        if earlier != self.row_number:
            self.wrong(Field.ID_NUMBER, f"与第{earlier}行是同一个身份证号码，请只保留一行")
        return number, None

    def head_id_number(self) -> str | None:
        if not self.text(Field.HEAD_ID_NUMBER):
            return None
        number = self.number_in(Field.HEAD_ID_NUMBER)
        return number.number if number else None

    def sex(self, number: IdNumber | None) -> Sex:
        written = self.word(Field.SEX, _SEXES.get, "性别请填“男”或“女”")
        if number is None:
            return written or Sex.UNKNOWN
        if written is not None and written is not number.sex:
            self.wrong(Field.SEX, "性别与身份证号码不一致，请核对")
        return number.sex

    def birth_on(self, number: IdNumber | None) -> date | None:
        written = self.converted(Field.BIRTH_ON, cells.day)
        if number is None:
            if written is not None and written > self.roster.today:
                self.wrong(Field.BIRTH_ON, "出生日期在今天之后，请核对")
            return written
        # a birth month is written where the day is not asked for, and reads as its first day
        differs = written is not None and written != number.birth_on
        if differs and written != number.birth_on.replace(day=1):
            self.wrong(Field.BIRTH_ON, "出生日期与身份证号码不一致，请核对")
        return number.birth_on

    def started_on(self, birth_on: date | None) -> date | None:
        started = self.converted(Field.STARTED_ON, cells.day)
        if started is None:
            return None
        if started > self.roster.today + timedelta(days=self.roster.limits.start_ahead_days):
            self.wrong(Field.STARTED_ON, "享受时间在很久以后，请核对")
        elif birth_on is not None and started < birth_on.replace(day=1):
            self.wrong(Field.STARTED_ON, "享受时间早于出生日期，请核对")
        return started

    def bank_account(self) -> str | None:
        text = self.text(Field.BANK_ACCOUNT)
        if not text:
            return None
        account = re.sub(r"[\s-]", "", text)
        stored_as_number = cells.is_number(self.raw(Field.BANK_ACCOUNT)) and len(account) > _ACCOUNT_DIGITS
        if stored_as_number or cells.looks_like_lost_digits(account):
            self.blanked.add(self.roster.columns[Field.BANK_ACCOUNT].index)
            self.wrong(Field.BANK_ACCOUNT, LOST_DIGITS.replace("证件", "存折或卡片"))
        elif not re.fullmatch(r"[0-9]{6,32}", account):
            self.wrong(Field.BANK_ACCOUNT, "银行账号只能是数字，请核对")
        return account

    def category(self) -> Category | None:
        text, mode = self.text(Field.CATEGORY), self.text(Field.SUPPORT_MODE)
        if not text and not mode and self.roster.category is not None:
            return self.roster.category
        residence = residence_of(self.text(Field.RESIDENCE))
        found = category_of(text, mode, residence)
        if isinstance(found, Category):
            return found
        self.wrong(
            Field.CATEGORY if text or Field.SUPPORT_MODE not in self.roster.columns else Field.SUPPORT_MODE,
            found,
        )
        return None

    def village(self) -> str:
        text, township = self.text(Field.VILLAGE), self.text(Field.TOWNSHIP)
        if not text:
            if self.roster.village_code is None:
                self.wrong(Field.VILLAGE, "没有填写村（社区）")
            return self.roster.village_code or ""
        codes = self.roster.villages(township, text)
        if len(codes) == 1:
            return codes[0]
        self.wrong(
            Field.VILLAGE,
            "有几个同名的村（社区），请写上乡镇（街道）"
            if codes
            else "没有这个村（社区），请按行政区划填写全称",
        )
        return ""
