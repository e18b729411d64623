"""Rosters of every make are read as they come, and what is no roster is refused in words."""

import csv
import io
import zipfile
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.errors import Refusal
from server.people.roster.reader import Roster, read_roster
from server.people.roster.refusals import (
    RosterColumnsMissing,
    RosterHeaderMissing,
    RosterProtected,
    RosterSheetMissing,
    RosterTooLarge,
    RosterUnreadable,
)
from server.people.roster.terms import Field, RejectedRow, RosterLimits, RosterRow
from server.people.terms import Category
from tests.builders import rosters
from tests.builders.rosters import HEADER, id_number, person

TODAY = date(2026, 3, 5)


def read(stream, **options) -> Roster:
    return read_roster(stream, today=TODAY, village_lookup=rosters.lookup, **options)


def accepted(roster: Roster) -> list[RosterRow]:
    rows = list(roster.rows())
    assert [row for row in rows if isinstance(row, RejectedRow)] == []
    return rows


def text_file(rows, encoding: str, delimiter: str = ",") -> io.BytesIO:
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter).writerows(rows)
    return io.BytesIO(out.getvalue().encode(encoding))


MAKES = {
    "xlsx": rosters.xlsx,
    "xls": rosters.xls,
    "ods": rosters.ods,
    "csv utf-8": lambda rows: text_file(rows, "utf-8-sig"),
    "csv gb18030": lambda rows: text_file(rows, "gb18030"),
    "text utf-16": lambda rows: text_file(rows, "utf-16", "\t"),
}


@pytest.mark.parametrize("make", MAKES)
def test_every_make_gives_the_same_people(make):
    table = [["升平街道特困人员名册", "", "", ""], HEADER, person(1), person(2, "李四")]
    roster = read(MAKES[make](table))
    rows = accepted(roster)
    assert [(row.row_number, row.name, row.id_number, row.village_code, row.category) for row in rows] == [
        (3, "张三", id_number(1), "341882003200", Category.TEKUN_DISPERSED),
        (4, "李四", id_number(2), "341882003200", Category.TEKUN_DISPERSED),
    ]
    assert roster.report.accepted == 2
    assert roster.header.first_row == 2


def test_reading_twice_gives_the_same_rows():
    roster = read(rosters.xlsx([HEADER, person(1), person(1)]))
    assert list(roster.rows()) == list(roster.rows())
    assert (roster.report.accepted, roster.report.rejected) == (1, 1)


def test_row_numbers_count_empty_rows_and_columns_as_excel_does():
    table = [[], [], [None, *HEADER], [], [None, *person(1)]]
    assert [row.row_number for row in accepted(read(rosters.xlsx(table)))] == [5]


def test_a_header_over_two_merged_lines_keeps_the_caregiver_apart_from_the_person():
    table = [
        [],
        ["序号", "姓名", "身份证号", "村\n（社区）", "照料人", None, None, "救助情况", None],
        [None, None, None, None, "姓名", "联系电话", "关 系", "类　别", "金额（元/月）"],
        [1, "张三", id_number(1), "团山村", "李四", "13800000000", "邻居", "农村低保", 755.5],
    ]
    merges = [
        (0, 0, 0, 8, "名册"),
        (1, 4, 1, 6, "照料人"),
        (1, 7, 1, 8, "救助情况"),
        (1, 0, 2, 0, "序号"),
        (1, 1, 2, 1, "姓名"),
    ]
    roster = read(rosters.xlsx(table, merges=merges))
    [row] = accepted(roster)
    assert (row.name, row.caregiver_name, row.caregiver_phone, row.phone) == (
        "张三",
        "李四",
        "13800000000",
        None,
    )
    assert (row.category, str(row.amount)) == (Category.DIBAO_RURAL, "755.50")
    assert roster.header.unknown == ()


def test_a_two_line_header_without_merge_marks_is_joined_too():
    table = [
        ["姓名", "身份证号", "村", "类别", "监护人", ""],
        ["", "", "", "", "姓名", "电话"],
        [*person(1), "李四", "13800000000"],
    ]
    [row] = accepted(read(text_file(table, "gb18030")))
    assert (row.name, row.caregiver_name, row.caregiver_phone) == ("张三", "李四", "13800000000")


def test_headers_match_in_any_order_and_spelling_and_unknown_ones_are_reported():
    table = [
        ["对象类别", "公民身份号码（18位）", "所属村（社区）", "户主 姓名", "鞋码", "联系电话", "电话"],
        ["孤儿", id_number(1, "20150101"), "钱村村", "王　五", "42", "０５６３－１２３４５６７", "1"],
    ]
    roster = read(rosters.xlsx(table))
    [row] = accepted(roster)
    assert (row.name, row.phone, row.category) == ("王五", "0563-1234567", Category.ORPHAN)
    assert [(column.letter, column.header, column.repeats) for column in roster.header.unknown] == [
        ("E", "鞋码", False),
        ("G", "电话", True),
    ]


def test_a_shifted_household_is_filled_from_its_merged_cells():
    table = [[*HEADER, "户编号"], [*person(1), "H1"], ["李四", id_number(2), None, "特困（分散）"]]
    roster = read(rosters.xlsx(table, merges=[(1, 2, 2, 2, "团山村"), (1, 4, 2, 4, "H1")]))
    assert [(row.village_code, row.household_no) for row in accepted(roster)] == [("341882003200", "H1")] * 2


def test_totals_notes_repeated_headers_and_counting_rows_are_left_out_with_the_reason():
    table = [
        ["序号", *HEADER],
        ["1", "2", "3", "4", "5"],
        ["1", *person(1)],
        ["序号", *HEADER],
        ["", "示例 张三", id_number(9), "团山村", "孤儿"],
        ["2", "", "", "", ""],
        ["合 计", "1人", "", "", ""],
        ["填表人：李四", "", "", "审核人：", ""],
    ]
    roster = read(text_file(table, "utf-8"))
    accepted(roster)
    assert [(note.row_number, note.reason) for note in roster.report.left_out] == [
        (2, "表头下的编号行"),
        (4, "重复的表头"),
        (5, "模板里的示例行"),
        (6, "没有姓名和身份证号码"),
        (7, "合计行"),
        (8, "表尾说明"),
    ]


def test_a_person_without_an_id_number_is_never_left_out_silently():
    [row] = read(rosters.xlsx([HEADER, ["张三", None, None, None]])).rows()
    assert isinstance(row, RejectedRow)


def test_hidden_rows_are_read_and_reported():
    roster = read(rosters.xlsx([HEADER, person(1), person(2)], hidden=[2]))
    assert len(accepted(roster)) == 2
    assert roster.report.hidden_rows == [3]


def test_the_first_sheet_with_a_header_is_taken_unless_one_is_named():
    before = [[["封面"]], [HEADER, person(1)]]
    assert [
        row.id_number for row in accepted(read(rosters.xlsx([HEADER, person(2)], sheets_before=before)))
    ] == [id_number(1)]
    roster = read(rosters.xlsx([HEADER, person(2)], sheets_before=before), sheet="Sheet3")
    assert [row.id_number for row in accepted(roster)] == [id_number(2)]
    assert roster.report.other_sheets == ("Sheet1", "Sheet2")
    with pytest.raises(RosterSheetMissing):
        read(rosters.xlsx([HEADER]), sheet="别的")


def test_missing_columns_are_named_and_defaults_stand_in_for_them():
    table = [["姓名", "身份证号"], ["张三", id_number(1)]]
    with pytest.raises(RosterColumnsMissing, match=r"村（社区）、救助类别"):
        read(rosters.xlsx(table))
    roster = read(rosters.xlsx(table), category=Category.TEKUN_CENTRAL, village_code="341882003001")
    assert [(row.category, row.village_code) for row in accepted(roster)] == [
        (Category.TEKUN_CENTRAL, "341882003001")
    ]
    with pytest.raises(RosterHeaderMissing):
        read(rosters.xlsx([["只有标题"], ["张三", "李四"]]))


@pytest.mark.parametrize(
    ("data", "refusal"),
    [
        (b"", RosterUnreadable),
        (b"%PDF-1.7 ...", RosterUnreadable),
        (b"<html><table><tr><td>\xe5\xa7\x93</td></tr></table>", RosterUnreadable),
        (b"PK\x03\x04broken", RosterUnreadable),
        (rosters.xlsx([HEADER, person(1)]).getvalue()[:-200], RosterUnreadable),
        (bytes.fromhex("D0CF11E0A1B11AE1") + b"\xff" * 3000, RosterUnreadable),
        (rosters.compound("EncryptedPackage", b"x" * 5000).getvalue(), RosterProtected),
        (rosters.compound("WordDocument", b"x" * 5000).getvalue(), RosterUnreadable),
        (rosters.xls([HEADER, person(1)], locked=True).getvalue(), RosterProtected),
        (rosters.xls([HEADER, person(1)], far=(65_535, 65_535)).getvalue(), RosterTooLarge),
        (b"\0\1\2" * 500, RosterUnreadable),
        ('姓名,身份证号\n"张三,1\n李四,2'.encode(), RosterUnreadable),
    ],
)
def test_what_is_no_roster_is_refused(data, refusal):
    with pytest.raises(refusal) as caught:
        read(io.BytesIO(data))
    assert caught.value.detail


def test_a_cell_far_away_is_refused_before_it_fills_the_memory():
    with pytest.raises(RosterTooLarge):
        read(
            _rewritten(
                lambda name, data: (
                    data.replace(b'r="A2"', b'r="XFD1048576"') if name.endswith("sheet1.xml") else data
                )
            )
        )


def test_a_far_cell_in_an_xls_is_found_even_when_the_sheet_does_not_begin_as_it_should():
    data = rosters.xls([HEADER, person(1)], far=(65_000, 60_000)).getvalue()
    begin = bytes.fromhex("0908 1000 0006 1000")
    assert data.count(begin) == 1
    with pytest.raises(RosterTooLarge):
        read(io.BytesIO(data.replace(begin, bytes.fromhex("FF08 1000 0006 1000"))))


def test_repeated_cells_of_an_ods_are_counted_before_they_are_laid_out():
    bomb = (
        '<table:table-row table:number-rows-repeated="50000"><table:table-cell office:value-type="string" '
        'table:number-columns-repeated="16000"><text:p>x</text:p></table:table-cell></table:table-row>'
    )
    with pytest.raises(RosterTooLarge):
        read(rosters.ods([HEADER], extra=bomb))


def test_empty_repeated_rows_of_an_ods_are_no_load():
    empty = '<table:table-row table:number-rows-repeated="1048000"><table:table-cell table:number-columns-repeated="16384"/></table:table-row>'
    assert len(accepted(read(rosters.ods([HEADER, person(1)], extra=empty)))) == 1


def test_a_zip_bomb_is_refused_by_what_it_unpacks_to():
    bomb = _rewritten(lambda name, data: data + b" " * 3_000_000 if name.endswith("styles.xml") else data)
    with pytest.raises(RosterTooLarge):
        read(bomb, limits=RosterLimits(unpacked_bytes=1_000_000))


def test_a_zip_that_lies_about_its_size_is_refused():
    data = bytearray(
        _rewritten(
            lambda name, data: data + b" " * 3_000_000 if name.endswith("styles.xml") else data
        ).getvalue()
    )
    with zipfile.ZipFile(io.BytesIO(bytes(data))) as archive:
        size = archive.getinfo("xl/styles.xml").file_size
    at = data.rindex(size.to_bytes(4, "little"))
    data[at : at + 4] = (100).to_bytes(4, "little")
    with pytest.raises(RosterUnreadable):
        read(io.BytesIO(bytes(data)))


def test_an_entity_declaration_is_refused():
    bomb = _rewritten(lambda name, data: data.replace(b"<worksheet", b'<!DOCTYPE x [<!ENTITY a "b">]><worksheet', 1) if name.endswith("sheet1.xml") else data)  # fmt: skip
    with pytest.raises(RosterUnreadable):
        read(bomb)


@pytest.mark.parametrize(
    "limits",
    [RosterLimits(file_bytes=100), RosterLimits(rows=2), RosterLimits(columns=3), RosterLimits(cells=5)],
)
@pytest.mark.parametrize("make", ["xlsx", "xls", "ods", "csv utf-8"])
def test_more_than_the_limits_is_refused(make, limits):
    with pytest.raises(RosterTooLarge):
        read(MAKES[make]([HEADER, person(1), person(2)]), limits=limits)


def _rewritten(change) -> io.BytesIO:
    out = io.BytesIO()
    with (
        zipfile.ZipFile(rosters.xlsx([HEADER, person(1)])) as old,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))
    out.seek(0)
    return out


SEEDS = [make([HEADER, person(1)]).getvalue() for make in MAKES.values()]


@given(
    st.binary(max_size=400)
    | st.text(max_size=200).map(lambda text: ("姓名,身份证号,村,类别\n" + text).encode("utf-8", "replace"))
)
def test_any_bytes_are_read_or_refused(data):
    _survives(data)


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(SEEDS),
    st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 255)), min_size=1, max_size=8),
    st.floats(0.1, 1),
)
def test_any_damage_to_a_roster_is_read_or_refused(seed, hits, keep):
    data = bytearray(seed)
    for place, value in hits:
        data[int(place * len(data))] = value
    _survives(bytes(data[: int(len(data) * keep) + 1]))


def _survives(data: bytes) -> None:
    try:
        roster = read(io.BytesIO(data))
        rows = list(roster.rows())
    except Refusal:
        return
    assert len(rows) == roster.report.accepted + roster.report.rejected
    assert Field.NAME in {column.field for column in roster.header.matched}
