import datetime as dt
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.accounts.totp import matched_step, new_secret, uri

SECRET = new_secret(lambda n: b"12345678901234567890"[:n])  # the secret of RFC 6238, appendix B
AT_59 = dt.datetime(1970, 1, 1, 0, 0, 59, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "287082"),
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2000000000, "279037"),
        (20000000000, "353130"),
    ],
)
def test_the_codes_of_the_rfc_match_their_step(seconds: int, code: str) -> None:
    now = dt.datetime.fromtimestamp(seconds, tz=dt.UTC)
    assert matched_step(SECRET, code, now) == seconds // 30


@given(st.integers(min_value=-300, max_value=300))
def test_a_code_is_good_one_step_early_or_late_and_no_more(off: int) -> None:
    now = dt.datetime.fromtimestamp(1234567890 + off, tz=dt.UTC)
    step, there = 1234567890 // 30, (1234567890 + off) // 30
    assert matched_step(SECRET, "005924", now) == (step if abs(there - step) <= 1 else None)


def test_a_code_is_used_once_and_earlier_ones_with_it() -> None:
    assert matched_step(SECRET, "287082", AT_59) == 1
    assert matched_step(SECRET, "287082", AT_59, last_step=0) == 1
    for used in (1, 2, 3):
        assert matched_step(SECRET, "287082", AT_59, last_step=used) is None


def test_a_code_typed_in_full_width_or_with_a_blank_is_taken() -> None:
    for typed in ("２８７０８２", "287 082", " 287082 ", "287　082"):
        assert matched_step(SECRET, typed, AT_59) == 1


@pytest.mark.parametrize(
    "odd", ["", "28708", "2870820", "28708a", "-87082", "٢٨٧٠٨٢", "2" * 10_000, "\ud800", "287082\x00"]
)
def test_what_is_no_code_matches_nothing(odd: str) -> None:
    assert matched_step(SECRET, odd, AT_59) is None


def test_the_first_seconds_of_time_have_no_earlier_step() -> None:
    assert matched_step(SECRET, "755224", dt.datetime.fromtimestamp(3, tz=dt.UTC)) == 0


def test_a_secret_has_160_bits_of_chance_and_is_told_to_the_authenticator() -> None:
    assert len(SECRET) == 32
    address = urlsplit(uri(SECRET, "chief"))
    assert address.scheme == "otpauth"
    assert unquote(address.path) == "/探访:chief"
    assert parse_qs(address.query)["secret"] == [SECRET]
    assert parse_qs(address.query)["issuer"] == ["探访"]
