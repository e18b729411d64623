"""A row becomes a person, or is told everything that is wrong with it; and goes back to be corrected."""

import io
from datetime import date, datetime
from decimal import Decimal

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.people.roster import cells
from server.people.roster.error_workbook import REASONS, write_error_workbook
from server.people.roster.reader import read_roster
from server.people.roster.template import write_template
from server.people.roster.terms import Field, RejectedRow, RosterRow
from server.people.roster.villages import VillageName, village_lookup
from server.people.roster.words import care_level_of, category_of, dibao_class_of, disability_of, relation_of
from server.people.terms import (
    CareLevel,
    Category,
    Disability,
    DisabilityGrade,
    DisabilityType,
    Relation,
    Residence,
    Sex,
)
from tests.builders import rosters
from tests.builders.rosters import HEADER, id_number, person

TODAY = date(2026, 3, 5)


def read(rows):
    return read_roster(rosters.xlsx(rows), today=TODAY, village_lookup=rosters.lookup)


def problems_of(extra_header, extra_value):
    [row] = read([[*HEADER, extra_header], [*person(1), extra_value]]).rows()
    return (
        [] if isinstance(row, RosterRow) else [(problem.column, problem.message) for problem in row.problems]
    )


def test_an_id_number_stored_as_a_number_is_refused_with_the_row_named_and_never_shown_again():
    [row] = read([HEADER, ["张三", int(id_number(1)[:17] + "8"), "团山村", "孤儿"]]).rows()
    assert isinstance(row, RejectedRow)
    [problem] = row.problems
    assert (problem.row_number, problem.column) == (2, "身份证号码")
    assert "丢失" in problem.message
    assert row.cells[1] == ""


def test_a_number_in_scientific_notation_is_known_for_lost_digits():
    [row] = read([HEADER, ["张三", "9.99999E+17", "团山村", "孤儿"]]).rows()
    assert "丢失" in row.problems[0].message


def test_full_width_and_unseen_characters_do_not_matter():
    number = "".join(chr(ord(c) + 0xFEE0) for c in id_number(1))
    [row] = read(
        [HEADER, ["\u200b张　三 ", f"'{number[:6]} {number[6:]}\ufeff", "团山\u200b村", "特困（分散）"]]
    ).rows()
    assert (row.name, row.id_number) == ("张三", id_number(1))


@pytest.mark.parametrize("name", ["阿卜杜拉·买买提", "\U00020bb7田", "葛\U000e0100城", "〇一", "欧阳Li"])
def test_legal_names_come_back_as_they_are(name):
    [row] = read([HEADER, person(1, name)]).rows()
    assert row.name == name


def test_all_problems_of_a_row_are_collected():
    [row] = read(
        [[*HEADER, "电话", "性别", "享受时间"], ["", "123", "无此村", "？", "12", "x", "很久以前"]]
    ).rows()
    assert {problem.column for problem in row.problems} == {
        *map(cells.text_of, HEADER),
        "电话",
        "性别",
        "享受时间",
    }


def test_a_person_twice_is_told_of_the_earlier_row_even_if_that_was_wrong_itself():
    rows = list(read([HEADER, ["张三", id_number(1), "无此村", "孤儿"], person(1)]).rows())
    assert "第2行" in rows[1].problems[0].message


def test_sex_and_birth_come_from_the_id_number_and_a_conflict_is_a_problem():
    number = id_number(1)
    [row] = read([HEADER, person(1)]).rows()
    assert (row.sex, row.birth_on) == (Sex.MALE, date(1950, 1, 1))
    assert number[16] == "1"
    assert problems_of("性别", "女")[0][0] == "性别"
    assert problems_of("性别", "男") == []
    assert problems_of("出生日期", "1951-01-01")[0][0] == "出生日期"
    assert problems_of("出生日期", datetime(1950, 1, 1)) == []  # noqa: DTZ001
    assert problems_of("出生年月", "1950.01") == []


def test_a_failed_formula_is_named():
    assert problems_of("月保障金", "=1/0") == [("月保障金", "公式出错，没有结果，请改成直接填写的内容")]


def test_a_person_without_an_id_number_needs_the_reason():
    [row] = read([HEADER, ["张三", "补办中", "团山村", "孤儿"]]).rows()
    assert (row.id_number, row.no_id_reason) == (None, "补办中")
    [row] = read([HEADER, ["张三", "无", "团山村", "孤儿"]]).rows()
    assert isinstance(row, RejectedRow)


def test_ambiguous_and_unknown_villages_are_told_apart():
    rows = list(
        read(
            [HEADER, ["张三", id_number(1), "同名村", "孤儿"], ["李四", id_number(2), "无此村", "孤儿"]]
        ).rows()
    )
    assert ["同名" in row.problems[0].message for row in rows] == [True, False]


def test_an_account_stored_as_a_number_is_refused_only_when_digits_are_lost():
    assert problems_of("一卡通账号", 123456789012) == []
    assert problems_of("一卡通账号", 6217000000000000123)[0][0] == "一卡通账号"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (45296.0, date(2024, 1, 5)), ("45296", date(2024, 1, 5)), (datetime(2024, 1, 5, 3), date(2024, 1, 5)), ("2024.1.5", date(2024, 1, 5)),  # noqa: DTZ001
        ("2024年1月5日", date(2024, 1, 5)), ("２０２４／１／５", date(2024, 1, 5)), ("20240105", date(2024, 1, 5)), (20240105.0, date(2024, 1, 5)),
        ("2024-01", date(2024, 1, 1)), ("2024年10月", date(2024, 10, 1)), ("202401", date(2024, 1, 1)), ("2024-01-05 00:00:00", date(2024, 1, 5)),
    ],
)  # fmt: skip
def test_dates_are_read_in_every_spelling(value, expected):
    assert cells.day(value) == expected


@pytest.mark.parametrize(
    "value",
    ["2024-02-30", "24.1.5", "2024", "昨天", 2024.1, "99999999", float("inf"), -1.0, 1e300, "2024.13"],
)
def test_dates_that_are_not_clear_are_refused(value):
    with pytest.raises(cells.CellError):
        cells.day(value)


@given(
    st.text()
    | st.floats()
    | st.integers()
    | st.booleans()
    | st.dates()
    | st.datetimes()
    | st.times()
    | st.timedeltas()
)
def test_no_cell_breaks_the_readers_of_cells(value):
    assert isinstance(cells.text_of(value), str)
    messages = []
    for reader in (
        cells.day,
        cells.money,
        lambda cell: cells.telephones(cells.text_of(cell)),
        lambda cell: cells.person_name(cells.text_of(cell)),
    ):
        try:
            reader(value)
        except cells.CellError as reason:
            messages.append(str(reason))
    assert all(messages)


def test_money_is_exact():
    assert cells.money("￥1,755.50元") == Decimal("1755.50")
    assert cells.money(755.3333333) == Decimal("755.33")
    for wrong in ("755.333", "-1", "NaN", "一百", "1e99"):
        with pytest.raises(cells.CellError):
            cells.money(wrong)


def test_several_telephones_are_kept_apart():
    assert cells.telephones("138 0000 0000、0563-1234567") == ("13800000000", "0563-1234567")
    with pytest.raises(cells.CellError):
        cells.telephones("1380000000")


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("分散供养特困人员", Category.TEKUN_DISPERSED), ("特困(分散)", Category.TEKUN_DISPERSED), ("农村特困集中供养", Category.TEKUN_CENTRAL),
        ("农村低保", Category.DIBAO_RURAL), ("城市低保A类", Category.DIBAO_URBAN), ("农村最低生活保障", Category.DIBAO_RURAL),
        ("低保边缘", Category.MARGIN), ("最低生活保障边缘家庭", Category.MARGIN), ("刚性支出困难家庭", Category.RIGID), ("支出型", Category.RIGID),
        ("孤儿", Category.ORPHAN), ("事实无人抚养儿童", Category.UNSUPPORTED_CHILD), ("防止返贫监测对象", Category.ANTI_RETURN),
        ("临时救助", Category.TEMP), ("其他困难人员", Category.OTHER),
    ],
)  # fmt: skip
def test_words_of_categories_are_understood(text, category):
    assert category_of(text) is category


def test_every_label_of_a_category_is_understood():
    assert [category_of(category.label) for category in Category] == list(Category)


def test_half_said_categories_are_completed_by_other_columns_or_refused():
    assert category_of("特困", "集中") is Category.TEKUN_CENTRAL
    assert category_of("", "分散") is Category.TEKUN_DISPERSED
    assert category_of("低保", residence=Residence.RURAL) is Category.DIBAO_RURAL
    for unclear in ("特困", "低保", "贫困", ""):
        assert not isinstance(category_of(unclear), Category)


def test_words_of_care_relation_and_disability_are_understood():
    assert [care_level_of(word) for word in ("全自理", "半自理", "全护理", "完全丧失", "部分丧失", "不能自理", "?")] == [
        CareLevel.FULL_SELF, CareLevel.HALF_CARE, CareLevel.FULL_CARE, CareLevel.FULL_CARE, CareLevel.HALF_CARE, CareLevel.FULL_CARE, None,
    ]  # fmt: skip
    assert [relation_of(word) for word in ("邻居", "侄子", "长子", "妻子", "村干部", "朋友")] == [
        Relation.NEIGHBOUR, Relation.RELATIVE, Relation.CHILD, Relation.SPOUSE, Relation.CADRE, Relation.OTHER,
    ]  # fmt: skip
    assert (
        disability_of("肢体", "2级")
        == disability_of("肢体二级", "")
        == Disability(DisabilityType.LIMB, DisabilityGrade.SECOND)
    )
    assert disability_of("肢体", "") is None
    assert (dibao_class_of("农村低保B类"), dibao_class_of("ABC")) == ("B", None)


DIRECTORY = [
    VillageName("341882003001", "升平社区居民委员会", "升平街道"), VillageName("341882003200", "团山村村民委员会", "升平街道"),
    VillageName("341882003201", "钱村村村民委员会", "升平街道"), VillageName("341882101200", "前程村村民委员会", "柏垫镇"),
    VillageName("341882102200", "前程村村民委员会", "誓节镇"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("团山村村民委员会", ["341882003200"]), ("团山村", ["341882003200"]), ("团山", ["341882003200"]), ("团山村委会", ["341882003200"]),
        ("升平街道团山村", ["341882003200"]), ("广德市升平街道 团山村", ["341882003200"]), ("团山村上庄组", ["341882003200"]),
        ("钱村", ["341882003201"]), ("钱村村委会", ["341882003201"]), ("升平社区", ["341882003001"]), ("升平社区居委会", ["341882003001"]),
        ("341882003200", ["341882003200"]), ("前程村", ["341882101200", "341882102200"]), ("柏垫镇前程村", ["341882101200"]), ("柏垫前程", ["341882101200"]),
        ("无此村", []), ("", []), ("升平街道", []),
    ],
)  # fmt: skip
def test_villages_are_found_as_people_write_them(text, codes):
    assert village_lookup(DIRECTORY)(text) == codes


def test_the_error_workbook_can_be_corrected_and_sent_again():
    table = [
        ["姓名", "身份证号", "村", "类别", "照料人", None, "鞋码", "享受时间"],
        [None, None, None, None, "姓名", "电话", None, None],
        [
            "张三",
            int(id_number(1)[:17] + "8"),
            "团山",
            "农村低保",
            "=cmd|' /C calc'!A0",
            "13800000000",
            "42",
            datetime(2024, 1, 5),  # noqa: DTZ001
        ],
        [*person(2), "李四", "13800000000", "43", None],
    ]
    roster = read(table)
    out = io.BytesIO()
    rejected = (row for row in roster.rows() if isinstance(row, RejectedRow))
    assert write_error_workbook(out, roster.header, rejected, today=TODAY) == 1
    book = openpyxl.load_workbook(out)
    sheet = book.active
    assert sheet["A1"].value == REASONS
    assert "原第3行" in sheet["A2"].value
    assert sheet["F2"].data_type == "s"
    assert sheet["C2"].value is None
    assert sheet["C2"].number_format == "@"
    assert sheet["I2"].value == "2024-01-05"
    sheet["C2"], sheet["D2"] = id_number(1), "团山村"
    again = io.BytesIO()
    book.save(again)
    again.seek(0)
    corrected = read_roster(again, today=TODAY, village_lookup=rosters.lookup)
    [row] = corrected.rows()
    assert isinstance(row, RosterRow)
    assert (row.id_number, row.started_on, row.caregiver_phone) == (
        id_number(1),
        date(2024, 1, 5),
        "13800000000",
    )
    assert [column.header for column in corrected.header.unknown] == ["鞋码"]


def test_the_template_is_understood_in_every_column_and_its_example_is_not_read():
    out = io.BytesIO()
    write_template(out, today=TODAY)
    out.seek(0)
    roster = read_roster(out, today=TODAY, village_lookup=rosters.lookup)
    assert {column.field for column in roster.header.matched} == set(Field)
    assert roster.header.unknown == ()
    assert list(roster.rows()) == []
    assert [note.reason for note in roster.report.left_out] == ["模板里的示例行"]
