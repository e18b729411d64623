"""File numbers: one form, read back as they were written."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.people.file_numbers import (
    CODES,
    FileNumber,
    FileNumbersUsedUp,
    FileNumberWrong,
    file_number,
    parse_file_number,
)
from server.people.terms import Category


def test_the_number_looks_as_the_design_says():
    assert str(file_number("341882003", Category.TEKUN_DISPERSED, 2024, 17)) == "341882003-TK-2024-00017"


@settings(deadline=None)
@given(
    st.from_regex(r"[0-9]{9}", fullmatch=True),
    st.sampled_from(Category),
    st.integers(0, 9999),
    st.integers(1, 99_999),
)
def test_what_was_written_is_read_back(township: str, category: Category, year: int, sequence: int):
    number = file_number(township, category, year, sequence)
    assert parse_file_number(str(number)) == number == FileNumber(township, CODES[category], year, sequence)


def test_every_category_has_a_code_of_two_letters():
    assert set(CODES) == set(Category)
    assert all(len(code) == 2 and code.isalpha() and code.isupper() for code in CODES.values())


def test_moving_into_an_institution_keeps_the_code():
    assert CODES[Category.TEKUN_DISPERSED] == CODES[Category.TEKUN_CENTRAL]


@pytest.mark.parametrize(
    "typed",
    [
        "３４１８８２００３－ＴＫ－２０２４－０００１７",
        " 341882003-tk-2024-00017\n",
        "341882003 -TK-2024-00017",
    ],
)
def test_a_number_is_read_as_people_type_it(typed: str):
    assert str(parse_file_number(typed)) == "341882003-TK-2024-00017"


@pytest.mark.parametrize(
    "typed",
    ["", "17", "341882003-TK-2024-00000", "341882003-ZZ-2024-00017", "341882003-TK-24-00017", "34188200三-TK-2024-00017",
     "341882003-TK-2024-000017", "341882003-TK-2024-00017-1", "x" * 100_000],
)  # fmt: skip
def test_anything_else_is_refused(typed: str):
    with pytest.raises(FileNumberWrong):
        parse_file_number(typed)


@pytest.mark.parametrize(
    ("township", "year", "sequence"),
    [("3418", 2024, 1), ("341882003", 2024, 0), ("341882003", -1, 1), ("341882003", 2024, -5)],
)
def test_parts_that_cannot_be_make_no_number(township: str, year: int, sequence: int):
    with pytest.raises(FileNumberWrong):
        file_number(township, Category.ORPHAN, year, sequence)


def test_the_hundred_thousandth_file_of_a_year_is_refused_and_not_cut():
    assert str(file_number("341882003", Category.OTHER, 2024, 99_999)).endswith("-99999")
    with pytest.raises(FileNumbersUsedUp):
        file_number("341882003", Category.OTHER, 2024, 100_000)
