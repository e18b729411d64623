"""The key ring: what it accepts, what it says of a broken one, and that locked data keys stay with their id."""

import base64
import json
import os
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.vault.fields import SealBroken
from server.vault.keyring import INDEX_PURPOSES, Keyring, KeyringBroken, load_or_create

KEY_ID = UUID(int=7)
OTHER_ID = UUID(int=8)
DATA_KEY = b"d" * 32


def counting() -> Callable[[int], bytes]:
    """Chance that repeats: 1, 2, 3… so that two rings made alike are equal."""
    numbers = count(1)
    return lambda size: next(numbers).to_bytes(size, "big")


def ring() -> Keyring:
    return Keyring.generate(counting(), kid="k2026a")


def as_json(**changes: object) -> str:
    members = json.loads(ring().to_json())
    members.update(changes)
    return json.dumps(members)


def b64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def test_a_ring_is_read_back_as_it_was_written() -> None:
    made = ring()
    assert Keyring.parse(made.to_json()) == made
    assert Keyring.parse(made.to_json().encode()) == made
    assert made.active == "k2026a"
    assert set(made.index) == set(INDEX_PURPOSES)


def test_a_ring_never_shows_its_keys() -> None:
    made = Keyring.generate(os.urandom)
    shown = f"{made!r} {made!s} {made}"
    assert "k1" in shown
    for key in (*made.kek.values(), *made.index.values()):
        assert repr(key) not in shown
        assert b64(key) not in shown
        assert key.hex() not in shown


def test_a_ring_cannot_be_changed() -> None:
    made = ring()
    with pytest.raises(AttributeError):
        made.active = "other"  # type: ignore[misc]
    with pytest.raises(TypeError):
        made.kek["k2"] = b"x" * 32  # type: ignore[index]


GOOD_INDEX = {purpose: b64(bytes([number]) * 32) for number, purpose in enumerate(INDEX_PURPOSES, 1)}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not a JSON document"),
        ("{", "not a JSON document"),
        ("[" * 100_000, "not a JSON document"),
        (b"\xff\xfe\x00", "not a JSON document"),
        ("[]", "JSON object"),
        ("null", "not a JSON document"),
        ("{}", "exactly these members"),
        (as_json(extra=1), "exactly these members"),
        (as_json(active=1), "`active`"),
        (as_json(active="k1999"), "`active` is not the name"),
        (as_json(kek={}), "`active` is not the name"),
        (as_json(kek=[]), "`kek` is an object"),
        (as_json(kek={"k2026a": 5}), "kek.k2026a is a base64 text"),
        (as_json(kek={"k2026a": "!!!!"}), "kek.k2026a is not valid base64"),
        (as_json(kek={"k2026a": "é"}), "kek.k2026a is not valid base64"),
        (as_json(kek={"k2026a": b64(b"short")}), "kek.k2026a has 5 bytes; every key has 32"),
        (as_json(kek={"k2026a": b64(b"l" * 33)}), "kek.k2026a has 33 bytes"),
        (as_json(kek={"k2026a": b64(b"a" * 32), "k2025": b64(b"a" * 32)}), "are the same key"),
        (as_json(kek={"k2026a": GOOD_INDEX["phone"]}, index=GOOD_INDEX), "are the same key"),
        (as_json(kek={"k2026a": b64(b"a" * 32), "a.b": b64(b"b" * 32)}), "name of a key"),
        (as_json(kek={"k2026a": b64(b"a" * 32), "": b64(b"b" * 32)}), "name of a key"),
        (as_json(index={**GOOD_INDEX, "shoe_size": b64(b"s" * 32)}), "nothing uses: shoe_size"),
        (as_json(index={"phone": GOOD_INDEX["phone"]}), "lacks the key for: id_number, identity, last4"),
        (as_json(index="x"), "`index` is an object"),
        ('{"active": "a", "active": "a", "kek": {}, "index": {}}', "same member twice"),
        ('{"active": "a", "kek": {"a": "", "a": ""}, "index": {}}', "same member twice"),
    ],
)
def test_a_broken_ring_is_refused_in_words_that_help(text: str | bytes, words: str) -> None:
    with pytest.raises(KeyringBroken) as refused:
        Keyring.parse(text)
    assert words in str(refused.value)


def test_a_refusal_never_shows_a_key() -> None:
    secret = b64(b"s" * 31)
    with pytest.raises(KeyringBroken) as refused:
        Keyring.parse(as_json(kek={"k2026a": secret}))
    assert secret not in str(refused.value)
    with pytest.raises(KeyringBroken) as refused:
        Keyring.parse(f'{{"kek": {{"k2026a": "{secret}"')
    assert secret not in str(refused.value)
    assert refused.value.__cause__ is None
    assert refused.value.__context__ is None


def test_a_data_key_is_unlocked_under_its_own_id_only() -> None:
    made = ring()
    wrapped = made.wrap(DATA_KEY, KEY_ID)
    assert wrapped.startswith(b"w1.k2026a.")
    assert DATA_KEY not in wrapped
    assert made.unwrap(wrapped, KEY_ID) == DATA_KEY
    with pytest.raises(SealBroken):
        made.unwrap(wrapped, OTHER_ID)


def test_locking_twice_gives_two_results() -> None:
    made = ring()
    assert made.wrap(DATA_KEY, KEY_ID) != made.wrap(DATA_KEY, KEY_ID)


@pytest.mark.parametrize("size", [0, 16, 31, 33])
def test_only_a_whole_data_key_is_locked(size: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        ring().wrap(b"x" * size, KEY_ID)


@given(st.data())
def test_any_change_of_a_locked_data_key_is_found(data: st.DataObject) -> None:
    made = ring()
    wrapped = bytearray(made.wrap(DATA_KEY, KEY_ID))
    at = data.draw(st.integers(0, len(wrapped) - 1))
    wrapped[at] ^= data.draw(st.integers(1, 255))
    # A changed name of the KEK may read as one that is not on the ring.
    with pytest.raises((SealBroken, KeyringBroken)):
        made.unwrap(bytes(wrapped), KEY_ID)


@given(st.binary(max_size=100) | st.binary(max_size=60).map(lambda rest: b"w1.k2026a." + rest))
def test_what_was_never_locked_does_not_unlock(wrapped: bytes) -> None:
    with pytest.raises((SealBroken, KeyringBroken)):
        ring().unwrap(wrapped, KEY_ID)


def test_a_cut_data_key_is_found() -> None:
    made = ring()
    wrapped = made.wrap(DATA_KEY, KEY_ID)
    for size in range(len(wrapped)):
        with pytest.raises(SealBroken):
            made.unwrap(wrapped[:size], KEY_ID)


def test_rotation_keeps_the_data_key_and_lets_the_old_kek_go() -> None:
    old = ring()
    wrapped = old.wrap(DATA_KEY, KEY_ID)
    both = old.with_new_active("k2026b")
    assert both.active == "k2026b"
    assert both.index == old.index
    assert both.unwrap(wrapped, KEY_ID) == DATA_KEY
    assert both.needs_rewrap(wrapped)
    anew = both.rewrap(wrapped, KEY_ID)
    assert not both.needs_rewrap(anew)
    new_only = Keyring("k2026b", {"k2026b": both.kek["k2026b"]}, both.index)
    assert new_only.unwrap(anew, KEY_ID) == DATA_KEY
    with pytest.raises(KeyringBroken, match="'k2026a', which is not on the key ring"):
        new_only.unwrap(wrapped, KEY_ID)


def test_a_moved_data_key_is_not_locked_anew() -> None:
    both = ring().with_new_active("k2026b")
    with pytest.raises(SealBroken):
        both.rewrap(ring().wrap(DATA_KEY, KEY_ID), OTHER_ID)


def test_a_new_kek_needs_a_new_name() -> None:
    with pytest.raises(KeyringBroken, match="already has"):
        ring().with_new_active("k2026a")


def test_the_ring_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "keyring.json"
    made, created = load_or_create(path)
    assert created
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    again, created_again = load_or_create(path)
    assert not created_again
    assert again == made
    assert [each.name for each in tmp_path.iterdir()] == ["keyring.json"]


def test_many_processes_that_start_at_once_read_one_ring(tmp_path: Path) -> None:
    path = tmp_path / "keyring.json"
    with ThreadPoolExecutor(16) as starts:
        results = list(starts.map(lambda _: load_or_create(path), range(64)))
    assert sum(created for _, created in results) == 1
    assert all(each == results[0][0] for each, _ in results)
    assert [each.name for each in tmp_path.iterdir()] == ["keyring.json"]


def test_a_broken_file_is_never_replaced(tmp_path: Path) -> None:
    path = tmp_path / "keyring.json"
    path.write_text("")
    with pytest.raises(KeyringBroken, match=r"keyring\.json: the key ring is not a JSON document"):
        load_or_create(path)
    assert path.read_text() == ""


def test_a_place_that_cannot_hold_a_ring_is_named(tmp_path: Path) -> None:
    with pytest.raises(KeyringBroken, match="nowhere"):
        load_or_create(tmp_path / "nowhere" / "keyring.json")
    with pytest.raises(KeyringBroken, match="cannot be read"):
        load_or_create(tmp_path)
    dangling = tmp_path / "dangling"
    dangling.symlink_to(tmp_path / "gone")
    with pytest.raises(KeyringBroken, match="dangling"):
        load_or_create(dangling)


def test_file_and_folder_are_on_disk_before_the_ring_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced = []
    really = os.fsync

    def fsync(opened: int) -> None:
        mode = os.fstat(opened).st_mode
        synced.append("folder" if stat.S_ISDIR(mode) else "file")
        really(opened)

    monkeypatch.setattr(os, "fsync", fsync)
    load_or_create(tmp_path / "keyring.json")
    assert synced == ["file", "folder"]
