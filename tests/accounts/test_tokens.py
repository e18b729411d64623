import datetime as dt
import hashlib
import hmac
import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.accounts.terms import SessionKind
from server.accounts.tokens import (
    ALPHABET,
    CODE_LENGTH,
    LIFETIMES,
    digest,
    invite_code,
    invite_digest,
    mint,
    session_state,
)
from server.vault.keyring import Keyring

KEYRING = Keyring.generate()
NOW = dt.datetime(2026, 3, 5, 4, 0, tzinfo=dt.UTC)
SECOND = dt.timedelta(seconds=1)
spans = st.timedeltas(min_value=dt.timedelta(0), max_value=dt.timedelta(days=4000))
kinds = st.sampled_from(list(SessionKind))


@given(st.binary(min_size=32, max_size=32))
def test_a_token_is_found_by_its_digest(chance: bytes) -> None:
    token, stored = mint(lambda n: chance[:n])
    assert digest(token) == stored == hashlib.sha256(token.encode()).digest()


def test_a_token_takes_256_bits_of_chance() -> None:
    asked: list[int] = []

    def chance(n: int) -> bytes:
        asked.append(n)
        return secrets.token_bytes(n)

    assert mint(chance)[0] != mint(chance)[0]
    assert asked == [32, 32]


@given(st.text(max_size=60))
def test_what_has_no_token_shape_has_no_digest(text: str) -> None:
    if len(text) != 43 or not text.isascii():
        assert digest(text) is None


@pytest.mark.parametrize(
    "odd", ["", "x" * 42, "x" * 44, "x" * 43 + "\n", "x" * 42 + "=", "x" * 42 + "é", "\ud800" * 43]
)
def test_an_odd_token_is_refused(odd: str) -> None:
    assert digest(odd) is None


@given(st.binary(min_size=CODE_LENGTH, max_size=CODE_LENGTH), st.data())
def test_an_invite_code_is_known_however_it_is_typed(chance: bytes, data: st.DataObject) -> None:
    code, stored = invite_code(lambda n: chance[:n], KEYRING)
    assert len(code) == 11
    assert code[5] == "-"
    typed = ""
    for char in code.replace("-", ""):
        looks = {"0": "0Oo", "1": "1IiLl"}.get(char, char + char.lower())
        char_typed = data.draw(st.sampled_from(looks))
        wide = chr(ord(char_typed) + 0xFEE0)
        typed += data.draw(st.sampled_from([char_typed, wide]))
        typed += data.draw(st.sampled_from(["", "", "-", " ", "　", "－", "—", "–"]))
    assert invite_digest(typed, KEYRING) == stored


def test_every_letter_of_a_code_is_equally_likely() -> None:
    drawn = "".join(invite_code(lambda _, i=i: bytes([i] * 10), KEYRING)[0][0] for i in range(256))
    assert {drawn.count(letter) for letter in ALPHABET} == {8}
    assert len(set(ALPHABET)) == len(ALPHABET) == 32


@pytest.mark.parametrize(
    "odd", ["", "7KQ2M-9XWR", "7KQ2M-9XWRTT", "7KQ2M-9XWRU", "邀请码邀请码邀请码邀", "ß" * 10, "ß" * 5, "7KQ2M9XWRT" + " " * 60, "\ud800" * 10]
)  # fmt: skip
def test_what_cannot_be_an_invite_code_has_no_digest(odd: str) -> None:
    assert invite_digest(odd, KEYRING) is None


@given(st.text(max_size=80))
def test_no_typed_text_breaks_the_invite_digest(text: str) -> None:
    found = invite_digest(text, KEYRING)
    assert found is None or len(found) == 32


def test_the_digest_of_an_invite_code_needs_the_key() -> None:
    stored = invite_digest("7KQ2M-9XWRT", KEYRING)
    assert stored != invite_digest("7KQ2M-9XWRT", Keyring.generate())
    assert stored != hashlib.sha256(b"7KQ2M9XWRT").digest()
    assert stored == hmac.digest(KEYRING.index["identity"], b"invite\x007KQ2M9XWRT", "sha256")


@pytest.mark.parametrize(
    ("kind", "idle", "absolute"),
    [
        (SessionKind.PHONE, dt.timedelta(days=7), dt.timedelta(days=30)),
        (SessionKind.BROWSER, dt.timedelta(minutes=15), dt.timedelta(hours=8)),
    ],
)
def test_a_session_ends_at_its_edges(kind: SessionKind, idle: dt.timedelta, absolute: dt.timedelta) -> None:
    life = LIFETIMES[kind]
    assert session_state(NOW, NOW, None, NOW + idle - SECOND, life) == "live"
    assert session_state(NOW, NOW, None, NOW + idle, life) == "idle_expired"
    seen = NOW + absolute - SECOND
    assert session_state(NOW, seen, None, seen, life) == "live"
    assert session_state(NOW, seen, None, NOW + absolute, life) == "expired"


@given(kinds, spans, spans, spans)
def test_a_revoked_session_never_lives_whatever_the_clock_says(
    kind: SessionKind, seen: dt.timedelta, revoked: dt.timedelta, now: dt.timedelta
) -> None:
    assert session_state(NOW, NOW + seen, NOW + revoked, NOW + now, LIFETIMES[kind]) == "revoked"


@given(kinds, spans, spans, spans)
def test_a_session_that_ended_stays_ended_as_time_goes_on(
    kind: SessionKind, seen: dt.timedelta, first: dt.timedelta, later: dt.timedelta
) -> None:
    life, last_seen = LIFETIMES[kind], NOW + seen
    now = max(NOW + first, last_seen)
    if session_state(NOW, last_seen, None, now, life) != "live":
        assert session_state(NOW, last_seen, None, now + later, life) != "live"


@given(kinds, spans, spans)
def test_a_session_opened_by_a_clock_set_ahead_is_over_when_the_clock_comes_back(
    kind: SessionKind, ahead: dt.timedelta, seen: dt.timedelta
) -> None:
    life = LIFETIMES[kind]
    opened = NOW + life.tolerance + SECOND + ahead
    assert session_state(opened, opened + seen, None, NOW, life) == "expired"
    assert session_state(NOW, opened, None, NOW, life) == "idle_expired"
    assert session_state(NOW + life.tolerance, NOW + life.tolerance, None, NOW, life) == "live"
