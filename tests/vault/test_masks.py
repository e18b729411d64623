"""Masks: what they show, and that odd input never makes them show more."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.vault.masks import mask_address, mask_bank, mask_id_number, mask_name, mask_phone


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("99999919450101123X", "999***********123X"),
        ("99999919450101123x", "999***********123X"),
        ("９９９９９９１９４５０１０１１２３Ｘ", "999***********123X"),
        ("999999450101123", "999********1123"),
        ("9999991945", "********45"),
        ("1234", "***4"),
        ("12", "**"),
        ("", ""),
    ],
)
def test_id_numbers_show_three_and_four(number: str, shown: str) -> None:
    assert mask_id_number(number) == shown


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("13800001234", "138****1234"),
        ("+86 138-0000-1234", "138****1234"),
        ("0563-6012345", "056****2345"),
        ("6012345", "******5"),
        ("110", "***"),
        ("无", "*"),
        ("", ""),
    ],
)
def test_phones_show_three_and_four(number: str, shown: str) -> None:
    assert mask_phone(number) == shown


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("张小明", "张*明"),
        ("张明", "张*"),
        ("张", "*"),
        ("欧阳小明", "欧**明"),
        ("买买提·吐尔逊", "买**·**逊"),
        ("𠮷田明", "𠮷*明"),
        ("张葛\U000e0100", "张*"),
        ("张小葛\U000e0100", "张*葛\U000e0100"),
        (" 张小明 ", "张*明"),
        ("", ""),
        (" ", ""),
    ],
)
def test_names_show_their_ends(name: str, shown: str) -> None:
    assert mask_name(name) == shown


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("安徽省广德市柏垫镇茅田村上冲组12号", "安徽省广德市柏垫镇茅田村"),
        ("柏垫镇桃园社区3栋", "柏垫镇桃园社区"),
        ("茅田村委会旁", "茅田村"),
        ("茅田村", "茅田村"),
        ("上冲组12号", ""),
        ("", ""),
    ],
)
def test_addresses_end_at_the_village(address: str, shown: str) -> None:
    assert mask_address(address) == shown


@pytest.mark.parametrize(
    ("account", "shown"),
    [
        ("6222021234567890123", "***************0123"),
        ("6222 0212 3456 7890", "************7890"),
        ("12345678", "******78"),
        ("123", "***"),
        ("", ""),
    ],
)
def test_bank_accounts_show_the_last_four(account: str, shown: str) -> None:
    assert mask_bank(account) == shown


@given(st.text())
def test_no_mask_shows_more_than_it_says(text: str) -> None:
    assert sum(character != "*" for character in mask_id_number(text)) <= 7
    assert sum(character != "*" for character in mask_phone(text)) <= 7
    assert sum(character != "*" for character in mask_bank(text)) <= 4
    assert text.startswith(mask_address(text))


@given(st.text(st.characters(exclude_characters="*"), min_size=1))
def test_a_mask_always_hides_at_least_a_third_of_what_there_is(text: str) -> None:
    for masked in (mask_id_number(text), mask_phone(text), mask_bank(text)):
        assert masked.count("*") * 11 >= len(masked) * 4
