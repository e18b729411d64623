"""Citizen id numbers: every one-digit error is caught, and no sentence repeats the number."""

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum.cn import ric

from server.people import id_numbers as rules
from server.people.id_numbers import IdNumberWrong, normalise_id_number, read_id_number
from server.people.terms import Sex

TODAY = date(2026, 3, 5)
PUBLISHED = "11010519491231002X"  # the example of GB 11643


def made(area: str, birth: date, order: int) -> str:
    head = f"{area}{birth:%Y%m%d}{order:03d}"
    return head + ric.calc_check_digit(head + "0")


numbers = st.builds(
    made,
    st.sampled_from(["999999", "110105", "341822"]),
    st.dates(rules.EARLIEST_BIRTH, TODAY),
    st.integers(0, 999),
)


def refusal_of(text: str) -> type[IdNumberWrong]:
    with pytest.raises(IdNumberWrong) as refused:
        read_id_number(text, today=TODAY)
    return type(refused.value)


def test_the_published_example_is_read_and_normalised():
    read = read_id_number("11010519491231002x", today=TODAY)
    assert read.number == PUBLISHED
    assert read.birth_on == date(1949, 12, 31)
    assert read.sex is Sex.FEMALE
    assert read.area_known
    assert read.warning is None


@pytest.mark.parametrize(
    "typed",
    [
        "１１０１０５１９４９１２３１００２Ｘ",
        "１１０１０５１９４９１２３１００２ｘ",
        " 110105 19491231 002X\t",
        "\u3000110105\u00a019491231\u200b002x\ufeff\r\n",
        "'11010519491231002X",
        "‘11010519491231002X",
    ],
)
def test_full_width_spaces_and_marks_are_read_through(typed: str):
    assert read_id_number(typed, today=TODAY).number == PUBLISHED


@settings(deadline=None)
@given(numbers)
def test_a_right_number_tells_birth_and_sex(number: str):
    read = read_id_number(number, today=TODAY)
    assert f"{read.birth_on:%Y%m%d}" == number[6:14]
    assert read.sex is (Sex.MALE if number[16] in "13579" else Sex.FEMALE)


@settings(deadline=None)
@given(numbers, st.integers(0, 17), st.sampled_from("0123456789X"))
def test_any_change_of_one_digit_is_refused(number: str, place: int, other: str):
    changed = number[:place] + other + number[place + 1 :]
    if changed == number:
        assert read_id_number(changed, today=TODAY).number == number
    else:
        assert issubclass(refusal_of(changed), IdNumberWrong)


def test_every_change_of_one_digit_of_the_published_example_is_refused():
    for place in range(18):
        for other in set("0123456789X") - {PUBLISHED[place]}:
            refusal_of(PUBLISHED[:place] + other + PUBLISHED[place + 1 :])


def test_an_unknown_area_is_a_warning_and_not_a_refusal():
    read = read_id_number(made("900001", date(1950, 1, 1), 1), today=TODAY)
    assert not read.area_known
    assert "地区代码" in str(read.warning)


def test_the_synthetic_area_of_demo_people_is_accepted_without_a_warning():
    assert read_id_number(made("999999", date(1950, 1, 1), 1), today=TODAY).warning is None


def test_the_county_as_it_was_called_before_2019_is_a_known_area():
    assert read_id_number(made("341822", date(1941, 1, 1), 1), today=TODAY).area_known


@pytest.mark.parametrize(
    ("typed", "refusal"),
    [
        ("", rules.IdNumberMissing),
        (" \u3000", rules.IdNumberMissing),
        ("110105491231002", rules.IdNumberFirstGeneration),
        ("1101054912310021234", rules.IdNumberLength),
        ("1" * 100_000, rules.IdNumberLength),
        ("无身份证", rules.IdNumberLength),
        ("1.10105194912E+17", rules.IdNumberLength),
        ("1.10105194912E+170", rules.IdNumberCharacters),
        ("X10105194912310021", rules.IdNumberCharacters),
        ("①10105194912310021", rules.IdNumberCharacters),
        ("٣10105194912310021", rules.IdNumberCharacters),
        ("\ud80010105194912310021", rules.IdNumberCharacters),
        ("\x0010105194912310021", rules.IdNumberCharacters),
        ("110105194913310021", rules.IdNumberBirthDate),
        ("110105194902300021", rules.IdNumberBirthDate),
        ("110105000001010021", rules.IdNumberBirthDate),
        ("110105190002290021", rules.IdNumberBirthDate),
        ("110105194912310021", rules.IdNumberCheckDigit),
    ],
)
def test_a_wrong_number_is_refused_with_its_reason(typed: str, refusal: type[IdNumberWrong]):
    assert refusal_of(typed) is refusal


def test_nobody_is_born_after_today():
    born_today = made("999999", TODAY, 1)
    assert read_id_number(born_today, today=TODAY).birth_on == TODAY
    assert refusal_of(made("999999", TODAY + timedelta(days=1), 1)) is rules.IdNumberBirthDate


def test_a_leap_day_is_a_birth_date_only_in_a_leap_year():
    assert read_id_number(made("999999", date(1952, 2, 29), 1), today=TODAY).birth_on == date(1952, 2, 29)
    assert refusal_of("999999195302290011") is rules.IdNumberBirthDate


@settings(deadline=None)
@given(st.text(max_size=30) | st.text("0123456789X１Ｘ ", min_size=15, max_size=19))
def test_a_refusal_is_one_of_the_written_sentences_under_the_path_of_the_field(typed: str):
    wrong = None
    try:
        read_id_number(typed, today=TODAY, path="members.0.id_number")
    except IdNumberWrong as refused:
        wrong = refused
    if wrong is not None:
        assert wrong.errors == {"members.0.id_number": [wrong.detail]}
        assert wrong.detail in {kind.detail for kind in IdNumberWrong.__subclasses__()}


@settings(deadline=None)
@given(st.text(max_size=30))
def test_normalising_twice_changes_nothing_more(typed: str):
    once = normalise_id_number(typed)
    assert normalise_id_number(once) == once


def test_the_value_does_not_print_the_number_or_the_birthday():
    shown = repr(read_id_number(PUBLISHED, today=TODAY))
    assert "110105" not in shown
    assert "1949" not in shown
