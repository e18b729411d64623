"""Sealed fields: they open in their place, under their key, unchanged, and nowhere else."""

import string
from typing import Any
from uuid import UUID

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from server.vault.fields import DataKey, SealBroken, key_of

KEY = DataKey(UUID(int=0xABC), b"k" * 32)
SAME_ID = DataKey(UUID(int=0xABC), b"j" * 32)
OTHER = DataKey(UUID(int=0xDEF), b"k" * 32)
ROW = UUID(int=1)
PLACE: Any = {"table": "person", "column": "id_number", "row": ROW}

texts = st.text(st.characters(exclude_categories=["Cs"]))
names = st.text(string.ascii_letters + "._é村", max_size=12)


@given(texts, names, names, names)
def test_every_text_comes_back_byte_for_byte(text: str, table: str, column: str, row: str) -> None:
    sealed = KEY.seal(text, table=table, column=column, row=row)
    assert KEY.open(sealed, table=table, column=column, row=row) == text


def test_a_sealed_field_has_the_form_of_the_design() -> None:
    sealed = DataKey(UUID(int=0xABC), b"k" * 32, lambda size: b"\xff" * size).seal("测试", **PLACE)
    version, kid, algorithm, nonce, content = sealed.split(".")
    assert (version, kid, algorithm) == ("v1", UUID(int=0xABC).hex, "a256gcm")
    assert nonce == "_" * 16
    assert len(content) == 30  # 6 bytes of text and 16 of tag, in base64 without padding
    assert set(sealed) <= set(string.ascii_letters + string.digits + "-_.")
    assert key_of(sealed) == UUID(int=0xABC)


def test_the_same_text_is_sealed_differently_each_time() -> None:
    assert len({KEY.seal("138", **PLACE) for _ in range(1000)}) == 1000


@given(names, names, names, names, names, names)
def test_a_field_opens_in_its_own_place_only(
    table: str, column: str, row: str, other_table: str, other_column: str, other_row: str
) -> None:
    assume((table, column, row) != (other_table, other_column, other_row))
    sealed = KEY.seal("x", table=table, column=column, row=row)
    with pytest.raises(SealBroken):
        KEY.open(sealed, table=other_table, column=other_column, row=other_row)


@pytest.mark.parametrize(
    "place", [("ab", "c", "d"), ("a", "bc", "d"), ("a", "b", "cd"), ("abcd", "", ""), ("", "", "abcd")]
)
def test_places_that_read_alike_are_not_alike(place: tuple[str, str, str]) -> None:
    sealed = KEY.seal("x", table="a", column="b", row="c" + "d" * 2)
    with pytest.raises(SealBroken):
        KEY.open(sealed, table=place[0], column=place[1], row=place[2])


def test_a_row_may_be_named_by_its_id_or_by_the_text_of_it() -> None:
    sealed = KEY.seal("x", **PLACE)
    assert KEY.open(sealed, table="person", column="id_number", row=str(ROW)) == "x"


@pytest.mark.parametrize("key", [SAME_ID, OTHER])
def test_another_key_opens_nothing(key: DataKey) -> None:
    with pytest.raises(SealBroken):
        key.open(KEY.seal("x", **PLACE), **PLACE)


def test_a_field_relabelled_for_another_key_opens_nothing() -> None:
    relabelled = KEY.seal("x", **PLACE).replace(KEY.key_id.hex, OTHER.key_id.hex)
    with pytest.raises(SealBroken):
        OTHER.open(relabelled, **PLACE)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=20), st.data())
def test_any_changed_character_is_found(text: str, data: st.DataObject) -> None:
    sealed = KEY.seal(text, **PLACE)
    at = data.draw(st.integers(0, len(sealed) - 1))
    other = data.draw(st.sampled_from(string.ascii_letters + string.digits + "-_.=+/ \n\0é"))
    assume(other != sealed[at])
    with pytest.raises(SealBroken):
        KEY.open(sealed[:at] + other + sealed[at + 1 :], **PLACE)


def test_a_field_has_one_spelling_only() -> None:
    alphabet = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"
    sealed = KEY.seal("x", **PLACE)
    # 17 bytes leave two spare bits in the last character, and decoders skip foreign characters.
    spare = sealed[:-1] + alphabet[alphabet.index(sealed[-1]) + 1]
    for respelled in (spare, sealed + "!!!!", sealed[:-4] + "\n\n\n\n" + sealed[-4:], sealed + "="):
        with pytest.raises(SealBroken):
            KEY.open(respelled, **PLACE)


@given(st.integers(0, 100), st.sampled_from(["", "=", "==", ".", " ", "\n", "A", "AAAA", "!", "é"]))
def test_cut_or_lengthened_fields_are_found(cut: int, added: str) -> None:
    sealed = KEY.seal("一二三", **PLACE)
    changed = sealed[: len(sealed) - cut] + added
    assume(changed != sealed)
    with pytest.raises(SealBroken):
        KEY.open(changed, **PLACE)


@given(st.text() | st.text().map(lambda rest: f"v1.{UUID(int=0xABC).hex}.a256gcm.{rest}"))
def test_what_was_never_sealed_does_not_open(text: str) -> None:
    with pytest.raises(SealBroken):
        KEY.open(text, **PLACE)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "....",
        "v1.a.a256gcm.b.c",
        f"v2.{UUID(int=5).hex}.a256gcm.b.c",
        f"v1.{UUID(int=5).hex}.sm4gcm.b.c",
        f"v1.{UUID(int=5)}.a256gcm.b.c",
        f"v1.{UUID(int=0xA).hex.upper()}.a256gcm.b.c",
        f"v1.{UUID(int=5).hex}.a256gcm.b",
        f"v1.{UUID(int=5).hex}.a256gcm.b.c.d",
        "." * 100_000,
    ],
)
def test_what_is_no_sealed_field_names_no_key(text: str) -> None:
    with pytest.raises(SealBroken):
        key_of(text)


def test_a_lone_surrogate_is_refused_and_not_stored() -> None:
    with pytest.raises(ValueError, match="surrogates"):
        KEY.seal("\ud800", **PLACE)


@pytest.mark.parametrize("size", [0, 16, 24, 31, 33])
def test_a_data_key_is_whole(size: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        DataKey(UUID(int=1), b"x" * size)


def test_a_data_key_never_shows_its_secret() -> None:
    assert repr(KEY) == f"DataKey({KEY.key_id})"
    assert not hasattr(KEY, "__dict__")


def test_keys_that_are_derived_are_keys_of_their_own() -> None:
    nonce = b"n" * 12
    purposes = [(b"a", b"s" * 16), (b"b", b"s" * 16), (b"a", b"t" * 16)]
    ciphers = [KEY.derived(purpose, salt) for purpose, salt in purposes]
    assert len({cipher.encrypt(nonce, b"x", b"") for cipher in ciphers}) == 3
    again = KEY.derived(b"a", b"s" * 16)
    assert again.encrypt(nonce, b"x", b"") == ciphers[0].encrypt(nonce, b"x", b"")
