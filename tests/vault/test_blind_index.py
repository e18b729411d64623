"""Blind indexes: one thing has one index however it is written; two things, or two purposes, never share one."""

import hashlib
import hmac
from itertools import count

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from server.vault.blind_index import identity, last_four, phone, whole_id_number
from server.vault.keyring import Keyring

numbers = count(1)
RING = Keyring.generate(lambda size: next(numbers).to_bytes(size, "big"))
OTHER_RING = Keyring.generate(lambda size: next(numbers).to_bytes(size, "big"))
NUMBER = "99999919450101123X"


@pytest.mark.parametrize(
    "written",
    [
        "99999919450101123x",
        " 999999 19450101 123X\n",
        "999999-19450101-123X",
        "９９９９９９１９４５０１０１１２３Ｘ",
        "９９９９９９１９４５０１０１１２３ｘ",
        "999999\u300019450101\u00a0123X",
    ],
)
def test_an_id_number_has_one_index_however_it_is_written(written: str) -> None:
    assert whole_id_number(RING, written) == whole_id_number(RING, NUMBER)
    assert last_four(RING, written, "999999100") == last_four(RING, NUMBER, "999999100")


@pytest.mark.parametrize(
    "written",
    [
        "+86 138 0000 1234",
        "0086-13800001234",
        "8613800001234",
        "138-0000-1234",
        "１３８００００１２３４",
        "(138)00001234",
    ],
)
def test_a_phone_number_has_one_index_however_it_is_written(written: str) -> None:
    assert phone(RING, written) == phone(RING, "13800001234")


def test_a_landline_keeps_its_leading_digits() -> None:
    assert phone(RING, "0563-6012345") == phone(RING, "05636012345")
    assert phone(RING, "86012345") != phone(RING, "012345")


def test_equal_last_fours_of_two_areas_do_not_match() -> None:
    assert last_four(RING, NUMBER, "999999100") != last_four(RING, NUMBER, "999999101")


def test_the_last_four_alone_find_the_whole_number() -> None:
    assert last_four(RING, "123x", "999999100") == last_four(RING, NUMBER, "999999100")


def test_each_purpose_has_a_key_of_its_own() -> None:
    found = {
        whole_id_number(RING, "13800001234"),
        phone(RING, "13800001234"),
        last_four(RING, "13800001234", ""),
        identity(RING, "13800001234", "", ""),
    }
    assert len(found) == 4


def test_another_ring_has_other_indexes() -> None:
    assert whole_id_number(RING, NUMBER) != whole_id_number(OTHER_RING, NUMBER)


def test_the_index_is_a_keyed_sha256() -> None:
    measured = len(NUMBER).to_bytes(4, "big") + NUMBER.encode()
    assert (
        whole_id_number(RING, NUMBER) == hmac.new(RING.index["id_number"], measured, hashlib.sha256).digest()
    )


parts = st.text(max_size=8)


@given(parts, parts, parts, parts, parts, parts)
def test_two_identities_never_share_an_index(a: str, b: str, c: str, d: str, e: str, f: str) -> None:
    assume((a, b, c) != (d, e, f))
    assert identity(RING, a, b, c) != identity(RING, d, e, f)


def test_identities_are_taken_to_the_letter() -> None:
    assert identity(RING, "wechat", "wx1", "oAbC") != identity(RING, "wechat", "wx1", "oabc")
    assert identity(RING, "wechat", "wx1", "o") != identity(RING, "wecom", "wx1", "o")
    assert identity(RING, "ab", "c", "d") != identity(RING, "a", "bc", "d")


@given(st.text())
def test_no_search_term_crashes_an_index(term: str) -> None:
    found = [
        whole_id_number(RING, term),
        phone(RING, term),
        last_four(RING, term, term),
        identity(RING, "", "", term),
    ]
    assert all(len(each) == 32 for each in found)


def test_a_lone_surrogate_crashes_no_index() -> None:
    assert len(whole_id_number(RING, "\ud800")) == 32
