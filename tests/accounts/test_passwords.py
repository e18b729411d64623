import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from server.accounts import passwords
from server.accounts.password_rules import PasswordPolicy, check_password
from server.accounts.passwords import HashingSlots, hash_password, needs_rehash, verify_or_burn
from server.errors import Invalid, Unavailable

GOOD = "春天的 paddy 42"
STORED = hash_password(GOOD)


def test_only_the_password_itself_fits() -> None:
    assert STORED.startswith("$argon2id$")
    assert verify_or_burn(STORED, GOOD)
    for wrong in ("", GOOD + " ", GOOD.upper(), "\ud800", "\x00", "x" * 100_000):
        assert not verify_or_burn(STORED, wrong)


def test_a_password_typed_in_full_width_is_the_same() -> None:
    assert verify_or_burn(hash_password("paddy-field-42"), "ｐａｄｄｙ－ｆｉｅｌｄ－４２")


def test_a_password_over_the_limit_fits_nothing_even_where_its_beginning_would() -> None:
    assert verify_or_burn(hash_password("x" * 256), "x" * 256)
    assert not verify_or_burn(hash_password("x" * 256), "x" * 257)


def test_the_same_password_has_another_hash_each_time_unless_the_salt_is_given() -> None:
    assert hash_password(GOOD) != STORED
    assert hash_password(GOOD, salt=bytes(16)) == hash_password(GOOD, salt=bytes(16))


def test_nobody_costs_as_much_as_somebody() -> None:
    assert not verify_or_burn(None, GOOD)
    pairs = [(_seconds(STORED), _seconds(None)) for _ in range(10)]
    somebody, nobody = (min(seconds) for seconds in zip(*pairs, strict=True))
    assert 0.5 < nobody / somebody < 2


def test_a_broken_hash_fits_nothing_and_is_told_without_showing_it() -> None:
    with capture_logs() as logs:
        assert not verify_or_burn("$argon2id$broken", GOOD)
    assert logs == [{"event": "password_hash_broken", "log_level": "error"}]
    assert needs_rehash("$argon2id$broken")


def test_a_hash_of_another_cost_is_to_be_made_anew() -> None:
    assert not needs_rehash(STORED)
    assert needs_rehash(STORED.replace("t=2", "t=1"))


def test_no_more_are_hashed_at_once_than_there_are_slots(monkeypatch: pytest.MonkeyPatch) -> None:
    lock, now, most = threading.Lock(), 0, 0

    def slow(*_: object, **__: object) -> str:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        time.sleep(0.02)
        with lock:
            now -= 1
        return "hash"

    monkeypatch.setattr(passwords, "_hasher", type("Slow", (), {"hash": slow})())
    with ThreadPoolExecutor(10) as pool:
        assert list(pool.map(hash_password, ["x"] * 10)) == ["hash"] * 10
    assert most == 2


def test_who_waits_too_long_for_a_slot_is_asked_to_come_back() -> None:
    slots = HashingSlots(1, 0.01)
    with slots.one(), pytest.raises(Unavailable):
        verify_or_burn(STORED, GOOD, slots=slots)
    assert verify_or_burn(STORED, GOOD, slots=slots)


@pytest.mark.parametrize(
    ("password", "username", "said"),
    [
        ("x" * 9, "li", "密码至少 10 个字符。"),
        ("x" * 257, "li", "密码最多 256 个字符。"),
        ("wang.xiaoming", "Wang.XiaoMing", "密码不能与用户名相同。"),
        ("ｗang.xiaoming", "wang.xiaoming", "密码不能与用户名相同。"),
        ("", "li", "密码至少 10 个字符。"),
    ],
)
def test_an_unfit_password_is_refused_in_chinese(password: str, username: str, said: str) -> None:
    with pytest.raises(Invalid) as caught:
        check_password(password, username=username)
    assert caught.value.errors == {"password": [said]}


def test_all_that_is_wrong_with_a_password_is_told_at_once() -> None:
    with pytest.raises(Invalid) as caught:
        check_password("short", username="short")
    assert len(caught.value.errors["password"]) == 2


@given(st.text(max_size=300), st.none() | st.text(max_size=20))
def test_a_password_is_taken_or_refused_whatever_it_is(password: str, username: str | None) -> None:
    policy = PasswordPolicy(least=1, most=100)
    unfit = not 0 < len(password) <= 100 or password == username
    try:
        check_password(password, username=username, policy=policy)
    except Invalid as refusal:
        named = set(refusal.errors)
    else:
        named = set()
    assert named == {"password"} or not (named or unfit)


def _seconds(stored: str | None) -> float:
    # processor time of this thread: other work on the machine does not count
    began = time.thread_time()
    verify_or_burn(stored, "another password")
    return time.thread_time() - began
