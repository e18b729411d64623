"""The words of a roster: its fields, what one row says once understood, and what was wrong with the others."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from server.people.terms import CareLevel, Category, Disability, Relation, Residence, Sex
from server.terms import Term


class Field(Term):
    """What a column of a roster holds; the label is the header that the template uses."""

    NAME = "name", "姓名"
    ID_NUMBER = "id_number", "身份证号码"
    SEX = "sex", "性别"
    BIRTH_ON = "birth_on", "出生日期"
    TOWNSHIP = "township", "乡镇（街道）"
    VILLAGE = "village", "村（社区）"
    ADDRESS = "address", "家庭住址"
    PHONE = "phone", "联系电话"
    CATEGORY = "category", "救助类别"
    SUPPORT_MODE = "support_mode", "供养方式"
    RESIDENCE = "residence", "城乡"
    DIBAO_CLASS = "dibao_class", "低保分类"
    CARE_LEVEL = "care_level", "自理能力"
    STARTED_ON = "started_on", "享受时间"
    HOUSEHOLD_NO = "household_no", "户编号"
    HEAD_NAME = "head_name", "户主姓名"
    HEAD_ID_NUMBER = "head_id_number", "户主身份证号码"
    RELATION_TO_HEAD = "relation_to_head", "与户主关系"
    AMOUNT = "amount", "月保障金额"
    BANK_NAME = "bank_name", "开户行"
    BANK_ACCOUNT = "bank_account", "银行账号"
    DISABILITY_TYPE = "disability_type", "残疾类别"
    DISABILITY_GRADE = "disability_grade", "残疾等级"
    HEALTH = "health", "健康状况"
    REMARKS = "remarks", "备注"
    CAREGIVER_NAME = "caregiver_name", "照料人姓名"
    CAREGIVER_PHONE = "caregiver_phone", "照料人电话"
    CAREGIVER_RELATION = "caregiver_relation", "照料人与对象关系"
    VISITOR_NAME = "visitor_name", "走访责任人"
    LEGACY_NO = "legacy_no", "档案编号"
    IGNORED = "ignored", "序号"


@dataclass(frozen=True, slots=True)
class RosterLimits:
    """How much of a roster is taken, and how far ahead of today a start may lie; sizes in bytes."""

    file_bytes: int = 20 * 1024 * 1024
    unpacked_bytes: int = 500 * 1024 * 1024
    rows: int = 60_000
    columns: int = 200
    cells: int = 3_000_000
    header_search_rows: int = 30
    start_ahead_days: int = 62


@dataclass(frozen=True, slots=True)
class RowProblem:
    """One thing that is wrong with, or worth a look in, one row: `column` is the header as received, in half-width.

    The message is Chinese and repeats no personal datum.
    """

    row_number: int
    column: str
    message: str


@dataclass(frozen=True, slots=True)
class RosterRow:
    """One person of a roster, understood. `row_number` counts as Excel does, from 1.

    `id_number` is empty only with a `no_id_reason`. `warnings` are worth a look and refuse nothing.
    """

    row_number: int
    name: str = field(repr=False)
    id_number: str | None = field(repr=False)
    no_id_reason: str | None
    sex: Sex
    birth_on: date | None = field(repr=False)
    village_code: str
    category: Category
    address: str | None = field(default=None, repr=False)
    phone: str | None = field(default=None, repr=False)
    other_phones: tuple[str, ...] = field(default=(), repr=False)
    residence: Residence | None = None
    dibao_class: str | None = None
    care_level: CareLevel | None = None
    started_on: date | None = None
    household_no: str | None = field(default=None, repr=False)
    head_name: str | None = field(default=None, repr=False)
    head_id_number: str | None = field(default=None, repr=False)
    relation_to_head: str | None = None
    amount: Decimal | None = None
    bank_name: str | None = field(default=None, repr=False)
    bank_account: str | None = field(default=None, repr=False)
    disability: Disability | None = field(default=None, repr=False)
    health: str | None = field(default=None, repr=False)
    remarks: str | None = field(default=None, repr=False)
    caregiver_name: str | None = field(default=None, repr=False)
    caregiver_phone: str | None = field(default=None, repr=False)
    caregiver_relation: Relation | None = None
    visitor_name: str | None = field(default=None, repr=False)
    legacy_no: str | None = None
    warnings: tuple[RowProblem, ...] = ()


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """One row that was not understood: its cells as texts, in the order of the columns, and all its problems."""

    row_number: int
    cells: tuple[str, ...] = field(repr=False)
    problems: tuple[RowProblem, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the sheet: its position from 0, its letter, its header as received, and the field it feeds.

    `field` is empty for a header that is not known, or that repeats an earlier one (`repeats`).
    """

    index: int
    letter: str
    header: str
    field: Field | None
    repeats: bool = False


@dataclass(frozen=True, slots=True)
class Header:
    """Where the header stands (first and last row, from 1) and what each column means."""

    first_row: int
    last_row: int
    columns: tuple[Column, ...]

    @property
    def matched(self) -> tuple[Column, ...]:
        """Give the columns that feed a field."""
        return tuple(column for column in self.columns if column.field is not None)

    @property
    def unknown(self) -> tuple[Column, ...]:
        """Give the columns that nothing is read from, so that nobody believes that they were."""
        return tuple(column for column in self.columns if column.header and column.field is None)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A row that is not a person, and why it was taken for none."""

    row_number: int
    reason: str


@dataclass(slots=True)
class RosterReport:
    """What became of the rows; complete once `Roster.rows()` is exhausted.

    `left_out` and `hidden_rows` keep at most the first 1,000; the counts go on. Hidden rows are read like all others.
    """

    kind: str
    sheet: str | None
    other_sheets: tuple[str, ...]
    header: Header
    accepted: int = 0
    rejected: int = 0
    left_out_count: int = 0
    left_out: list[LeftOut] = field(default_factory=list)
    hidden_count: int = 0
    hidden_rows: list[int] = field(default_factory=list)
    problems_by_column: Counter[str] = field(default_factory=Counter)
